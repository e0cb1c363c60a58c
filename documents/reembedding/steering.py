"""What people do with a change of the embedding model: plan, start, pause, give up, switch, roll back, drop.

Each verb checks the right of `by` and what the state allows, is one transaction, and leaves its entry in the trail.
A switch and a roll-back hold the workspace's row, as a version that becomes ready does (documents/stages/ready.py):
whatever answers is in the space that is searched.
"""

from collections.abc import Callable
from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from audit.events import EventType
from audit.record import record
from documents.embedding.spaces import known, offered, row_of, space_of
from documents.embedding.vector_space import Space
from documents.embeddings import default_space
from documents.ingestion.leases import wake
from documents.models import ComparisonKind, ComparisonState, SpaceComparison, SpaceMigration, Version, WorkspaceSpace
from documents.reembedding import questions
from documents.reembedding.estimate import estimate, too_high
from documents.reembedding.problems import ReembeddingError, sentence
from documents.reembedding.spaces import unused
from documents.reembedding.tasks import build_space_task, compare_spaces_task
from documents.states import COMPARABLE, MOVING, MigrationState, migration_may_become
from workspaces import access
from workspaces.dispatch import dispatch
from workspaces.models import User, Workspace
from workspaces.roles import Action

#: What the apps above ask in the transaction of a switch or of going back, by whoever does it; one that raises
#: ReembeddingError keeps it from happening.
before_switch: list[Callable[[SpaceMigration, User], None]] = []


def choices(workspace: Workspace) -> list[Space]:
    """The spaces the workspace could move to."""
    searched = space_of(workspace.pk).fingerprint
    return [space for space in offered() if space.fingerprint != searched]


def current(workspace: Workspace) -> SpaceMigration | None:
    """The workspace's change that is not over; there is one at most."""
    rows = SpaceMigration.objects.select_related("source__endpoint", "target__endpoint", "workspace")
    return rows.filter(workspace=workspace, state__in=MOVING).first()


def plan(workspace: Workspace, *, to: str, by: User) -> SpaceMigration:
    """Estimate what a change to the space called `to` would take; nothing is made yet.

    Raises ReembeddingError, and EmbeddingUnavailable when the other model does not answer.
    """
    access.require(by, Action.MANAGE, workspace)
    target = next((space for space in choices(workspace) if space.name == to), None)
    if target is None:
        raise ReembeddingError(_("There is no other embedding model called %(name)s.") % {"name": to})
    _require_living(workspace)
    # Before the transaction: a server may take its time.
    expected = estimate(workspace, target)
    with transaction.atomic():
        migration = _created(workspace, target, expected, by)
        _record(EventType.EMBEDDING_PLANNED, migration, by=by, **_figures(expected))
    return migration


def _created(workspace: Workspace, target: Space, expected: dict[str, Any], by: User) -> SpaceMigration:
    chosen = WorkspaceSpace.objects.filter(pk=workspace.pk).first()
    try:
        with transaction.atomic():
            return SpaceMigration.objects.create(
                workspace=workspace,
                source=chosen.space if chosen else row_of(default_space()),
                source_floor=chosen.floor if chosen else None,
                source_scale=chosen.scale if chosen else 1.0,
                target=row_of(target),
                estimate=expected,
                total=expected["passages"],
                done=expected["reused"],
                planned_by=by,
            )
    except IntegrityError as error:
        raise ReembeddingError(_("Another change of the embedding model is on its way here. End it first.")) from error


@transaction.atomic
def start(migration: SpaceMigration, *, by: User) -> SpaceMigration:
    """Begin, or go on, to make the vectors of the other space in the background."""
    migration = _locked(migration, MigrationState.BUILDING, by=by)
    target = known(migration.target)
    if target.remote is not None and target.remote.off:
        raise ReembeddingError(_("The embedding endpoint %(name)s is not approved for use.") % {"name": target.name})
    above = too_high(migration.workspace, target)
    if above:
        raise ReembeddingError(sentence("above_ceiling", {"count": above, "name": target.name}))
    if migration.started_at is None:
        migration.started_at, migration.started_by = timezone.now(), by
    _move(migration, MigrationState.BUILDING, "started_at", "started_by")
    _record(EventType.EMBEDDING_STARTED, migration, by=by, passages=migration.total, done=migration.done)
    dispatch(build_space_task, migration.pk)
    return migration


