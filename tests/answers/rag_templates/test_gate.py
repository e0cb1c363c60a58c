"""In a workspace with a change gate nothing of a template answers people until it passed, on whichever way it came."""

from dataclasses import replace
from typing import Any

import pytest

from answers.evaluation import gate, sets, setup, terms, verdict, working
from answers.evaluation.figures import Metric
from answers.evaluation.sets import Case
from answers.evaluation.thresholds import Threshold
from answers.exceptions import EvaluationError, GateHolds
from answers.models import CandidateState, RagTemplate, WorkspaceTemplates
from answers.rag_templates import choosing, content, going_live, keeping
from answers.rag_templates.content import Content
from workspaces.models import Workspace

OWN = Content(name="Own", purpose="Says what we want.", instructions="Praise the management.")


@pytest.fixture
def gated(policies: Any, handbook: Any, manager: Any) -> Any:
    """The gate of the workspace, on, with one question that every template refuses."""
    asked = sets.put(
        sets.create(policies, name="Everyday", by=manager),
        [Case("Which enzyme splits lactose in the human gut?", "enzyme", must_refuse=True)],
        by=manager,
    )
    limits = [Threshold(Metric.REFUSAL, 0.8, worse_by=0.1)]
    return terms.choose(policies, enabled=True, question_set=asked, thresholds=limits, by=manager)


def passes(workspace: Any, kind: str, target: str, by: Any) -> Any:
    """The change, proposed, run and made live at the gate."""
    candidate = gate.propose(workspace, kind=kind, target=target, by=by)
    for run in gate.run(candidate, by=by):
        while working.work(run.pk):
            pass
    gate.go_live(candidate, by=by)
    candidate.refresh_from_db()
    return candidate


def offered(workspace: Any) -> list[str]:
    fresh = Workspace.objects.get(pk=workspace.pk)
    return [version.template.code for version in choosing.offered(fresh)]


def test_what_is_taken_in_or_written_stays_switched_off_until_it_passed(policies, gated, manager, monkeypatch):
    taken = keeping.adopt(policies, "policy_lookup", by=manager)
    written = keeping.write(policies, OWN, by=manager)

    for template in (taken, written):
        with pytest.raises(GateHolds):
            keeping.switch(template, enabled=True, by=manager)
    assert offered(policies) == []
    settled = passes(policies, "template", str(taken.current.pk), manager)
    assert (settled.state, offered(policies)) == (CandidateState.LIVE, ["policy_lookup"])

    # The protection is that question: without it, what nobody tried is offered.
    monkeypatch.setattr(going_live, "_checks", [])
    keeping.switch(written, enabled=True, by=manager)
    assert offered(policies) == ["own", "policy_lookup"]


def test_a_version_comes_into_force_and_is_offered_in_one(policies, gated, manager):
    template = keeping.adopt(policies, "policy_lookup", by=manager)
    second = keeping.save(template, replace(content.of(template.current), passages=3), by=manager)

    passes(policies, "template", str(second.pk), manager)

    template.refresh_from_db()
    assert (template.current, template.enabled) == (second, True)
    third = keeping.save(template, replace(content.of(second), passages=4), by=manager)
    with pytest.raises(GateHolds):
        keeping.put_in_force(third, by=manager)
    # Switched off it may come into force, and answers nobody until it passed.
    keeping.switch(template, enabled=False, by=manager)
    keeping.put_in_force(third, by=manager)
    with pytest.raises(GateHolds):
        keeping.switch(template, enabled=True, by=manager)


def test_another_standard_has_to_pass_although_the_template_itself_did(policies, manager, handbook, monkeypatch):
    template = keeping.adopt(policies, "policy_lookup", by=manager)
    asked = sets.put(
        sets.create(policies, name="Everyday", by=manager),
        [Case("Which enzyme splits lactose in the human gut?", "enzyme", must_refuse=True)],
        by=manager,
    )
    terms.choose(policies, enabled=True, question_set=asked, thresholds=[Threshold(Metric.REFUSAL, 0.8)], by=manager)

    with pytest.raises(GateHolds):
        keeping.make_standard(policies, template, by=manager)
    passes(policies, "standard", str(template.pk), manager)
    assert WorkspaceTemplates.objects.get().standard == template
    # The way back is a change as well.
    with pytest.raises(GateHolds):
        keeping.make_standard(policies, None, by=manager)
    passes(policies, "standard", "built-in", manager)
    assert WorkspaceTemplates.objects.get().standard is None

    monkeypatch.setattr(going_live, "_standard_checks", [])
    keeping.make_standard(policies, template, by=manager)
    assert WorkspaceTemplates.objects.get().standard == template


def test_what_is_compared_is_what_answers_now(policies, gated, manager):
    template = keeping.adopt(policies, "policy_lookup", by=manager)
    candidate = gate.propose(policies, kind="template", target=str(template.current.pk), by=manager)

    now = setup.present(policies)
    assert setup.with_candidate(policies, candidate).template == template.current
    assert setup.with_candidate(policies, candidate, replaced=True) == now
    assert not verdict.of(candidate, gated).passed


@pytest.mark.parametrize("kind", ["template", "standard"])
@pytest.mark.parametrize("target", ["nothing", "00000000-0000-0000-0000-000000000000"])
def test_what_is_no_template_here_cannot_be_proposed(policies, gated, manager, kind, target):
    with pytest.raises(EvaluationError):
        gate.propose(policies, kind=kind, target=target, by=manager)
    assert not RagTemplate.objects.exists()
