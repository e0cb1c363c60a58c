"""By what the queues of reviewers can be narrowed: each a parameter, its choices for a person, and what it leaves.

The lists in the admin, saved views and the way to the next draft all read this table.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.db.models import Exists, Model, OuterRef, Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from answers.language import ENGLISH, SERBIAN, SERBIAN_LATIN
from answers.models import (
    EXAMINED,
    Draft,
    EndpointKind,
    Evidence,
    Examination,
    ExaminationState,
    Grounding,
    ModelEndpoint,
    Priority,
    WorkspaceModels,
)
from answers.queue import order as queue
from answers.states import DraftState
from workspaces import access
from workspaces.classification import Classification
from workspaces.models import User
from workspaces.roles import Action

Choices = list[tuple[str, Any]]
ALL = "all"
#: Whatever is not decided.
OPEN = "open"
#: Not English and no Serbian; what was too short to tell among them.
OTHER = "other"


@dataclass(frozen=True, slots=True)
class Facet:
    """One way to narrow the queue. A code that is not among the choices leaves everything."""

    name: str
    title: Any
    choices: Callable[[User], Choices]
    narrow: Callable[[QuerySet[Any], str, User], QuerySet[Any]]
    #: What it is when nothing is asked for.
    default: str = ""


def narrowed(rows: QuerySet[Any], filters: Mapping[str, str], user: User) -> QuerySet[Any]:
    """`rows` as the filters leave them; a facet that is not named is at its default."""
    for facet in FACETS_OF[rows.model]:
        code = filters.get(facet.name) or facet.default
        if code:
            rows = facet.narrow(rows, code, user)
    return rows


# --- What each leaves ---------------------------------------------------------------------------------------


def _state(rows: QuerySet[Any], code: str, _user: User) -> QuerySet[Any]:
    if code == OPEN:
        return rows.filter(state__in=queue.LINES[rows.model].open)
    known = dict(rows.model._meta.get_field("state").flatchoices)
    return rows.filter(state=code) if code in known else rows


def _desk(rows: QuerySet[Any], code: str, user: User) -> QuerySet[Any]:
    match code:
        case "mine":
            return rows.filter(assigned_to=user)
        case "nobody":
            return rows.filter(assigned_to=None)
        case "claimed":
            return rows.filter(queue.claimed(), claimed_by=user)
        case "free":
            return rows.exclude(queue.claimed())
    return rows


def _priority(rows: QuerySet[Any], code: str, _user: User) -> QuerySet[Any]:
    return rows.filter(priority=int(code)) if code in _PRIORITIES else rows


def _due(rows: QuerySet[Any], code: str, _user: User) -> QuerySet[Any]:
    now = timezone.now()
    end_of_day = timezone.localtime(now).replace(hour=23, minute=59, second=59, microsecond=999999)
    match code:
        case "over":
            return rows.filter(due_at__lt=now, state__in=queue.LINES[rows.model].open)
        case "today":
            return rows.filter(due_at__lte=end_of_day)
        case "week":
            return rows.filter(due_at__lte=end_of_day + timedelta(days=7))
        case "never":
            return rows.filter(due_at=None)
    return rows


def _age(rows: QuerySet[Any], code: str, _user: User) -> QuerySet[Any]:
    since = f"{queue.LINES[rows.model].since}__lt"
    return rows.filter(**{since: timezone.now() - timedelta(days=int(code))}) if code in _DAYS else rows


def _approvals(rows: QuerySet[Draft], code: str, _user: User) -> QuerySet[Draft]:
    two = Q(needs_second=True) | Q(state=DraftState.APPROVED_ONCE)
    match code:
        case "two":
            return rows.filter(two)
        case "given":
            return rows.filter(state=DraftState.APPROVED_ONCE)
        case "one":
            return rows.exclude(two)
    return rows


def _approvals_of_findings(rows: QuerySet[Examination], code: str, _user: User) -> QuerySet[Examination]:
    match code:
        case "two":
            return rows.filter(takes_two=True)
        case "given":
            return rows.filter(takes_two=True, first_approved_by__isnull=False)
        case "one":
            return rows.filter(takes_two=False)
    return rows


def _classification_of_draft(rows: QuerySet[Examination], code: str, _user: User) -> QuerySet[Examination]:
    return rows.filter(classification=code) if code in Classification.values else rows


def _classification(rows: QuerySet[Draft], code: str, _user: User) -> QuerySet[Draft]:
    if code not in Classification.values:
        return rows
    evidence = Evidence.objects.filter(answer=OuterRef("answer"))
    rank = Classification(code).rank
    higher = [level.value for level in Classification if level.rank > rank]
    at_level = Evidence.objects.filter(document__classification=code).order_by()
    few = list(at_level.values_list("answer", flat=True)[: _FEW + 1])
    if len(few) > _FEW:
        rows = rows.filter(Exists(evidence.filter(document__classification=code)))
    else:
        # By their ids: the database would go through the whole line to find those of a level that hardly any has.
        rows = rows.filter(answer__in=few)
    return rows.exclude(Exists(evidence.filter(document__classification__in=higher))) if higher else rows


def _grounding(rows: QuerySet[Draft], code: str, _user: User) -> QuerySet[Draft]:
    if code == "unmeasured":
        return rows.filter(grounding="")
    return rows.filter(grounding=code) if code in Grounding.values else rows


def _language(rows: QuerySet[Draft], code: str, _user: User) -> QuerySet[Draft]:
    spoken = (ENGLISH, SERBIAN, SERBIAN_LATIN)
    if code == OTHER:
        return rows.exclude(answer__question__language__in=spoken)
    return rows.filter(answer__question__language=code) if code in spoken else rows


def _model(rows: QuerySet[Draft], code: str, _user: User) -> QuerySet[Draft]:
    return rows.filter(answer__endpoint__name=code)


def _workspace(rows: QuerySet[Any], code: str, _user: User) -> QuerySet[Any]:
    return rows.filter(workspace__slug=code)


# --- What there is to choose --------------------------------------------------------------------------------


def _always(*choices: tuple[str, Any]) -> Callable[[User], Choices]:
    return lambda _user: list(choices)


def _workspaces(user: User) -> Choices:
    return [(one.slug, one.name) for one in access.workspaces_allowing(user, Action.REVIEW)]


def _models(user: User) -> Choices:
    """The models of workspaces where the person reviews, and the built-in one; others they need not know of."""
    reviewed = access.workspaces_allowing(user, Action.REVIEW).order_by().values("pk")
    used = WorkspaceModels.objects.filter(workspace__in=reviewed)
    open_to = Q(pk__in=used.values("default_endpoint")) | Q(pk__in=used.values("choices"))
    names = ModelEndpoint.objects.filter(open_to | Q(kind=EndpointKind.EXTRACTIVE)).values_list("name", flat=True)
    return [(name, name) for name in names]


_PRIORITIES = {str(value) for value in Priority.values}
_DAYS = ("1", "2", "7")
#: Passages that answers rest on, up to which the answers are looked up by their ids.
_FEW = 1000

_DESK = Facet(
    "desk",
    _("desk"),
    _always(
        ("mine", _("Assigned to me")),
        ("nobody", _("Assigned to nobody")),
        ("claimed", _("I am reading it")),
        ("free", _("Nobody is reading it")),
    ),
    _desk,
)
_PRIORITY = Facet(
    "priority", _("priority"), _always(*((str(one.value), one.label) for one in reversed(Priority))), _priority
)
_DUE = Facet(
    "due",
    _("due"),
    _always(
        ("over", _("Overdue")),
        ("today", _("Today or before")),
        ("week", _("Within a week")),
        ("never", _("No due date")),
    ),
    _due,
)
_AGE = Facet(
    "age",
    _("waiting"),
    _always(("1", _("More than a day")), ("2", _("More than two days")), ("7", _("More than a week"))),
    _age,
)
_TWO = _always(("one", _("One is enough")), ("two", _("Takes two")), ("given", _("Awaiting the second")))
_WORKSPACE = Facet("workspace", _("workspace"), _workspaces, _workspace)

FACETS: tuple[Facet, ...] = (
    Facet(
        "state",
        _("state"),
        _always((OPEN, _("Not decided")), *DraftState.choices, (ALL, _("All"))),
        _state,
        DraftState.WAITING,
    ),
    _DESK,
    _PRIORITY,
    _DUE,
    _AGE,
    Facet(
        "grounding",
        _("grounding"),
        _always(*reversed(Grounding.choices), ("unmeasured", _("Not measured"))),
        _grounding,
    ),
    Facet("classification", _("rests on"), _always(*Classification.choices), _classification),
    Facet("approvals", _("approvals"), _TWO, _approvals),
    Facet("model", _("model"), _models, _model),
    Facet(
        "language",
        _("asked in"),
        _always(
            (ENGLISH, _("English")),
            (SERBIAN, _("Serbian (Cyrillic)")),
            (SERBIAN_LATIN, _("Serbian (Latin)")),
            (OTHER, _("Another language")),
        ),
        _language,
    ),
    _WORKSPACE,
)
EXAMINATION_FACETS: tuple[Facet, ...] = (
    Facet(
        "state",
        _("state"),
        _always(*((one.value, one.label) for one in EXAMINED), (ALL, _("All"))),
        _state,
        ExaminationState.HELD,
    ),
    _DESK,
    _PRIORITY,
    _DUE,
    _AGE,
    Facet("classification", _("classification"), _always(*Classification.choices), _classification_of_draft),
    Facet("approvals", _("approvals"), _TWO, _approvals_of_findings),
    _WORKSPACE,
)
FACETS_OF: dict[type[Model], tuple[Facet, ...]] = {Draft: FACETS, Examination: EXAMINATION_FACETS}
