"""Where a comparison's questions come from: those asked in the workspace lately, or a set that somebody brings.

The app that keeps questions registers itself here; it alone says who may read which.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Protocol
from uuid import UUID

from django.utils.translation import gettext as _

from documents.models import Document
from documents.reembedding.problems import ReembeddingError
from workspaces import access
from workspaces.models import User, Workspace

#: Questions in one comparison: enough to see a difference, few enough for a minute or two.
MOST = 100
MOST_CHARACTERS = 1000


@dataclass(frozen=True, slots=True)
class Asked:
    """A question that was asked here, and the passages its answer cited."""

    id: UUID
    text: str
    cited: frozenset[str]


class AskedHere(Protocol):
    """What the app that keeps questions tells."""

    def recent(self, workspace: Workspace, limit: int) -> list[UUID]:
        """Ids of the questions that were answered last, no wording twice."""

    def find(self, ids: Iterable[UUID]) -> dict[UUID, Asked]:
        """The questions themselves, for a search with somebody's rights; never to be shown."""

    def texts(self, user: User, ids: Iterable[UUID]) -> dict[UUID, str]:
        """The words of those that `user` may read."""


_registered: list[AskedHere] = []


def register(asked: AskedHere) -> None:
    """Called once, when the app that keeps questions loads."""
    _registered.append(asked)


def recent(workspace: Workspace) -> list[dict[str, Any]]:
    """The latest questions of the workspace, as a comparison keeps them: by id, without their words."""
    return [{"question": str(id)} for each in _registered for id in each.recent(workspace, MOST)]


def find(ids: Iterable[str]) -> dict[str, Asked]:
    """Questions asked here, by id; those that are gone are left out."""
    wanted = [UUID(id) for id in ids]
    return {str(id): asked for each in _registered for id, asked in each.find(wanted).items()}


def texts(user: User, ids: Iterable[str]) -> dict[str, str]:
    """The words of the questions that `user` may read, by id."""
    wanted = [UUID(id) for id in ids]
    return {str(id): text for each in _registered for id, text in each.texts(user, wanted).items()}


def read_set(written: str, workspace: Workspace, *, by: User) -> list[dict[str, Any]]:
    """A set that a person wrote: a question a line, then the paths of expected documents after ` | `, if known.

    Lines may be JSON instead: `{"text": …, "documents": [path, …]}`. Raises ReembeddingError with the line it is about.
    """
    lines = [(number, line.strip()) for number, line in enumerate(written.splitlines(), start=1) if line.strip()]
    if not lines:
        raise ReembeddingError(_("Write at least one question."))
    if len(lines) > MOST:
        raise ReembeddingError(_("More than %(limit)d questions are not compared at once.") % {"limit": MOST})
    known = set(
        access.visible(by, Document).filter(workspace=workspace, deleted_at=None).values_list("path", flat=True)
    )
    found = []
    for number, line in lines:
        text, documents = _read(number, line)
        if not text or len(text) > MOST_CHARACTERS:
            raise ReembeddingError(
                _("Line %(line)d: a question is between 1 and %(limit)d characters long.")
                % {"line": number, "limit": MOST_CHARACTERS}
            )
        if set(documents) - known:
            raise ReembeddingError(
                _("Line %(line)d: a document that is expected there is not here, or not open to you.")
                % {"line": number}
            )
        found.append({"text": text, "documents": documents})
    return found


def _read(number: int, line: str) -> tuple[str, list[str]]:
    if not line.startswith("{"):
        text, *paths = (part.strip() for part in line.split(" | "))
        return text, [path for path in paths if path]
    try:
        document = json.loads(line)
        text, documents = document["text"], document.get("documents", [])
    except (ValueError, KeyError) as error:
        raise ReembeddingError(_("Line %(line)d cannot be read as JSON with a “text”.") % {"line": number}) from error
    if not isinstance(text, str) or not all(isinstance(path, str) for path in documents):
        raise ReembeddingError(_("Line %(line)d cannot be read as JSON with a “text”.") % {"line": number})
    return text.strip(), documents
