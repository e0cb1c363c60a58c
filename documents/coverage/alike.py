"""Near-duplicates among documents: MinHash over what their current versions say.

From the passages' words (`documents.analysis`, so that case, script and accents do not count) every run of four is
hashed, and the smallest value under each of 64 permutations kept: the share of equal values estimates how much two
documents have in common (Broder 1997, standard error 0.06 at one half). Documents that share one of 16 bands of four
values are compared: of pairs that are 80 % alike 99.98 % share one, of pairs that are 30 % alike one in eight, and
those are dropped by the comparison.
"""

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import combinations
from uuid import UUID

import numpy as np
from django.db import transaction
from django.db.models import F, QuerySet

from documents.analysis import words
from documents.apart import apart
from documents.models import Document, Passage, Sketch, Version
from documents.states import VersionState

#: Estimated share of what two documents have in common, from which on they are told.
ALIKE = 0.8
_HASHES, _ROWS = 64, 4
_RUN = 4
#: Fewer runs say too little to compare.
_FEWEST = 12
#: Sketched in one look; a large ingestion is caught up over several.
_AT_ONCE = 200
#: Of a text that many documents begin with, so many are compared with each other.
_CROWD = 40

_PRIME = (1 << 31) - 1
_random = np.random.default_rng(20261123)
_A = _random.integers(1, _PRIME, _HASHES, dtype=np.uint64)
_B = _random.integers(0, _PRIME, _HASHES, dtype=np.uint64)


@dataclass(frozen=True, slots=True)
class Pair:
    """Two documents that say nearly the same, and an estimate of how much, from 0 to 1."""

    one: Document
    other: Document
    share: float

    @property
    def percent(self) -> int:
        return round(self.share * 100)


@dataclass(frozen=True, slots=True)
class Near:
    """Near-duplicates, and what is not told by them."""

    pairs: list[Pair]
    #: There are more: further pairs, or documents that so many others resemble that not all were compared.
    is_cut: bool
    #: Documents whose current version is not sketched yet.
    waiting: int


def pairs(documents: QuerySet[Document], *, most: int = 200) -> Near:
    """Near-duplicates among `documents`, the most alike first. Whoever asks gives only what the viewer may open."""
    sketches = {
        document: (bands, np.frombuffer(bytes(hashes), dtype="<u4"))
        for document, bands, hashes in Sketch.objects.filter(
            version__in=documents.order_by().values("current_version")
        ).values_list("version__document", "bands", "hashes")
        if bands
    }
    crowds: dict[int, list[UUID]] = defaultdict(list)
    for document, (bands, _hashes) in sketches.items():
        for band in bands:
            crowds[band].append(document)
    near = {pair for crowd in crowds.values() for pair in combinations(sorted(crowd)[:_CROWD], 2)}
    shares = {pair: float(np.mean(sketches[pair[0]][1] == sketches[pair[1]][1])) for pair in near}
    best = sorted((pair for pair in shares if shares[pair] >= ALIKE), key=lambda pair: (-shares[pair], pair))
    found = documents.in_bulk({pk for pair in best[:most] for pk in pair})
    told = [(one, other) for one, other in best[:most] if {one, other} <= found.keys()]
    return Near(
        [Pair(found[one], found[other], shares[one, other]) for one, other in told],
        is_cut=len(best) > most or any(len(crowd) > _CROWD for crowd in crowds.values()),
        waiting=documents.filter(current_version__isnull=False, current_version__sketch=None).count(),
    )


def sketch_missing() -> int:
    """Sketch current versions that have no sketch, and forget sketches of others; how many were made."""
    Sketch.objects.exclude(version__state=VersionState.READY).delete()
    missing = Version.objects.filter(state=VersionState.READY, sketch=None, document__current_version=F("pk"))
    made = 0
    for pk in list(missing.order_by().values_list("pk", flat=True)[:_AT_ONCE]):
        made += apart("The sketch", pk, partial(_sketch, pk)) or 0
    return made


@transaction.atomic
def _sketch(version_id: UUID) -> bool:
    # A deletion that goes on at the same time finds the sketch, or we find the version gone.
    version = Version.objects.filter(pk=version_id, state=VersionState.READY).only("pk", "language")
    current = version.select_for_update(no_key=True).first()
    if current is None:
        return False
    texts = Passage.objects.filter(version=current).order_by("position").values_list("text", flat=True)
    hashes = sketch([word for text in texts for word in words(text, current.language)])
    Sketch.objects.get_or_create(version=current, defaults={"hashes": hashes.tobytes(), "bands": bands_of(hashes)})
    return True


def sketch(said: Sequence[str]) -> np.ndarray:
    """The MinHash of a text given by its words; empty where there are too few."""
    runs = {" ".join(said[start : start + _RUN]) for start in range(len(said) - _RUN + 1)}
    if len(runs) < _FEWEST:
        return np.empty(0, dtype="<u4")
    values = np.fromiter(map(_hash, runs), dtype=np.uint64, count=len(runs)) % _PRIME
    smallest = np.full(_HASHES, _PRIME, dtype=np.uint64)
    for start in range(0, len(values), 4096):
        permuted = (values[start : start + 4096, None] * _A + _B) % _PRIME
        smallest = np.minimum(smallest, permuted.min(axis=0))
    return smallest.astype("<u4")


def bands_of(hashes: np.ndarray) -> list[int]:
    """The hashes of a sketch's bands, as PostgreSQL's signed integers."""
    return [_signed(_digest(band.tobytes(), number)) for number, band in enumerate(_cut(hashes))]


def _cut(hashes: np.ndarray) -> Iterable[np.ndarray]:
    return hashes.reshape(-1, _ROWS) if len(hashes) else ()


def _hash(run: str) -> int:
    return int.from_bytes(hashlib.blake2b(run.encode(), digest_size=8).digest(), "little")


def _digest(band: bytes, number: int) -> int:
    return int.from_bytes(hashlib.blake2b(band, digest_size=8, salt=bytes([number])).digest(), "little")


def _signed(value: int) -> int:
    return value - (1 << 64) if value >= 1 << 63 else value
