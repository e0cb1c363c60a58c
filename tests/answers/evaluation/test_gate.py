"""A change goes live when its run passed, or when two people say so; there is no way around."""

from dataclasses import replace
from typing import Any

import pytest
from django.utils import timezone

from answers import endpoints
from answers.evaluation import gate, kinds, sets, verdict
from answers.evaluation.figures import Metric
from answers.evaluation.sets import Case
from answers.evaluation.thresholds import Threshold
from answers.exceptions import EvaluationError, GateHolds
from answers.models import CandidateState, EndpointKind, ModelEndpoint, RunState, WorkspaceModels
from audit.events import EventType
from audit.models import Event
from tests.answers.evaluation.conftest import work
from workspaces.exceptions import Forbidden, Hidden


@pytest.fixture
def second(policies: Any, make_user: Any) -> Any:
    """Another manager of the workspace."""
    from workspaces.members import add_member

    person = make_user("second-manager")
    add_member(policies, person, "manager", by=None)
    return person


@pytest.fixture
def twin(db: None) -> Any:
    """A model that answers as the built-in one does, under another name."""
    approved = {"state": "approved", "approved_at": timezone.now(), "ceiling": "restricted"}
    return ModelEndpoint.objects.create(name="twin", kind=EndpointKind.EXTRACTIVE, **approved)


def proposed(policies: Any, endpoint: Any, by: Any) -> Any:
    return gate.propose(policies, kind="model", target=str(endpoint.pk), by=by)


def built(policies: Any, by: Any) -> Any:
    """A change to another embedding space that is ready to be switched to."""
    from documents.embeddings import default_space
    from documents.models import EmbeddingSpace, SpaceMigration
    from documents.spaces import row_of
    from documents.states import MigrationState

    policies.refresh_from_db()
    target = EmbeddingSpace.objects.create(fingerprint="f" * 16, name="other", dimension=8)
    figures = {"passages": 0, "reused": 0, "tokens": 0, "money": "", "currency": "", "above_ceiling": 0, "seconds": 0}
    return SpaceMigration.objects.create(
        workspace=policies,
        source=row_of(default_space()),
        target=target,
        state=MigrationState.READY,
        estimate=figures,
        planned_by=by,
        covered_revision=policies.index_revision,
    )


def default_of(workspace: Any) -> str:
    return str(WorkspaceModels.objects.get(workspace=workspace).default_endpoint.name)


def test_a_model_stays_a_candidate_until_its_run_passes(
    policies: Any, gated: Any, twin: Any, manager: Any, second: Any
) -> None:
    with pytest.raises(GateHolds):
        endpoints.choose_models(policies, default=twin, by=manager)
    candidate = proposed(policies, twin, manager)
    with pytest.raises(GateHolds, match="not been run"):
        gate.go_live(candidate, by=manager)

    started = gate.run(candidate, by=manager)
    for run in started:
        work(run)
        run.refresh_from_db()

    assert [(run.state, run.replaced) for run in started] == [(RunState.DONE, False), (RunState.DONE, True)]
    found = verdict.of(candidate, gated)
    assert found.passed, found.missing
    assert {(check.threshold.metric, check.asks) for check in found.checks} == {
        (Metric.REFUSAL, "limit"),
        (Metric.REFUSAL, "worse"),
        (Metric.RECALL, "limit"),
    }
    assert default_of(policies) == "built-in"
    gate.go_live(candidate, by=second)
    candidate.refresh_from_db()
    assert (candidate.state, default_of(policies)) == (CandidateState.LIVE, "twin")
    assert Event.objects.filter(type=EventType.GATE_LIVE, actor_id=str(second.pk)).exists()


def test_what_passed_counts_only_while_nothing_differs(
    policies: Any, gated: Any, questions: Any, twin: Any, manager: Any
) -> None:
    from answers import checks

    candidate = proposed(policies, twin, manager)
    for run in gate.run(candidate, by=manager):
        work(run)
    assert verdict.of(candidate, gated).passed

    checks.choose(policies, strictness="strict", judge=None, by=manager)
    assert not verdict.of(candidate, gated).passed
    checks.choose(policies, strictness="balanced", judge=None, by=manager)
    assert verdict.of(candidate, gated).passed
    sets.put(questions, [Case("Is there a canteen?", "canteen", must_refuse=True)], by=manager)

    assert not verdict.of(candidate, gate.of(policies)).passed
    with pytest.raises(GateHolds):
        gate.go_live(candidate, by=manager)


