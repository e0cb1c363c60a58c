"""A trial runs what an answer runs, and leaves nothing that anybody could take for one."""

import json
from typing import Any

import pytest
from django.apps import apps

from answers import pipeline
from answers.evaluation import trial
from answers.evaluation.trial import LEFT_OUT, Trial
from answers.models import Answer, EvaluationRun, ModelEndpoint, Question, QuestionSet, RunState, Usage
from audit.events import EventType
from audit.models import Event
from documents.cards.classifying import classify
from workspaces.exceptions import Forbidden, Hidden


@pytest.fixture
def run_of(policies: Any) -> Any:
    """run_of(person) → a run that this attempt holds."""

    def make(person: Any) -> EvaluationRun:
        questions = QuestionSet.objects.create(workspace=policies, name="Leave", created_by=person)
        return EvaluationRun.objects.create(
            workspace=policies,
            question_set=questions,
            set_version=1,
            cases_sha256="0" * 64,
            case_count=1,
            started_by=person,
            state=RunState.WORKING,
            attempt=1,
        )

    return make


def tried(run: EvaluationRun, question: str, by: Any, endpoint: Any) -> trial.Tried:
    held = lambda: EvaluationRun.objects.filter(pk=run.pk, attempt=1)  # noqa: E731
    about = Trial(run, held, "evaluation")
    return trial.attempt(trial.begin(question, workspace=run.workspace, by=by, trial=about, endpoint=endpoint))


def counts() -> dict[str, int]:
    return {model._meta.label: model.objects.count() for model in apps.get_app_config("answers").get_models()}


def test_every_step_of_the_pipeline_is_tried_or_left_out_by_name() -> None:
    assert {step.__name__ for step in pipeline.STEPS} >= LEFT_OUT
    assert {"retrieve", "compose", "cite", "ground"} <= {step.__name__ for step in pipeline.STEPS} - LEFT_OUT


def test_a_trial_comes_out_as_the_answer_does_and_keeps_no_row_of_it(
    policies: Any, handbook: Any, manager: Any, answered: Any, run_of: Any, raw_stream: Any
) -> None:
    question = "How many days of annual leave does an employee have?"
    answer = answered(policies, question, manager)
    run, before, questions = run_of(manager), counts(), Question.objects.count()

    ended = tried(run, question, manager, answer.endpoint)

    assert (ended.ending, ended.state.text) == (answer.status, answer.text)
    assert [step["step"] for step in ended.steps] == ["retrieve", "compose", "cite", "ground"]
    assert counts() == before
    assert Question.objects.count() == questions
    assert raw_stream(ended.state.answer) == "[]"
    sent = Event.objects.filter(type=EventType.EVIDENCE_SENT).latest("at")
    assert (sent.object_type, sent.object_id) == ("answers.evaluationrun", str(run.pk))


def test_a_candidate_reads_what_its_ceiling_allows_and_trail_and_ledger_name_it(
    policies: Any, handbook: Any, manager: Any, run_of: Any, chat_server: Any
) -> None:
    run, question = run_of(manager), "How many days of annual leave does an employee have?"
    new = ModelEndpoint.objects.create(name="new", kind="openai", base_url=chat_server.url, model="good")

    assert (new.state, tried(run, question, manager, new).ending) == ("candidate", "answered")

    sent = Event.objects.get(type=EventType.EVIDENCE_SENT)
    assert (sent.object_id, sent.actor_id, f'"endpoint":"{new.label}"' in sent.body) == (
        str(run.pk),
        str(manager.pk),
        True,
    )
    call = Usage.objects.get()
    assert (call.purpose, call.endpoint, call.workspace, call.person) == ("evaluation", new, policies, manager)
    classify(handbook.document, "restricted", by=manager)
    assert tried(run, question, manager, new).ending == "refused_model_policy"
    assert (Usage.objects.count(), Event.objects.filter(type=EventType.EVIDENCE_SENT).count()) == (1, 1)
    refused = json.loads(Event.objects.get(type=EventType.MODEL_REFUSED).body)["details"]
    assert (refused["why"], refused["purpose"]) == ("classification", "evaluation")


def test_a_trial_has_the_rights_of_who_runs_it(
    policies: Any, handbook: Any, manager: Any, member: Any, auditor: Any, stranger: Any, run_of: Any
) -> None:
    from answers.endpoints import built_in
    from documents.access.restriction import restrict

    run, question = run_of(manager), "How many days of annual leave does an employee have?"
    restrict(handbook.document, by=manager)

    ended = tried(run, question, member, built_in())

    assert ended.ending == "refused_no_evidence"
    assert not ended.state.sources
    with pytest.raises(Forbidden):
        tried(run, question, auditor, built_in())
    with pytest.raises(Hidden):
        tried(run, question, stranger, built_in())


def test_a_trial_whose_run_was_taken_over_writes_nothing(
    policies: Any, handbook: Any, manager: Any, run_of: Any
) -> None:
    from answers.endpoints import built_in
    from answers.exceptions import LeaseLost

    run = run_of(manager)
    EvaluationRun.objects.filter(pk=run.pk).update(attempt=2)

    with pytest.raises(LeaseLost):
        tried(run, "How many days of annual leave does an employee have?", manager, built_in())

    assert not Answer.objects.exists()
    assert not Event.objects.filter(type=EventType.EVIDENCE_SENT).exists()
