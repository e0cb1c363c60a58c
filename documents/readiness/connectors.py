"""Checks of the sources: each is reached now, one thing of each is fetched and read, and their schedules live."""

from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path, PurePosixPath
from random import sample
from tempfile import NamedTemporaryFile
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext, gettext_lazy, gettext_noop

from documents.exceptions import SourceFailed
from documents.models import RunKind, RunState, Schedule, Source, SourceRun
from documents.parse import FORMATS, ParseFailed
from documents.parse.failures import SENTENCES as UNREAD
from documents.sources import CONNECTORS
from documents.sources.connector import Connector, Entry
from documents.sources.plan import make_plan
from documents.sources.problems import SENTENCES as PROBLEMS
from documents.sources.problems import sentence
from documents.stages.parsed import read_file
from workspaces import access, secrets
from workspaces.exceptions import CannotUnseal
from workspaces.readiness.registry import Area, Found, Scene, blocked, check, none, passed, warned
from workspaces.readiness.thresholds import of
from workspaces.roles import Action

_ = gettext_noop
_FIX = "documents:sources"
#: A source is asked for so many entries, to find one that can be read.
_LISTED = 50
_NONE = _("There is no source: documents are brought in by hand.")
_REACHED, _FETCHED, _PARSED = range(1, 4)


@dataclass(frozen=True, slots=True)
class _Try:
    """How far one source got: 0 not reached, then reached, fetched and parsed; and what stopped it."""

    source: Source
    came_to: int
    problem: SourceFailed | ParseFailed | None = None


def _sources(scene: Scene) -> list[Source]:
    rows = Source.objects.filter(workspace=scene.workspace).select_related("owner", "workspace")
    return list(rows.order_by("name"))


def _last_states(scene: Scene) -> dict[str, str]:
    """How the last sync of each source ended, by the source's name."""
    runs = SourceRun.objects.filter(source__workspace=scene.workspace, kind=RunKind.SYNC, ended_at__isnull=False)
    newest = runs.order_by("source_id", "-ended_at").distinct("source_id")
    return dict(newest.values_list("source__name", "state"))


def _active(scene: Scene) -> list[Source]:
    return [one for one in scene.once(_sources) if one.paused_at is None]


def _tried(scene: Scene) -> list[_Try]:
    """So many of the sources as one look has time for; where there are more, others each time."""
    active = scene.once(_active)
    return [_try(source) for source in sample(active, min(len(active), of("sources_looked_at")))]


def _try(source: Source) -> _Try:
    came_to = 0
    try:
        with _connector(source) as connector:
            connector.test()
            entry = _readable(connector, source)
            came_to = _REACHED
            with connector.fetch(entry) as file, NamedTemporaryFile() as copy:
                while chunk := file.read(1024 * 1024):
                    copy.write(chunk)
                copy.flush()
                came_to = _FETCHED
                read_file(Path(copy.name), PurePosixPath(entry.path).name, hold=lambda seconds: None)
    except (SourceFailed, ParseFailed) as failed:
        return _Try(source, came_to, failed)
    return _Try(source, _PARSED)


def _connector(source: Source) -> Connector:
    kind = CONNECTORS[source.kind]
    kind.check(source.options, source.workspace)
    try:
        secret = secrets.unseal(source.sealed_secret) if source.sealed_secret else ""
    except CannotUnseal as error:
        raise SourceFailed("secret_lost") from error
    return kind(source.options, secret=secret, workspace=source.workspace)


def _readable(connector: Connector, source: Source) -> Entry:
    """The first thing of the source that a sync would bring in."""
    listing = connector.list(most=_LISTED)
    listing.keep_sound()
    plan = make_plan(
        listing.entries, {}, complete=False, endings=frozenset(FORMATS), include=source.include, exclude=source.exclude
    )
    if not plan.add:
        raise SourceFailed("nothing_to_read")
    return plan.add[0]


def _stage(scene: Scene, stage: int, well: str, badly: str) -> Found:
    """The sources that came to the stage before, and those of them that stopped there."""
    before = [one for one in scene.once(_tried) if one.came_to >= stage - 1]
    stopped = [one for one in before if one.came_to < stage]
    if not before:
        return none(_NONE) if not scene.once(_tried) else none(_("No source came so far that this could be tried."))
    if stopped:
        named = stopped[:5]
        names = ", ".join(one.source.name for one in named)
        return blocked(badly, n=len(stopped), all=len(before), names=names, stopped=[_why(one) for one in named])
    return passed(well, n=len(before), all=len(scene.once(_active)))


def _why(tried: _Try) -> dict[str, Any]:
    """What stopped it, as codes that are kept."""
    failed = tried.problem
    detail = failed.detail if isinstance(failed, SourceFailed) else {}
    return {"name": tried.source.name, "code": failed.code if failed else "", "detail": detail}


