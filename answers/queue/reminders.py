"""Remind people of what waits for them: drafts of answers, findings in drafts and gaps that are due soon, or overdue.

Once for each due date and each of the two, by whatever worker looks first: the row says for which date it was told, and
that, the notices and the entries of the trail are one transaction.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import F, Model, Q, QuerySet, Value
from django.db.models.functions import Coalesce
from django.utils import timezone

from answers import news
from answers.draft_review import news as examined_news
from answers.gaps import telling
from answers.models import REMIND_HOURS, Draft, Examination, Gap, GapState, ReviewTime
from answers.queue import order as queue
from audit.events import EventType
from audit.record import Entry, record_all
from workspaces.killpoints import killpoint
from workspaces.models import User
from workspaces.notifications import notify_each
from workspaces.notifications.registry import Kind

#: Things told of in one transaction; the next look takes the rest.
_AT_ONCE = 200

SOON, LATE = "soon", "late"


@dataclass(frozen=True, slots=True)
class Due:
    """One kind of what waits until a date."""

    model: type[Model]
    #: The field that says until when.
    date: str
    #: Rows that still wait, with what `people` reads.
    waiting: Callable[[], QuerySet[Any]]
    #: Of these, what is due soon, and what is overdue.
    soon: Callable[[], Q]
    late: Callable[[], Q]
    #: Whom a thing waits for.
    people: Callable[[Any], Sequence[User | UUID]]
    kinds: dict[str, Kind]
    event: EventType


def remind() -> int:
    """Tell of all that came to be due soon or overdue; of how many things. Safe at any time, and twice at once."""
    return sum(_remind(due, when, workspace) for due in DUE for when in (LATE, SOON) for workspace in _where(due, when))


# --- Inside -------------------------------------------------------------------------------------------------


def _rows(due: Due, when: str) -> QuerySet[Any]:
    """What is to be told of now."""
    told = "late_told_for" if when == LATE else "due_told_for"
    untold = Q(**{told: None}) | ~Q(**{told: F(due.date)})
    return due.waiting().filter(untold, due.late() if when == LATE else due.soon())


def _where(due: Due, when: str) -> list[UUID]:
    return list(_rows(due, when).order_by().values_list("workspace", flat=True).distinct())


@transaction.atomic
def _remind(due: Due, when: str, workspace_id: UUID) -> int:
    """Tell of what is to be told of in a workspace: each person gets one mail for all."""
    # What somebody else holds is being told of, or decided on: the next look sees what came of it.
    locked = _rows(due, when).select_for_update(of=("self",), no_key=True, skip_locked=True)
    rows = list(locked.filter(workspace=workspace_id).order_by(due.date, "pk")[:_AT_ONCE])
    if not rows:
        return 0
    # Whoever was told that something is overdue is not told that it comes.
    told = {"due_told_for": F(due.date)} | ({"late_told_for": F(due.date)} if when == LATE else {})
    due.model._default_manager.filter(pk__in=[row.pk for row in rows]).update(**told)
    people = [(row, list(due.people(row))) for row in rows]
    killpoint("reminding")
    notify_each(due.kinds[when], people, workspace=workspace_id)
    killpoint("reminded")
    entries = [Entry(due.event, row, details=_details(due, when, row, to)) for row, to in people]
    record_all(entries, workspace=workspace_id, by=None)
    return len(rows)


def _details(due: Due, when: str, row: Any, to: Sequence[User | UUID]) -> dict[str, Any]:
    ids = sorted(str(person.pk if isinstance(person, User) else person) for person in to)
    return {"when": when, "due": getattr(row, due.date), "to": ids}


#: How many hours before its due date a row's workspace reminds. First: workspaces that never chose would drop out.
_HOURS = Coalesce(F("workspace__review_time__remind_hours"), Value(REMIND_HOURS))


def _soon() -> Q:
    """Within the hours that the workspace wants people to be reminded before."""
    now = timezone.now()
    # The last is implied, and lets the database look at what is due next and no further.
    furthest = now + timedelta(hours=ReviewTime.EARLIEST_REMINDER)
    return Q(due_at__gt=now, due_at__lte=now + timedelta(hours=1) * F("remind_hours")) & Q(due_at__lte=furthest)


def _late() -> Q:
    return Q(due_at__lte=timezone.now())


def _drafts() -> QuerySet[Draft]:
    rows = Draft.objects.alias(remind_hours=_HOURS).filter(state__in=queue.LINES[Draft].open)
    return rows.select_related("answer", "workspace", "assigned_to", "claimed_by")


def _examinations() -> QuerySet[Examination]:
    rows = Examination.objects.alias(remind_hours=_HOURS).filter(state__in=queue.LINES[Examination].open)
    return rows.defer("text").select_related("workspace", "assigned_to", "claimed_by")


def _gaps() -> QuerySet[Gap]:
    # Where a document is named, its reading is waited for and not a person.
    return Gap.objects.filter(state=GapState.ASSIGNED).select_related("workspace", "assigned_to")


DUE = (
    Due(
        Draft,
        "due_at",
        _drafts,
        _soon,
        _late,
        news.waits_for,
        {SOON: Kind.DRAFT_DUE, LATE: Kind.DRAFT_OVERDUE},
        EventType.DRAFT_REMINDED,
    ),
    Due(
        Examination,
        "due_at",
        _examinations,
        _soon,
        _late,
        examined_news.waits_for,
        {SOON: Kind.EXAMINATION_DUE, LATE: Kind.EXAMINATION_OVERDUE},
        EventType.EXAMINATION_REMINDED,
    ),
    Due(
        Gap,
        "due_on",
        _gaps,
        # It has a day and no hour: soon is when the day begins.
        lambda: Q(due_on=timezone.localdate()),
        lambda: Q(due_on__lt=timezone.localdate()),
        telling.waits_for,
        {SOON: Kind.GAP_DUE, LATE: Kind.GAP_OVERDUE},
        EventType.GAP_REMINDED,
    ),
)
