"""What belongs to the timeline of a document."""

from collections.abc import Iterable

from documents.models import Document, Version
from workspaces.trail import told_with

#: The latest versions, of a document that has many.
_VERSIONS = 15


def _versions(document: Document) -> Iterable[Version]:
    return document.versions.only("pk").order_by("-number")[:_VERSIONS]


told_with[Document] = _versions
