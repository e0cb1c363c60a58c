"""A question on its way through the steps, with the real search and the built-in model."""

import threading
from typing import Any

import pytest
from django.db import connection, connections
from django.test.utils import CaptureQueriesContext

from answers import leases, pipeline, questions, streaming
from answers.models import Answer, Draft, Evidence
from answers.states import AnswerStatus
from answers.steps import compose as compose_step
from audit import record as audit_record
from audit.chain import digest
from audit.events import EventType
from audit.exceptions import AuditError
from audit.models import Event
from documents.access.restriction import restrict
from documents.models import Document
from documents.search import search
from tests.answers import library
from workspaces.members import remove_member
from workspaces.models import User, Workspace

QUESTION = "How many days of paid parental leave does the second parent take?"
OFF_TOPIC = "Which visa do I need for New Zealand?"


def test_an_open_workspace_answers_with_a_quote_from_the_document(policies, handbook, member, answered):
    answer = answered(policies, QUESTION, member)

    assert answer.status == AnswerStatus.ANSWERED
    assert "20 working days" in answer.released_text
    assert answer.released_sha256 == digest(answer.released_text)
    for citation in answer.citations.select_related("version"):
        assert citation.quote == citation.version.text[citation.start : citation.end]
    assert [run.step for run in answer.steps.all()] == [step.__name__ for step in pipeline.STEPS]


def test_each_act_of_answering_is_in_the_trail(policies, handbook, member, answered):
    answer = answered(policies, QUESTION, member)

    entries = Event.objects.filter(object_id=str(answer.pk)).order_by("seq")
    assert [entry.type for entry in entries] == [
        EventType.QUESTION_ASKED,
        EventType.EVIDENCE_SENT,
        EventType.ANSWER_RELEASED,
    ]
    assert not any(QUESTION in entry.body or "working days" in entry.body for entry in entries)
    assert answer.released_sha256 in entries[2].body


def test_without_evidence_no_model_is_asked(policies, handbook, member, answered, endpoint_of, chat_server):
    answer = answered(policies, OFF_TOPIC, member, endpoint=endpoint_of("good"))

    assert answer.status == AnswerStatus.REFUSED_NO_EVIDENCE
    assert chat_server.requests == []
    assert not Event.objects.filter(type=EventType.EVIDENCE_SENT).exists()


def test_without_a_model_settled_nothing_is_asked_and_the_ending_says_so(
    policies, handbook, member, answered, monkeypatch
):
    monkeypatch.setattr(pipeline, "STEPS", pipeline.STEPS[1:])

    answer = answered(policies, QUESTION, member)

    assert answer.status == AnswerStatus.FAILED_NO_ENDPOINT
    assert answer.raw_output == ""


def test_a_held_answer_streams_no_token_and_waits_as_a_draft(legal, member, answered, raw_stream):
    library.add_document(legal, "employee-handbook.md", library.HANDBOOK)

    answer = answered(legal, QUESTION, member)

    assert answer.status == AnswerStatus.HELD_FOR_REVIEW
    assert answer.released_text == ""
    assert Draft.objects.get(answer=answer).text == answer.text
    assert "20 working days" in answer.text
    assert "working days" not in raw_stream(answer)
    kinds = [kind for _id, kind, _data in streaming.read(answer.pk)]
    assert "token" not in kinds
    assert kinds[-1] == "end"


def test_an_open_answer_streams_its_words(policies, handbook, member, answered):
    answer = answered(policies, QUESTION, member)

    words = "".join(data["text"] for _id, kind, data in streaming.read(answer.pk) if kind == "token")
    assert "20 working days" in words


def test_a_workspace_that_turns_to_review_while_the_question_waits_holds_the_answer(
    policies, handbook, member, raw_stream
):
    answer = questions.ask(workspace=policies, text=QUESTION, by=member)
    policies.review_policy = "review"
    policies.save()

    pipeline.run(answer.pk)

    answer.refresh_from_db()
    assert answer.status == AnswerStatus.HELD_FOR_REVIEW
    assert "working days" not in raw_stream(answer)


