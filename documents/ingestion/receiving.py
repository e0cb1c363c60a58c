"""Take in the bytes of a file: hashed while they are written, and whole on the disk before any row speaks of them."""

import errno
import hashlib
import os
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from django.conf import settings
from django.core.files.storage import default_storage
from django.utils.translation import gettext as _

from documents.exceptions import DocumentError
from documents.ingestion import room
from workspaces.killpoints import killpoint

CHUNK = 1024 * 1024
#: Beside the originals, so that the rename never crosses a file system.
INCOMING = "incoming"
#: Longer than any upload takes: what is older was left by a process that died.
ABANDONED_SECONDS = 24 * 3600


@dataclass(frozen=True, slots=True)
class Arrival:
    """A file that arrived whole and waits to be kept."""

    path: Path
    sha256: str
    size: int

    def keep(self, name: str) -> None:
        """Make it the stored file `name`; it is durable when this returns."""
        final = Path(default_storage.path(name))
        final.parent.mkdir(parents=True, exist_ok=True)
        self.path.replace(final)
        _sync_directory(final.parent)


@contextmanager
def arriving(file: BinaryIO | Any) -> Iterator[Arrival]:
    """Read `file` to its end into a temporary file, which is gone afterwards unless it was kept.

    Raises DocumentError when it is empty, larger than is allowed, or the disk is full or nearly so.
    """
    room.require()
    directory = Path(default_storage.path(INCOMING))
    directory.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=directory)
    path = Path(name)
    try:
        with os.fdopen(handle, "wb") as out:
            arrival = _copy(file, out, path)
        killpoint("received_file")
        yield arrival
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        raise DocumentError(
            _("There is no room left on the portal's disk. Tell the operator."), code="disk_full"
        ) from error
    finally:
        path.unlink(missing_ok=True)


def remove_abandoned() -> int:
    """Remove files that were arriving when their process died; how many."""
    directory = Path(default_storage.path(INCOMING))
    removed = 0
    for file in directory.iterdir() if directory.is_dir() else ():
        # One that just arrived whole is renamed away while we look.
        with suppress(FileNotFoundError):
            if time.time() - file.stat().st_mtime > ABANDONED_SECONDS:
                file.unlink()
                removed += 1
    return removed


def _copy(file: BinaryIO | Any, out: BinaryIO, path: Path) -> Arrival:
    hashed, size = hashlib.sha256(), 0
    while chunk := file.read(CHUNK):
        size += len(chunk)
        if size > settings.MAX_UPLOAD_BYTES:
            limit = settings.MAX_UPLOAD_BYTES // (1024 * 1024)
            raise DocumentError(
                _("The file is larger than %(limit)d MB, the most that is accepted.") % {"limit": limit},
                code="too_large",
                megabytes=limit,
            )
        hashed.update(chunk)
        out.write(chunk)
        killpoint("receiving")
    if not size:
        raise DocumentError(_("The file is empty."), code="empty")
    out.flush()
    os.fchmod(out.fileno(), settings.FILE_UPLOAD_PERMISSIONS)
    os.fsync(out.fileno())
    return Arrival(path, hashed.hexdigest(), size)


def _sync_directory(directory: Path) -> None:
    handle = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
