"""Whether the vector index still holds the vectors it was given, and finds a passage by its own.

Ids do not tell: Chroma lists those from its tables, and reads vectors from files beside them. A file that lost bytes
goes on answering and only finds less.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from uuid import UUID

import numpy as np

from documents import index
from documents.embedding.vector_space import Space
from documents.index import IndexDamaged
from documents.indexing import vectors
from documents.indexing.replicas import current_versions
from documents.models import Passage

#: Passages of a quick look. Of an index that lost a fiftieth it meets some with a chance of 99 %.
SAMPLE = 256
#: Of those, as many are asked for by their own vector.
ASKED = 64
#: An index that is not exact may miss that many of them and be sound.
_MISSED = 4
#: Chroma makes vectors one long again, which moves the last bits.
_ALIKE = 0.999

#: Compared at once, so that small documents do not cost a question each.
_TOGETHER = 1000

#: Passage ids and the vectors that the database has of them.
Stored = tuple[list[str], np.ndarray]


@dataclass(frozen=True, slots=True)
class Look:
    """What one look at an index found."""

    passages: int = 0
    #: Passages whose vector is not the stored one.
    wrong: int = 0
    #: Passages that are not found by their own vector, of ASKED.
    missed: int = 0
    #: Whether the index could not read its own files.
    unreadable: bool = False

    @property
    def is_damaged(self) -> bool:
        return bool(self.wrong) or self.missed > _MISSED or self.unreadable


def look(workspace_id: UUID, space: Space, *, at_all: bool = False) -> Look:
    """Hold vectors in the index against the stored ones: some of them, or all.

    What the index lacks altogether is not counted, nor is an index that is not there or not whole: comparing the ids
    tells. Raises IndexUnavailable.
    """
    if not index.is_whole(workspace_id, space):
        return Look()
    pieces = _all(workspace_id, space) if at_all else _some(workspace_id, space)
    seen, wrong, own = 0, 0, np.empty((0, space.dimension), dtype="<f4")
    try:
        for ids, matrix in pieces:
            held = index.vectors(workspace_id, space, ids)
            there = np.array([id in held for id in ids], dtype=bool)
            ours = matrix[there]
            theirs = np.array([held[id] for id in ids if id in held]).reshape(ours.shape)
            seen += len(ours)
            wrong += int(np.count_nonzero(_cosines(ours, theirs) < _ALIKE))
            own = _few(np.concatenate([own, ours]))
        missed = sum(cosine < _ALIKE for cosine in index.best_cosines(workspace_id, space, own))
    except IndexDamaged:
        return Look(passages=seen, wrong=wrong, unreadable=True)
    return Look(seen, wrong, missed)


def _cosines(ours: np.ndarray, theirs: np.ndarray) -> np.ndarray:
    length = np.linalg.norm(theirs, axis=1)
    # Bytes that are no number are no vector of ours either.
    with np.errstate(all="ignore"):
        return np.nan_to_num(np.einsum("ij,ij->i", ours, theirs) / length, nan=-1.0, posinf=-1.0, neginf=-1.0)


def _few(matrix: np.ndarray) -> np.ndarray:
    return matrix[np.random.default_rng().permutation(len(matrix))[:ASKED]]


def _all(workspace_id: UUID, space: Space) -> Iterator[Stored]:
    versions = [UUID(id) for id in current_versions(workspace_id)]
    ids: list[str] = []
    pieces: list[np.ndarray] = []
    for _version, more, matrix in vectors.stored(versions, space):
        ids, pieces = ids + more, [*pieces, matrix]
        if len(ids) >= _TOGETHER:
            yield ids, np.concatenate(pieces)
            ids, pieces = [], []
    if ids:
        yield ids, np.concatenate(pieces)


def _some(workspace_id: UUID, space: Space) -> Iterator[Stored]:
    chance = np.random.default_rng()
    versions = chance.permutation(sorted(current_versions(workspace_id)))[:SAMPLE].tolist()
    ids = list(Passage.objects.filter(version__in=versions).order_by().values_list("pk", flat=True))
    yield from vectors.of_passages([str(ids[place]) for place in chance.permutation(len(ids))[:SAMPLE]], space)
