"""Build the space beside the one that is searched, and keep it complete while documents come and go.

Every batch is one transaction of whoever holds the row; what has its vector is never computed again. A slice of work
is short, so that files which arrive meanwhile wait for seconds and not for the whole of it.
"""

import logging
import time
from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

import numpy as np
from django.db import transaction
from django.utils import timezone

from audit.events import EventType
from audit.record import record
from documents import embeddings, index, reconcile
from documents.ceiling import above_ceiling
from documents.embedding.framing import framed
from documents.embedding.spaces import known, row_of, space_of
from documents.embedding.vector_space import EmbeddingUnavailable
from documents.exceptions import LeaseLost
from documents.index import IndexUnavailable
from documents.indexing import writing as indexing
from documents.models import Embedding, Passage, SpaceMigration
from documents.outgoing import Account
from documents.reembedding.calibration import calibrate
from documents.reembedding.dropping import drop
from documents.reembedding.estimate import too_high
from documents.reembedding.leases import JobLease, take
from documents.reembedding.probe import require_same_model
from documents.reembedding.problems import Stopped
from documents.reembedding.spaces import answering, kept_beside, without_vector
from documents.states import MigrationState
from workspaces.killpoints import killpoint
from workspaces.models import Workspace

logger = logging.getLogger(__name__)

SLICE_SECONDS = 20.0
#: Passages looked up at once; texts embedded in one transaction.
LOOKED_UP, BATCH = 2000, 32
#: Attempts without progress before a person is needed.
MAX_STALLS = 10
_LONGEST_WAIT = 600


def work(migration_id: UUID | str) -> str:
    """Do a slice of what is owed: `more` is left, `done` for now, `waiting` to be tried again, `stopped`, `settled`
    (nothing to do, or somebody else does it), or `lost` to them.
    """
    lease = take(SpaceMigration, migration_id)
    if lease is None:
        return "settled"
    rows = SpaceMigration.objects.select_related("workspace", "source__endpoint", "target__endpoint")
    migration = rows.get(pk=lease.row_id)
    try:
        return _slice(migration, lease)
    except LeaseLost:
        # Switched, paused or given up meanwhile, or taken over.
        lease.release()
        return "lost"
    except IndexUnavailable as error:
        logger.warning("Migration %s waits for the index: %s", migration.pk, error)
        return _later(lease, "index", {}, 10)
    except EmbeddingUnavailable as error:
        return _unavailable(migration, lease, error)
    except Stopped as stopped:
        return _stop(migration, lease, stopped)
    except (Exception, KeyboardInterrupt, SystemExit):
        # Not to carry on: the next attempt need not wait for the lease.
        lease.release()
        raise


def _slice(migration: SpaceMigration, lease: JobLease) -> str:
    if lease.stalls > MAX_STALLS:
        raise Stopped("worker_died")
    outcome = drop(migration, lease) if lease.state == MigrationState.DROPPING else _Cover(migration, lease).go()
    lease.release()
    return outcome


# --- Bringing one space up to the documents -----------------------------------------------------------------