@transaction.atomic
def pause(migration: SpaceMigration, *, by: User) -> SpaceMigration:
    """Stop making vectors after the batch that is on its way; what is made stays."""
    migration = _locked(migration, MigrationState.PAUSED, by=by)
    _move(migration, MigrationState.PAUSED)
    _record(EventType.EMBEDDING_PAUSED, migration, by=by, done=migration.done, passages=migration.total)
    return migration


@transaction.atomic
def cancel(migration: SpaceMigration, *, by: User) -> SpaceMigration:
    """Give the change up before a switch. The vectors made so far stay: another try pays for none of them again."""
    migration = _locked(migration, MigrationState.CANCELLED, by=by)
    migration.ended_at, migration.ended_by = timezone.now(), by
    _move(migration, MigrationState.CANCELLED, "ended_at", "ended_by")
    _record(EventType.EMBEDDING_CANCELLED, migration, by=by, done=migration.done)
    return migration


@transaction.atomic
def switch(migration: SpaceMigration, *, by: User) -> SpaceMigration:
    """Search in the new space from this moment on. Searches that have begun end in the old one, which stays whole."""
    migration = _locked(migration, MigrationState.SWITCHED, by=by)
    _require_covered(migration)
    for ask in before_switch:
        ask(migration, by)
    _search_in(migration.workspace, migration.target_id, migration.floor, migration.scale)
    migration.switched_at, migration.switched_by = timezone.now(), by
    _move(migration, MigrationState.SWITCHED, "switched_at", "switched_by")
    _record(EventType.EMBEDDING_SWITCHED, migration, by=by)
    return migration


@transaction.atomic
def roll_back(migration: SpaceMigration, *, by: User) -> SpaceMigration:
    """Search in the old space again, as before."""
    migration = _locked(migration, MigrationState.ROLLED_BACK, by=by)
    _require_covered(migration)
    for ask in before_switch:
        ask(migration, by)
    _search_in(migration.workspace, migration.source_id, migration.source_floor, migration.source_scale)
    migration.rolled_back_at, migration.rolled_back_by = timezone.now(), by
    _move(migration, MigrationState.ROLLED_BACK, "rolled_back_at", "rolled_back_by")
    _record(EventType.EMBEDDING_ROLLED_BACK, migration, by=by)
    return migration


@transaction.atomic
def drop(migration: SpaceMigration, *, by: User) -> SpaceMigration:
    """Confirm that the space which is not searched may go: its vectors and its index. There is no way back then."""
    migration = _locked(migration, MigrationState.DROPPING, by=by)
    goes = unused(migration)
    if goes.fingerprint == space_of(migration.workspace_id).fingerprint:
        raise ReembeddingError(_("This workspace is searched in that space now, so its vectors stay."))
    if current(migration.workspace) not in (None, migration):
        raise ReembeddingError(_("Another change of the embedding model is on its way here. End it first."))
    migration.ended_at, migration.ended_by, migration.done = timezone.now(), by, 0
    _move(migration, MigrationState.DROPPING, "ended_at", "ended_by", "done")
    _record(EventType.EMBEDDING_DROP_CONFIRMED, migration, by=by, dropped=goes.name)
    dispatch(build_space_task, migration.pk)
    return migration


