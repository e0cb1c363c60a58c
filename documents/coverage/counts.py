"""What a workspace's documents cover, and where they fall short: counts for those who manage them.

Counted are the documents a manager governs (decision 12): those closed to them by name are among the figures, those a
never rule keeps from them are not. Near-duplicates are told only of documents that are open to them.
"""

import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from django.db import transaction
from django.db.models import Count, F, Min, Q, QuerySet, Sum
from django.db.models.functions import TruncWeek
from django.utils import timezone
from django.utils.translation import gettext as _

from audit.events import EventType
from audit.export import harmless
from audit.record import record
from documents.coverage import alike
from documents.filters import GROUPS, UNABLE, due, ownerless
from documents.models import Document, Version
from documents.querysets import documents_governed_by, not_barred
from documents.states import STOPPED
from workspaces import access
from workspaces.classification import Classification
from workspaces.models import User, Workspace
from workspaces.roles import Action

#: Folders, formats and reasons told by name; the rest is one line.
_NAMED = 12
_AGES = ((30, "30"), (90, "90"), (365, "365"), (3 * 365, "1095"))
TRENDS = (30, 90)


@dataclass(frozen=True, slots=True)
class Bar:
    """One line of a figure: what it counts, how many, and the list's filter that shows them ("" where none does)."""

    #: Of a figure by week, its Monday.
    label: str | date
    count: int
    query: str = ""
    #: Of the longest bar of its figure, in percent.
    percent: int = 0

    @property
    def week(self) -> date | None:
        return self.label if isinstance(self.label, date) else None


@dataclass(frozen=True, slots=True)
class Figure:
    """A chart and the table behind it."""

    code: str
    title: str
    bars: list[Bar]


@dataclass(frozen=True, slots=True)
class Coverage:
    """Everything the page says."""

    total: int
    passages: int
    #: Of `total`: closed to the viewer, who governs them all the same.
    closed: int
    shares: list[Bar]
    figures: list[Figure]
    days: int


def coverage(workspace: Workspace, *, by: User, days: int = TRENDS[0]) -> Coverage:
    """The figures about the documents that `by` governs in `workspace`, its trend over the last `days`."""
    access.require(by, Action.MANAGE_DOCUMENTS, workspace)
    documents = documents_governed_by(by).filter(workspace=workspace).order_by()
    whole = documents.aggregate(
        total=Count("pk"),
        passages=Sum("current_version__passage_count"),
        expired=Count("pk", filter=due("expired")),
        expiring=Count("pk", filter=due("expiring")),
        review=Count("pk", filter=due("review")),
        undated=Count("pk", filter=due("undated")),
        ownerless=Count("pk", filter=ownerless(workspace)),
        silent=Count("pk", filter=Q(current_version=None)),
    )
    total = whole["total"]
    open_to = access.visible(by, Document).filter(workspace=workspace).count()
    shares = [
        (_("Past their last valid day"), whole["expired"], "due=expired"),
        (_("End within 30 days"), whole["expiring"], "due=expiring"),
        (_("To review"), whole["review"], "due=review"),
        (_("Without a last valid day"), whole["undated"], "due=undated"),
        (_("Without an owner who may keep them current"), whole["ownerless"], f"owner={UNABLE}"),
        (_("Without a version that answers"), whole["silent"], ""),
    ]
    return Coverage(
        total=total,
        passages=whole["passages"] or 0,
        closed=max(0, total - open_to),
        shares=[Bar(label, count, query, round(100 * count / total) if total else 0) for label, count, query in shares],
        figures=list(_figures(documents, workspace, by, days)),
        days=days,
    )


def near_duplicates(workspace: Workspace, *, by: User) -> alike.Near:
    """Documents open to `by` that say nearly the same."""
    access.require(by, Action.MANAGE_DOCUMENTS, workspace)
    return alike.pairs(access.visible(by, Document).filter(workspace=workspace))


@transaction.atomic
def as_csv(workspace: Workspace, *, by: User, days: int = TRENDS[0]) -> str:
    """The figures as a table for other programs; that somebody took it stands in the trail."""
    found = coverage(workspace, by=by, days=days)
    written = io.StringIO()
    rows = csv.writer(written)
    rows.writerow(["figure", "what", "documents"])
    rows.writerow(["total", "documents", found.total])
    rows.writerow(["total", "passages", found.passages])
    for bar in found.shares:
        rows.writerow(["share", harmless(str(bar.label)), bar.count])
    for figure in found.figures:
        for bar in figure.bars:
            rows.writerow([figure.code, harmless(str(bar.label)), bar.count])
    record(EventType.COVERAGE_EXPORTED, on=workspace, workspace=workspace, by=by, documents=found.total)
    return written.getvalue()