class _Cover:
    """One slice of making the space beside complete: vectors first, then the index."""

    def __init__(self, migration: SpaceMigration, lease: JobLease) -> None:
        self.migration, self.lease, self.workspace = migration, lease, migration.workspace
        self.space = kept_beside(migration)
        self.until = time.monotonic() + SLICE_SECONDS

    def go(self) -> str:
        """Raises EmbeddingUnavailable, IndexUnavailable, Stopped and LeaseLost."""
        # Before anything is looked at: what changes meanwhile raises it, and is looked at by the next slice.
        revision = _revision(self.workspace)
        rows = without_vector(self.workspace, self.space).order_by("version", "position")
        lacking = list(rows.values_list("pk", flat=True)[:LOOKED_UP])
        self._show(len(lacking))
        if lacking:
            self._embed(lacking)
            return "more"
        if not self._index():
            return "more"
        self._covered(revision)
        return "done"

    def _show(self, lacking: int) -> None:
        if lacking == LOOKED_UP:
            lacking = without_vector(self.workspace, self.space).count()
        total = answering(self.workspace).count()
        self.lease.renew(total=total, done=total - lacking)

    # --- Vectors ---

    def _embed(self, ids: Sequence[UUID]) -> None:
        row_of(self.space)
        require_same_model(self.space)
        size = self.space.remote.batch if self.space.remote else self.space.batch or BATCH
        for start in range(0, len(ids), size):
            if time.monotonic() > self.until:
                return
            self._embed_batch(ids[start : start + size])
            killpoint("space_batch")

    def _embed_batch(self, ids: Sequence[UUID]) -> None:
        rows = Passage.objects.filter(pk__in=ids).order_by("version", "position")
        batch = list(rows.select_related("version__document").defer("version__text", "version__sections"))
        self._require_below_ceiling({passage.version.document_id for passage in batch})
        tokens: list[int] = []
        texts = [
            framed(each.version.document.title, each.version.document.path, each.locator, each.text) for each in batch
        ]
        account = Account.of(self.workspace, None, *{each.version.document_id for each in batch})
        vectors = embeddings.embed_passages(texts, self.space, account=account, count=tokens.append)
        with transaction.atomic():
            # First, so that the row is locked and ours while the vectors are written.
            self.lease.renew()
            there = set(Passage.objects.filter(pk__in=ids).select_for_update(no_key=True).values_list("pk", flat=True))
            made = [
                Embedding(passage_id=each.pk, space_id=self.space.fingerprint, vector=vector.astype("<f4").tobytes())
                for each, vector in zip(batch, vectors, strict=True)
                if each.pk in there
            ]
            Embedding.objects.bulk_create(made, ignore_conflicts=True)
            self.migration.done += len(made)
            self.migration.computed += len(made)
            self.migration.tokens += sum(tokens)
            self.lease.renew(
                done=self.migration.done,
                computed=self.migration.computed,
                tokens=self.migration.tokens,
                stalls=0,
                problem="",
                problem_detail={},
            )

    def _require_below_ceiling(self, documents: set[UUID]) -> None:
        """Both sides are read now: a document may be classified higher while this runs."""
        if above_ceiling(self.space).filter(pk__in=documents).exists():
            raise Stopped("above_ceiling", count=too_high(self.workspace, self.space), name=self.space.name)

    # --- The index ---

    def _index(self) -> bool:
        """Bring the index to what the database says; whether both agree now."""
        difference = reconcile.compare(self.workspace, self.space)
        for ids, matrix in self._stored(sorted(difference.missing)):
            self.lease.renew(stalls=0)
            indexing.put(self.workspace.pk, self.space, ids, matrix)
            killpoint("space_indexed")
            if time.monotonic() > self.until:
                return False
        index.delete(self.workspace.pk, self.space, sorted(difference.foreign))
        return difference.ids_agree

    def _stored(self, missing: Sequence[str]) -> Iterator[tuple[list[str], Any]]:
        for start in range(0, len(missing), indexing.BATCH):
            rows = Embedding.objects.filter(
                space_id=self.space.fingerprint, passage__in=missing[start : start + indexing.BATCH]
            ).values_list("passage_id", "vector")
            found = [(str(id), bytes(vector)) for id, vector in rows]
            if found:
                matrix = np.frombuffer(b"".join(vector for _id, vector in found), dtype="<f4")
                yield [id for id, _vector in found], matrix.reshape(len(found), self.space.dimension)

    # --- Both agree ---

    def _covered(self, revision: int) -> None:
        changes: dict[str, Any] = {"covered_revision": revision, "stalls": 0, "problem": "", "problem_detail": {}}
        if self.lease.state != MigrationState.BUILDING:
            self.lease.renew(**changes)
            return
        source, target = space_of(self.workspace.pk), known(self.migration.target)
        # What cosines of a model that ships with the product mean was measured before it was shipped.
        measured = calibrate(self.workspace, source, target) if target.remote else None
        if measured is not None:
            changes |= {"floor": measured.floor, "scale": measured.scale}
        with self.lease.writing():
            SpaceMigration.objects.filter(pk=self.migration.pk).update(**changes, state=MigrationState.COMPARING)
            record(
                EventType.EMBEDDING_BUILT,
                on=self.workspace,
                workspace=self.workspace,
                by=None,
                migration=self.migration.pk,
                target=self.migration.target.name,
                passages=self.migration.total,
                computed=self.migration.computed,
                tokens=self.migration.tokens,
            )


def _revision(workspace: Workspace) -> int:
    return Workspace.objects.values_list("index_revision", flat=True).get(pk=workspace.pk)


# --- When it cannot go on -----------------------------------------------------------------------------------


def _unavailable(migration: SpaceMigration, lease: JobLease, error: EmbeddingUnavailable) -> str:
    detail = {"sentence": str(error)}
    if not error.passes or lease.stalls >= MAX_STALLS:
        return _stop(migration, lease, Stopped("provider", **detail))
    wait = max(error.after, min(_LONGEST_WAIT, 5 * 2 ** (lease.stalls - 1)))
    logger.warning("Migration %s waits %s seconds for its provider", migration.pk, wait)
    return _later(lease, "provider", detail, wait)


def _later(lease: JobLease, code: str, detail: dict[str, Any], seconds: float, **changes: Any) -> str:
    at = timezone.now() + timedelta(seconds=min(seconds, _LONGEST_WAIT))
    lease.release(problem=code, problem_detail=detail, retry_at=at, **changes)
    return "waiting"


def _stop(migration: SpaceMigration, lease: JobLease, stopped: Stopped) -> str:
    """A person is needed. What is built stays built: only a build comes to a halt, the rest is looked at again."""
    changes = {"problem": stopped.code, "problem_detail": stopped.detail}
    if lease.state != MigrationState.BUILDING:
        return _later(lease, stopped.code, stopped.detail, _LONGEST_WAIT, stalls=0)
    try:
        with lease.writing():
            SpaceMigration.objects.filter(pk=migration.pk).update(**changes, state=MigrationState.FAILED)
            record(
                EventType.EMBEDDING_STOPPED,
                on=migration.workspace,
                workspace=migration.workspace,
                by=None,
                migration=migration.pk,
                target=migration.target.name,
                problem=stopped.code,
            )
    except LeaseLost:
        return "lost"
    finally:
        lease.release()
    return "stopped"
