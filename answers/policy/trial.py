"""Try a set of rules on the answers of the last month: what it would have held, without changing anything.

Each condition stands here once more, as a question to the database, so that a hundred thousand answers are one
statement; a test holds these to the ones in `verdicts.py`.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import Case, Count, IntegerField, Q, QuerySet, Value, When
from django.db.models.lookups import Exact
from django.utils import timezone

from answers.models import Answer, ReleaseDecision
from answers.policy.facts import DRAWS
from answers.policy.keeping import in_force
from answers.policy.rules import BUILT_IN_MODEL, OTHER_MODELS, Condition, Effect, Rule, checked
from audit.events import EventType
from audit.record import record
from workspaces import access
from workspaces.classification import Classification
from workspaces.models import User, Workspace
from workspaces.roles import Action

#: How far back a trial looks, and how many answers it names.
LOOKED_BACK = timedelta(days=30)
SHOWN = 50
#: The place of answers to which no rule applies.
_NOWHERE = -1
_ALWAYS, _NEVER = Q(pk__isnull=False), Q(pk__isnull=True)


@dataclass(frozen=True, slots=True)
class Line:
    """What one rule decides, or what is left to no rule (`rule` None)."""

    rule: Rule | None
    held: int
    released: int


@dataclass(frozen=True, slots=True)
class Trial:
    """What a set of rules would have done to `total` answers, of which `were_held` were in fact held."""

    total: int
    held: int
    were_held: int
    lines: list[Line]
    #: By nobody's rule, but because who tried the rules asked for them.
    held_as_own: int
    #: The newest of those that would be held, as far as the person may know of them.
    answers: list[Answer]

    @property
    def percent(self) -> int:
        return round(100 * self.held / self.total) if self.total else 0


@transaction.atomic
def try_out(workspace: Workspace, rules: Sequence[Rule], *, by: User) -> Trial:
    """What `rules` would have held of the answers finished in the last month. Changes nothing but the trail.

    For who manages the workspace; raises as access does, and PolicyError for what is no set of rules. The number of
    queries is the same for any number of answers and rules.
    """
    access.require(by, Action.MANAGE, workspace)
    sound = [rule for rule in checked(rules) if rule.is_on]
    finished = ReleaseDecision.objects.filter(workspace=workspace, decided_at__gt=timezone.now() - LOOKED_BACK)
    placed = finished.annotate(place=_place(sound), own=_own(sound, _maker(workspace, rules, by)))
    counted = placed.order_by().values_list("place", "own", "held").annotate(number=Count("pk"))
    lines = {place: [0, 0] for place in [*range(len(sound)), _NOWHERE]}
    total = held = were_held = held_as_own = 0
    for place, own, was_held, number in counted:
        is_held = bool(own) or (place != _NOWHERE and sound[place].effect == Effect.HOLD)
        lines[place][0 if is_held else 1] += number
        total += number
        held += number * is_held
        were_held += number * was_held
        held_as_own += number * bool(own)
    trial = Trial(
        total=total,
        held=held,
        were_held=were_held,
        lines=[Line(sound[place] if place != _NOWHERE else None, *counts) for place, counts in lines.items()],
        held_as_own=held_as_own,
        answers=_named(placed, sound, by),
    )
    record(EventType.RELEASE_RULES_TRIED, on=workspace, workspace=workspace, by=by, total=total, held=held)
    return trial


def _maker(workspace: Workspace, rules: Sequence[Rule], by: User) -> UUID | None:
    """Who will have made these rules: who tries them, unless they are in force already."""
    current = in_force(workspace)
    if current.rules != list(rules):
        return by.pk
    return current.made_by.pk if current.made_by else None


def _place(rules: Sequence[Rule]) -> Case:
    """The place of the first rule that applies."""
    whens = [When(condition(rule), then=Value(place)) for place, rule in enumerate(rules)]
    return Case(*whens, default=Value(_NOWHERE), output_field=IntegerField())


def _own(rules: Sequence[Rule], maker: UUID | None) -> Case:
    """1 where no rule holds the answer and yet it is held, because who made the rules asked."""
    if maker is None:
        return Case(default=Value(0), output_field=IntegerField())
    held = [When(condition(rule), then=Value(int(rule.effect == Effect.HOLD))) for rule in rules]
    by_rule = Case(*held, default=Value(0), output_field=IntegerField())
    return Case(When(Q(asked_by=maker) & Q(Exact(by_rule, 0)), then=Value(1)), default=Value(0))


def _named(placed: QuerySet[ReleaseDecision], rules: Sequence[Rule], by: User) -> list[Answer]:
    holding = [place for place, rule in enumerate(rules) if rule.effect == Effect.HOLD]
    held = placed.filter(Q(place__in=holding) | Q(own=1))
    known = access.visible(by, Answer).filter(release__in=held.order_by().values("pk"))
    return list(known.select_related("question", "asked_by").order_by("-created_at")[:SHOWN])


def condition(rule: Rule) -> Q:
    """Whether `rule` applies to a kept decision, as `verdicts.applies` says it of facts."""
    known, unknown = _CONDITIONS[Condition(rule.condition)](rule.value)
    return known | unknown if rule.effect == Effect.HOLD else known & ~unknown


def _classification(value: str) -> tuple[Q, Q]:
    level = Classification(value)
    above = [other.value for other in Classification if other.rank >= level.rank]
    return Q(classification__in=above), Q(classification="")


def _model(value: str) -> tuple[Q, Q]:
    known = ~Q(endpoint=BUILT_IN_MODEL) if value == OTHER_MODELS else Q(endpoint=value)
    return known, Q(endpoint="")


_CONDITIONS: dict[Condition, Callable[[str], tuple[Q, Q]]] = {
    Condition.CLASSIFICATION: _classification,
    Condition.GROUNDING: lambda value: (Q(lowest_grounding__lt=int(value) / 100), Q(lowest_grounding=None)),
    Condition.UNSUPPORTED: lambda value: (Q(unsupported_share__gt=int(value) / 100), Q(unsupported_share=None)),
    Condition.MODEL: _model,
    Condition.ROLE: lambda value: (Q(roles__contains=[value]), Q(roles=[])),
    Condition.TEMPLATE: lambda value: (Q(template=value), _NEVER),
    Condition.SAMPLE: lambda value: (Q(draw__lt=int(value) * DRAWS // 100), _NEVER),
    Condition.REST: lambda value: (_ALWAYS, _NEVER),
}