# --- The figures --------------------------------------------------------------------------------------------


def _figures(documents: QuerySet[Document], workspace: Workspace, by: User, days: int) -> Iterator[Figure]:
    yield _figure("state", _("By state"), _by_state(documents))
    yield _figure("level", _("By classification"), _by_level(documents))
    yield _figure("format", _("By format"), _by_format(documents))
    yield _figure("age", _("By age of what answers"), _by_age(documents))
    folders = [
        (path or _("No folder"), n, f"folder={pk}" if pk else "")
        for (path, pk), n in _pairs(documents, "folder__path", "folder")
    ]
    yield _figure("folder", _("By folder"), folders)
    yield _figure("failure", _("Why documents could not be read"), _by_failure(documents))
    yield _figure("added", _("Added, by week"), _weekly(documents, "created_at", days))
    gone = Document.objects.filter(not_barred(by), workspace=workspace, deleted_at__isnull=False).order_by()
    yield _figure("deleted", _("Deleted, by week"), _weekly(gone, "deleted_at", days))


def _figure(code: str, title: str, bars: Sequence[tuple[str | date, int, str]]) -> Figure:
    longest = max((count for _label, count, _query in bars), default=0)
    drawn = [Bar(label, n, query, round(100 * n / longest) if longest else 0) for label, n, query in bars]
    return Figure(code, title, drawn)


def _by_state(documents: QuerySet[Document]) -> list[tuple[str, int, str]]:
    counts = documents.aggregate(**{code: Count("pk", filter=rule) for code, (_label, rule) in GROUPS.items()})
    return [(str(label), counts[code], f"state={code}") for code, (label, _rule) in GROUPS.items()]


def _by_level(documents: QuerySet[Document]) -> list[tuple[str, int, str]]:
    counts = dict(documents.values_list("classification").annotate(Count("pk")))
    return [(str(level.label), counts.get(level, 0), f"level={level}") for level in Classification]


def _by_format(documents: QuerySet[Document]) -> list[tuple[str, int, str]]:
    # The list has no filter for what has no format: a link would show everything.
    return [
        (name.upper() if name else "–", n, f"format={name}" if name else "")
        for (name,), n in _pairs(documents, "latest_version__format")
    ]


def _by_age(documents: QuerySet[Document]) -> list[tuple[str, int, str]]:
    now, since = timezone.now(), None
    counts: dict[str, Q] = {}
    for days, name in _AGES:
        until = now - timedelta(days=days)
        newer = Q(current_version__created_at__gte=until)
        counts[name] = newer if since is None else newer & Q(current_version__created_at__lt=since)
        since = until
    counts["older"] = Q(current_version__created_at__lt=since)
    found = documents.aggregate(**{f"age_{name}": Count("pk", filter=rule) for name, rule in counts.items()})
    labels = [_("Up to 30 days"), _("Up to 90 days"), _("Up to a year"), _("Up to three years"), _("Older")]
    return [(label, found[f"age_{name}"], "") for label, name in zip(labels, counts, strict=True)]


def _by_failure(documents: QuerySet[Document]) -> list[tuple[str, int, str]]:
    """By one of the sentences told for a code; the list of what failed shows each document with its own."""
    failed = Version.objects.filter(state__in=STOPPED, document__latest_version=F("pk"), document__in=documents)
    counted = failed.order_by().values_list("failure_code").annotate(number=Count("pk"), told=Min("failure_sentence"))
    codes = counted.order_by("-number", "failure_code")[:_NAMED]
    return [(_(told) if told else code, number, f"reason={code}") for code, number, told in codes]


def _weekly(rows: QuerySet[Document], field: str, days: int) -> list[tuple[date, int, str]]:
    today = timezone.localdate()
    first = _monday(today - timedelta(days=days))
    begun = rows.filter(**{f"{field}__date__gte": first}).annotate(week=TruncWeek(field))
    counts = {moment.date(): n for moment, n in begun.values_list("week").annotate(Count("pk"))}
    weeks = [first + timedelta(weeks=number) for number in range((today - first).days // 7 + 1)]
    return [(week, counts.get(week, 0), "") for week in weeks]


def _monday(day: date) -> date:
    return day - timedelta(days=day.weekday())


def _pairs(documents: QuerySet[Document], *names: str) -> list[tuple[tuple[Any, ...], int]]:
    rows = documents.values_list(*names).annotate(number=Count("pk")).order_by("-number", *names)[:_NAMED]
    return [(tuple(row[:-1]), row[-1]) for row in rows]
