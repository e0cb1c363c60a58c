"""Remove the space of a migration that is not searched any more: its index first, then its vectors, some at a time."""

import time
from datetime import datetime, timedelta

from django.db.models.functions import Now
from django.utils import timezone

from audit.events import EventType
from audit.record import record
from documents import index
from documents.embedding.vector_space import Space
from documents.models import Embedding, SpaceMigration, Version
from documents.reembedding.leases import JobLease
from documents.reembedding.spaces import unused
from documents.states import OPEN, MigrationState
from workspaces.killpoints import killpoint

SLICE_SECONDS = 20.0
#: Vectors deleted in one transaction.
DELETED_AT_ONCE = 5000
#: Longer than a search lasts: one that began before a switch may still be in the old space.
SETTLE = timedelta(seconds=60)


def drop(migration: SpaceMigration, lease: JobLease) -> str:
    """Do a slice of it: `more`, `done` or `waiting`. Raises IndexUnavailable and LeaseLost."""
    space = unused(migration)
    moved = max((at for at in (migration.switched_at, migration.rolled_back_at) if at is not None), default=None)
    if moved is not None and timezone.now() < moved + SETTLE:
        lease.renew(stalls=0, retry_at=moved + SETTLE)
        return "waiting"
    if moved is not None and _is_read_by_an_older_attempt(migration, moved):
        lease.renew(stalls=0, retry_at=timezone.now() + SETTLE)
        return "waiting"
    index.drop(migration.workspace_id, space)
    killpoint("space_collection_dropped")
    until = time.monotonic() + SLICE_SECONDS
    while _delete_some(migration, lease, space):
        killpoint("space_vectors_dropped")
        if time.monotonic() > until:
            return "more"
    with lease.writing():
        migration.refresh_from_db(fields=["done"])
        # What it waited for on the way is over, too.
        SpaceMigration.objects.filter(pk=migration.pk).update(state=MigrationState.DONE, problem="", problem_detail={})
        record(
            EventType.EMBEDDING_DROPPED,
            on=migration.workspace,
            workspace=migration.workspace,
            by=None,
            migration=migration.pk,
            dropped=space.name,
            vectors=migration.done,
        )
    return "done"


def _is_read_by_an_older_attempt(migration: SpaceMigration, moved: datetime) -> bool:
    """Whether somebody works on a version that arrived before the switch: maybe still in the old space, where vectors
    and an index would be written after they are gone.
    """
    held = Version.objects.filter(document__workspace=migration.workspace_id, state__in=OPEN, lease_until__gte=Now())
    return held.filter(created_at__lt=moved + SETTLE).exists()


def _delete_some(migration: SpaceMigration, lease: JobLease, space: Space) -> int:
    rows = Embedding.objects.filter(space_id=space.fingerprint, passage__workspace=migration.workspace_id)
    with lease.writing():
        ids = list(rows.values_list("passage_id", flat=True)[:DELETED_AT_ONCE])
        Embedding.objects.filter(space_id=space.fingerprint, passage__in=ids).delete()
        migration.done += len(ids)
        lease.renew(done=migration.done, stalls=0)
    return len(ids)
