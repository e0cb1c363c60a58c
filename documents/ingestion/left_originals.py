"""Remove stored originals that no row names: a process that died between moving files and COMMIT left them there.

Nobody can find, open or delete such bytes. A file is only touched when it has lain there for longer than any upload
takes, and only where this database is the one that the files are of: beside another one, an empty one or one that was
put back to an earlier day, whose files have no row here either, nothing is removed.
"""

import logging
import os
import tempfile
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

from django.core.files.storage import default_storage
from django.db import transaction

from audit.events import EventType
from audit.record import record
from documents.ingestion.receiving import ABANDONED_SECONDS, INCOMING
from documents.models import ORIGINALS, Version
from workspaces.killpoints import killpoint

logger = logging.getLogger(__name__)

#: Where each database that sweeps here leaves the newest version it knows.
SWEPT = f"{ORIGINALS}/.swept"
#: Files removed in one round; the next one goes on.
MOST = 1000


@dataclass(frozen=True, slots=True)
class _Stored:
    """A file among the originals: of this version, or the pages drawn of it."""

    path: Path
    version_id: UUID


def remove_left() -> int:
    """Remove the files that no version has, with an entry in the trail of the installation; how many."""
    if not _are_ours():
        return 0
    named, left = 0, list[_Stored]()
    for folder in _folders():
        files = list(_files(folder))
        ids = {file.version_id for file in files}
        has_file = set(Version.objects.filter(pk__in=ids).exclude(file="").values_list("pk", flat=True))
        named += len(has_file)
        left += [file for file in files if file.version_id not in has_file and _is_settled(file.path)]
    if not left:
        return 0
    if len(left) > named:
        logger.error("%d stored files belong to no document and %d do: is this their database?", len(left), named)
        return 0
    return _remove(left[:MOST])


@transaction.atomic
def _remove(left: list[_Stored]) -> int:
    removed = size = 0
    for file in left:
        # Another sweep may be here as well.
        with suppress(FileNotFoundError):
            size += file.path.stat().st_size
            removed += 1
    if not removed:
        return 0
    record(EventType.ORIGINALS_REMOVED, files=removed, bytes=size)
    killpoint("left_recorded")
    for file in left:
        try:
            file.path.unlink(missing_ok=True)
        except OSError:
            # Raised, it would take back the entry of those that are gone by now.
            logger.exception("A stored file that no document has cannot be removed")
    logger.warning("%d stored files that no document had were removed", removed)
    return removed


def words_of_others() -> list[str]:
    """What was left among the originals that is no version of this database.

    Versions never leave a database. One that was left there and is not in this one came with another database, or later
    than the day to which this one was put back.
    """
    said = _said()
    known = Version.objects.filter(pk__in=[UUID(word) for word in said if _is_key(word)]).order_by()
    ours = {str(pk) for pk in known.values_list("pk", flat=True)}
    return [word for word in said if word not in ours]


def _are_ours() -> bool:
    """Whether the files are those of this database, as far as whoever swept here before left word of it.

    The word of another database stays, with ours beside it, so that it finds that as well: neither removes anything
    until a person has looked and deleted the file.
    """
    said, others = _said(), words_of_others()
    newest = Version.objects.order_by("-created_at").values_list("pk", flat=True)[:1]
    left = [*others, *map(str, newest)]
    if left != said:
        _leave(Path(default_storage.path(SWEPT)), left)
    if others:
        logger.error("Stored files are not swept: %s names a version that this database never had", SWEPT)
    return bool(said) and not others


def _said() -> list[str]:
    file = Path(default_storage.path(SWEPT))
    return file.read_text(errors="replace").split() if file.is_file() else []


def _leave(file: Path, words: list[str]) -> None:
    """Write the words in one piece: a word that is lost would be missed."""
    directory = Path(default_storage.path(INCOMING))
    for folder in (directory, file.parent):
        folder.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile("w", dir=directory, delete=False) as out:
        out.write("".join(f"{word}\n" for word in words))
        out.flush()
        os.fsync(out.fileno())
    Path(out.name).replace(file)


def _is_key(name: str) -> bool:
    """Whether it is a version's id, as files are named by it."""
    try:
        return str(UUID(name)) == name
    except ValueError:
        return False


def _folders() -> Iterator[Path]:
    root = Path(default_storage.path(ORIGINALS))
    if root.is_dir():
        yield from sorted(folder for folder in root.iterdir() if folder.is_dir())


def _files(folder: Path) -> Iterator[_Stored]:
    """The files whose names say which version they are of; whatever else lies there is not ours to judge."""
    with os.scandir(folder) as entries:
        for entry in entries:
            key = entry.name.removesuffix(".pdf")
            if key.startswith(folder.name) and _is_key(key) and entry.is_file():
                yield _Stored(Path(entry.path), UUID(key))


def _is_settled(path: Path) -> bool:
    """Whether it lies there for so long that no transaction is still about to name it.

    By when it was put there: a file that was moved or restored keeps the time of its content.
    """
    try:
        return time.time() - path.stat().st_ctime > ABANDONED_SECONDS
    except FileNotFoundError:
        return False
