"""What an asker may do: ask, ask again, stop; and what is refused."""

import threading
from typing import Any

import pytest
from django.db import connections
from django.utils import timezone

from answers import leases, pipeline, questions, streaming, tasks
from answers.exceptions import EndpointError, QuestionError, WrongState
from answers.models import Answer, EndpointKind, ModelEndpoint, Question
from answers.states import AnswerStatus
from audit import record as audit_record
from audit.events import EventType
from audit.exceptions import AuditError
from audit.models import Event
from documents.reembedding.questions import recent
from workspaces.dispatch import inline
from workspaces.exceptions import Forbidden, Hidden

QUESTION = "How many days of paid parental leave does the second parent take?"


def test_asking_leaves_a_row_that_waits_and_an_entry_without_the_words(policies, member):
    answer = questions.ask(workspace=policies, text=f"  {QUESTION}\n", by=member)

    assert answer.status == AnswerStatus.WAITING
    assert (answer.question.text, answer.question.language) == (QUESTION, "en")
    entry = Event.objects.get(type=EventType.QUESTION_ASKED)
    assert entry.actor_id == str(member.pk)
    assert QUESTION not in entry.body


def test_a_stranger_learns_nothing_of_the_workspace(policies, stranger):
    with pytest.raises(Hidden):
        questions.ask(workspace=policies, text=QUESTION, by=stranger)


def test_an_auditor_asks_nothing(policies, auditor):
    with pytest.raises(Forbidden):
        questions.ask(workspace=policies, text=QUESTION, by=auditor)


@pytest.mark.parametrize("text", ["", "  \n", "\0"])
def test_a_blank_question_is_refused(text, policies, member):
    with pytest.raises(QuestionError):
        questions.ask(workspace=policies, text=text, by=member)


def test_a_question_that_is_too_long_is_refused_with_both_figures(policies, member, settings):
    settings.MAX_QUESTION_CHARACTERS = 100

    with pytest.raises(QuestionError, match=r"100 characters; this one has 101"):
        questions.ask(workspace=policies, text="x" * 101, by=member)


def test_an_archived_workspace_takes_no_question(policies, member):
    policies.archived_at, policies.archived_by = timezone.now(), member
    policies.save()

    with pytest.raises(QuestionError, match="archived"):
        questions.ask(workspace=policies, text=QUESTION, by=member)


def test_a_model_that_the_workspace_does_not_offer_is_refused(policies, member):
    elsewhere = ModelEndpoint.objects.create(
        name="elsewhere", kind=EndpointKind.OPENAI, base_url="http://127.0.0.1:9/v1", model="m"
    )

    with pytest.raises(EndpointError, match="not open to this workspace"):
        questions.ask(workspace=policies, text=QUESTION, by=member, endpoint=elsewhere)


@pytest.mark.django_db(transaction=True)
def test_without_its_audit_entry_no_question_is_asked(policies, member, monkeypatch):
    def fail(chain: str, bodies: Any) -> None:
        raise AuditError("The disk of the trail is full.")

    monkeypatch.setattr(audit_record.chain, "append", fail)
    with pytest.raises(AuditError):
        questions.ask(workspace=policies, text=QUESTION, by=member)

    assert not Question.objects.exists()


def test_asking_again_makes_a_second_answer_to_the_same_question(policies, handbook, member, answered):
    first = answered(policies, QUESTION, member)

    again = questions.ask_again(first, by=member)
    pipeline.run(again.pk)

    again.refresh_from_db()
    assert again.question_id == first.question_id
    assert again.status == AnswerStatus.ANSWERED
    assert Question.objects.count() == 1


def test_a_question_that_is_being_answered_is_not_asked_again(policies, member):
    answer = questions.ask(workspace=policies, text=QUESTION, by=member)

    with pytest.raises(WrongState, match="already being made"):
        questions.ask_again(answer, by=member)


@pytest.mark.parametrize("verb", [questions.ask_again, questions.stop])
def test_only_the_asker_asks_again_or_stops(verb, policies, handbook, member, contributor, reviewer, answered):
    answer = answered(policies, QUESTION, member)

    with pytest.raises(Hidden):
        verb(answer, by=contributor)
    with pytest.raises(Forbidden):
        verb(answer, by=reviewer)


def test_a_waiting_answer_is_stopped_at_once(policies, handbook, member):
    answer = questions.ask(workspace=policies, text=QUESTION, by=member)

    questions.stop(answer, by=member)
    questions.stop(answer, by=member)
    pipeline.run(answer.pk)

    answer.refresh_from_db()
    assert answer.status == AnswerStatus.STOPPED
    assert answer.ended_at is not None
    assert Event.objects.filter(type=EventType.ANSWER_STOPPED).count() == 1


def test_a_finished_answer_is_not_stopped(policies, handbook, member, answered):
    answer = answered(policies, QUESTION, member)

    with pytest.raises(WrongState):
        questions.stop(answer, by=member)


@pytest.mark.parametrize("model", ["silent", "stalls"])
@pytest.mark.django_db(transaction=True)
def test_stopping_lets_a_model_go_that_says_nothing(model, policies, handbook, member, endpoint_of, chat_server):
    endpoint = endpoint_of(model, first_token_seconds=60, total_seconds=60)
    answer = questions.ask(workspace=policies, text=QUESTION, by=member, endpoint=endpoint)
    worker = threading.Thread(target=_run_and_close, args=(answer.pk,))
    worker.start()
    assert chat_server.began.wait(30)

    questions.stop(Answer.objects.get(pk=answer.pk), by=member)

    assert chat_server.left.wait(10), "the connection to the model stayed open"
    worker.join(10)
    answer.refresh_from_db()
    assert answer.status == AnswerStatus.STOPPED
    assert answer.text == answer.raw_output == ""
    kinds = [(kind, data.get("status")) for _id, kind, data in streaming.read(answer.pk)]
    assert kinds[-1] == ("end", "stopped_by_asker")
    assert [kind for kind, _status in kinds].count("end") == 1


def _run_and_close(answer_id: Any) -> None:
    try:
        pipeline.run(answer_id)
    finally:
        connections.close_all()


def test_the_sweep_rings_for_what_a_dead_worker_left(
    policies, handbook, member, die, django_capture_on_commit_callbacks
):
    answer = questions.ask(workspace=policies, text=QUESTION, by=member)
    die(leases.take(answer.pk))

    with inline(), django_capture_on_commit_callbacks(execute=True):
        tasks.sweep_answers()

    answer.refresh_from_db()
    assert answer.status == AnswerStatus.ANSWERED


def test_the_sweep_leaves_a_new_question_to_its_own_bell(policies, member, django_capture_on_commit_callbacks):
    questions.ask(workspace=policies, text=QUESTION, by=member)

    with django_capture_on_commit_callbacks() as bells:
        tasks.sweep_answers()

    assert bells == []


def test_a_question_whose_words_were_erased_is_not_compared_on(handbook, policies, member, answered):
    kept = answered(policies, QUESTION, member)
    gone = answered(policies, f"{QUESTION} And who pays?", member)
    assert {kept.status, gone.status} == {AnswerStatus.ANSWERED}
    Question.objects.filter(pk=gone.question_id).update(text="")

    assert recent(policies) == [{"question": str(kept.question_id)}]
