"""A folder of the portal's own machine or of a mount, inside the roots that the operator opened.

Nothing is followed: each part of a path is opened by itself from the root on, and a link, pipe or device at any place
ends it. The folder is opened once a run, so that what takes its place meanwhile is not read.
"""

import os
import stat
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO

from django.conf import settings
from django.utils.translation import gettext_lazy as _

from documents.exceptions import SourceFailed
from documents.sources.connector import MOST_ENTRIES, Connector, Entry, Field, Listing
from workspaces.models import Workspace

_CHUNK = 1024 * 1024
_BEAT_EVERY = 1000
_LONGEST = 900
_MAX_DEPTH = 50
_OPENING = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW


class FolderConnector(Connector):
    kind = "folder"
    label = _("Folder")
    purpose = _("A folder on the portal's machine, or of a mounted network drive.")
    fields = (
        Field("folder", _("Folder"), _("Its full path. The operator decides which folders are open to a workspace.")),
    )

    def __init__(self, options: Mapping[str, Any], **given: Any) -> None:
        super().__init__(options, **given)
        self._folder: int | None = None

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._folder is not None:
            os.close(self._folder)

    @classmethod
    def check(cls, options: Mapping[str, Any], workspace: Workspace) -> None:
        _placed(str(options["folder"]), workspace)

    def test(self) -> None:
        os.close(self._open_folder())

    def list(self, *, most: int = MOST_ENTRIES) -> Listing:
        listing = Listing()
        descriptor = self._open_folder()
        try:
            self._list_into(listing, descriptor, "", most, 0)
        finally:
            os.close(descriptor)
        return listing

    @contextmanager
    def fetch(self, entry: Entry) -> Iterator[BinaryIO]:
        descriptor = self._open_file(entry.key)
        with os.fdopen(descriptor, "rb") as file, tempfile.SpooledTemporaryFile(max_size=_CHUNK) as copy:
            before = os.fstat(descriptor)
            limit = settings.MAX_UPLOAD_BYTES
            while chunk := file.read(_CHUNK):
                copy.write(chunk)
                if copy.tell() > limit:
                    raise SourceFailed("too_large", megabytes=limit // 1024**2)
            if _tag(before) != _tag(os.fstat(descriptor)):
                raise SourceFailed("changed_meanwhile")
            copy.seek(0)
            yield copy  # type: ignore[misc]

    def _open_folder(self) -> int:
        """The folder of this run, as a descriptor of the caller's own."""
        if self._folder is None:
            root, parts = _placed(str(self.options["folder"]), self.workspace)
            try:
                self._folder = _opened(os.open(root, _OPENING), parts)
            except OSError as error:
                raise SourceFailed("folder_missing") from error
        return os.dup(self._folder)

    def _open_file(self, path: str) -> int:
        *folders, name = path.split("/")
        root = self._open_folder()
        try:
            here = _opened(root, folders)
            try:
                # Not to wait for the other end of a pipe that took the file's place.
                file = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK, dir_fd=here)
            finally:
                os.close(here)
        except OSError as error:
            raise SourceFailed("unreadable") from error
        if not stat.S_ISREG(os.fstat(file).st_mode):
            os.close(file)
            raise SourceFailed("not_a_file")
        return file

    def _list_into(self, listing: Listing, descriptor: int, prefix: str, most: int, depth: int) -> None:
        """Add what is in the open folder, which is at `prefix`, by name; hidden things are passed over."""
        if depth > _MAX_DEPTH:
            listing.cut(prefix.rstrip("/"), SourceFailed("unreadable"))
            return
        try:
            with os.scandir(descriptor) as found:
                things = sorted((thing for thing in found if not thing.name.startswith(".")), key=lambda one: one.name)
        except OSError:
            listing.cut(prefix.rstrip("/") or "/", SourceFailed("unreadable"))
            return
        for thing in things:
            if len(listing.entries) >= most:
                listing.cut()
                return
            self._add(listing, descriptor, thing, prefix + thing.name, most, depth)

    def _add(self, listing: Listing, folder: int, thing: "os.DirEntry[str]", path: str, most: int, depth: int) -> None:
        if not _is_text(path) or len(path) > _LONGEST:
            listing.problems.append((path.encode("utf-8", "replace").decode()[:_LONGEST], SourceFailed("bad_name")))
            return
        try:
            about = os.stat(thing.name, dir_fd=folder, follow_symlinks=False)
            if stat.S_ISDIR(about.st_mode):
                below = os.open(thing.name, _OPENING, dir_fd=folder)
                try:
                    self._list_into(listing, below, f"{path}/", most, depth + 1)
                finally:
                    os.close(below)
                return
        except FileNotFoundError:
            return
        except OSError:
            listing.cut(path, SourceFailed("unreadable"))
            return
        if not stat.S_ISREG(about.st_mode):
            listing.problems.append((path, SourceFailed("not_a_file")))
            return
        listing.entries.append(Entry(path, path, _tag(about), about.st_size))
        if len(listing.entries) % _BEAT_EVERY == 0:
            self.beat()


def roots_of(workspace: Workspace | None) -> list[Path]:
    """The folders whose contents sources of `workspace` may bring in; None: those that are open to every one."""
    own = workspace.slug if workspace is not None else ""
    roots = []
    for entry in settings.SOURCE_FOLDERS:
        slug, folder = _split(entry)
        if folder.is_absolute() and slug in ("", own):
            with suppress(OSError):
                roots.append(folder.resolve(strict=True))
    return roots


def _placed(folder: str, workspace: Workspace | None) -> tuple[Path, tuple[str, ...]]:
    """The root that `folder` lies in, and the way from there. Raises SourceFailed for a folder that is not open."""
    if not Path(folder).is_absolute() or "\0" in folder:
        raise SourceFailed("folder_closed")
    # Where it really is: a link inside a root must not lead out of it.
    place = Path(folder).resolve()
    for root in roots_of(workspace):
        if place.is_relative_to(root):
            return root, place.relative_to(root).parts
    raise SourceFailed("folder_closed")


def _opened(here: int, parts: Iterable[str]) -> int:
    """Go down from the open folder `here`, which is closed, following no link. Raises OSError."""
    for part in parts:
        try:
            below = os.open(part, _OPENING, dir_fd=here)
        finally:
            os.close(here)
        here = below
    return here


def unreadable_roots(entries: Iterable[str]) -> list[str]:
    """The entries of INLOCK_SOURCE_FOLDERS that are no full path, or are that of everything."""
    return [entry for entry in entries if not _split(entry)[1].is_absolute() or len(_split(entry)[1].parts) < 2]


def _split(entry: str) -> tuple[str, Path]:
    """The workspace an entry is for (empty: every one) and its folder."""
    slug, colon, folder = entry.partition(":")
    return (slug, Path(folder)) if colon else ("", Path(entry))


def _tag(about: os.stat_result) -> str:
    # The time of the change of status as well: copies keep the time of the original.
    return f"{about.st_size}-{about.st_mtime_ns}-{about.st_ctime_ns}"


def _is_text(path: str) -> bool:
    return path.isprintable() and not any("\ud800" <= letter <= "\udfff" for letter in path)