def _told(facts: dict[str, Any]) -> dict[str, Any]:
    """The names of sources, each with a sentence that says what stopped it."""
    said = [f"{one['name']}: {_problem(one['code'], one['detail']).rstrip('.')}" for one in facts.get("stopped", ())]
    return facts | {"names": "; ".join(said)} if said else facts


def _problem(code: str, detail: dict[str, Any]) -> str:
    return gettext(UNREAD[code]) if code in UNREAD and code not in PROBLEMS else sentence(code, detail)


@check("connectors.reached", Area.CONNECTORS, gettext_lazy("Every source answers now"), fix=_FIX, told=_told)
def reached(scene: Scene) -> Found:
    return _stage(
        scene,
        _REACHED,
        _("Sources that answered and let us in: %(n)d; sources in use: %(all)d."),
        _("Sources that did not answer, or hold nothing readable: %(n)d of %(all)d (%(names)s)."),
    )


@check(
    "connectors.fetched", Area.CONNECTORS, gettext_lazy("One item of each source can be fetched"), fix=_FIX, told=_told
)
def fetched(scene: Scene) -> Found:
    return _stage(
        scene,
        _FETCHED,
        _("Sources one item of which was fetched: %(n)d; sources in use: %(all)d."),
        _("Sources whose item could not be fetched: %(n)d of %(all)d (%(names)s)."),
    )


@check("connectors.parsed", Area.CONNECTORS, gettext_lazy("One item of each source can be read"), fix=_FIX, told=_told)
def parsed(scene: Scene) -> Found:
    return _stage(
        scene,
        _PARSED,
        _("Sources one item of which was read: %(n)d; sources in use: %(all)d."),
        _("Sources whose item could not be read: %(n)d of %(all)d (%(names)s)."),
    )


@check("connectors.schedule", Area.CONNECTORS, gettext_lazy("The schedules of sources are alive"), fix=_FIX)
def schedule(scene: Scene) -> Found:
    late = timezone.now() - timedelta(hours=of("late_sync_hours"))
    planned = [one for one in scene.once(_active) if one.schedule != Schedule.MANUAL and one.started_at]
    if not planned:
        return none(_("No source is synced by a schedule."))
    overdue = [one for one in planned if one.due_at is None or one.due_at < late]
    if overdue:
        names = ", ".join(one.name for one in overdue[:5])
        return blocked(
            _("Sources whose sync was due and did not begin: %(n)d (%(names)s)."), n=len(overdue), names=names
        )
    return passed(_("All %(n)d scheduled sources were synced in time."), n=len(planned))


@check("connectors.last_sync", Area.CONNECTORS, gettext_lazy("The last syncs went through"), fix=_FIX)
def last_sync(scene: Scene) -> Found:
    ended = scene.once(_last_states)
    if not ended:
        return none(_NONE) if not scene.once(_sources) else none(_("No sync has ended yet."))
    bad = sorted(name for name, state in ended.items() if state in (RunState.FAILED, RunState.HELD))
    if bad:
        return warned(
            _("Sources whose last sync failed or waits for somebody: %(n)d (%(names)s)."),
            n=len(bad),
            names=", ".join(bad[:5]),
        )
    return passed(_("The last sync of all %(n)d sources went through."), n=len(ended))


@check("connectors.begun", Area.CONNECTORS, gettext_lazy("Every source was synced once"), fix=_FIX)
def begun(scene: Scene) -> Found:
    return _about(
        scene,
        [one for one in scene.once(_sources) if one.started_at is None],
        _("All %(n)d sources were started."),
        _("Sources nobody has started yet: %(n)d (%(names)s)."),
    )


@check("connectors.paused", Area.CONNECTORS, gettext_lazy("No source is paused"), fix=_FIX)
def paused(scene: Scene) -> Found:
    return _about(
        scene,
        [one for one in scene.once(_sources) if one.paused_at is not None],
        _("None of %(n)d sources is paused."),
        _("Paused sources: %(n)d (%(names)s)."),
    )


@check("connectors.owner", Area.CONNECTORS, gettext_lazy("Sources run for somebody who may"), fix=_FIX)
def owner(scene: Scene) -> Found:
    may = set(access.people_allowed(scene.workspace, Action.MANAGE_DOCUMENTS).values_list("pk", flat=True))
    lost = [one for one in scene.once(_sources) if one.owner_id not in may]
    if lost:
        names = ", ".join(one.name for one in lost[:5])
        return blocked(
            _("Sources that run for somebody who may not manage documents any more: %(n)d (%(names)s)."),
            n=len(lost),
            names=names,
        )
    count = len(scene.once(_sources))
    return passed(_("All %(n)d sources run for somebody who manages documents."), n=count) if count else none(_NONE)


def _about(scene: Scene, found: list[Source], well: str, badly: str) -> Found:
    if found:
        return warned(badly, n=len(found), names=", ".join(one.name for one in found[:5]))
    count = len(scene.once(_sources))
    return passed(well, n=count) if count else none(_NONE)
