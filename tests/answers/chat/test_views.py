"""The page of a conversation: threads, editing, regenerating, suggestions, history and the ways out of a refusal."""

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone, translation

from answers import pipeline, questions
from answers.access import sharing
from answers.chat import suggestions
from answers.models import Answer, Conversation, Question, SuggestedQuestion
from answers.states import AnswerStatus
from audit.events import EventType
from audit.models import Event
from documents.access import restriction
from documents.models import Document, Passage, Version
from tests.documents import shelf

LEAVE = "How many days of annual leave does an employee have?"
HTMX = {"HX-Request": "true"}


def at(name: str, slug: str = "policies", **more: object) -> str:
    return reverse(f"answers:{name}", kwargs={"slug": slug, **more})


@pytest.fixture
def asked(policies, handbook, member, answered) -> Answer:
    return answered(policies, LEAVE, member)


def test_a_first_question_begins_a_conversation_whose_address_the_page_takes(client_of, member, policies):
    response = client_of(member).post(at("ask"), {"text": LEAVE}, headers=HTMX)

    thread = Conversation.objects.get()
    assert response["HX-Replace-Url"] == at("conversation", pk=thread.pk)
    assert f'value="{thread.pk}" hx-swap-oob="true"' in response.content.decode()


def test_a_follow_up_goes_into_the_conversation_that_is_sent(client_of, member, asked):
    thread = asked.question.conversation

    response = client_of(member).post(at("ask"), {"text": "Why?", "conversation": thread.pk}, headers=HTMX)

    assert "HX-Replace-Url" not in response
    assert thread.questions.count() == 2
    page = client_of(member).get(at("conversation", pk=thread.pk)).content.decode()
    assert page.index(LEAVE) < page.index("Why?")


@pytest.mark.parametrize("sent", ["nonsense", "00000000-0000-4000-8000-000000000000"])
def test_a_conversation_that_is_not_ones_own_is_not_found(sent, client_of, member, contributor, asked):
    for pk in (sent, asked.question.conversation_id):
        assert client_of(contributor).post(at("ask"), {"text": "Hm?", "conversation": pk}).status_code == 404
    for name in ("conversation",):
        assert client_of(contributor).get(at(name, pk=asked.question.conversation_id)).status_code == 404
    for name in ("rename_conversation", "archive_conversation"):
        assert client_of(contributor).post(at(name, pk=asked.question.conversation_id)).status_code == 404
    assert Question.objects.count() == 1


def test_a_new_conversation_shows_no_earlier_turn_and_offers_to_go_on(client_of, member, asked):
    page = client_of(member).get(at("new_conversation"), {"text": "And <b>now</b>?"}).content.decode()

    assert 'class="turn"' not in page
    assert "And &lt;b&gt;now&lt;/b&gt;?" in page
    assert at("conversation", pk=asked.question.conversation_id) in page


def test_what_a_follow_up_was_asked_as_is_shown_until_a_source_of_it_is_closed(
    client_of, member, manager, policies, handbook, asked, answered, endpoint_of, chat_server
):
    chat_server.says = "How many days of annual leave may be carried over?"
    second = answered(
        policies, "And carried over?", member, conversation=asked.question.conversation, endpoint=endpoint_of("says")
    )
    address = at("card", pk=second.pk)
    assert chat_server.says in client_of(member).get(address).content.decode()

    restriction.restrict(handbook.document, by=manager)

    assert chat_server.says not in client_of(member).get(address).content.decode()


def test_a_source_past_its_last_valid_day_says_so_below_the_answer(client_of, member, handbook, asked):
    def said():
        return "is-expired" in client_of(member).get(at("card", pk=asked.pk)).content.decode()

    until_today = said()
    Document.objects.filter(pk=handbook.document_id).update(valid_until=timezone.localdate() - timedelta(days=1))

    assert (until_today, said()) == (False, True)


def test_an_edited_question_takes_the_place_of_its_turn_and_keeps_the_earlier_form(client_of, member, asked):
    client = client_of(member)

    turn = client.post(at("rephrase", pk=asked.pk), {"text": "How much leave is there?"}, headers=HTMX).content.decode()

    assert "How much leave is there?" in turn
    assert LEAVE in turn
    page = client.get(at("ask")).content.decode()
    assert page.count('class="bubble"') == 2  # the turn, and the template of one
    assert "Put differently once" in page


def test_the_same_question_is_answered_by_another_model_and_the_first_answer_is_kept(
    client_of, member, asked, endpoint_of
):
    endpoint = endpoint_of("good")

    client_of(member).post(at("again", pk=asked.pk), {"model": endpoint.name})

    again = asked.question.answers.order_by("-created_at").first()
    assert again.endpoint == endpoint
    page = client_of(member).get(at("conversation", pk=asked.question.conversation_id)).content.decode()
    assert at("answer", pk=asked.pk) in page


def test_whoever_an_answer_is_shared_with_learns_of_no_other_answer_to_its_question(
    client_of, member, contributor, reviewer, asked
):
    again = questions.ask_again(asked, by=member)
    pipeline.run(again.pk)
    again.refresh_from_db()
    sharing.share(again, to=contributor, by=member)

    page = client_of(contributor).get(at("answer", pk=again.pk)).content.decode()

    assert "One earlier answer" not in page
    assert str(asked.pk) not in page
    assert at("answer", pk=asked.pk) in client_of(reviewer).get(at("answer", pk=again.pk)).content.decode()


