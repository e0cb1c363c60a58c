"""What one person may open in one workspace, asked of the database anew for every search."""

from collections.abc import Collection, Iterable
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from uuid import UUID

from django.db.models import QuerySet

from documents.models import Document, Passage
from workspaces import access
from workspaces.models import User, Workspace


@dataclass(frozen=True, slots=True)
class OpenVersion:
    """A current version that may be opened, and the document it belongs to."""

    id: UUID
    document_id: UUID
    titles: tuple[str, str]
    passages: int


@dataclass(frozen=True, slots=True)
class Candidate:
    """What ranking needs to know about a passage that may be opened."""

    version: OpenVersion
    language: str


class Scope:
    """The passages of current versions in `workspace` that are open to `user`. Keep it for one search only."""

    def __init__(self, user: User, workspace: Workspace) -> None:
        self._user = user
        self._workspace = workspace

    @cached_property
    def versions(self) -> dict[UUID, OpenVersion]:
        """Every open version. One query, as large as the answer."""
        return self._open(self._documents.filter(current_version__isnull=False))

    def among(self, ids: Iterable[str]) -> dict[str, Candidate]:
        """Those of `ids` that are open, whatever index they came from.

        Two queries, because one that joins them is at the planner's mercy: without fresh statistics it walked
        through every document of the workspace.
        """
        rows = (
            Passage.objects.filter(pk__in=_uuids(ids), workspace=self._workspace)
            .order_by()
            .values_list("pk", "version_id", "language")
        )
        located = list(rows)
        may_open = self._may_open({version for _id, version, _language in located})
        return {
            str(id): Candidate(may_open[version], language) for id, version, language in located if version in may_open
        }

    def _may_open(self, versions: Collection[UUID]) -> dict[UUID, OpenVersion]:
        if "versions" in self.__dict__:
            return self.versions
        return self._open(self._documents.filter(current_version__in=versions))

    @property
    def _documents(self) -> QuerySet[Document]:
        # A list of documents shows names, and what is found in them is text.
        documents = access.within_view(access.visible(self._user, Document))
        return documents.filter(workspace=self._workspace).order_by()

    def _open(self, documents: QuerySet[Document]) -> dict[UUID, OpenVersion]:
        rows = documents.values_list("current_version_id", "pk", "title", "path", "current_version__passage_count")
        return {
            version: OpenVersion(version, document, (title, _stem(path)), passages)
            for version, document, title, path, passages in rows
        }


def _stem(path: str) -> str:
    name = path.rpartition("/")[2]
    return name.rpartition(".")[0] or name


def _uuids(ids: Iterable[str]) -> set[UUID]:
    """Those of `ids` that can be a passage's: an index may hold anything."""
    found = set()
    for id in ids:
        with suppress(ValueError):
            found.add(UUID(id))
    return found
