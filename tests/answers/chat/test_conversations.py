"""Conversations: follow-ups are understood in context, and a turn that was closed to its asker is told to nobody."""

from functools import partial

import pytest
from django.utils import timezone

from answers import chat_models, pipeline, questions
from answers.chat import conversations, earlier_turns, suggestions
from answers.exceptions import QuestionError, WrongState
from answers.models import Answer, Conversation
from answers.models.evidence import FIRST_INHERITED
from answers.provenance.page import steps_of
from answers.provenance.record import record_of
from answers.querysets import closed_evidence
from answers.states import AnswerStatus
from audit.chain import digest
from audit.events import EventType
from audit.models import Event
from documents import library
from documents.access import restriction
from documents.deletion import erasing as deletion
from documents.models import RerankEndpoint, WorkspaceReranker
from tests.answers import library as shelf
from workspaces.exceptions import Forbidden, Hidden

LEAVE = "How many days of annual leave does a full-time employee have?"


def test_a_follow_up_is_searched_for_with_the_topic_it_leans_on(policies, handbook, purchasing, member, answered):
    first = answered(policies, LEAVE, member)

    second = answered(policies, "What about the year after?", member, conversation=first.question.conversation)

    assert second.asked_as == "What about the year after (days of annual leave, full-time employee)?"
    assert second.status == AnswerStatus.ANSWERED
    assert {row.document_id for row in second.evidence.all()} >= {handbook.document_id}
    detail = second.steps.get(step="understand").detail
    assert (detail["turns"], detail["left_out"], detail["by"]) == (1, 0, "rules")


def test_a_question_that_stands_alone_is_searched_for_as_it_is(policies, handbook, purchasing, member, answered):
    first = answered(policies, LEAVE, member)

    second = answered(policies, "Who approves a purchase order?", member, conversation=first.question.conversation)

    assert second.asked_as == ""


def test_a_model_is_sent_the_earlier_turns_and_its_question_is_searched_for(
    policies, handbook, member, answered, endpoint_of, chat_server
):
    first = answered(policies, LEAVE, member)
    chat_server.says = "When does annual leave expire?"

    second = answered(
        policies,
        "And when does it end?",
        member,
        conversation=first.question.conversation,
        endpoint=endpoint_of("says"),
    )

    sent = chat_server.requests[0]["messages"][-1]["content"]
    assert LEAVE in sent
    assert first.released_text.split(" [")[0] in sent
    assert second.asked_as == "When does annual leave expire?"
    assert "When does annual leave expire?" in chat_server.requests[1]["messages"][-1]["content"]
    event = Event.objects.get(type=EventType.TURNS_SENT, object_id=str(second.pk))
    assert str(first.pk) in event.body
    assert "annual leave" not in event.body


@pytest.fixture
def lost(policies, handbook, purchasing, member, manager, answered):
    """A conversation whose first answer rests on a document that was closed to its asker since."""
    first = answered(policies, LEAVE, member)
    restriction.restrict(handbook.document, by=manager)
    return first


@pytest.mark.parametrize("model", ["built-in", "says"])
def test_a_turn_whose_sources_were_lost_is_not_told_again(
    model, lost, policies, member, answered, endpoint_of, chat_server
):
    chat_server.says = "Anything [1]."
    options = {} if model == "built-in" else {"endpoint": endpoint_of(model)}

    second = answered(
        policies, "What about purchase orders?", member, conversation=lost.question.conversation, **options
    )

    assert second.asked_as == ""
    detail = second.steps.get(step="understand").detail
    assert (detail["turns"], detail["left_out"]) == (0, 1)
    told = [line for step in steps_of(record_of(second), told=True) for line in step.said]
    assert "1 earlier turn was left out: something it rests on was closed to the asker." in told
    assert not any(LEAVE in str(request) or "20 working days" in str(request) for request in chat_server.requests)
    assert not Event.objects.filter(type=EventType.TURNS_SENT).exists()


def test_without_the_look_at_rights_the_lost_turn_would_be_told(lost, policies, member, monkeypatch):
    """The counter-proof: the test above can fail."""
    answer = questions.ask(
        workspace=policies, text="What about it?", by=member, conversation=lost.question.conversation
    )
    assert earlier_turns.before(answer).turns == ()

    monkeypatch.setattr(earlier_turns, "resting_on_closed", lambda user, answers: frozenset())

    assert LEAVE in earlier_turns.before(answer).turns[0].question


@pytest.mark.parametrize("reply", ["When do the 20 working days expire?", "Two\nlines."])
def test_a_turn_that_is_closed_while_the_model_reads_it_is_not_used_any_more(
    reply, policies, handbook, purchasing, member, manager, answered, endpoint_of, chat_server, monkeypatch
):
    first = answered(policies, LEAVE, member)
    chat_server.says = reply
    ask = chat_models.stream_chat

    def closing(*args, **options):
        yield from ask(*args, **options)
        restriction.restrict(handbook.document, by=manager)

    monkeypatch.setattr(chat_models, "stream_chat", closing)

    second = answered(
        policies, "When does it expire?", member, conversation=first.question.conversation, endpoint=endpoint_of("says")
    )

    assert second.asked_as == ""
    assert not second.evidence.filter(rank__gte=FIRST_INHERITED).exists()
    assert all("20 working days" not in str(request) for request in chat_server.requests[1:])
    detail = second.steps.get(step="understand").detail
    assert (detail["turns"], detail["left_out"]) == (0, 1)


