"""What one person may open in one workspace, asked of the database anew for every search."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any
from uuid import UUID

from django.core.exceptions import EmptyResultSet
from django.db import connection
from django.db.models import Q, QuerySet

from documents.models import Document
from documents.querysets import may_answer
from workspaces import access
from workspaces.models import User, Workspace

_COLUMNS = ("current_version_id", "pk", "title", "path", "current_version__passage_count")
_LOCATE = "SELECT id, version_id, language FROM documents_passage WHERE id = ANY(%s::uuid[]) AND workspace_id = %s"
_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
#: An array of versions, and two walls, because a plain join is at the planner's mercy: without fresh statistics it
#: walked through every document of the workspace.
_LOCATE_OPEN = """
    WITH asked AS MATERIALIZED ({locate}),
    opened AS MATERIALIZED (
        SELECT * FROM ({rule}) may_open WHERE current_version_id = ANY(ARRAY(SELECT version_id FROM asked))
    )
    SELECT asked.id, asked.language, opened.* FROM asked JOIN opened ON opened.current_version_id = asked.version_id
"""


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
    """The passages of current versions in `workspace` that are open to `user`. Keep it for one search only.

    `within` leaves fewer of those documents.
    """

    def __init__(self, user: User, workspace: Workspace, within: Q | None = None) -> None:
        self._user = user
        self._workspace = workspace
        self._within = within

    @cached_property
    def versions(self) -> dict[UUID, OpenVersion]:
        """Every open version. One query, as large as the answer."""
        rows = self._documents.filter(current_version__isnull=False).values_list(*_COLUMNS)
        return {row[0]: _open_version(row) for row in rows}

    def prepare(self) -> None:
        """Have the rule compiled before the ids are known. It is asked, and rights are read, in `among` alone."""
        _ = self._rule

    def among(self, ids: Iterable[str]) -> dict[str, Candidate]:
        """Those of `ids` that are open, whatever index they came from. One query."""
        asked = [_array(ids), self._workspace.pk]
        if "versions" in self.__dict__:
            located = _rows(_LOCATE, asked)
            return {
                str(id): Candidate(self.versions[version], language)
                for id, version, language in located
                if version in self.versions
            }
        if self._rule is None:
            return {}
        rule, given = self._rule
        return {
            str(id): Candidate(_open_version(row), language)
            for id, language, *row in _rows(_LOCATE_OPEN.format(locate=_LOCATE, rule=rule), [*asked, *given])
        }

    @cached_property
    def _rule(self) -> tuple[str, tuple[Any, ...]] | None:
        """What `_documents` says, as SQL; None where it is known without asking that nothing is open."""
        try:
            return self._documents.values_list(*_COLUMNS).query.sql_with_params()
        except EmptyResultSet:
            return None

    @property
    def _documents(self) -> QuerySet[Document]:
        # A list of documents shows names, and what is found in them is text.
        documents = access.within_view(access.visible(self._user, Document))
        documents = documents.filter(may_answer(), workspace=self._workspace).order_by()
        # Ids, so that a condition over what a document bears finds each of them once.
        narrower = None if self._within is None else Document.objects.filter(self._within).order_by().values("pk")
        return documents if narrower is None else documents.filter(pk__in=narrower)


def _open_version(row: Sequence[Any]) -> OpenVersion:
    version, document, title, path, passages = row
    return OpenVersion(version, document, (title, _stem(path)), passages)


def _rows(statement: str, params: Sequence[Any]) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(statement, params)
        return cursor.fetchall()


def _stem(path: str) -> str:
    name = path.rpartition("/")[2]
    return name.rpartition(".")[0] or name


def _array(ids: Iterable[str]) -> str:
    """Those of `ids` that can be a passage's, as the database writes an array: an index may hold anything.

    A thousand of them made into objects and back took longer than the database takes to look them up.
    """
    return "{" + ",".join(filter(_ID.fullmatch, ids)) + "}"
