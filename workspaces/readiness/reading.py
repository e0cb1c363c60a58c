"""What people see of readiness: runs, results in their language, the trend, and what changed since the last run."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext as _

from workspaces import access, charters
from workspaces.models import Outcome, ReadinessResult, ReadinessRun, ReadinessState, User, Workspace
from workspaces.notifications.registry import describe
from workspaces.readiness import registry
from workspaces.readiness.registry import Area
from workspaces.roles import Action

#: Who may read the reports: those who can do something about them, who decide by them, and who audit them.
READERS = (Action.MANAGE, Action.REVIEW, Action.READ_TRAIL)
_WORSE = (Outcome.NONE, Outcome.PASS, Outcome.WARN, Outcome.BLOCK)
TREND = 12


def require(user: User, workspace: Workspace) -> None:
    """Return if `user` may read the workspace's reports. Raises Hidden, Forbidden or ReasonNeeded."""
    held = access.actions(user, workspace)
    access.require(user, next((action for action in READERS if action in held), Action.MANAGE), workspace)


def may_read(user: User, workspace: Workspace) -> bool:
    """Whether the reports are open to the person by their roles."""
    return not access.actions(user, workspace).isdisjoint(READERS)


def runs_open_to(user: User) -> QuerySet[ReadinessRun]:
    """The runs of the workspaces whose reports the person may read."""
    places = access.where_allowed(user, READERS[0])
    for action in READERS[1:]:
        places |= access.where_allowed(user, action)
    return ReadinessRun.objects.filter(places)


@dataclass(frozen=True, slots=True)
class Line:
    """One result as a page shows it."""

    result: ReadinessResult
    label: str
    sentence: str
    #: The page where it is put right, if the reader may open it.
    fix: str
    #: Otherwise who puts it right.
    fixed_by: str
    #: What it was in the run before; "" where that did not have it.
    before: str

    @property
    def outcome(self) -> Outcome:
        return Outcome(self.result.outcome)

    @property
    def is_better(self) -> bool:
        return bool(self.before) and _rank(self.result.outcome) < _rank(self.before)

    @property
    def is_worse(self) -> bool:
        return bool(self.before) and _rank(self.result.outcome) > _rank(self.before)


@dataclass(frozen=True, slots=True)
class Section:
    """The lines of one area, with its score; None where nothing of it applies."""

    area: Area
    score: int | None
    lines: list[Line]


def sections(run: ReadinessRun, *, reader: User | None) -> list[Section]:
    """What the run found so far, area by area, in the language that is active, against the run before it.

    `reader` is who is told where things are put right; None: the operator, who may do everything.
    """
    former = before(run)
    known = dict(former.results.values_list("code", "outcome")) if former else {}
    held = _held(reader, run.workspace) if reader else None
    lines = [_line(one, run.workspace, known.get(one.code, ""), held) for one in run.results.all()]
    return [
        Section(area, run.scores.get(area.value), mine)
        for area in Area
        if (mine := [line for line in lines if line.result.area == area.value])
    ]


def before(run: ReadinessRun) -> ReadinessRun | None:
    """The last finished run before this one."""
    done = ReadinessRun.objects.filter(workspace=run.workspace_id, state=ReadinessState.DONE)
    return done.filter(asked_at__lt=run.asked_at).order_by("-asked_at").first()


def history(workspace: Workspace) -> list[ReadinessRun]:
    """The last finished runs, newest first."""
    done = ReadinessRun.objects.filter(workspace=workspace, state=ReadinessState.DONE)
    return list(done.select_related("asked_by").defer("report").order_by("-ended_at")[:TREND])


@dataclass(frozen=True, slots=True)
class Bar:
    """One run in the chart of scores, in units of its drawing."""

    x: int
    y: int
    height: int
    is_go: bool


def trend(runs: list[ReadinessRun]) -> list[Bar]:
    """The scores of `runs`, newest first, as bars with the oldest first; each is at most 50 high."""
    heights = [(max(1, (run.score or 0) // 2), bool(run.is_go)) for run in reversed(runs)]
    return [Bar(20 * place + 2, 51 - height, height, is_go) for place, (height, is_go) in enumerate(heights)]


def changed(found: Iterable[Section]) -> tuple[list[Line], list[Line]]:
    """What got better and what got worse since the run before."""
    lines = [line for section in found for line in section.lines]
    return [line for line in lines if line.is_better], [line for line in lines if line.is_worse]


def to_do(found: Iterable[Section]) -> list[Line]:
    """What blocks, and then what is to be looked at."""
    lines = [line for section in found for line in section.lines]
    return [line for outcome in (Outcome.BLOCK, Outcome.WARN) for line in lines if line.outcome == outcome]


def sentence(one: ReadinessResult) -> str:
    """What the check found, in the language that is active."""
    check = registry.known(one.code)
    return str(_(one.sentence) % (check.told(one.facts) if check else one.facts))


def in_english(one: ReadinessResult) -> str:
    """The same as it stands in the report, whoever had it made."""
    with translation.override("en"):
        return sentence(one)


def _held(reader: User, workspace: Workspace) -> frozenset[str]:
    return access.reach(reader, workspace) | access.platform_actions(reader)


def _line(one: ReadinessResult, workspace: Workspace, former: str, held: frozenset[str] | None) -> Line:
    check = registry.known(one.code)
    label = str(check.label) if check else one.code
    fix, fixed_by = "", ""
    if check and one.outcome in (Outcome.WARN, Outcome.BLOCK):
        fix, action = check.fix_in(workspace), check.opened_by(workspace)
        if held is not None and (not fix or action not in held):
            fix, fixed_by = "", _whoever(action)
    return Line(one, label, sentence(one), fix, fixed_by, former)


def _whoever(action: str) -> str:
    """Who puts it right, for somebody who may not."""
    if action not in Action.values:
        return _("The operator of the portal puts it right.")
    roles = [str(charter.label) for charter in charters.declared().values() if action in charter.actions]
    return _("Who can put it right: %(roles)s.") % {"roles": ", ".join(roles)}


def _rank(outcome: str) -> int:
    return _WORSE.index(Outcome(outcome))


def _page(run: Any) -> str:
    return reverse("workspaces:readiness_run", kwargs={"slug": run.workspace.slug, "pk": run.pk})


access.guard(ReadinessRun, visible=runs_open_to, workspace_of=lambda run: run.workspace, names_only=True)
describe(
    ReadinessRun,
    name=lambda run: run.workspace.name,
    address=_page,
    name_in_mail=True,
    prepared=lambda rows: rows.select_related("workspace"),
)