@pytest.mark.parametrize("ceiling", ["public", "internal"])
def test_what_a_model_took_from_an_answer_goes_to_no_server_of_the_search_that_may_not_read_it(
    ceiling, policies, handbook, purchasing, member, answered, endpoint_of, chat_server
):
    server = RerankEndpoint.objects.create(
        name="judge", base_url="http://127.0.0.1:9/v1", ceiling=ceiling, state="approved", approved_at=timezone.now()
    )
    WorkspaceReranker.objects.create(workspace=policies, endpoint=server)
    first = answered(policies, LEAVE, member)
    chat_server.says = "Who approves a purchase order after 20 working days?"

    second = answered(
        policies,
        "Who approves it then?",
        member,
        conversation=first.question.conversation,
        endpoint=endpoint_of("says"),
    )

    by = second.steps.get(step="understand").detail["by"]
    assert (by, "20 working days" in second.asked_as) == (
        ("model", True) if ceiling == "internal" else ("rules", False)
    )


def test_what_a_model_put_in_from_an_earlier_answer_rests_on_its_sources(
    policies, handbook, purchasing, member, contributor, manager, answered, endpoint_of, chat_server
):
    first = answered(policies, LEAVE, member)
    chat_server.says = "Who approves a purchase order after 20 working days?"

    second = answered(
        policies,
        "Who approves it then?",
        member,
        conversation=first.question.conversation,
        endpoint=endpoint_of("says"),
    )

    inherited = second.evidence.filter(rank__gte=FIRST_INHERITED)
    assert {row.version_id for row in inherited} == {row.version_id for row in first.evidence.all()}
    restriction.restrict(handbook.document, by=manager)
    assert closed_evidence(contributor, second).filter(rank__gte=FIRST_INHERITED).exists()


@pytest.mark.parametrize(
    "reply",
    [
        "Certainly!\nHere is what I think about annual leave.",
        # In a reviewed workspace its asker would read this before anybody approved it.
        "Leave your employer with a claim for damages, since courts award triple wages whenever notice was oral.",
    ],
)
def test_a_reply_that_is_no_question_falls_back_to_rules(
    reply, policies, handbook, member, answered, endpoint_of, chat_server
):
    first = answered(policies, LEAVE, member)
    chat_server.says = reply

    second = answered(
        policies, "When does it expire?", member, conversation=first.question.conversation, endpoint=endpoint_of("says")
    )

    assert second.asked_as == "When does it (days of annual leave, full-time employee) expire?"
    assert not second.evidence.filter(rank__gte=FIRST_INHERITED).exists()


def test_a_conversation_takes_no_question_of_another_workspace_or_person(
    policies, legal, member, contributor, make_workspace
):
    other = make_workspace("other", member=member)
    thread = questions.ask(workspace=policies, text=LEAVE, by=member).question.conversation

    with pytest.raises(Forbidden):
        questions.ask(workspace=other, text="And here?", by=member, conversation=thread)
    with pytest.raises(Hidden):
        questions.ask(workspace=policies, text="And I?", by=contributor, conversation=thread)

    assert thread.questions.count() == 1


def test_turns_of_another_workspace_are_not_told_even_if_a_row_was_moved(policies, member, make_workspace):
    other = make_workspace("other", member=member)
    here = questions.ask(workspace=policies, text=LEAVE, by=member)
    there = questions.ask(workspace=other, text="What about it?", by=member)
    there.question.conversation = here.question.conversation
    there.question.save()

    assert earlier_turns.before(there).turns == ()


def test_a_question_put_differently_keeps_its_earlier_form(policies, handbook, member, answered):
    first = answered(policies, "How many days of leave?", member)

    second = questions.rephrase(first, text=LEAVE, by=member)
    pipeline.run(second.pk)

    assert second.question.replaces == first.question
    assert second.question.conversation == first.question.conversation
    assert Event.objects.filter(type=EventType.QUESTION_REPHRASED, object_id=str(first.pk)).exists()
    # What was replaced is no turn of the conversation any more.
    later = questions.ask(workspace=policies, text="Why?", by=member, conversation=second.question.conversation)
    assert [turn.question for turn in earlier_turns.before(later).turns] == [LEAVE]


def test_only_the_last_question_is_put_differently_and_only_by_its_asker(policies, member, contributor):
    first = questions.ask(workspace=policies, text=LEAVE, by=member)
    thread = first.question.conversation
    questions.stop(first, by=member)
    last = questions.ask(workspace=policies, text="Why?", by=member, conversation=thread)

    with pytest.raises(WrongState, match="last question"):
        questions.rephrase(first, text="Other?", by=member)
    with pytest.raises(Hidden):
        questions.rephrase(last, text="Other?", by=contributor)
    questions.rephrase(last, text="How come?", by=member)
    with pytest.raises(WrongState):
        questions.rephrase(last, text="Twice?", by=member)

    last.refresh_from_db()
    assert last.status == AnswerStatus.STOPPED