@transaction.atomic
def compare(migration: SpaceMigration, *, by: User, written: str = "") -> SpaceComparison:
    """Have both spaces compared: on the questions asked here lately, or on those that `written` holds.

    It is done with the rights of `by`. Raises ReembeddingError.
    """
    access.require(by, Action.MANAGE, migration.workspace)
    access.require(by, Action.OPEN, migration.workspace)
    rows = SpaceMigration.objects.select_related("workspace", "source", "target")
    migration = rows.select_for_update(no_key=True, of=("self",)).get(pk=migration.pk)
    if migration.state not in COMPARABLE:
        raise ReembeddingError(_("Both spaces can be compared once the new one is built."))
    if migration.comparisons.filter(state=ComparisonState.RUNNING).exists():
        raise ReembeddingError(_("A comparison is on its way. Wait until it has ended."))
    workspace = migration.workspace
    asked = questions.read_set(written, workspace, by=by) if written.strip() else questions.recent(workspace)
    if not asked:
        raise ReembeddingError(_("No question was answered here yet. Write some of your own."))
    comparison = SpaceComparison.objects.create(
        migration=migration,
        kind=ComparisonKind.SET if written.strip() else ComparisonKind.RECENT,
        asked_by=by,
        questions=asked,
    )
    _record(EventType.EMBEDDING_COMPARE_ASKED, migration, by=by, comparison=comparison.pk, questions=len(asked))
    dispatch(compare_spaces_task, comparison.pk)
    return comparison


# --- Inside -------------------------------------------------------------------------------------------------


def _locked(migration: SpaceMigration, to: MigrationState, *, by: User) -> SpaceMigration:
    """The row and its workspace's, held, if `by` may and its state allows. Raises ReembeddingError."""
    access.require(by, Action.MANAGE, migration.workspace)
    workspace = Workspace.objects.select_for_update(no_key=True).get(pk=migration.workspace_id)
    rows = SpaceMigration.objects.select_related("source__endpoint", "target__endpoint")
    migration = rows.select_for_update(no_key=True, of=("self",)).get(pk=migration.pk)
    migration.workspace = workspace
    if to not in (MigrationState.PAUSED, MigrationState.CANCELLED, MigrationState.ROLLED_BACK):
        _require_living(workspace)
    if not migration_may_become(migration.state, to):
        raise ReembeddingError(
            _("This cannot be done now: the change is “%(state)s”.") % {"state": migration.get_state_display()}
        )
    return migration


def _require_living(workspace: Workspace) -> None:
    if workspace.archived_at is not None:
        raise ReembeddingError(_("This workspace is archived: nothing is changed in it."))


def _require_covered(migration: SpaceMigration) -> None:
    """The space to switch to must hold all that answers at this moment, index included."""
    if migration.covered_revision != migration.workspace.index_revision:
        dispatch(build_space_task, migration.pk)
        why = sentence(migration.problem, migration.problem_detail)
        told = _(
            "Documents have changed, and their vectors are still on their way to that space. Try again in a moment."
        )
        raise ReembeddingError(f"{told} {why}".strip())


def _search_in(workspace: Workspace, fingerprint: str, floor: float | None, scale: float) -> None:
    WorkspaceSpace.objects.update_or_create(
        workspace=workspace, defaults={"space_id": fingerprint, "floor": floor, "scale": scale}
    )
    # What waits for the server of the other space need not wait any more.
    wake(Version.objects.filter(document__workspace=workspace))


def _move(migration: SpaceMigration, to: MigrationState, *fields: str) -> None:
    """To another state, with a clean slate for whoever works on it next."""
    migration.state, migration.retry_at, migration.stalls = to, None, 0
    migration.problem, migration.problem_detail = "", {}
    migration.save(update_fields=["state", "retry_at", "stalls", "problem", "problem_detail", *fields])


def _record(event: EventType, migration: SpaceMigration, *, by: User, **details: Any) -> None:
    record(
        event,
        on=migration.workspace,
        workspace=migration.workspace_id,
        by=by,
        migration=migration.pk,
        source=migration.source.name,
        target=migration.target.name,
        **details,
    )


def _figures(expected: dict[str, Any]) -> dict[str, Any]:
    return {name: expected[name] for name in ("passages", "reused", "tokens", "money", "currency", "above_ceiling")}
