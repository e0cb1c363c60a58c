"""The figures of the cockpit. Each is an aggregate over an indexed stretch of time: their number of queries is fixed.

Nobody is named: people are counted, and what they asked stands nowhere here. Of the whole installation nothing is told
that a workspace named itself, but for the workspaces.
"""

from collections import Counter
from collections.abc import Iterable
from datetime import date, timedelta
from typing import Any

from django.db.models import Count, F, Q, Sum
from django.db.models.functions import TruncDate, TruncWeek
from django.utils import timezone
from django.utils.formats import number_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from answers.cockpit.shapes import Bar, Cockpit, Figure
from answers.cockpit.totals import totals
from answers.cockpit.within import EVERYTHING, Chosen, Within
from answers.models import KNOWLEDGE, Answer, Draft, Gap, GapState, Grounding, Question, Usage
from answers.rag_templates import built_in
from answers.states import OPEN, AnswerStatus
from documents.models import Document
from workspaces.models import Workspace

PERIODS = (7, 30, 90, 365)
#: Models, templates and workspaces told by name; the rest is one line.
_NAMED = 12
_FAMILIES = {
    "answered": gettext_lazy("Answered"),
    "held": gettext_lazy("Held for review"),
    "refused": gettext_lazy("Refused"),
    "failed": gettext_lazy("Failed"),
    "stopped": gettext_lazy("Stopped by the asker"),
    "suspended": gettext_lazy("Suspended"),
}


def cockpit(
    workspace: Workspace | None, *, days: int = 30, from_outside: bool = False, chosen: Chosen = EVERYTHING
) -> Cockpit:
    """The figures of a workspace, or of the whole installation. Whoever calls has asked who may see them.

    `from_outside`: they are for somebody who has no role in the workspace, who is told no names that it gave.
    `chosen`: of one template or model; then those are left out that cannot be told of one.
    """
    now = timezone.now()
    inside = workspace is not None and not from_outside
    within = Within(workspace, now - timedelta(days=days), now, inside=inside, chosen=chosen)
    ended = within.endings()
    return Cockpit(days, within.since, list(totals(within, ended)), list(_figures(within, ended)))


def _figures(within: Within, ended: dict[str, int]) -> Iterable[Figure]:
    yield _over_time(within)
    families = dict.fromkeys(_FAMILIES, 0)
    for status, number in ended.items():
        if status not in OPEN:
            families[AnswerStatus(status).family] += number
    yield _figure("endings", _("What became of questions"), [(_FAMILIES[code], n) for code, n in families.items()])
    yield _templates(within)
    drafts = within.rows(Draft, created_at__gte=within.since).exclude(grounding="")
    grounded = dict(drafts.values_list("grounding").annotate(Count("pk")))
    yield _figure(
        "grounding",
        _("Grounding of drafts"),
        [(label, grounded.get(code, 0)) for code, label in Grounding.choices],
        _("How the weakest sentence of each draft stands on what it cites."),
    )
    if within.workspace is None:
        named = within.rows(Question, asked_at__gte=within.since).values_list("workspace__name")
        yield _figure("workspaces", _("Questions by workspace"), _most(dict(named.annotate(Count("pk")))))
    if within.chosen:
        return
    yield _costs(within)
    gaps = dict(within.rows(Gap).values_list("state").annotate(Count("pk")))
    yield _figure(
        "gaps", _("Gaps, as they stand now"), [(label, gaps.get(code, 0)) for code, label in GapState.choices]
    )
    yield _documents(within)


def _over_time(within: Within) -> Figure:
    """By day; by week where days would be too many."""
    weekly = within.now - within.since > timedelta(days=31)
    part = (TruncWeek if weekly else TruncDate)("asked_at")
    rows = within.rows(Question, asked_at__gte=within.since).annotate(part=part).values_list("part")
    counted = {str(getattr(one, "date", lambda one=one: one)()): n for one, n in rows.annotate(Count("pk"))}
    first, last = timezone.localdate(within.since), timezone.localdate(within.now)
    if weekly:
        first -= timedelta(days=first.weekday())
    step = 7 if weekly else 1
    shown = [first + timedelta(days=n) for n in range(0, (last - first).days + 1, step)]
    title = _("Questions by week") if weekly else _("Questions by day")
    return _figure("questions", title, [(day, counted.get(str(day), 0)) for day in shown], is_over_time=True)