def test_a_right_that_was_taken_before_the_run_refuses(policies, handbook, member):
    answer = questions.ask(workspace=policies, text=QUESTION, by=member)
    remove_member(policies, member, "member", by=None)

    pipeline.run(answer.pk)

    answer.refresh_from_db()
    assert answer.status == AnswerStatus.REFUSED_NO_RIGHT
    assert not Evidence.objects.exists()


def test_an_account_that_was_closed_before_the_run_gets_nothing(policies, handbook, member):
    answer = questions.ask(workspace=policies, text=QUESTION, by=member)
    member.is_active = False
    member.save()

    pipeline.run(answer.pk)

    answer.refresh_from_db()
    assert answer.status == AnswerStatus.REFUSED_NO_RIGHT


@pytest.fixture
def after_writing(monkeypatch):
    """after_writing(act): `act()` happens when the model has written and nothing is released yet."""

    def arrange(act: Any) -> None:
        write = compose_step.compose

        def compose(state: Any) -> Any:
            outcome = write(state)
            act()
            return outcome

        monkeypatch.setattr(pipeline, "STEPS", tuple(compose if s is write else s for s in pipeline.STEPS))

    return arrange


def test_a_right_that_is_taken_while_the_model_writes_refuses(policies, handbook, member, answered, after_writing):
    after_writing(lambda: remove_member(policies, member, "member", by=None))

    answer = answered(policies, QUESTION, member)

    assert answer.status == AnswerStatus.REFUSED_NO_RIGHT
    assert answer.released_text == answer.text == ""


def test_a_source_that_is_closed_while_the_model_writes_refuses(
    policies, handbook, member, manager, answered, after_writing
):
    after_writing(lambda: restrict(handbook.document, by=manager))

    answer = answered(policies, QUESTION, member)

    assert answer.status == AnswerStatus.REFUSED_NO_RIGHT
    assert answer.released_text == ""


def test_a_policy_that_turns_to_review_while_the_model_writes_holds_the_answer(
    policies, handbook, member, answered, after_writing
):
    after_writing(lambda: Workspace.objects.update(review_policy="review"))

    answer = answered(policies, QUESTION, member)

    assert (answer.status, answer.policy) == (AnswerStatus.HELD_FOR_REVIEW, "review")
    assert answer.released_text == ""
    assert answer.draft.text == answer.text != ""


def test_an_account_that_is_closed_while_the_model_writes_gets_nothing(
    policies, handbook, member, answered, after_writing
):
    after_writing(lambda: User.objects.filter(pk=member.pk).update(is_active=False))

    answer = answered(policies, QUESTION, member)

    assert answer.status == AnswerStatus.REFUSED_NO_RIGHT
    assert answer.released_text == answer.text == ""


def test_an_answer_that_no_reviewer_could_read_is_refused_rather_than_held(legal, manager, member, answered, client_of):
    library.add_document(legal, "handbook.md", library.HANDBOOK, granted_to=[manager, member])

    answer = answered(legal, QUESTION, member)

    assert answer.status == AnswerStatus.REFUSED_NO_REVIEWER
    assert answer.text == answer.released_text == ""
    assert not Draft.objects.exists()
    page = client_of(member).get(f"/w/legal/answers/{answer.pk}/").content.decode()
    assert "No reviewer here may open every source" in page


def test_an_answer_that_one_reviewer_may_read_is_held(legal, member, second_reviewer, answered):
    library.add_document(legal, "handbook.md", library.HANDBOOK, granted_to=[member, second_reviewer])

    assert answered(legal, QUESTION, member).status == AnswerStatus.HELD_FOR_REVIEW


def test_the_only_reviewer_who_could_read_an_answer_does_not_decide_on_their_own_question(
    legal, reviewer, second_reviewer, answered
):
    library.add_document(legal, "handbook.md", library.HANDBOOK, granted_to=[reviewer])

    assert answered(legal, QUESTION, reviewer).status == AnswerStatus.REFUSED_NO_REVIEWER


