"""Bring a version's vectors into the index and out of it, and ask the index before believing either."""

import logging
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from uuid import UUID

import numpy as np
from django.db import transaction
from django.utils.translation import gettext

from documents import index
from documents.embedding.spaces import all_known
from documents.embedding.vector_space import Space
from documents.index import IndexUnavailable
from documents.indexing import vectors
from documents.indexing.replicas import current_versions
from documents.ingestion.leases import Lease, is_free
from documents.models import Passage, Version
from documents.states import OPEN, WITHDRAWN, VersionState

logger = logging.getLogger(__name__)

BATCH = 1000
#: Longer than the index may take over one batch, so that nobody takes over while it still writes.
HELD_SECONDS = 120


@dataclass(frozen=True, slots=True)
class Withdrawal:
    """What left the index: vectors that were in it, and ids it did not hold."""

    removed: int = 0
    absent: int = 0


def store(version: Version, workspace_id: UUID, lease: Lease, space: Space) -> int:
    """Put every vector that `version` has in `space` into the index; how many the index confirmed.

    Raises IndexUnavailable, also when it does not confirm every id, and LeaseLost.
    """
    if is_lost(workspace_id, space, apart_from=[version.pk]):
        _put_back(workspace_id, lease, space)
    return put_versions(workspace_id, [version.pk], space, lease)


def is_lost(workspace_id: UUID, space: Space, *, apart_from: Collection[UUID]) -> bool:
    """Whether the index is gone that other versions of the workspace than these were put into, or was begun anew and
    left. Raises IndexUnavailable.
    """
    if index.is_whole(workspace_id, space):
        return False
    others = Version.objects.filter(document__workspace=workspace_id, state=VersionState.READY, in_index=True)
    return index.is_partial(workspace_id, space) or others.exclude(pk__in=apart_from).exists()


def _put_back(workspace_id: UUID, lease: Lease, space: Space) -> None:
    """Complete the workspace's index before something is added to it: alone, that would look like all there is."""
    logger.warning("Workspace %s: its vector index is gone and is put back", workspace_id)
    with index.completed(workspace_id, space):
        put_versions(workspace_id, [UUID(id) for id in current_versions(workspace_id)], space, lease)
    lease.renew(seconds=HELD_SECONDS)


def put_versions(workspace_id: UUID, versions: Collection[UUID], space: Space, lease: Lease | None = None) -> int:
    """Put every vector that `versions` have in `space` into the index; how many. Under `lease` if one is held, which
    was renewed for HELD_SECONDS just now.

    Raises IndexUnavailable, also when it does not confirm every id, and LeaseLost.
    """
    confirmed = 0
    for ids, matrix in _packed(vectors.stored(versions, space)):
        if lease is not None and confirmed:
            lease.renew(seconds=HELD_SECONDS)
        put(workspace_id, space, ids, matrix)
        confirmed += len(ids)
    return confirmed


def _packed(stored: Iterable[tuple[UUID, list[str], np.ndarray]]) -> Iterator[tuple[list[str], np.ndarray]]:
    """Passage ids and vectors, BATCH at a time, of one version or of several small ones."""
    ids: list[str] = []
    parts: list[np.ndarray] = []
    for _version, more, matrix in stored:
        ids, parts = ids + more, [*parts, matrix]
        if len(ids) < BATCH:
            continue
        whole = np.concatenate(parts)
        for start in range(0, len(ids) - BATCH + 1, BATCH):
            yield ids[start : start + BATCH], whole[start : start + BATCH]
        rest = len(ids) % BATCH
        ids, parts = (ids[-rest:], [whole[-rest:]]) if rest else ([], [])
    if ids:
        yield ids, np.concatenate(parts)


def put(workspace_id: UUID, space: Space, ids: Sequence[str], matrix: np.ndarray) -> None:
    """Put vectors into the index, and ask it whether they are there. Raises IndexUnavailable.

    What was deleted or replaced since they were read leaves the index again: whoever took it out may have been there
    before these vectors were, and would not come back for them.
    """
    index.upsert(workspace_id, space, ids, matrix)
    held = index.held(workspace_id, space, ids)
    # Read after the vectors are in. A deletion that is not seen here has its vectors removed after this.
    standing = _standing(ids)
    index.delete(workspace_id, space, sorted(set(ids) - standing))
    missing = standing - held
    if missing:
        raise IndexUnavailable(
            gettext("The vector index took %(taken)d vectors and lacks %(missing)d of them.")
            % {"taken": len(ids), "missing": len(missing)}
        )


def _standing(ids: Sequence[str]) -> set[str]:
    """Those of the passages whose version answers or is on its way to."""
    rows = Passage.objects.filter(
        pk__in=ids, version__state__in=(*OPEN, VersionState.READY), version__document__deleted_at=None
    )
    return {str(id) for id in rows.order_by().values_list("pk", flat=True)}


def withdraw(version_id: UUID | str) -> Withdrawal | None:
    """Take the vectors of a version that no longer answers out of the index; None when it is not to be done now.

    The row stays locked meanwhile, so that the same bytes arriving again wait and are indexed after, not during.
    Raises IndexUnavailable.
    """
    with transaction.atomic():
        version = (
            Version.objects.select_for_update(of=["self"], no_key=True)
            .filter(is_free(), pk=version_id, state__in=WITHDRAWN, in_index=True)
            .select_related("document")
            .only("id", "document__workspace_id")
            .first()
        )
        if version is None:
            return None
        withdrawal = remove([version.pk], version.document.workspace_id)
        Version.objects.filter(pk=version.pk).update(in_index=False)
    return withdrawal


def remove(version_ids: Sequence[UUID], workspace_id: UUID) -> Withdrawal:
    """Remove the vectors of these versions' passages from every space, until the index says that they are gone.

    Raises IndexUnavailable.
    """
    removed = absent = 0
    spaces = list(all_known())
    rows = Passage.objects.filter(version__in=version_ids).order_by().values_list("id", flat=True)
    for ids in _chunks(rows.iterator(chunk_size=BATCH)):
        for each in spaces:
            held = index.held(workspace_id, each, ids)
            index.delete(workspace_id, each, sorted(held))
            left = index.held(workspace_id, each, sorted(held))
            if left:
                raise IndexUnavailable(
                    gettext("The vector index still holds %(count)d vectors that it was told to remove.")
                    % {"count": len(left)}
                )
            removed += len(held)
            absent += len(ids) - len(held)
    return Withdrawal(removed, absent)


def _chunks(ids: Iterator[UUID]) -> Iterator[list[str]]:
    chunk: list[str] = []
    for id in ids:
        chunk.append(str(id))
        if len(chunk) == BATCH:
            yield chunk
            chunk = []
    if chunk:
        yield chunk
