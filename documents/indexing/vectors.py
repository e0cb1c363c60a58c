"""Exact vector search over the embeddings stored in the database, for when few passages may be seen.

A version never changes, so its vectors are kept in this process's memory once it has
all of them; who may see the version was decided by the caller, from the database.
"""

import threading
from collections import OrderedDict
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from uuid import UUID

import numpy as np
from django.db.models import BinaryField, F, Func, QuerySet

from documents.embedding.vector_space import Space
from documents.indexing.files import CLOSE, COMPARED, is_id
from documents.models import Embedding, Version

_MEMORY = 64 * 1024 * 1024
_HEADS = 10_000
#: Passages whose vectors are asked for at once.
_PIECE = 1000


@dataclass(frozen=True)
class _Vectors:
    ids: list[str]
    matrix: np.ndarray  # float32, (len(ids), dimension)


_kept: OrderedDict[tuple[UUID, str], _Vectors] = OrderedDict()
_keeping = threading.Lock()


def nearest(versions: Collection[UUID], space: Space, vector: np.ndarray, n: int) -> list[tuple[str, float]]:
    """The `n` passages of `versions` nearest to `vector`, with their cosine similarity, best first."""
    held = _load(versions, space)
    if not held:
        return []
    ids = [id for each in held for id in each.ids]
    cosines = np.concatenate([each.matrix @ vector for each in held])
    best = np.argsort(-cosines, kind="stable")[:n]
    return [(ids[row], float(cosines[row])) for row in best]


def stored(versions: Collection[UUID], space: Space) -> Iterator[tuple[UUID, list[str], np.ndarray]]:
    """Version id, passage ids and vectors of each of `versions` that has any, read from the database."""
    rows = (
        Embedding.objects.filter(space_id=space.fingerprint, passage__version__in=versions)
        .order_by("passage__version", "passage__position")
        .values_list("passage__version_id", "passage_id", "vector")
        .iterator(chunk_size=2000)
    )
    current: UUID | None = None
    ids: list[str] = []
    vectors: list[bytes] = []
    for version, passage, vector in rows:
        if version != current:
            if current is not None:
                yield current, ids, _matrix(vectors, space)
            current, ids, vectors = version, [], []
        ids.append(str(passage))
        vectors.append(vector)
    if current is not None:
        yield current, ids, _matrix(vectors, space)


def of_passages(ids: Sequence[str], space: Space) -> Iterator[tuple[list[str], np.ndarray]]:
    """Passage ids and vectors of those of `ids` that have one in `space`, read from the database a piece at a time."""
    # An index may hold anything.
    known = [id for id in ids if is_id(id)]
    for start in range(0, len(known), _PIECE):
        rows = Embedding.objects.filter(
            space_id=space.fingerprint, passage__in=known[start : start + _PIECE]
        ).order_by()
        found = [(str(id), vector) for id, vector in rows.values_list("passage_id", "vector")]
        if found:
            yield [id for id, _vector in found], _matrix([vector for _id, vector in found], space)


def also_of(versions: QuerySet[Version], vectors: Sequence[bytes]) -> list[bytes]:
    """Those of these little-endian float32 vectors that passages of `versions` have too, as far as index files tell."""
    beginning = Func(F("vector"), 1, COMPARED * 4, function="substring", output_field=BinaryField())
    rows = Embedding.objects.filter(passage__version__in=versions.values("pk")).order_by().annotate(head=beginning)
    sought = {vector: np.frombuffer(vector, dtype="<f4")[:COMPARED] for vector in vectors}
    each = rows.values_list("head", flat=True).iterator(chunk_size=_HEADS)
    while heads := list(islice(each, _HEADS)):
        there = np.frombuffer(b"".join(heads), dtype="<f4").reshape(len(heads), COMPARED)
        for vector in [vector for vector, head in sought.items() if (abs(there - head) < CLOSE).all(axis=1).any()]:
            del sought[vector]
    return [vector for vector in vectors if vector not in sought]


def _matrix(vectors: list[bytes], space: Space) -> np.ndarray:
    return np.frombuffer(b"".join(vectors), dtype="<f4").reshape(len(vectors), space.dimension)


def _load(versions: Collection[UUID], space: Space) -> list[_Vectors]:
    with _keeping:
        held = {id: _kept[id, space.fingerprint] for id in versions if (id, space.fingerprint) in _kept}
        for id in held:
            _kept.move_to_end((id, space.fingerprint))
    missing = [id for id in versions if id not in held]
    fresh = {id: _Vectors(ids, matrix) for id, ids, matrix in stored(missing, space)} if missing else {}
    whole = dict(Version.objects.filter(pk__in=fresh).values_list("pk", "passage_count"))
    with _keeping:
        _kept.update({(id, space.fingerprint): each for id, each in fresh.items() if len(each.ids) == whole.get(id)})
        while sum(each.matrix.nbytes for each in _kept.values()) > _MEMORY:
            _kept.popitem(last=False)
    return [*held.values(), *fresh.values()]
