"""Say in words what decided on an answer, for whoever reviews it or looks at how it came about."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from answers.exceptions import PolicyError
from answers.models import Answer, ReleaseDecision, ReleaseRules
from answers.policy.rules import Rule, defaults, read
from answers.policy.verdicts import Guard


@dataclass(frozen=True, slots=True)
class Why:
    """What held or released an answer. `name` and `rules_number` stand only where a rule of the workspace did."""

    held: bool
    sentence: str
    name: str = ""
    rules_number: int | None = None
    takes_two: bool = False


def why(answer: Answer) -> Why | None:
    """The decision of the policy on `answer`, in the reader's language; None for one from before decisions were kept.

    For those who may know of the answer: a rule may name a model or a role, never what the answer says.
    """
    decision = ReleaseDecision.objects.filter(pk=answer.pk).first()
    if decision is None:
        return None
    if decision.rule in Guard.values:
        return Why(decision.held, str(Guard(decision.rule).label), rules_number=decision.rules_number)
    rule = _rule(decision)
    if rule is None:
        return Why(decision.held, decision.rule, rules_number=decision.rules_number, takes_two=decision.takes_two)
    return Why(decision.held, rule.sentence, rule.name, decision.rules_number, decision.takes_two)


def in_words(detail: Mapping[str, Any]) -> str:
    """What a step of the provenance kept of the decision, as a sentence: `noting.as_detail` in words."""
    if detail["rule"] in Guard.values:
        return str(Guard(detail["rule"]).label)
    told = (
        _("Held by the rule %(rule)s of set %(number)s.")
        if detail["held"]
        else _("Released by the rule %(rule)s of set %(number)s.")
    )
    return told % {"rule": f"“{detail['rule']}”", "number": detail.get("rules", 0)}


def _rule(decision: ReleaseDecision) -> Rule | None:
    """The rule as it read when it decided: sets of rules never change."""
    return next((rule for rule in _rules(decision) if rule.code == decision.rule), None)


def _rules(decision: ReleaseDecision) -> list[Rule]:
    if not decision.rules_number:
        return defaults()
    sets = ReleaseRules.objects.filter(workspace=decision.workspace_id, number=decision.rules_number)
    kept = sets.values_list("rules", flat=True).first()
    try:
        return read(kept or [])
    except PolicyError:
        return []
