"""Write down what the policy decided, once the answer ends as it says; or hold, where the policy changed meanwhile."""

from dataclasses import replace
from typing import Any

from django.db.models import OuterRef, Subquery, Value
from django.db.models.functions import Coalesce

from answers.models import Answer, ReleaseDecision, ReleaseRules
from answers.policy.verdicts import Guard, Verdict
from answers.steps.state import State
from workspaces.models import ReviewPolicy


def newest_rules(workspace: str) -> Coalesce:
    """Correlated to the outer row's field `workspace`: the number of the set of rules in force, 0 for the built-in."""
    newest = ReleaseRules.objects.filter(workspace=OuterRef(workspace)).order_by("-number")
    return Coalesce(Subquery(newest.values("number")[:1]), Value(0))


def verdict_stands(state: State, policy_now: str, rules_now: int) -> bool:
    """Whether what was to be released may be, by the policy and the rules as they are now."""
    if policy_now == ReviewPolicy.OPEN:
        return True
    verdict = state.release
    return (
        policy_now == ReviewPolicy.RISK
        and verdict is not None
        and (verdict.policy, verdict.rules_number) == (policy_now, rules_now)
    )


def held_meanwhile(state: State, policy_now: str) -> Verdict | None:
    """The verdict of an answer that is held because the policy changed while it was made."""
    if state.release is None:
        return None
    return replace(state.release, policy=policy_now, held=True, rule=Guard.CHANGED.value, rules_number=None)


def note_verdict(answer: Answer, state: State) -> None:
    """Keep the decision beside the answer. In the transaction that ends it."""
    verdict = state.release
    if verdict is None:
        return
    facts = verdict.facts
    ReleaseDecision.objects.create(
        answer=answer,
        workspace_id=answer.workspace_id,
        asked_by_id=answer.asked_by_id,
        decided_at=answer.ended_at,
        policy=verdict.policy,
        rules_number=verdict.rules_number,
        rule=verdict.rule,
        held=verdict.held,
        takes_two=verdict.takes_two,
        classification=facts.classification,
        lowest_grounding=facts.lowest_grounding,
        unsupported_share=facts.unsupported_share,
        template=facts.template,
        endpoint=facts.endpoint,
        roles=list(facts.roles),
        draw=facts.draw,
    )


def as_detail(verdict: Verdict) -> dict[str, Any]:
    """What the provenance and the trail say of it: codes and numbers, no text."""
    detail: dict[str, Any] = {"policy": verdict.policy, "held": verdict.held, "rule": verdict.rule}
    if verdict.rules_number is not None:
        detail["rules"] = verdict.rules_number
    return detail
