"""Decide on one answer: the first rule that applies, and what is decided where none can be asked."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from django.db import models
from django.utils.translation import gettext_lazy as _

from answers.exceptions import PolicyError
from answers.policy.facts import DRAWS, Facts, InForce, draw, endpoint_as_fact, gather
from answers.policy.rules import BUILT_IN_MODEL, OTHER_MODELS, Condition, Effect, Rule, defaults, read
from answers.rag_templates.choosing import code_of
from answers.steps.state import State
from workspaces.classification import Classification
from workspaces.models import ReviewPolicy

logger = logging.getLogger(__name__)


class Guard(models.TextChoices):
    """What decided where no rule of the workspace did. Codes stand in decisions and in the trail."""

    OPEN = "policy_open", _("The workspace releases every answer.")
    REVIEW = "policy_review", _("The workspace holds every answer.")
    NO_RULE = "no_rule", _("No rule of the workspace holds it.")
    OWN_RULES = "own_rules", _("Who asked wrote the rules in force, and nobody is let out by rules of their own.")
    UNREADABLE = "unreadable", _("The workspace's rules could not be read, so it was held.")
    CHANGED = "changed", _("The policy changed while the answer was made, so it was held.")


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether an answer is held, by what, and the facts that was decided on."""

    policy: str
    held: bool
    #: A rule's code, or a `Guard`.
    rule: str
    rules_number: int | None
    facts: Facts
    takes_two: bool = False

    def __post_init__(self) -> None:
        if self.takes_two and not self.held:
            raise ValueError("What is released takes nobody.")


def decide(state: State) -> Verdict:
    """What the workspace's policy says of a finished answer, as of now. One query."""
    answer = state.answer
    classification, roles, in_force = gather(answer)
    summary = state.grounding
    facts = Facts(
        classification=classification,
        lowest_grounding=summary.lowest,
        unsupported_share=summary.share_unsupported if summary.sentences else None,
        endpoint=endpoint_as_fact(state.endpoint),
        template=code_of(state.template),
        roles=tuple(roles),
        draw=draw(answer, state.question),
    )
    match ReviewPolicy(state.policy):
        case ReviewPolicy.OPEN:
            return Verdict(state.policy, False, Guard.OPEN, None, facts)
        case ReviewPolicy.REVIEW:
            return Verdict(state.policy, True, Guard.REVIEW, None, facts)
        case ReviewPolicy.RISK:
            return by_rules(in_force, facts, asker=str(answer.asked_by_id))


def by_rules(in_force: InForce, facts: Facts, *, asker: str) -> Verdict:
    """The verdict of the first rule that applies; held where the rules cannot be read."""
    risk, number = ReviewPolicy.RISK.value, in_force.number
    try:
        rules = read(in_force.rules) if in_force.rules is not None else defaults()
    except PolicyError:
        logger.exception("Rules %s cannot be read; what they would decide on is held.", number)
        return Verdict(risk, True, Guard.UNREADABLE, number, facts)
    found = first_that_applies(rules, facts)
    if found is not None and found.effect == Effect.HOLD:
        return Verdict(risk, True, found.code, number, facts, takes_two=takes_two(found, facts))
    if asker == in_force.made_by:
        return Verdict(risk, True, Guard.OWN_RULES, number, facts)
    return Verdict(risk, False, found.code if found else Guard.NO_RULE, number, facts)


def first_that_applies(rules: Sequence[Rule], facts: Facts) -> Rule | None:
    return next((rule for rule in rules if rule.is_on and applies(rule, facts)), None)


def applies(rule: Rule, facts: Facts) -> bool:
    """Whether the rule's condition is true; where that is not known, whether that keeps the answer in."""
    known = _CONDITIONS[Condition(rule.condition)](rule.value, facts)
    return known if known is not None else rule.effect == Effect.HOLD


def takes_two(rule: Rule, facts: Facts) -> bool:
    """Whether what the rule holds takes two approvals: where it asks for that, and for what is not classified."""
    if not rule.second_from:
        return False
    return not facts.classification or _rank(facts.classification) >= _rank(rule.second_from)


def _rank(level: str) -> int:
    return Classification(level).rank


def _classification(value: str, facts: Facts) -> bool | None:
    return _rank(facts.classification) >= _rank(value) if facts.classification else None


def _grounding(value: str, facts: Facts) -> bool | None:
    return None if facts.lowest_grounding is None else facts.lowest_grounding < int(value) / 100


def _unsupported(value: str, facts: Facts) -> bool | None:
    return None if facts.unsupported_share is None else facts.unsupported_share > int(value) / 100


def _model(value: str, facts: Facts) -> bool | None:
    if not facts.endpoint:
        return None
    return facts.endpoint != BUILT_IN_MODEL if value == OTHER_MODELS else facts.endpoint == value


def _role(value: str, facts: Facts) -> bool | None:
    return value in facts.roles if facts.roles else None


_CONDITIONS: dict[Condition, Callable[[str, Facts], bool | None]] = {
    Condition.CLASSIFICATION: _classification,
    Condition.GROUNDING: _grounding,
    Condition.UNSUPPORTED: _unsupported,
    Condition.MODEL: _model,
    Condition.ROLE: _role,
    Condition.TEMPLATE: lambda value, facts: facts.template == value,
    Condition.SAMPLE: lambda value, facts: facts.draw < int(value) * DRAWS // 100,
    Condition.REST: lambda value, facts: True,
}
