"""What belongs to the timelines of documents, and of what is said about one: its deletion, a hold on it."""

from collections.abc import Iterable

from documents.models import Deletion, Document, LegalHold, Version
from workspaces.models import Workspace
from workspaces.trail import told_with

#: The latest versions, of a document that has many.
_VERSIONS = 15


def _versions(document: Document) -> Iterable[Version]:
    return document.versions.only("pk").order_by("-number")[:_VERSIONS]


def _deleted(deletion: Deletion) -> Iterable[Document]:
    return [deletion.document]


def _held(hold: LegalHold) -> Iterable[Document | Workspace]:
    return [hold.document or hold.workspace]


told_with[Document] = _versions
# Entries about these name the document, or the workspace that is held whole.
told_with[Deletion] = _deleted
told_with[LegalHold] = _held
