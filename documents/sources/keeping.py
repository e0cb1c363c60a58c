"""What people do with sources: set them up, change them, take them away, and ask for a look.

Each verb checks the right of `by`, is one transaction, and leaves its entry in the trail.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.text import slugify
from django.utils.translation import gettext as _

from audit.events import EventType
from audit.record import record
from documents.exceptions import SourceError, SourceFailed
from documents.models import OPEN_RUNS, RunKind, RunState, Schedule, Source, SourceRun
from documents.sources import CONNECTORS
from documents.sources.problems import sentence
from documents.sources.tasks import run_source_task
from workspaces import access, secrets
from workspaces.classification import Classification
from workspaces.dispatch import dispatch
from workspaces.models import User, Workspace
from workspaces.roles import Action

EVERY = {
    Schedule.HOURLY: timedelta(hours=1),
    Schedule.DAILY: timedelta(days=1),
    Schedule.WEEKLY: timedelta(weeks=1),
}
MAX_GLOBS = 50


@dataclass(frozen=True, slots=True)
class Wish:
    """A source as a person wants it. `secret` empty: as it is, or none."""

    name: str
    options: Mapping[str, Any]
    secret: str = field(default="", repr=False)
    include: Sequence[str] = ()
    exclude: Sequence[str] = ()
    classification: str = Classification.INTERNAL
    schedule: str = Schedule.MANUAL
    max_removed_percent: int = 20


@transaction.atomic
def create_source(workspace: Workspace, kind: str, wish: Wish, *, by: User) -> Source:
    """Set a source up. Nothing is read before somebody asks. Raises SourceError with a sentence."""
    access.require(by, Action.MANAGE_DOCUMENTS, workspace)
    if workspace.archived_at is not None:
        raise SourceError(sentence("archived", {}))
    if kind not in CONNECTORS:
        raise SourceError(_("There is no such kind of source."))
    source = Source(workspace=workspace, kind=kind, created_by=by, owner=by)
    _apply(source, wish)
    source.folder = _free_folder(workspace, source.name)
    source.sealed_secret = secrets.seal(wish.secret) if wish.secret else ""
    _save(source)
    record(EventType.SOURCE_CREATED, on=source, workspace=workspace, by=by, **_facts(source))
    return source


@transaction.atomic
def change_source(source: Source, wish: Wish, *, by: User) -> bool:
    """Change a source; from now on its scheduled runs use the rights of `by`. Whether a stored secret was dropped.

    A secret is dropped when the place it is for changes and it is not entered anew: it would go to somebody else.
    """
    access.require(by, Action.MANAGE_DOCUMENTS, source)
    source = Source.objects.select_for_update(no_key=True, of=("self",)).select_related("workspace").get(pk=source.pk)
    connector = CONNECTORS[source.kind]
    before, destination = _facts(source), connector.destination(source.options)
    _apply(source, wish)
    is_dropped = False
    if wish.secret:
        source.sealed_secret = secrets.seal(wish.secret)
    elif source.sealed_secret and connector.destination(source.options) != destination:
        source.sealed_secret, is_dropped = "", True
    source.owner = by
    source.due_at = next_due(source)
    _save(source)
    after = _facts(source)
    record(
        EventType.SOURCE_CHANGED,
        on=source,
        workspace=source.workspace_id,
        by=by,
        changed=sorted(name for name in after if after[name] != before[name]),
        secret="new" if wish.secret else "dropped" if is_dropped else "same",
        **after,
    )
    return is_dropped


@transaction.atomic
def delete_source(source: Source, *, by: User) -> None:
    """Take a source away, with what is remembered of its runs. The documents it brought stay."""
    access.require(by, Action.MANAGE_DOCUMENTS, source)
    source = Source.objects.select_for_update(no_key=True).get(pk=source.pk)
    record(EventType.SOURCE_DELETED, on=source, workspace=source.workspace_id, by=by, documents=source.items.count())
    source.delete()


@transaction.atomic
def ask_run(source: Source, kind: str, *, by: User, confirms: SourceRun | None = None) -> SourceRun:
    """Have a source tested, previewed or synced in the background. Raises SourceError while a run is on its way."""
    access.require(by, Action.MANAGE_DOCUMENTS, source)
    if kind not in RunKind.values:
        raise SourceError(_("There is no such kind of run."))
    source = Source.objects.select_for_update(no_key=True, of=("self",)).select_related("workspace").get(pk=source.pk)
    if source.workspace.archived_at is not None:
        raise SourceError(sentence("archived", {}))
    if source.runs.filter(state__in=OPEN_RUNS).exists():
        raise SourceError(_("This source is being looked at already. Wait until that has ended."))
    if kind == RunKind.SYNC:
        if source.started_at is None:
            source.started_at, source.started_by = timezone.now(), by
        source.due_at = next_due(source)
        source.save(update_fields=["started_at", "started_by", "due_at"])
    return new_run(source, kind, by=by, confirms=confirms)


@transaction.atomic
def pause_source(source: Source, *, by: User) -> None:
    """Keep the schedule from starting runs; a run on its way ends by itself, and people may still ask for one."""
    _set_paused(source, by=by)


@transaction.atomic
def resume_source(source: Source, *, by: User) -> None:
    """Let the schedule start runs again. Raises SourceError for a source that is not paused."""
    _set_paused(source, by=by, ends=True)


def _set_paused(source: Source, *, by: User, ends: bool = False) -> None:
    access.require(by, Action.MANAGE_DOCUMENTS, source)
    source = Source.objects.select_for_update(no_key=True, of=("self",)).get(pk=source.pk)
    if ends and source.paused_at is None:
        raise SourceError(_("This source is not paused."))
    if not ends and source.paused_at is not None:
        raise SourceError(_("This source is paused already."))
    source.paused_at, source.paused_by = (None, None) if ends else (timezone.now(), by)
    source.due_at = next_due(source)
    source.save(update_fields=["paused_at", "paused_by", "due_at"])
    record(
        EventType.SOURCE_RESUMED if ends else EventType.SOURCE_PAUSED,
        on=source,
        workspace=source.workspace_id,
        by=by,
    )


def confirm_removals(run: SourceRun, *, by: User) -> SourceRun:
    """Sync again and this time delete what `run` held back, as far as it is still gone, and nothing else."""
    if run.state != RunState.HELD or run.source.runs.filter(kind=RunKind.SYNC, asked_at__gt=run.asked_at).exists():
        raise SourceError(_("Another sync came in between. Look at what that one says."))
    return ask_run(run.source, RunKind.SYNC, by=by, confirms=run)


def reseal_secrets() -> int:
    """Seal the secrets of all sources with the first key; how many. Raises CannotUnseal."""
    count = 0
    for source in Source.objects.select_for_update(no_key=True).exclude(sealed_secret="").order_by("pk"):
        Source.objects.filter(pk=source.pk).update(sealed_secret=secrets.reseal(source.sealed_secret))
        count += 1
    return count


def new_run(source: Source, kind: str, *, by: User | None, confirms: SourceRun | None = None) -> SourceRun:
    """The row of a run that was asked for, and its bell. The caller holds the source and has checked who asks."""
    run = SourceRun.objects.create(source=source, kind=kind, asked_by=by, confirms=confirms)
    record(
        EventType.SOURCE_RUN_ASKED,
        on=source,
        workspace=source.workspace_id,
        by=by,
        run=run.pk,
        kind=str(kind),
        removals_confirmed=confirms.held if confirms is not None else 0,
    )
    dispatch(run_source_task, run.pk)
    return run


def _apply(source: Source, wish: Wish) -> None:
    """Take over what was wished, if it can be. Raises SourceError."""
    source.name = " ".join(wish.name.split())
    if not source.name:
        raise SourceError(_("Give the source a name."))
    connector = CONNECTORS[source.kind]
    source.options = {one.name: wish.options.get(one.name, one.default) for one in connector.fields}
    missing = [one.label for one in connector.fields if one.required and source.options[one.name] in ("", None)]
    if missing:
        raise SourceError(_("“%(name)s” is needed.") % {"name": missing[0]})
    try:
        connector.check(source.options, source.workspace)
    except SourceFailed as failed:
        raise SourceError(sentence(failed.code, failed.detail)) from failed
    line = "".join(wish.secret.splitlines()) if connector.secret_has_lines else wish.secret
    if not line.isprintable() or (connector.secret_is_ascii and not line.isascii()):
        raise SourceError(sentence("secret_letters", {}))
    source.include, source.exclude = list(wish.include), list(wish.exclude)
    if max(len(source.include), len(source.exclude)) > MAX_GLOBS:
        raise SourceError(_("More than %(limit)d patterns are not taken.") % {"limit": MAX_GLOBS})
    source.classification, source.schedule = wish.classification, wish.schedule
    source.max_removed_percent = wish.max_removed_percent
    if wish.classification not in Classification.values or wish.schedule not in Schedule.values:
        raise SourceError(_("Choose from the lists."))
    if not 0 <= wish.max_removed_percent <= 100:
        raise SourceError(_("A share is between 0 and 100 percent."))


def next_due(source: Source) -> Any:
    """When the schedule wants the source next; None before it was started, and while it is paused."""
    every = EVERY.get(Schedule(source.schedule))
    if every is None or source.started_at is None or source.paused_at is not None:
        return None
    return timezone.now() + every


def _save(source: Source) -> None:
    try:
        with transaction.atomic():
            source.save()
    except IntegrityError as error:
        raise SourceError(_("Another source of this workspace has this name.")) from error


def _free_folder(workspace: Workspace, name: str) -> str:
    """The name as the first part of a path, with a number where another source has it."""
    base = slugify(name)[:120] or "source"
    taken = set(Source.objects.filter(workspace=workspace).values_list("folder", flat=True))
    number = 1
    folder = base
    while folder in taken:
        number += 1
        folder = f"{base}-{number}"
    return folder


def _facts(source: Source) -> dict[str, Any]:
    """What the trail keeps of a source; its options name places and never a secret."""
    return {
        "name": source.name,
        "kind": source.kind,
        "options": {name: str(value) for name, value in source.options.items()},
        "include": source.include,
        "exclude": source.exclude,
        "classification": str(source.classification),
        "schedule": str(source.schedule),
        "max_removed_percent": source.max_removed_percent,
    }