def test_a_model_the_workspace_does_not_offer_answers_nothing(client_of, member, asked):
    client_of(member).post(at("again", pk=asked.pk), {"model": "somewhere else"})

    assert asked.question.answers.count() == 1


def test_a_deleted_conversation_is_in_no_list_of_its_owner(client_of, member, asked):
    client = client_of(member)
    client.post(at("rename_conversation", pk=asked.question.conversation_id), {"title": "Leave of mine"})
    assert "Leave of mine" in client.get(at("history")).content.decode()
    assert "Leave of mine" in client.get(at("history"), {"q": "of mine"}).content.decode()

    client.post(at("archive_conversation", pk=asked.question.conversation_id))

    for name in ("history", "ask", "new_conversation"):
        page = client.get(at(name)).content.decode()
        assert LEAVE not in page
        assert "Leave of mine" not in page
    assert client.get(at("conversation", pk=asked.question.conversation_id)).status_code == 404


def test_the_history_groups_questions_by_conversation_and_leaves_earlier_forms_out(client_of, member, asked):
    later = questions.rephrase(asked, text="How much leave?", by=member)
    pipeline.run(later.pk)

    page = client_of(member).get(at("history")).content.decode()

    assert page.count('class="past"') == 1
    assert page.count('class="past__question"') == 1


@pytest.mark.parametrize(
    ("question", "sentence"),
    [
        ("What is the airspeed of an unladen swallow?", "no evidence"),
        ("Kolika je brzina neopterećene laste?", "dokaz"),
        ("Колика је брзина неоптерећене ласте?", "доказ"),
    ],
)
def test_a_refusal_speaks_the_language_of_its_question(
    question, sentence, client_of, member, policies, handbook, answered
):
    answer = answered(policies, question, member)
    assert answer.status == AnswerStatus.REFUSED_NO_EVIDENCE

    card = client_of(member).get(at("card", pk=answer.pk)).content.decode()

    said = card.split('class="answer__state"')[1].split("</p>")[0]
    assert sentence in said.casefold()
    assert at("way_out", pk=answer.pk) in card


def test_the_way_out_names_documents_and_words_that_are_open_to_the_asker_alone(
    client_of, member, manager, policies, handbook, answered
):
    from tests.answers import library

    secret = library.add_document(
        policies, "swallow-paternal-figures.md", "# Swallow\n\n## Paternalia\n\nFast.", granted_to=[manager]
    )
    answer = answered(policies, "Which paternal swallows does the canteen serve on Mars?", member)

    help_ = client_of(member).get(at("way_out", pk=answer.pk)).content.decode()

    assert handbook.document.title in help_
    assert secret.document.title not in help_
    assert "paternal" not in help_.casefold().replace("parental", "")
    assert "Parental" in help_


def test_a_stranger_to_the_answer_is_helped_to_nothing(client_of, contributor, stranger, asked):
    for person in (contributor, stranger):
        assert client_of(person).get(at("way_out", pk=asked.pk)).status_code == 404


@pytest.mark.parametrize(
    ("page", "expected"),
    [
        ("en", ["What is said about “Visitor rules”?"]),
        ("sr", ["Шта пише о „Обука“?", "Šta piše o „Službeni put“?"]),
        ("sr-latn", ["Шта пише о „Обука“?", "Šta piše o „Službeni put“?"]),
    ],
)
def test_a_suggested_question_is_in_one_language_and_that_is_the_pages(member, policies, page, expected):
    # “Шта пише о ‘Visitor rules’?” stood beside questions in Serbian.
    for name, language in (("Visitor rules", "en"), ("Službeni put", "sr"), ("Обука", "sr")):
        document = shelf.put(policies, f"{name}.md", ["One.", "Two.", "Three."])
        Passage.objects.filter(version=document.current_version).update(locator=f"Rules › {name}")
        Version.objects.filter(pk=document.current_version_id).update(language=language)

    with translation.override(page):
        assert suggestions.offered(member, policies) == expected

    Document.objects.exclude(title="Visitor rules").update(restricted=True)
    with translation.override(page):
        assert suggestions.offered(member, policies) == ["What is said about “Visitor rules”?"]


def test_suggestions_come_from_documents_open_to_the_person_until_a_manager_writes_some(
    client_of, member, manager, policies, handbook
):
    page = client_of(member).get(at("new_conversation")).content.decode()
    assert "Annual leave" in page or "Working from home" in page
    restriction.restrict(handbook.document, by=manager)
    assert suggestions.offered(member, policies) == []

    client_of(manager).post(at("suggestions"), {"questions": "What is due?\n\nWho signs?\nWhat is due?"})

    assert suggestions.offered(member, policies) == ["What is due?", "Who signs?"]
    assert "Who signs?" in client_of(member).get(at("new_conversation")).content.decode()
    event = Event.objects.get(type=EventType.SUGGESTIONS_CHANGED)
    assert event.actor_id == str(manager.pk)
    assert "Who signs" not in event.body


def test_too_many_suggestions_are_refused_with_the_text_kept(client_of, manager, policies):
    response = client_of(manager).post(at("suggestions"), {"questions": "\n".join(f"Q{n}?" for n in range(9))})

    assert response.status_code == 400
    assert "Q8?" in response.content.decode()
    assert not SuggestedQuestion.objects.exists()


def test_only_whoever_manages_the_workspace_writes_suggestions(client_of, member, stranger, policies):
    assert client_of(member).post(at("suggestions"), {"questions": "Mine?"}).status_code == 403
    assert client_of(stranger).post(at("suggestions"), {"questions": "Mine?"}).status_code == 404
    assert not SuggestedQuestion.objects.exists()
