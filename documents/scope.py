"""What one person may open in one workspace, asked of the database anew for every search."""

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from uuid import UUID

from django.db.models import QuerySet

from documents.models import Document, Passage
from workspaces import access
from workspaces.models import User, Workspace


@dataclass(frozen=True, slots=True)
class Candidate:
    """What ranking needs to know about a passage that may be opened."""

    document_id: UUID
    titles: tuple[str, str]
    language: str


class Scope:
    """The passages of current versions in `workspace` that are open to `user`. Keep it for one search only."""

    def __init__(self, user: User, workspace: Workspace) -> None:
        self._user = user
        self._workspace = workspace

    @property
    def passages(self) -> QuerySet[Passage]:
        return access.visible(self._user, Passage).filter(workspace=self._workspace)

    def among(self, ids: Iterable[str]) -> dict[str, Candidate]:
        """Those of `ids` that are open, whatever index they came from. One query."""
        rows = self.passages.filter(pk__in=_uuids(ids)).values_list(
            "pk",
            "version__document_id",
            "version__document__title",
            "version__document__path",
            "language",
            "version__language",
        )
        return {
            str(id): Candidate(document, (title, path.rpartition("/")[2].rpartition(".")[0]), language or of_version)
            for id, document, title, path, language, of_version in rows
        }

    @cached_property
    def versions(self) -> dict[UUID, int]:
        """Every open version with the number of its passages. One query."""
        open_documents = access.visible(self._user, Document).filter(workspace=self._workspace)
        counted = open_documents.filter(current_version__isnull=False)
        return dict(counted.values_list("current_version_id", "current_version__passage_count"))


def _uuids(ids: Iterable[str]) -> set[UUID]:
    """Those of `ids` that can be a passage's: an index may hold anything."""
    found = set()
    for id in ids:
        with suppress(ValueError):
            found.add(UUID(id))
    return found