def test_a_restricted_document_is_never_in_the_prompt(
    policies, handbook, member, manager, answered, endpoint_of, chat_server
):
    library.add_document(
        policies, "secret.md", "Paid parental leave of the board is CANARY-7 days.", granted_to=[manager]
    )

    answer = answered(
        policies, "How long is the paid parental leave of the board?", member, endpoint=endpoint_of("echo")
    )

    assert answer.raw_output
    assert "CANARY-7" not in str(chat_server.requests)
    assert "CANARY-7" not in answer.raw_output


def test_a_grant_puts_the_restricted_document_into_the_prompt(
    policies, handbook, manager, answered, endpoint_of, chat_server
):
    library.add_document(
        policies, "secret.md", "Paid parental leave of the board is CANARY-7 days.", granted_to=[manager]
    )

    answered(policies, "How long is the paid parental leave of the board?", manager, endpoint=endpoint_of("echo"))

    assert "CANARY-7" in str(chat_server.requests)


def test_a_deleted_document_answers_nothing(policies, handbook, member, answered):
    Document.objects.filter(pk=handbook.document_id).update(deleted_at=handbook.created_at)

    answer = answered(policies, QUESTION, member)

    assert answer.status == AnswerStatus.REFUSED_NO_EVIDENCE


@pytest.mark.django_db(transaction=True)
def test_without_its_audit_entry_nothing_is_released(policies, handbook, member, monkeypatch):
    answer = questions.ask(workspace=policies, text=QUESTION, by=member)

    def sabotage(chain: str, bodies: Any) -> None:
        if any(body["type"] == EventType.ANSWER_RELEASED for body in bodies):
            raise AuditError("The disk of the trail is full.")
        return append(chain, bodies)

    append = audit_record.chain.append
    monkeypatch.setattr(audit_record.chain, "append", sabotage)
    with pytest.raises(AuditError):
        pipeline.run(answer.pk)

    answer.refresh_from_db()
    assert answer.status == AnswerStatus.WORKING
    assert answer.released_text == ""
    assert not answer.citations.exists()
    assert not answer.steps.exists()

    monkeypatch.undo()
    pipeline.run(answer.pk)

    answer.refresh_from_db()
    assert answer.status == AnswerStatus.ANSWERED


@pytest.fixture
def no_vector_index(settings, monkeypatch):
    """Chroma is down, and too much is open to search it exactly."""
    settings.CHROMA_URL = "http://127.0.0.1:9"
    monkeypatch.setattr("documents.retrieval.legs.EXACT_UP_TO", 0)


def test_without_the_vector_index_the_keywords_answer(policies, handbook, member, answered, no_vector_index):

    answer = answered(policies, QUESTION, member)

    assert answer.status == AnswerStatus.ANSWERED
    assert answer.steps.get(step="retrieve").detail["degraded"]


def test_an_answer_from_keywords_alone_says_that_passages_may_be_missing(
    policies, handbook, member, answered, client_of, settings, monkeypatch
):
    before = answered(policies, QUESTION, member)
    settings.CHROMA_URL = "http://127.0.0.1:9"
    monkeypatch.setattr("documents.retrieval.legs.EXACT_UP_TO", 0)

    limited = answered(policies, QUESTION, member)

    page = client_of(member).get(f"/w/policies/answers/{limited.pk}/").content.decode()
    assert "passages may be missing" in page
    assert "passages may be missing" not in client_of(member).get(f"/w/policies/answers/{before.pk}/").content.decode()


def test_an_index_that_is_down_is_not_an_absence_of_evidence(policies, handbook, member, answered, no_vector_index):

    answer = answered(policies, OFF_TOPIC, member)

    assert answer.status == AnswerStatus.FAILED_SEARCH


