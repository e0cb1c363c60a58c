"""Where a document is cited. The apps above know of citations, and register how to find those a reader may know of."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from documents.models import Document
from workspaces.models import User

#: Shown of a document that is cited more often: the newest.
SHOWN = 8


@dataclass(frozen=True, slots=True)
class Citing:
    """One text that cites the document: a title, where it opens, its state as a badge, and what of the document."""

    title: str
    url: str
    at: datetime
    state: Any
    tone: str
    places: list[str]
    #: The version that is cited, by its number.
    version: int


@dataclass(frozen=True, slots=True)
class CitedBy:
    """The newest texts that cite a document, and whether there are more that this reader may know of."""

    rows: list[Citing]
    more: bool


#: Each tells, newest first and no more than asked for, what cites a document and is open to a person.
listers: list[Callable[[User, Document, int], list[Citing]]] = []


def cited_by(document: Document, *, user: User) -> CitedBy:
    """What cites `document`, as far as `user` may know of it: what they may not open is not counted either."""
    found = [row for lister in listers for row in lister(user, document, SHOWN + 1)]
    found.sort(key=lambda row: row.at, reverse=True)
    return CitedBy(found[:SHOWN], len(found) > SHOWN)
