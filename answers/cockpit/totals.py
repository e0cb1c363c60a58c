"""The numbers at the top of the cockpit."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Aggregate, Count, DurationField, F, Max, Q
from django.utils.formats import number_format
from django.utils.translation import gettext as _

from answers import review
from answers.cockpit.shapes import Total
from answers.cockpit.within import Within, of_these
from answers.models import EXAMINED, Decision, Draft, Examination, ExaminationState, Feedback, Question, Review
from answers.states import OPEN, AnswerStatus

_DECIDED = (Decision.APPROVED, Decision.RETURNED, Decision.REJECTED)
#: Endings that say nothing about whether the documents hold an answer.
_UNKNOWN = {
    *OPEN,
    AnswerStatus.STOPPED,
    AnswerStatus.REFUSED_NO_RIGHT,
    *(status for status in AnswerStatus if status.family == "failed"),
}


class Median(Aggregate):
    """The middle one of durations; None of none."""

    function = "PERCENTILE_CONT"
    template = "%(function)s(0.5) WITHIN GROUP (ORDER BY %(expressions)s)"
    output_field = DurationField()


def totals(within: Within, ended: dict[str, int]) -> Iterable[Total]:
    """All of them; `ended` is what `within.endings()` gives."""
    yield from _people(within)
    yield _counted("questions", _("Questions"), within.rows(Question, asked_at__gte=within.since).count())
    if not within.chosen:
        yield from _examined(within)
    none = ended.get(AnswerStatus.REFUSED_NO_EVIDENCE, 0)
    known = of_these(ended, set(AnswerStatus.values) - _UNKNOWN)
    yield _share("coverage", _("Questions the documents cover"), known - none, known)
    decided = within.rows(Review, "draft__workspace", decided_at__gte=within.since, decision__in=_DECIDED).aggregate(
        n=Count("pk"), middle=Median(F("decided_at") - F("draft__created_at"))
    )
    yield _counted("decisions", _("Decisions on drafts"), decided["n"])
    yield Total("review_time", _("Time to review, median"), decided["middle"], _duration(decided["middle"]))
    waiting = within.rows(Draft, state__in=review.WHEN["edit"]).aggregate(
        all=Count("pk"), late=Count("pk", filter=Q(due_at__lt=within.now))
    )
    yield _counted("waiting", _("Drafts that wait now"), waiting["all"])
    yield _counted("overdue", _("Drafts overdue now"), waiting["late"])
    judged = within.rows(Feedback, "answer__workspace", given_at__gte=within.since).aggregate(
        all=Count("pk"), helped=Count("pk", filter=Q(helped=True))
    )
    yield _counted("judged", _("Answers judged by readers"), judged["all"])
    yield _share("helped", _("Answers that helped, of those judged"), judged["helped"], judged["all"])


def _examined(within: Within) -> Iterable[Total]:
    found = within.rows(Examination, state__in=EXAMINED).aggregate(
        all=Count("pk", filter=Q(examined_at__gte=within.since)),
        held=Count("pk", filter=Q(state=ExaminationState.HELD)),
        late=Count("pk", filter=Q(state=ExaminationState.HELD, due_at__lt=within.now)),
    )
    yield _counted("examined", _("Drafts examined"), found["all"])
    yield _counted("examined_waiting", _("Examined drafts that wait now"), found["held"])
    yield _counted("examined_overdue", _("Examined drafts overdue now"), found["late"])


def _people(within: Within) -> Iterable[Total]:
    """Who asked, decided on a draft or judged an answer, in 7 and in 30 days whatever the page is about."""
    month, week = (within.now - timedelta(days=days) for days in (30, 7))
    done = (
        within.rows(Question, asked_at__gte=month).values_list("asked_by").annotate(last=Max("asked_at")),
        within.rows(Review, "draft__workspace", decided_at__gte=month)
        .values_list("decided_by")
        .annotate(last=Max("decided_at")),
        within.rows(Feedback, "answer__workspace", given_at__gte=month)
        .values_list("given_by")
        .annotate(last=Max("given_at")),
    )
    last: dict[Any, datetime] = {}
    for rows in done:
        for person, at in rows:
            last[person] = max(at, last.get(person, at))
    yield _counted("people_7", _("Active people, 7 days"), sum(at >= week for at in last.values()))
    yield _counted("people_30", _("Active people, 30 days"), len(last))


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