@pytest.mark.django_db(transaction=True)
def test_of_two_workers_at_one_question_one_answers(policies, handbook, member):
    answer = questions.ask(workspace=policies, text=QUESTION, by=member)
    both = threading.Barrier(2)

    def work() -> None:
        both.wait(30)
        try:
            pipeline.run(answer.pk)
        finally:
            connections.close_all()

    workers = [threading.Thread(target=work) for _ in range(2)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(60)

    answer.refresh_from_db()
    assert (answer.status, answer.attempt) == (AnswerStatus.ANSWERED, 1)
    assert Event.objects.filter(type=EventType.EVIDENCE_SENT).count() == 1


def test_running_twice_answers_once(policies, handbook, member, answered):
    answer = answered(policies, QUESTION, member)
    pipeline.run(answer.pk)

    assert Event.objects.filter(type=EventType.ANSWER_RELEASED).count() == 1
    assert answer.steps.count() == len(pipeline.STEPS)


def test_an_answer_that_a_living_worker_holds_is_left_alone(policies, handbook, member):
    answer = questions.ask(workspace=policies, text=QUESTION, by=member)
    held = leases.take(answer.pk)

    pipeline.run(answer.pk)

    answer.refresh_from_db()
    assert (answer.status, answer.attempt) == (AnswerStatus.WORKING, held.attempt)


def test_a_dead_workers_answer_is_taken_over_and_its_tokens_voided(policies, handbook, member, die):
    answer = questions.ask(workspace=policies, text=QUESTION, by=member)
    dead = leases.take(answer.pk)
    streaming.append(answer.pk, "token", {"text": "Half a sen"})
    die(dead)

    pipeline.run(answer.pk)

    answer.refresh_from_db()
    assert (answer.status, answer.attempt, answer.deaths) == (AnswerStatus.ANSWERED, 2, 1)
    kinds = [kind for _id, kind, _data in streaming.read(answer.pk)]
    assert kinds.index("reset") > kinds.index("token")
    assert kinds.count("end") == 1


def test_the_evidence_of_an_attempt_that_died_does_not_double(policies, handbook, member, monkeypatch):
    answer = questions.ask(workspace=policies, text=QUESTION, by=member)

    def die(state: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(pipeline, "STEPS", (*pipeline.STEPS[: pipeline.STEPS.index(pipeline.compose)], die))
    die.__name__ = "compose"
    with pytest.raises(KeyboardInterrupt):
        pipeline.run(answer.pk)
    stored = Evidence.objects.count()
    monkeypatch.undo()
    pipeline.run(answer.pk)

    answer.refresh_from_db()
    assert answer.status == AnswerStatus.ANSWERED
    assert Evidence.objects.filter(answer=answer).count() == stored > 0


def test_a_worker_that_was_taken_over_writes_nothing(policies, handbook, member, after_writing, die):
    answer = questions.ask(workspace=policies, text=QUESTION, by=member)

    def another_takes_over() -> None:
        die(Answer.objects.get(pk=answer.pk))
        leases.take(answer.pk)

    after_writing(another_takes_over)
    pipeline.run(answer.pk)

    answer.refresh_from_db()
    assert (answer.status, answer.attempt) == (AnswerStatus.WORKING, 2)
    assert answer.text == ""
    assert not Event.objects.filter(type=EventType.ANSWER_RELEASED).exists()


def test_a_question_that_kills_its_worker_three_times_ends_as_an_internal_fault(policies, handbook, member, die):
    answer = questions.ask(workspace=policies, text=QUESTION, by=member)
    for _death in range(leases.MOST_DEATHS):
        die(leases.take(answer.pk))

    pipeline.run(answer.pk)

    answer.refresh_from_db()
    assert (answer.status, answer.deaths, answer.errors) == (AnswerStatus.FAILED_INTERNAL, 3, 0)
    assert answer.failure_detail == "Three attempts ended the program that makes the answer."
    assert Event.objects.filter(type=EventType.ANSWER_FAILED, object_id=str(answer.pk)).exists()


@pytest.fixture
def broken(monkeypatch) -> None:
    """A step that raises what nobody expects, with the question in its message."""

    def ground(state: Any) -> None:
        raise ValueError(state.question)

    monkeypatch.setattr(pipeline, "STEPS", (*pipeline.STEPS[:5], ground))


def test_an_error_of_ours_lets_go_at_once_and_is_no_death(policies, handbook, member, broken, caplog):
    answer = questions.ask(workspace=policies, text=QUESTION, by=member)

    with pytest.raises(ValueError, match="parental"):
        pipeline.run(answer.pk)

    answer.refresh_from_db()
    assert (answer.status, answer.lease_until) == (AnswerStatus.WORKING, None)
    assert (answer.deaths, answer.errors) == (0, 1)
    assert f"Answer {answer.pk}: attempt 1 failed with ValueError" in caplog.text
    assert QUESTION not in caplog.text


def test_the_next_attempt_after_an_error_answers(policies, handbook, member, broken, monkeypatch):
    answer = questions.ask(workspace=policies, text=QUESTION, by=member)
    with pytest.raises(ValueError, match="parental"):
        pipeline.run(answer.pk)
    monkeypatch.undo()

    pipeline.run(answer.pk)

    answer.refresh_from_db()
    assert (answer.status, answer.deaths, answer.errors) == (AnswerStatus.ANSWERED, 0, 1)


def test_after_three_errors_the_asker_is_told_whose_fault_it_was(policies, handbook, member, broken):
    answer = questions.ask(workspace=policies, text=QUESTION, by=member)
    for _attempt in range(leases.MOST_ERRORS):
        with pytest.raises(ValueError, match="parental"):
            pipeline.run(answer.pk)

    pipeline.run(answer.pk)

    answer.refresh_from_db()
    assert (answer.status, answer.deaths, answer.errors) == (AnswerStatus.FAILED_INTERNAL, 0, 3)
    assert answer.failure_detail == "Three attempts failed with an error in the portal."


def test_an_error_of_a_worker_that_was_taken_over_is_not_counted(
    policies, handbook, member, broken, after_writing, die
):
    answer = questions.ask(workspace=policies, text=QUESTION, by=member)

    def another_takes_over() -> None:
        die(answer)
        leases.take(answer.pk)

    after_writing(another_takes_over)
    with pytest.raises(ValueError, match="parental"):
        pipeline.run(answer.pk)

    answer.refresh_from_db()
    assert (answer.attempt, answer.errors) == (2, 0)
    assert answer.lease_until is not None


def test_a_worker_that_is_told_to_stop_is_neither_a_death_nor_an_error(policies, handbook, member, monkeypatch):
    answer = questions.ask(workspace=policies, text=QUESTION, by=member)

    def compose(state: Any) -> None:
        raise SystemExit

    monkeypatch.setattr(pipeline, "STEPS", (*pipeline.STEPS[:3], compose))
    with pytest.raises(SystemExit):
        pipeline.run(answer.pk)
    monkeypatch.undo()
    pipeline.run(answer.pk)

    answer.refresh_from_db()
    assert (answer.status, answer.deaths, answer.errors) == (AnswerStatus.ANSWERED, 0, 0)


def queries_of(ask_and_run: Any) -> int:
    """How many queries, without the two words that open and close a transaction."""
    with CaptureQueriesContext(
        connection,
    ) as captured:
        ask_and_run()
    words = ("SAVEPOINT", "RELEASE SAVEPOINT", "BEGIN", "COMMIT")
    return sum(not query["sql"].startswith(words) for query in captured)


@pytest.mark.parametrize("policy", ["open", "review"])
def test_a_question_costs_a_fixed_number_of_queries(policy, policies, handbook, purchasing, member, monkeypatch):
    policies.review_policy = policy
    policies.save()
    found = search(member, policies, QUESTION, k=8)
    monkeypatch.setattr("answers.steps.retrieve.search", lambda *_args, **_named: found)

    def ask_and_run() -> None:
        answer = questions.ask(workspace=policies, text=QUESTION, by=member)
        pipeline.run(answer.pk)

    ask_and_run()
    assert queries_of(ask_and_run) <= 25
