"""What Chroma leaves on the disk: it forgets a collection and keeps its files, and deletes rows without their bytes.

Only for the server that the portal starts itself, whose directory is ours. A server elsewhere is asked over its own
interface alone, and a receipt says so.
"""

import shutil
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path
from uuid import UUID

import numpy as np
from django.conf import settings

#: Seconds that tidying up waits for Chroma to let go of its tables.
_PATIENCE = 20.0
_CHUNK = 16 * 1024 * 1024
#: Chroma makes vectors one long again, which moves the last bits.
CLOSE = 1e-5
#: Numbers from its beginning by which a vector is known.
COMPARED = 8


def directory() -> Path | None:
    """Where the embedded server keeps its data; None for a server elsewhere."""
    place = Path(settings.VAR) / "chroma"
    return place if settings.EMBEDDED_CHROMA and place.is_dir() else None


def tidy() -> int:
    """Remove the files of collections that Chroma forgot, and the freed pages of its tables; files removed.

    Safe while the server runs: what a directory belongs to is looked up after the directory was seen.
    """
    place = directory()
    if place is None:
        return 0
    there = [entry for entry in place.iterdir() if entry.is_dir() and is_id(entry.name)]
    with closing(sqlite3.connect(place / "chroma.sqlite3", timeout=_PATIENCE, isolation_level=None)) as tables:
        known = {row[0] for row in tables.execute("SELECT id FROM segments")}
        removed = 0
        for entry in there:
            if entry.name not in known:
                removed += _remove(entry)
        tables.execute("VACUUM")
    return removed


def _remove(place: Path) -> int:
    """Remove a directory of files; how many it had. Chroma may be removing the same one."""
    try:
        files = sum(1 for file in place.iterdir() if file.is_file())
        shutil.rmtree(place)
    except FileNotFoundError:
        return 0
    return files


def vectors_held(vectors: Sequence[bytes]) -> list[bytes]:
    """Those of these little-endian float32 vectors that stand in Chroma's index files, up to their last bits."""
    place = directory()
    if place is None or not vectors:
        return []
    sought = [np.frombuffer(vector, dtype="<f4")[:COMPARED] for vector in vectors]
    found: set[int] = set()
    for file in sorted(place.rglob("data_level0.bin")):
        for numbers in _numbers(file):
            for which, beginning in enumerate(sought):
                if which not in found and _stands_in(numbers, beginning):
                    found.add(which)
    return [vectors[which] for which in sorted(found)]


def _stands_in(numbers: np.ndarray, beginning: np.ndarray) -> bool:
    last = len(numbers) - len(beginning)
    candidates = np.flatnonzero(np.abs(numbers[: last + 1] - beginning[0]) < CLOSE) if last >= 0 else []
    return any(np.allclose(numbers[at : at + len(beginning)], beginning, rtol=0, atol=CLOSE) for at in candidates)


def _numbers(file: Path) -> Iterator[np.ndarray]:
    """The file as float32 in pieces that overlap by a beginning."""
    overlap = (COMPARED - 1) * 4
    with file.open("rb") as stream:
        tail = b""
        while chunk := stream.read(_CHUNK):
            data = tail + chunk
            # Other things than vectors stand between them, which as numbers may be none.
            with np.errstate(invalid="ignore", over="ignore"):
                yield np.frombuffer(data[: len(data) // 4 * 4], dtype="<f4")
            tail = data[-overlap:]


def is_id(name: str) -> bool:
    """Whether this can be an id of ours or of Chroma's."""
    try:
        UUID(name)
    except ValueError:
        return False
    return True