def test_a_run_that_reaches_too_little_or_left_questions_out_does_not_pass(
    policies: Any, questions: Any, handbook: Any, twin: Any, manager: Any, contributor: Any
) -> None:
    from documents.restriction import grant, restrict, revoke_grant

    high = [Threshold(Metric.RECALL, 0.99, by_bound=True)]
    asked = gate.choose(policies, enabled=True, question_set=questions, thresholds=high, by=manager)
    candidate = proposed(policies, twin, manager)
    for run in gate.run(candidate, by=manager):
        work(run)
    # All of three questions were right, and three are few.
    assert "at least 99.0 %" in verdict.of(candidate, asked).missing[0]
    low = [Threshold(Metric.RECALL, 0.1)]
    asked = gate.choose(policies, enabled=True, question_set=questions, thresholds=low, by=manager)
    assert verdict.of(candidate, asked).passed

    restrict(handbook.document, by=manager)
    grant(handbook.document, contributor, by=manager)
    revoke_grant(handbook.document, manager, by=manager)
    for run in gate.run(candidate, by=manager):
        work(run)

    assert "closed to who started" in verdict.of(candidate, asked).missing[0]


def test_an_override_needs_a_reason_and_a_second_person(
    policies: Any, gated: Any, twin: Any, manager: Any, second: Any, member: Any
) -> None:
    candidate = proposed(policies, twin, manager)
    with pytest.raises(EvaluationError):
        gate.ask_override(candidate, reason="  ", by=manager)
    with pytest.raises(EvaluationError):
        gate.agree(candidate, by=second)
    gate.ask_override(candidate, reason="The old model is switched off today.", by=manager)
    with pytest.raises(Forbidden):
        gate.agree(candidate, by=manager)
    with pytest.raises(Hidden):
        gate.agree(candidate, by=member)
    with pytest.raises(GateHolds):
        gate.go_live(candidate, by=manager)

    gate.agree(candidate, by=second)

    candidate.refresh_from_db()
    assert (candidate.state, default_of(policies)) == (CandidateState.LIVE, "twin")
    overridden = Event.objects.get(type=EventType.GATE_OVERRIDDEN)
    assert (overridden.actor_id, "switched off today" in overridden.body) == (str(second.pk), True)


def test_an_override_is_of_exactly_what_was_looked_at(
    policies: Any, gated: Any, twin: Any, manager: Any, second: Any
) -> None:
    from answers import checks

    candidate = proposed(policies, twin, manager)
    gate.ask_override(candidate, reason="Needed today.", by=manager)
    checks.choose(policies, strictness="lenient", judge=None, by=manager)

    with pytest.raises(EvaluationError, match="changed since"):
        gate.agree(candidate, by=second)

    assert default_of(policies) == "built-in"


def test_without_the_gate_at_the_verb_a_model_would_go_live_at_once(
    policies: Any, gated: Any, twin: Any, manager: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The protection is that line: taken away, the leak is there."""
    monkeypatch.setattr(endpoints, "before_choice", [])

    endpoints.choose_models(policies, default=twin, by=manager)

    assert default_of(policies) == "twin"


def test_a_gate_keeps_the_model_that_answers_when_the_installation_chooses_another(
    policies: Any, gated: Any, twin: Any
) -> None:
    assert default_of(policies) == "built-in"


def test_a_model_that_people_may_choose_has_to_pass_as_well(policies: Any, gated: Any, twin: Any, manager: Any) -> None:
    with pytest.raises(GateHolds):
        endpoints.choose_models(policies, default=endpoints.built_in(), choices=[twin], by=manager)


def test_an_embedding_space_and_a_template_have_to_pass_as_well(
    policies: Any, gated: Any, manager: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from answers.rag_templates import content, going_live, keeping
    from documents.reembedding import steering
    from documents.reembedding.problems import ReembeddingError

    migration = built(policies, manager)
    with pytest.raises(ReembeddingError, match="change gate"):
        steering.switch(migration, by=manager)
    template = keeping.adopt(policies, "policy_lookup", by=manager)
    wanted = replace(content.of(template.current), instructions="Quote the rule, and nothing else.")
    version = keeping.save(template, wanted, by=manager)
    with pytest.raises(GateHolds):
        keeping.put_in_force(version, by=manager)
    assert {kind.code for kind in kinds.every()} >= {"model", "space", "template"}

    monkeypatch.setattr(steering, "before_switch", [])
    monkeypatch.setattr(going_live, "_checks", [])
    steering.switch(migration, by=manager)
    keeping.put_in_force(version, by=manager)


def test_only_who_manages_sets_the_gate_and_proposes(
    policies: Any, gated: Any, twin: Any, questions: Any, legal: Any, manager: Any, member: Any, stranger: Any
) -> None:
    asked = [Threshold(Metric.RECALL, 0.5)]
    for outsider, error in ((member, Forbidden), (stranger, Hidden)):
        with pytest.raises(error):
            gate.choose(policies, enabled=False, question_set=questions, thresholds=asked, by=outsider)
        with pytest.raises(error):
            proposed(policies, twin, outsider)
    with pytest.raises(EvaluationError):
        gate.choose(legal, enabled=True, question_set=questions, thresholds=asked, by=manager)
    with pytest.raises(EvaluationError):
        gate.choose(policies, enabled=True, question_set=questions, thresholds=[], by=manager)
    gate.withdraw(proposed(policies, twin, manager), by=manager)
    assert gate.propose(policies, kind="model", target=str(twin.pk), by=manager).state == CandidateState.WAITING
