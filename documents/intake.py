"""Bring many files into a workspace and wait until each is ready or has failed.

Where a worker is up it does the work; where none is, this process does, one file a core at a time.
"""

import contextvars
import os
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from queue import Empty, SimpleQueue
from threading import Thread
from typing import Any
from uuid import UUID

from django.db import connection
from django.utils.translation import gettext as _

from documents import library
from documents.exceptions import DocumentError
from documents.ingest import ingest_version
from documents.models import HEAVY, Version
from documents.placing import path_in, usable_folder
from documents.states import OPEN, VersionState
from workspaces.dispatch import inline, worker_is_up
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


#: Takes one file in: the version that stands for it, or the row of a file that was not taken in.
Receive = Callable[[Found], "UUID | Row"]


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
    workspace: Workspace, files: Sequence[Found], *, by: User, classification: str = "", folder: str = ""
) -> Iterator[Row]:
    """Receive every file as `by` and yield what became of it, in the order in which they end.

    `classification` is that of documents which are new; `folder`, names with slashes, is where all of them are put.
    """
    receive = partial(_receive, workspace, by, classification, usable_folder(folder))
    if worker_is_up(QUEUE):
        yield from _by_the_workers(receive, files)
    else:
        yield from _in_this_process(receive, files)


def in_work(workspace: Workspace) -> list[Progress]:
    """What is being worked on in the workspace now, for a progress line."""
    versions = Version.objects.filter(document__workspace=workspace, state__in=OPEN, lease_until__isnull=False)
    return [Progress(*row) for row in versions.values_list("filename", "state", "done", "passage_count")]


def _files_in(folder: Path) -> list[Path]:
    def is_visible(file: Path) -> bool:
        return not any(part.startswith(".") for part in file.relative_to(folder).parts)

    return sorted(file for file in folder.rglob("*") if file.is_file() and is_visible(file))


# --- In this process ----------------------------------------------------------------------------------------


def _in_this_process(receive: Receive, files: Sequence[Found]) -> Iterator[Row]:
    """One thread a core, each with one database connection for all of its files."""
    todo: SimpleQueue[Found] = SimpleQueue()
    for found in files:
        todo.put(found)
    ended: SimpleQueue[Row | BaseException] = SimpleQueue()

    def work() -> None:
        try:
            while True:
                ended.put(_bring_one(receive, todo.get_nowait()))
        except Empty:
            return
        except BaseException as error:  # handed over to the thread that waits
            ended.put(error)
        finally:
            connection.close()

    # A context each: who is acting must be known in the threads as well.
    threads = [Thread(target=contextvars.copy_context().run, args=[work]) for _ in range(os.cpu_count() or 1)]
    for thread in threads:
        thread.start()
    try:
        for _ in files:
            row = ended.get()
            if isinstance(row, BaseException):
                raise row
            yield row
    finally:
        with suppress(Empty):
            while True:
                todo.get_nowait()
        for thread in threads:
            thread.join()


def _bring_one(receive: Receive, found: Found) -> Row:
    """Receive one file and ingest it here; when this returns, nobody works on it any more."""
    started = time.monotonic()
    with inline():
        received = receive(found)
    if isinstance(received, Row):
        return received
    while _is_open(received) and ingest_version(received).outcome in {"held", "lost"}:
        time.sleep(POLL_SECONDS)
    return _row(found, received, time.monotonic() - started)


# --- By the workers -----------------------------------------------------------------------------------------


def _by_the_workers(receive: Receive, files: Sequence[Found]) -> Iterator[Row]:
    waiting: dict[UUID, list[tuple[Found, float]]] = {}
    for found in files:
        started = time.monotonic()
        received = receive(found)
        if isinstance(received, Row):
            yield received
        else:
            waiting.setdefault(received, []).append((found, started))
    while waiting:
        settled = Version.objects.filter(pk__in=list(waiting)).exclude(state__in=OPEN).values_list("pk", flat=True)
        for version_id in list(settled):
            for found, started in waiting.pop(version_id):
                yield _row(found, version_id, time.monotonic() - started)
        if waiting and not worker_is_up(QUEUE):
            # The workers went away: what they left is finished here.
            ingest_version(next(iter(waiting)))
        time.sleep(POLL_SECONDS)


# --- Both ---------------------------------------------------------------------------------------------------


def _receive(workspace: Workspace, by: User, classification: str, folder: str, found: Found) -> UUID | Row:
    """The version that stands for the file, or the row of a file that was not taken in."""
    try:
        with found.file.open("rb") as file:
            received = library.receive(
                workspace=workspace,
                path=path_in(workspace, folder, found.path, by=by),
                file=file,
                filename=found.file.name,
                by=by,
                classification=classification,
            )
    except DocumentError as error:
        return Row(found.path, None, None, VersionState.FAILED, 0, 0, 0.0, str(error))
    except OSError as error:
        return Row(found.path, None, None, VersionState.FAILED, 0, 0, 0.0, f"{error.strerror}: {found.file}")
    return received.version.pk


def _is_open(version_id: UUID) -> bool:
    return Version.objects.filter(pk=version_id, state__in=OPEN).exists()


def _row(found: Found, version_id: UUID, seconds: float) -> Row:
    version = Version.objects.defer(*HEAVY).get(pk=version_id)
    reason = _(version.failure_sentence) if version.failure_sentence else ""
    if version.state in OPEN:
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
    )
