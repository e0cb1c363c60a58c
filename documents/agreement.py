"""Whether what the vector index answered to one search agrees with the database, as far as that is cheap to tell.

An index whose files are damaged goes on answering. Looking at all of it takes long; the passages that it names in an
answer are few, and their vectors are stored.
"""

from collections.abc import Sequence
from uuid import UUID

import numpy as np

from documents.embedding.vector_space import Space
from documents.indexing import vectors
from documents.models import Document, Embedding

#: So many of the nearest, and of what keywords found, are held against their stored vectors in each search: as many as
#: are shown, mostly.
HELD = 10
#: So many of the latter an index that is not exact may overlook and be sound.
_MISSED = 2
#: An index is expected to name all it has up to so many. Asked for more it leaves some out and is sound, where many
#: passages have the same vector: of 4,000, half of them the same sentence, it named 2,310.
_NAMED = 100
#: Of cosines. Chroma makes vectors one long again, which moves the last bits.
_ALIKE = 1e-3

Find = tuple[str, float]


def agrees(
    workspace_id: UUID,
    space: Space,
    vector: np.ndarray,
    found: Sequence[Find],
    asked_for: int,
    elsewhere: Sequence[str] = (),
) -> bool:
    """Whether `found`, which is what the index gave for `vector` when asked for so many, is what the database expects.

    It is not where a passage has no stored vector or another similarity than the one that was said, where several
    passages that were found `elsewhere` are nearer than the last of it and not among it, and where fewer were found
    than there are, up to a hundred. One statement, two where fewer were found than asked for.
    """
    others = set(elsewhere[:HELD]) - {id for id, _cosine in found}
    cosines = stored_cosines(space, vector, [*(id for id, _cosine in found[:HELD]), *others])
    if any(id not in cosines or abs(cosines[id] - cosine) > _ALIKE for id, cosine in found[:HELD]):
        return False
    if len(found) < asked_for:
        return len(found) >= _there(workspace_id, space, min(asked_for, _NAMED))
    return sum(cosines.get(id, -1.0) > found[-1][1] + _ALIKE for id in others) <= _MISSED


def stored_cosines(space: Space, vector: np.ndarray, passages: Sequence[str]) -> dict[str, float]:
    """The similarity to `vector` of those of these passages that have a stored vector."""
    return {
        id: float(cosine)
        for ids, matrix in vectors.of_passages(passages, space)
        for id, cosine in zip(ids, matrix @ vector, strict=True)
    }


def _there(workspace_id: UUID, space: Space, most: int) -> int:
    """How many passages the index should hold, counted as far as `most`."""
    current = Document.objects.filter(workspace=workspace_id, deleted_at=None, current_version__isnull=False)
    rows = Embedding.objects.filter(space=space.fingerprint, passage__version__in=current.values("current_version"))
    return rows.order_by()[:most].count()
