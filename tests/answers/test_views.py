"""The asker's pages: what they show, to whom, and that nothing they may not read is on them."""

import json
import uuid

import pytest
from asgiref.sync import async_to_sync
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from answers import questions
from answers.models import Answer
from answers.states import AnswerStatus
from audit.events import EventType
from audit.models import Event
from documents.access import restriction
from workspaces import members
from workspaces.roles import Role

QUESTION = "How many days of annual leave does a full-time employee have?"


def url(name: str, answer: Answer, **more: object) -> str:
    return reverse(f"answers:{name}", kwargs={"slug": answer.workspace.slug, "pk": answer.pk, **more})


@pytest.fixture
def answer(handbook, policies, member, answered) -> Answer:
    return answered(policies, QUESTION, member)


@pytest.fixture
def held(legal, member, answered) -> Answer:
    from tests.answers import library

    library.add_document(legal, "employee-handbook.md", library.HANDBOOK)
    return answered(legal, QUESTION, member)


def test_the_first_visit_says_what_can_be_expected(client_of, member, policies):
    page = client_of(member).get(reverse("answers:ask", kwargs={"slug": "policies"}))

    assert page.status_code == 200
    assert "Every claim opens the place" in page.content.decode()


def test_a_question_asked_without_scripts_lands_on_the_thread(client_of, member, policies):
    address = reverse("answers:ask", kwargs={"slug": "policies"})

    response = client_of(member).post(address, {"text": QUESTION})

    assert response.status_code == 302
    assert response["Location"] == f"{address}#latest"
    assert Answer.objects.get().status == AnswerStatus.WAITING


def test_a_question_asked_with_htmx_adds_one_turn_that_is_followed(client_of, member, policies):
    response = client_of(member).post(
        reverse("answers:ask", kwargs={"slug": "policies"}), {"text": QUESTION}, headers={"HX-Request": "true"}
    )

    turn = response.content.decode()
    assert turn.count('class="turn"') == 1
    assert f'data-events="{url("events", Answer.objects.get())}"' in turn


@pytest.mark.parametrize(("text", "sentence"), [("  ", "Write a question first"), ("x" * 8001, "8000")])
def test_a_question_that_cannot_be_asked_says_why_and_is_not_stored(text, sentence, client_of, member, policies):
    response = client_of(member).post(reverse("answers:ask", kwargs={"slug": "policies"}), {"text": text})

    assert response.status_code == 400
    assert sentence in response.content.decode()
    assert not Answer.objects.exists()


def test_what_one_may_know_of_is_asked_to_find_an_answer_and_as_its_text_is_handed_out_and_not_again(
    client_of, member, answer
):
    client = client_of(member)
    client.get(url("answer", answer))

    with CaptureQueriesContext(connection) as captured:
        client.get(url("answer", answer))

    assert len([query for query in captured if "answers_declassification" in query["sql"]]) == 2


def test_a_released_answer_shows_its_text_and_a_link_for_each_citation(client_of, member, answer):
    page = client_of(member).get(url("answer", answer)).content.decode()

    assert answer.citations.exists()
    for citation in answer.citations.all():
        assert f"start={citation.start}&amp;end={citation.end}#cited" in page
        assert url("citation", answer, number=citation.number) in page


def test_reading_a_released_answer_is_in_the_trail(client_of, member, answer):
    client_of(member).get(url("card", answer))

    event = Event.objects.filter(type=EventType.ANSWER_READ).last()
    assert (event.actor_id, event.object_id) == (str(member.pk), str(answer.pk))


def test_the_evidence_panel_shows_the_quote_in_its_surroundings(client_of, member, answer):
    citation = answer.citations.first()

    panel = client_of(member).get(url("citation", answer, number=1)).content.decode()

    assert f"<mark>{citation.quote}</mark>" in panel
    assert Event.objects.filter(type=EventType.DOCUMENT_OPENED, actor_id=str(member.pk)).exists()


def test_a_citation_that_does_not_exist_is_not_found(client_of, member, answer):
    assert client_of(member).get(url("citation", answer, number=99)).status_code == 404


@pytest.mark.parametrize("name", ["answer", "card", "provenance"])
def test_a_held_answer_shows_its_asker_no_word_of_the_text(name, client_of, member, held):
    assert held.status == AnswerStatus.HELD_FOR_REVIEW
    assert held.text

    page = client_of(member).get(url(name, held)).content.decode()

    assert "Awaiting review" in page
    for sentence in held.sentences:
        assert sentence["text"][:30] not in page
    for citation in held.citations.all():
        assert citation.quote not in page


def test_a_held_answer_opens_no_citation(client_of, member, held):
    assert client_of(member).get(url("citation", held, number=1)).status_code == 404


@pytest.mark.parametrize("name", ["answer", "card", "events", "provenance"])
def test_another_member_does_not_find_an_answer(name, client_of, contributor, answer):
    assert client_of(contributor).get(url(name, answer)).status_code == 404


@pytest.mark.parametrize("name", ["stop", "again"])
def test_another_member_cannot_act_on_an_answer(name, client_of, contributor, answer):
    assert client_of(contributor).post(url(name, answer)).status_code == 404


def test_a_reviewer_does_not_follow_somebody_elses_stream(client_of, reviewer, answer):
    assert client_of(reviewer).get(url("events", answer)).status_code == 404


def test_an_answer_is_not_found_under_another_workspace(client_of, member, answer, make_workspace):
    make_workspace("other", member=member)
    address = reverse("answers:answer", kwargs={"slug": "other", "pk": answer.pk})

    assert client_of(member).get(address).status_code == 404