def _templates(within: Within) -> Figure:
    """By the names they have now; from outside by what we wrote, because the other names are the workspaces' own."""
    rows = within.rows(Answer, created_at__gte=within.since)
    by = "template__template__current__name" if within.inside else "template__template__built_in"
    counted: Counter[str] = Counter()
    for template, said, number in rows.values_list("template__template", by).annotate(Count("pk")):
        if template is None:
            name = built_in.name_of(KNOWLEDGE)
        elif within.inside:
            name = built_in.told(said)
        else:
            name = built_in.name_of(said) if said in built_in.CODES else _("Written in workspaces")
        counted[name] += number
    return _figure("templates", _("Templates used"), _most(counted))


def _costs(within: Within) -> Figure:
    """Calls to servers that were counted; what nobody put a price on is told as such."""
    rows = within.rows(Usage, day__gte=timezone.localdate(within.since), state="settled")
    counted = rows.values("endpoint_label", "currency").annotate(
        calls=Count("pk"),
        unpriced=Count("pk", filter=Q(cost=None)),
        tokens=Sum(F("input_tokens") + F("output_tokens")),
        spent=Sum("cost"),
    )
    lines = list(counted.order_by(F("spent").desc(nulls_last=True), "endpoint_label", "currency"))
    most = max((line["spent"] or 0 for line in lines), default=0)
    bars = [
        Bar(
            label=line["endpoint_label"].partition(" at ")[0],
            number=line["spent"],
            told=_cost_told(line),
            percent=round(100 * (line["spent"] or 0) / most) if most else 0,
        )
        for line in lines
    ]
    return Figure("costs", _("Cost by model"), bars, _("The built-in model costs nothing and is not among them."))


def _cost_told(line: dict[str, Any]) -> str:
    calls = number_format(line["calls"], force_grouping=True)
    tokens = number_format(line["tokens"], force_grouping=True)
    if line["spent"] is None:
        return _("no price known · calls: %(calls)s · tokens: %(tokens)s") % {"calls": calls, "tokens": tokens}
    cost = f"{number_format(line['spent'], decimal_pos=2, force_grouping=True)} {line['currency']}"
    if line["unpriced"]:
        said = _("%(cost)s · calls: %(calls)s, of them without a price: %(unpriced)s · tokens: %(tokens)s")
        unpriced = number_format(line["unpriced"], force_grouping=True)
        return said % {"cost": cost, "calls": calls, "unpriced": unpriced, "tokens": tokens}
    return _("%(cost)s · calls: %(calls)s · tokens: %(tokens)s") % {"cost": cost, "calls": calls, "tokens": tokens}


def _documents(within: Within) -> Figure:
    counted = within.rows(Document, deleted_at=None).aggregate(
        answering=Count("pk", filter=Q(current_version__isnull=False)),
        silent=Count("pk", filter=Q(current_version=None)),
    )
    lines = [(_("Give answers"), counted["answering"]), (_("Do not answer yet"), counted["silent"])]
    return _figure("documents", _("Documents, as they stand now"), lines)


def _most(counted: dict[str, int]) -> list[tuple[str, int]]:
    """The largest by name, and the sum of the others, so that nothing is missing from the whole."""
    lines = sorted(counted.items(), key=lambda line: (-line[1], line[0]))
    if len(lines) <= _NAMED:
        return lines
    others = lines[_NAMED - 1 :]
    return [*lines[: _NAMED - 1], (_("%(n)d others") % {"n": len(others)}, sum(number for _name, number in others))]


def _figure(
    code: str, title: str, counted: Iterable[tuple[Any, int]], note: str = "", *, is_over_time: bool = False
) -> Figure:
    lines = [(label if isinstance(label, date) else str(label), number) for label, number in counted]
    most = max((number for _label, number in lines), default=0)
    bars = [
        Bar(label, number, number_format(number, force_grouping=True), round(100 * number / most) if most else 0)
        for label, number in lines
    ]
    return Figure(code, title, bars if most else [], note, is_over_time)
