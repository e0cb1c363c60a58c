"""Bring many files into a workspace and wait until each is ready, has failed, or waits for its embedding server.

Where a worker is up it does the work; where none is, this process does, a thread a core. Small files are received and
ingested several at a time.
"""

import contextvars
import os
import time
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from queue import SimpleQueue
from threading import Lock, Thread
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import Q
from django.utils.translation import gettext as _

from documents import library
from documents.exceptions import DocumentError
from documents.folders.placing import path_in, usable_folder
from documents.ingest import ingest_version
from documents.ingestion import company
from documents.listing import waiting_sentence
from documents.models import HEAVY, Version
from documents.states import OPEN, VersionState
from documents.viewer.findings import hidden_characters
from workspaces.dispatch import worker_is_up
from workspaces.models import User, Workspace

QUEUE = "ingest"
POLL_SECONDS = 0.3


@dataclass(frozen=True, slots=True)
class Found:
    """A file on this machine and the path its document gets: relative to the folder it was found in."""

    path: str
    file: Path


@dataclass(frozen=True, slots=True)
class Row:
    """What became of one file."""

    path: str
    document_id: UUID | None
    version: int | None
    state: str
    pages: int
    passages: int
    seconds: float
    reason: str
    #: Characters that its readers do not see, by kind.
    hidden_text: dict[str, int] = field(default_factory=dict)

    @property
    def is_ready(self) -> bool:
        return self.state == VersionState.READY

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a version in work is."""

    filename: str
    state: str
    done: int
    passages: int


def find(paths: Sequence[str]) -> list[Found]:
    """The files at `paths`, those in folders by sorted relative path; hidden ones are left out.

    Raises DocumentError for a path that does not exist.
    """
    found: list[Found] = []
    for path in map(Path, paths):
        if path.is_dir():
            found += [Found(file.relative_to(path).as_posix(), file) for file in _files_in(path)]
        elif path.is_file():
            found.append(Found(path.name, path))
        else:
            raise DocumentError(_("There is no file or folder %(path)s.") % {"path": path})
    return found


def bring_in(
    workspace: Workspace,
    files: Sequence[Found],
    *,
    by: User,
    classification: str = "",
    folder: str = "",
    threads: int = 0,
) -> Iterator[Row]:
    """Receive every file as `by` and yield what became of it, in the order in which they end.

    `classification` is that of documents which are new; `folder`, names with slashes, is where all of them are put.
    Where no worker is up so many `threads` do the work, by default one a core.
    """
    door = _Door(workspace, by, classification, usable_folder(folder))
    if worker_is_up(QUEUE):
        yield from _by_the_workers(door, files)
    else:
        yield from _in_this_process(door, files, threads or os.cpu_count() or 1)


def in_work(workspace: Workspace) -> list[Progress]:
    """What is being worked on in the workspace now, for a progress line."""
    versions = Version.objects.filter(document__workspace=workspace, state__in=OPEN, lease_until__isnull=False)
    return [Progress(*row) for row in versions.values_list("filename", "state", "done", "passage_count")]


def _files_in(folder: Path) -> list[Path]:
    def is_visible(file: Path) -> bool:
        return not any(part.startswith(".") for part in file.relative_to(folder).parts)

    return sorted(file for file in folder.rglob("*") if file.is_file() and is_visible(file))


# --- In this process ----------------------------------------------------------------------------------------


def _in_this_process(door: "_Door", files: Sequence[Found], count: int) -> Iterator[Row]:
    """So many threads, each with one database connection for all of its files."""
    todo = _Todo(files, count)
    ended: SimpleQueue[Row | BaseException] = SimpleQueue()

    def work() -> None:
        try:
            while batch := todo.next():
                for row in _bring(door, batch):
                    ended.put(row)
        except BaseException as error:  # handed over to the thread that waits
            ended.put(error)
        finally:
            connection.close()

    # A context each: who is acting must be known in the threads as well.
    threads = [Thread(target=contextvars.copy_context().run, args=[work]) for _ in range(count)]
    for thread in threads:
        thread.start()
    try:
        for _ in files:
            row = ended.get()
            if isinstance(row, BaseException):
                raise row
            yield row
    finally:
        todo.clear()
        for thread in threads:
            thread.join()


class _Todo:
    """The files that nobody began with, for several threads."""

    def __init__(self, files: Sequence[Found], threads: int) -> None:
        self._files, self._threads, self._lock = deque(files), threads, Lock()

    def next(self) -> list[Found]:
        """One file, or as many small ones as may be ingested together, but no more than a thread's share of them."""
        with self._lock:
            most = min(company.MOST, max(1, len(self._files) // self._threads))
            batch, size = list[Found](), 0
            while self._files and len(batch) < most:
                size += _size(self._files[0])
                if batch and size > company.MOST_BYTES:
                    break
                batch.append(self._files.popleft())
            return batch

    def clear(self) -> None:
        with self._lock:
            self._files.clear()


def _bring(door: "_Door", batch: Sequence[Found]) -> Iterator[Row]:
    """Receive files and ingest them here; when a row is given, nobody works on that file any more."""
    started = time.monotonic()
    received: dict[Found, UUID | Row] = {**door.receive_new(batch)} if len(batch) > 1 else {}
    for found in batch:
        if found not in received:
            received[found] = door.receive(found, rings=False)
    waiting = [each for each in received.values() if isinstance(each, UUID)]
    ends = {each.version_id: each.outcome for each in company.ingest_together(waiting, door.workspace.pk)}
    for found in batch:
        version = received[found]
        if isinstance(version, Row):
            yield version
            continue
        if ends[version] in {company.ALONE, "lost"}:
            _ingest(version)
        yield _row(found, version, time.monotonic() - started)


def _ingest(version_id: UUID) -> None:
    while _is_open(version_id) and ingest_version(version_id).outcome in {"held", "lost"}:
        time.sleep(POLL_SECONDS)


# --- By the workers -----------------------------------------------------------------------------------------


def _by_the_workers(door: "_Door", files: Sequence[Found]) -> Iterator[Row]:
    waiting: dict[UUID, list[tuple[Found, float]]] = {}
    todo = _Todo(files, 1)
    while batch := todo.next():
        started = time.monotonic()
        new = door.receive_new(batch, rings=True) if len(batch) > 1 else {}
        for found in batch:
            received = new.get(found) or door.receive(found, rings=True)
            if isinstance(received, Row):
                yield received
            else:
                waiting.setdefault(received, []).append((found, started))
    while waiting:
        # Whoever waits for its embedding server may do so for a day, and nobody is to sit here as long.
        left = Version.objects.filter(~Q(state__in=OPEN) | Q(retry_at__isnull=False), pk__in=list(waiting))
        for version_id in list(left.values_list("pk", flat=True)):
            for found, started in waiting.pop(version_id):
                yield _row(found, version_id, time.monotonic() - started)
        if waiting and not worker_is_up(QUEUE):
            # The workers went away: what they left is finished here, in turns, because some may wait for the index.
            version_id = next(iter(waiting))
            ingest_version(version_id)
            waiting[version_id] = waiting.pop(version_id)
        time.sleep(POLL_SECONDS)


# --- Both ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Door:
    """Where files come in, and as whose."""

    workspace: Workspace
    by: User
    classification: str
    folder: str

    def receive(self, found: Found, *, rings: bool) -> UUID | Row:
        """The version that stands for the file, or the row of a file that was not taken in."""
        try:
            with found.file.open("rb") as file:
                received = library.receive(
                    workspace=self.workspace,
                    path=self._path(found),
                    file=file,
                    filename=found.file.name,
                    by=self.by,
                    classification=self.classification,
                    rings=rings,
                )
        except DocumentError as error:
            return Row(found.path, None, None, VersionState.FAILED, 0, 0, 0.0, str(error))
        except OSError as error:
            return Row(found.path, None, None, VersionState.FAILED, 0, 0, 0.0, f"{error.strerror}: {found.file}")
        return received.version.pk

    def receive_new(self, batch: Sequence[Found], *, rings: bool = False) -> dict[Found, UUID]:
        """The versions of files that became new documents together; the others are to be received one by one."""
        arriving = [library.Arriving.of(self._path(each), each.file) for each in batch]
        try:
            versions = library.receive_new(
                workspace=self.workspace, files=arriving, by=self.by, classification=self.classification, rings=rings
            )
        except (DocumentError, OSError):
            # What keeps all of them out is said of each.
            return {}
        return {found: version.pk for found, version in zip(batch, versions, strict=True) if version is not None}

    def _path(self, found: Found) -> str:
        return path_in(self.workspace, self.folder, found.path, by=self.by)


def _size(found: Found) -> int:
    """Bytes of the file; none where it cannot be looked at, which is said when it is received."""
    try:
        return found.file.stat().st_size
    except OSError:
        return 0


def _is_open(version_id: UUID) -> bool:
    return Version.objects.filter(pk=version_id, state__in=OPEN).exists()


def _row(found: Found, version_id: UUID, seconds: float) -> Row:
    version = Version.objects.defer(*HEAVY).get(pk=version_id)
    reason = _(version.failure_sentence) if version.failure_sentence else ""
    if version.state in OPEN and version.retry_at is not None:
        reason = waiting_sentence(version.retry_at)
    elif version.state in OPEN:
        reason = _("The search index does not answer. It goes on by itself once the index is back.")
    elif version.state == VersionState.SUPERSEDED:
        reason = _("A version that arrived later answers instead.")
    return Row(
        path=found.path,
        document_id=version.document_id,
        version=version.number,
        state=version.state,
        pages=version.page_count,
        passages=version.passage_count,
        seconds=round(seconds, 3),
        reason=str(reason),
        hidden_text=hidden_characters(version),
    )
