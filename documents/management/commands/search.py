"""`manage.py search SLUG "QUERY" --as USER`: retrieval alone, with a person's rights, without a model."""

from argparse import ArgumentParser
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from django.utils.translation import gettext as _

from documents.retrieval.recording import as_document, record_search, retrieve
from documents.search import Hit, Mode, SearchResult, search
from workspaces.commands import PortalCommand
from workspaces.exceptions import PortalError
from workspaces.models import User, Workspace
from workspaces.question_file import read_questions
from workspaces.roles import Action

#: Passages looked at for a run, so that as many documents can be ranked by their best one.
_PASSAGES_OF_RUN = 200
_TAG = "inlock"


class Command(PortalCommand):
    help = "Search a workspace as a person would: one query, or a file of them into a TREC run."
    acts_as_person = True

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("slug", metavar="SLUG")
        parser.add_argument("query", nargs="?", metavar="QUERY")
        parser.add_argument("-k", type=int, default=10, help="passages to show (10)")
        parser.add_argument("--mode", choices=list(Mode), default=Mode.HYBRID, help="which indexes are asked")
        parser.add_argument("--queries", type=Path, metavar="FILE", help='JSON lines of {"id", "text"}')
        parser.add_argument(
            "--run",
            dest="run_file",
            type=Path,
            metavar="OUT",
            help="write a TREC run: documents by path (spaces as %%20), each with its best passage's rank",
        )

    def run(
        self,
        *,
        user: User,
        slug: str,
        query: str | None,
        k: int,
        mode: str,
        queries: Path | None,
        run_file: Path | None,
        **options: Any,
    ) -> dict[str, Any]:
        if (query is None) == (queries is None):
            raise PortalError(_("Give a query, or --queries with a file of them."))
        if run_file is not None and queries is None:
            raise PortalError(_("--run needs --queries."))
        if k < 1:
            raise PortalError(_("-k is a number of passages from 1 up."))
        workspace = self.workspace(user, slug, Action.OPEN)
        if query is not None:
            return self._one(retrieve(user, workspace, query, k, mode=mode))
        return self._many(user, workspace, mode, read_questions(queries), run_file)

    def _one(self, result: SearchResult) -> dict[str, Any]:
        for hit in result.hits:
            self.say(f"{hit.rank:3}  {hit.score:.3f}  {hit.document.path}, {hit.locator}")
            self.say(f"     {' '.join(hit.passage.text.split())[:160]}")
        if result.sentence:
            self.say(result.sentence)
        return as_document(result)

    def _many(
        self,
        user: User,
        workspace: Workspace,
        mode: str,
        queries: list[tuple[str, str]],
        run_file: Path | None,
    ) -> dict[str, Any]:
        found = [(id, search(user, workspace, text, _PASSAGES_OF_RUN, mode=mode).hits) for id, text in queries]
        record_search(workspace, [text for _id, text in queries], [hits for _id, hits in found])
        if run_file is not None:
            rows = (_row(id, rank, hit) for id, hits in found for rank, hit in enumerate(_documents(hits), start=1))
            run_file.write_text("".join(rows), encoding="utf-8")
        self.say(f"{len(found)} queries, {sum(bool(hits) for _id, hits in found)} with passages.")
        return {
            "run": str(run_file) if run_file else None,
            "queries": [{"id": id, "hits": _pages(hits)} for id, hits in found],
        }


def _documents(hits: Iterable[Hit]) -> list[Hit]:
    """The best passage of each document."""
    best: dict[str, Hit] = {}
    for hit in hits:
        best.setdefault(hit.document.path, hit)
    return list(best.values())


def _pages(hits: Iterable[Hit]) -> list[dict[str, Any]]:
    """Each page once, in the order of its best passage."""
    pages = dict.fromkeys((hit.document.path, hit.page) for hit in hits)
    return [{"document": path, "page": page} for path, page in pages]


def _row(id: str, rank: int, hit: Hit) -> str:
    # A run's columns are separated by spaces, so a path may hold none.
    path = "%20".join(hit.document.path.split(" "))
    return f"{id} Q0 {path} {rank} {hit.score:.6f} {_TAG}\n"