def test_a_conversation_is_named_and_put_away_by_its_owner_alone(policies, member, manager):
    thread = questions.ask(workspace=policies, text=LEAVE, by=member).question.conversation

    for act in (
        partial(conversations.rename, thread, title="Mine", by=manager),
        partial(conversations.archive, thread, by=manager),
    ):
        with pytest.raises(Hidden):
            act()
    conversations.rename(thread, title="  Leave ", by=member)
    conversations.archive(thread, by=member)
    conversations.archive(thread, by=member)

    assert Conversation.objects.get().title == "Leave"
    assert list(conversations.shown_to(member, policies)) == []
    kinds = Event.objects.filter(object_id=str(thread.pk)).values_list("type", flat=True)
    assert sorted(kinds) == [EventType.CONVERSATION_ARCHIVED, EventType.CONVERSATION_RENAMED]
    with pytest.raises(QuestionError, match="deleted"):
        questions.ask(workspace=policies, text="More?", by=member, conversation=thread)


def test_a_name_replaces_the_one_that_stands_and_not_the_one_that_was_read(policies, member):
    thread = questions.ask(workspace=policies, text=LEAVE, by=member).question.conversation
    other_tab = Conversation.objects.get(pk=thread.pk)
    conversations.rename(thread, title="Leave", by=member)

    conversations.rename(other_tab, title="Holidays", by=member)

    last = Event.objects.filter(type=EventType.CONVERSATION_RENAMED).order_by("seq").last()
    assert digest("Leave") in last.body
    conversations.archive(thread, by=member)
    with pytest.raises(QuestionError, match="deleted"):
        conversations.rename(other_tab, title="Gone", by=member)


def test_an_act_whose_entry_cannot_be_written_did_not_happen(policies, member, monkeypatch):
    thread = questions.ask(workspace=policies, text=LEAVE, by=member).question.conversation

    def fail(*args: object, **kwargs: object) -> None:
        raise RuntimeError

    monkeypatch.setattr(conversations, "record", fail)
    for act in (
        partial(conversations.rename, thread, title="New", by=member),
        partial(conversations.archive, thread, by=member),
    ):
        with pytest.raises(RuntimeError):
            act()

    stored = Conversation.objects.get()
    assert (stored.title, stored.archived_at) == ("", None)


def test_what_a_follow_up_was_understood_as_survives_a_worker_that_died(policies, handbook, member, answered, die):
    first = answered(policies, LEAVE, member)
    answer = questions.ask(
        workspace=policies, text="When does it expire?", by=member, conversation=first.question.conversation
    )
    Answer.objects.filter(pk=answer.pk).update(status="working", attempt=1, asked_as="Something else?")
    die(answer)

    pipeline.run(answer.pk)

    answer.refresh_from_db()
    assert answer.asked_as == "When does it (days of annual leave, full-time employee) expire?"


def test_a_short_follow_up_is_spoken_to_in_the_language_of_the_conversation(policies, member):
    first = questions.ask(workspace=policies, text="Koliko dana godišnjeg odmora ima zaposleni?", by=member)

    second = questions.ask(workspace=policies, text="2027?", by=member, conversation=first.question.conversation)

    assert second.question.language == "sr-latn"


def test_a_name_and_an_understood_question_that_repeat_an_erased_document_go_with_it(
    policies, handbook, member, manager, answered
):
    from answers import staleness
    from documents.models import Deletion

    told = "The second parent takes 20 working days of paid parental leave"
    first = answered(policies, LEAVE, member)
    conversations.rename(first.question.conversation, title=told, by=member)
    Answer.objects.filter(pk=first.pk).update(asked_as=f"{told}?")
    deletion = Deletion(workspace=policies, document=handbook.document)

    staleness._erase_repetitions(deletion, [], [told])

    first.refresh_from_db()
    first.question.conversation.refresh_from_db()
    assert (first.asked_as, first.question.conversation.title) == ("", "")


def test_a_suggestion_that_repeats_an_erased_document_goes_with_it(
    policies, manager, django_capture_on_commit_callbacks
):
    mark = "Every Zanzibarian employee keeps exactly seventeen purple umbrellas in the northern cupboard."
    version = shelf.add_document(policies, "umbrellas.md", f"# Umbrellas\n\n{mark}\n")
    suggestions.save(policies, texts=[f"Is it so? {mark}", LEAVE], by=manager)
    library.delete(version.document, by=manager, reason="Out of date.")

    with django_capture_on_commit_callbacks(execute=True):
        deletion.erase(version.document_id)

    assert suggestions.written_for(policies) == [LEAVE]
    assert not any(mark in event.body for event in Event.objects.all())
