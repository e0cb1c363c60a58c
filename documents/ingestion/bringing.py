"""Bring one file in by its path, with what is said about the document, so that doing it again changes nothing more."""

from collections.abc import Sequence
from datetime import date
from pathlib import PurePosixPath
from typing import Any, BinaryIO

from documents import library
from documents.cards import metadata, tagging
from documents.folders.placing import path_in, printable, usable_folder
from documents.library import Received
from documents.models import Document
from workspaces import access
from workspaces.models import User, Workspace


def bring(
    workspace: Workspace,
    file: BinaryIO | Any,
    path: str,
    *,
    by: User,
    folder: str = "",
    classification: str = "",
    tags: Sequence[str] = (),
    valid_until: date | None = None,
) -> Received:
    """Receive the document at `path`, whose ending says how it is read, as `by` would who has `folder` open.

    `tags` are put on it, and `valid_until` becomes its last day where one is given; what is not said stays as it is.
    The file and each of these is a transaction of its own, the file first: who was cut off sends all of it again.
    Raises as `library.receive` and, before anything is received, DocumentError for tags or a day that cannot be, and
    Forbidden where `by` does not keep the document current.
    """
    tags = [tagging.usable(name) for name in tags]
    metadata.require_usable(valid_until)
    path = _usable(path)
    path = path_in(workspace, usable_folder(folder), path, by=by)
    if tags or valid_until:
        there = access.visible(by, Document).filter(workspace=workspace, path=path, deleted_at=None).first()
        if there is not None:
            access.require(by, metadata.keeping_right(there, by), there)
        tagging.require_room(there, tags)
    received = library.receive(
        workspace=workspace,
        path=path,
        file=file,
        filename=PurePosixPath(path).name,
        by=by,
        classification=classification,
    )
    document = received.version.document
    if valid_until is not None:
        metadata.set_validity(document, valid_until, by=by)
    if tags:
        tagging.change_tags(document, add=tags, by=by)
    return received


def _usable(path: str) -> str:
    """The name as it came, but for control characters, behind folders as the tree has them."""
    head, _slash, name = printable(path).rpartition("/")
    folders = usable_folder(head)
    return f"{folders}/{name}" if folders else name
