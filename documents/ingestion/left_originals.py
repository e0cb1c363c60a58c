"""Remove stored originals that no row names: a process that died between moving files and COMMIT left them there.

Nobody can find, open or delete such bytes. A file is only touched when it has lain there for longer than any upload
takes, and only where most of the files belong to this database: beside another or an empty one nothing is removed.
"""

import logging
import os
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
from documents.ingestion.receiving import ABANDONED_SECONDS
from documents.models import ORIGINALS, Version
from workspaces.killpoints import killpoint

logger = logging.getLogger(__name__)

#: Files removed in one round; the next one goes on.
MOST = 1000


@dataclass(frozen=True, slots=True)
class _Stored:
    """A file among the originals: of this version, or the pages drawn of it."""

    path: Path
    version_id: UUID


def remove_left() -> int:
    """Remove the files that no version has, with an entry in the trail of the installation; how many."""
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
        file.path.unlink(missing_ok=True)
    logger.warning("%d stored files that no document had were removed", removed)
    return removed


def _folders() -> Iterator[Path]:
    root = Path(default_storage.path(ORIGINALS))
    if root.is_dir():
        yield from sorted(folder for folder in root.iterdir() if folder.is_dir())


def _files(folder: Path) -> Iterator[_Stored]:
    """The files whose names say which version they are of; whatever else lies there is not ours to judge."""
    with os.scandir(folder) as entries:
        for entry in entries:
            with suppress(ValueError):
                yield _Stored(Path(entry.path), UUID(entry.name.removesuffix(".pdf")))


def _is_settled(path: Path) -> bool:
    """Whether it lies there for so long that no transaction is still about to name it.

    By when it was put there: a file that was moved or restored keeps the time of its content.
    """
    try:
        return time.time() - path.stat().st_ctime > ABANDONED_SECONDS
    except FileNotFoundError:
        return False