def test_text_is_withheld_once_a_source_is_closed_to_the_asker(client_of, member, manager, answer, handbook):
    restriction.restrict(handbook.document, by=manager)

    for name in ("answer", "card", "provenance"):
        page = client_of(member).get(url(name, answer)).content.decode()
        assert answer.citations.first().quote not in page
    assert "no longer open to you" in client_of(member).get(url("card", answer)).content.decode()
    assert client_of(member).get(url("citation", answer, number=1)).status_code == 404


def test_nothing_is_found_after_leaving_the_workspace(client_of, member, answer):
    members.remove_member(answer.workspace, member, Role.MEMBER, by=None)

    assert client_of(member).get(url("answer", answer)).status_code == 404


def test_stopping_ends_the_answer_with_a_sentence(client_of, member, policies):
    answer = questions.ask(workspace=policies, text=QUESTION, by=member)

    card = client_of(member).post(url("stop", answer), headers={"HX-Request": "true"}).content.decode()

    assert "You stopped this answer" in card
    answer.refresh_from_db()
    assert answer.status == AnswerStatus.STOPPED


def test_asking_again_makes_a_new_answer_to_the_same_question(client_of, member, policies):
    answer = questions.ask(workspace=policies, text=QUESTION, by=member)
    questions.stop(answer, by=member)

    client_of(member).post(url("again", answer))

    assert answer.question.answers.count() == 2


def test_the_history_finds_a_question_by_its_words_and_shows_only_ones_own(client_of, member, contributor, policies):
    questions.ask(workspace=policies, text="What is the dress code?", by=member)
    questions.ask(workspace=policies, text="Where is the canteen?", by=member)
    questions.ask(workspace=policies, text="What is the dress allowance?", by=contributor)

    page = client_of(member).get(reverse("answers:history", kwargs={"slug": "policies"}), {"q": "dress"})

    text = page.content.decode()
    assert "dress code" in text
    assert "canteen" not in text
    assert "allowance" not in text


def test_hostile_questions_are_shown_as_text(client_of, member, policies):
    questions.ask(workspace=policies, text='<script>alert(1)</script><img src=x onerror="alert(2)">', by=member)
    client = client_of(member)

    for name in ("ask", "history"):
        page = client.get(reverse(f"answers:{name}", kwargs={"slug": "policies"})).content.decode()
        assert "<script>alert" not in page
        assert "<img src=x" not in page


@pytest.mark.django_db(transaction=True)
def test_the_stream_begins_behind_the_last_event_the_browser_saw(client_of, member, answer):
    from answers import streaming

    happened = streaming.read(answer.pk)
    seen = happened[-2][0]

    response = client_of(member).get(url("events", answer), headers={"Last-Event-ID": seen})

    frames = async_to_sync(_whole)(response).split("\n\n")
    kinds = [frame.split("event: ")[1].split("\n")[0] for frame in frames if "event: " in frame]
    assert kinds == [happened[-1][1]]
    assert response["Content-Type"] == "text/event-stream"


@pytest.mark.django_db(transaction=True)
def test_the_stream_of_a_finished_answer_gives_its_words_to_nobody(client_of, member, answer):
    """They stand on the page, under the rights of the moment; a replay would outlive a right that was taken."""
    from answers import streaming

    assert streaming.TOKEN in [kind for _id, kind, _data in streaming.read(answer.pk)]

    said = async_to_sync(_whole)(client_of(member).get(url("events", answer)))

    assert "event: end" in said
    assert "event: token" not in said


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("closed", [False, True])
def test_words_are_streamed_only_while_every_source_is_open(closed, client_of, member, manager, answer, handbook):
    from answers import sse
    from workspaces.tokens.credentials import Credential

    Answer.objects.filter(pk=answer.pk).update(
        status=AnswerStatus.WORKING, released_at=None, released_text="", released_sha256=""
    )
    if closed:
        restriction.restrict(handbook.document, by=manager)

    credential = Credential(member.pk, None, client_of(member).session.session_key)
    said = async_to_sync(_first_frames)(sse.stream_of(answer.pk, credential, ""))

    assert ("event: token" in said) is not closed


async def _first_frames(stream) -> str:
    """Everything up to the first sign that nothing more is there."""
    said = ""
    async for part in stream:
        said += part
        if "event: end" in part or part.startswith(":"):
            break
    await stream.aclose()
    return said


def test_a_held_answer_is_looked_after_without_a_stream_and_redrawn_only_on_news(client_of, member, held):
    client = client_of(member)
    page = client.get(url("card", held)).content.decode()
    assert "data-events" not in page

    assert client.get(url("card", held), {"shown": held.status}).status_code == 204
    assert client.get(url("card", held), {"shown": "waiting"}).status_code == 200


async def _whole(response) -> str:
    return b"".join([part async for part in response.streaming_content]).decode()


def test_the_stream_of_a_held_answer_carries_no_text(client_of, held):
    from answers import streaming

    kinds = [kind for _id, kind, _data in streaming.read(held.pk)]
    said = json.dumps([data for _id, _kind, data in streaming.read(held.pk)])

    assert streaming.TOKEN not in kinds
    assert all(sentence["text"][:30] not in said for sentence in held.sentences)


def test_the_number_of_queries_does_not_grow_with_the_history(
    client_of, member, policies, django_assert_max_num_queries
):
    for number in range(12):
        answer = questions.ask(workspace=policies, text=f"Question {number}?", by=member)
        questions.stop(answer, by=member)
    client = client_of(member)
    client.get(reverse("answers:history", kwargs={"slug": "policies"}))

    with django_assert_max_num_queries(20):
        client.get(reverse("answers:history", kwargs={"slug": "policies"}))


def test_an_unknown_answer_is_not_found(client_of, member, policies):
    address = reverse("answers:answer", kwargs={"slug": "policies", "pk": uuid.uuid4()})

    assert client_of(member).get(address).status_code == 404
