"""Read several files at the same time while the caller does something else.

Each file is read by a parser's child of its own, with its own limits; a file that hangs or ends its child keeps one
reader busy and nobody else.
"""

import time
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass

from documents.ingestion.leases import Lease
from documents.models import Version
from documents.stages import parsed, stored
from documents.stages.parsed import Read
from workspaces.killpoints import killpoint

#: Files that are read at the same time: what their children may use together is so many times one file's limits.
READERS = 2


@dataclass(frozen=True, slots=True)
class FileRead:
    """What was read of a file, and the seconds that checking it and parsing it took."""

    read: Read
    checking: float
    parsing: float


#: None for a file that has to be read alone.
Reading = Future[FileRead | None]


@contextmanager
def reading(files: Sequence[tuple[Version, Lease]], *, until: float) -> Iterator[list[Reading]]:
    """Check and parse the files in this order: what each will have become, or ParseFailed and StageFailed.

    No file is begun behind `until` (of `time.monotonic`), and none is being read any more when the block ends. Only
    files are touched beside the caller's thread, never the database.
    """
    readers = ThreadPoolExecutor(READERS, thread_name_prefix="reader")
    try:
        yield [readers.submit(_read, version, lease, until) for version, lease in files]
    finally:
        readers.shutdown(cancel_futures=True)


def _read(version: Version, lease: Lease, until: float) -> FileRead | None:
    began = time.monotonic()
    if began > until:
        return None
    stored.check(version, lease)
    checked = time.monotonic()
    killpoint("before_parsed")
    read = parsed.read_at_once(version)
    return None if read is None else FileRead(read, checked - began, time.monotonic() - checked)
