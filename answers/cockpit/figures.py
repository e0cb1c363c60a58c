"""The figures of the cockpit. Each is an aggregate over an indexed stretch of time: their number of queries is fixed.

Nobody is named: people are counted, and what they asked stands nowhere here.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db.models import Aggregate, Count, DurationField, F, Model, Q, QuerySet, Sum
from django.db.models.functions import TruncDate, TruncWeek
from django.utils import timezone
from django.utils.formats import number_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from answers import review
from answers.cockpit.shapes import Bar, Cockpit, Figure, Total
from answers.models import Answer, Decision, Draft, Feedback, Gap, GapState, Grounding, Question, Review, Usage
from answers.states import OPEN, AnswerStatus
from documents.models import Document
from workspaces.models import Workspace

PERIODS = (7, 30, 90, 365)
#: Models, templates and workspaces told by name.
_NAMED = 12
_FAMILIES = {
    "answered": gettext_lazy("Answered"),
    "held": gettext_lazy("Held for review"),
    "refused": gettext_lazy("Refused"),
    "failed": gettext_lazy("Failed"),
    "stopped": gettext_lazy("Stopped by the asker"),
    "suspended": gettext_lazy("Suspended"),
}
_DECIDED = (Decision.APPROVED, Decision.RETURNED, Decision.REJECTED)


class Median(Aggregate):
    """The middle one of durations; None of none."""

    function = "PERCENTILE_CONT"
    template = "%(function)s(0.5) WITHIN GROUP (ORDER BY %(expressions)s)"
    output_field = DurationField()


def cockpit(workspace: Workspace | None, *, days: int = 30) -> Cockpit:
    """The figures of a workspace, or of the whole installation. Whoever calls has asked who may see them."""
    now = timezone.now()
    within = _Within(workspace, now - timedelta(days=days), now)
    ended = within.endings()
    return Cockpit(days, within.since, list(within.totals(ended)), list(within.figures(ended)))


class _Within:
    """What happened in a place since a moment."""

    def __init__(self, workspace: Workspace | None, since: datetime, now: datetime) -> None:
        self.workspace, self.since, self.now = workspace, since, now

    def rows(self, model: type[Model], path: str = "workspace", **since: datetime) -> QuerySet[Any]:
        there = {path: self.workspace} if self.workspace else {}
        return model._default_manager.order_by().filter(**there, **since)

    def endings(self) -> dict[str, int]:
        """How many answers stand at each status now, of those begun in the time."""
        rows = self.rows(Answer, created_at__gte=self.since)
        return dict(rows.values_list("status").annotate(Count("pk")))

    # --- Totals ---

    def totals(self, ended: Mapping[str, int]) -> Iterable[Total]:
        asked = self.rows(Question).filter(asked_at__gte=min(self.since, self.now - timedelta(days=30))).aggregate(
            week=Count("asked_by", distinct=True, filter=Q(asked_at__gte=self.now - timedelta(days=7))),
            month=Count("asked_by", distinct=True, filter=Q(asked_at__gte=self.now - timedelta(days=30))),
            questions=Count("pk", filter=Q(asked_at__gte=self.since)),
        )  # fmt: skip
        yield _counted("people_7", _("People who asked, 7 days"), asked["week"])
        yield _counted("people_30", _("People who asked, 30 days"), asked["month"])
        yield _counted("questions", _("Questions"), asked["questions"])
        finished = sum(number for status, number in ended.items() if status not in OPEN)
        none = ended.get(AnswerStatus.REFUSED_NO_EVIDENCE, 0)
        yield _share("coverage", _("Questions the documents cover"), finished - none, finished)
        spent = self.rows(Review, "draft__workspace", decided_at__gte=self.since, decision__in=_DECIDED)
        middle = spent.aggregate(middle=Median(F("decided_at") - F("draft__created_at")))["middle"]
        yield Total("review_time", _("Time to review, median"), middle, _duration(middle))
        waiting = self.rows(Draft, state__in=review.WHEN["edit"]).aggregate(
            all=Count("pk"), late=Count("pk", filter=Q(due_at__lt=self.now))
        )
        yield _counted("waiting", _("Drafts that wait now"), waiting["all"])
        yield _counted("overdue", _("Of them overdue"), waiting["late"])
        said = self.rows(Feedback, "answer__workspace", given_at__gte=self.since).aggregate(
            all=Count("pk"), helped=Count("pk", filter=Q(helped=True))
        )
        yield _share("helped", _("Answers that helped, of those judged"), said["helped"], said["all"])

    # --- Figures ---

    def figures(self, ended: Mapping[str, int]) -> Iterable[Figure]:
        yield self.over_time()
        families = dict.fromkeys(_FAMILIES, 0)
        for status, number in ended.items():
            if status not in OPEN:
                families[AnswerStatus(status).family] += number
        yield _figure("endings", _("What became of questions"), [(_FAMILIES[code], n) for code, n in families.items()])
        yield self.templates()
        drafts = self.rows(Draft, created_at__gte=self.since).exclude(grounding="")
        grounded = dict(drafts.values_list("grounding").annotate(Count("pk")))
        yield _figure(
            "grounding",
            _("Grounding of drafts"),
            [(label, grounded.get(code, 0)) for code, label in Grounding.choices],
            _("How the weakest sentence of each draft stands on what it cites."),
        )
        yield self.costs()
        gaps = dict(self.rows(Gap).values_list("state").annotate(Count("pk")))
        yield _figure(
            "gaps", _("Gaps, as they stand now"), [(label, gaps.get(code, 0)) for code, label in GapState.choices]
        )
        yield self.documents()
        if self.workspace is None:
            named = self.rows(Question, asked_at__gte=self.since).values_list("workspace__name")
            yield _figure(
                "workspaces", _("Questions by workspace"), named.annotate(n=Count("pk")).order_by("-n")[:_NAMED]
            )

    def over_time(self) -> Figure:
        """By day; by week where days would be too many."""
        weekly = self.now - self.since > timedelta(days=31)
        part = (TruncWeek if weekly else TruncDate)("asked_at")
        rows = self.rows(Question, asked_at__gte=self.since).annotate(part=part).values_list("part")
        counted = {str(getattr(one, "date", lambda one=one: one)()): n for one, n in rows.annotate(Count("pk"))}
        first, last = timezone.localdate(self.since), timezone.localdate(self.now)
        if weekly:
            first -= timedelta(days=first.weekday())
        step = 7 if weekly else 1
        shown = [first + timedelta(days=n) for n in range(0, (last - first).days + 1, step)]
        title = _("Questions by week") if weekly else _("Questions by day")
        return _figure("questions", title, [(str(day), counted.get(str(day), 0)) for day in shown])

    def templates(self) -> Figure:
        rows = self.rows(Answer, created_at__gte=self.since).values_list("template__name")
        counted = rows.annotate(n=Count("pk")).order_by("-n")[:_NAMED]
        return _figure("templates", _("Templates used"), [(name or _("Knowledge"), n) for name, n in counted])

    def costs(self) -> Figure:
        """Calls to servers that were counted; what nobody put a price on is told as such."""
        rows = self.rows(Usage, day__gte=timezone.localdate(self.since), state="settled").values("endpoint_label")
        counted = rows.annotate(
            calls=Count("pk"), tokens=Sum(F("input_tokens") + F("output_tokens")), spent=Sum("cost")
        ).order_by(F("spent").desc(nulls_last=True), "endpoint_label")[:_NAMED]
        lines = list(counted)
        most = max((line["spent"] or 0 for line in lines), default=0)
        bars = [
            Bar(
                label=line["endpoint_label"].partition(" at ")[0],
                number=line["spent"],
                told=_("%(cost)s · %(calls)s calls · %(tokens)s tokens")
                % {
                    "cost": _("no price known") if line["spent"] is None else _money(line["spent"]),
                    "calls": number_format(line["calls"], force_grouping=True),
                    "tokens": number_format(line["tokens"], force_grouping=True),
                },
                percent=round(100 * (line["spent"] or 0) / most) if most else 0,
            )
            for line in lines
        ]
        return Figure("costs", _("Cost by model"), bars, _("The built-in model costs nothing and is not among them."))

    def documents(self) -> Figure:
        counted = self.rows(Document, deleted_at=None).aggregate(
            answering=Count("pk", filter=Q(current_version__isnull=False)),
            silent=Count("pk", filter=Q(current_version=None)),
        )
        lines = [(_("Give answers"), counted["answering"]), (_("Do not answer yet"), counted["silent"])]
        return _figure("documents", _("Documents, as they stand now"), lines)


def _figure(code: str, title: str, counted: Iterable[tuple[Any, int]], note: str = "") -> Figure:
    lines = [(str(label), number) for label, number in counted]
    most = max((number for _label, number in lines), default=0)
    bars = [
        Bar(label, number, number_format(number, force_grouping=True), round(100 * number / most) if most else 0)
        for label, number in lines
    ]
    return Figure(code, title, bars if most else [], note)


def _counted(code: str, label: str, number: int) -> Total:
    return Total(code, label, number, number_format(number, force_grouping=True))


def _share(code: str, label: str, part: int, whole: int) -> Total:
    """In percent of `whole`; None of nothing."""
    if not whole:
        return Total(code, label, None, "–")
    percent = round(100 * part / whole)
    return Total(code, label, percent, f"{percent} %")


def _duration(long: timedelta | None) -> str:
    if long is None:
        return "–"
    minutes = round(long.total_seconds() / 60)
    if minutes < 120:
        return _("%(n)d min") % {"n": minutes}
    if minutes < 48 * 60:
        return _("%(n)d h") % {"n": round(minutes / 60)}
    return _("%(n)d days") % {"n": round(minutes / 1440)}


def _money(amount: Any) -> str:
    return f"{number_format(amount, decimal_pos=2, force_grouping=True)} {settings.CURRENCY}"
