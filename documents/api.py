"""Documents for programs: which there are, and which passages bear on a query."""

from datetime import date, datetime
from typing import Any, Literal
from uuid import UUID

from django.conf import settings
from django.http import HttpRequest
from ninja import Query, Router
from pydantic import Field

from documents import retrieval
from documents.filters import Asked as Sought
from documents.listing import PER_PAGE, Row, listing
from documents.search import Mode
from workspaces.api import Asked, Told, in_workspace, refuse_unknown
from workspaces.roles import Action

router = Router(tags=["Documents"])

MOST_HITS = 50


class Filter(Asked):
    q: str = Field("", max_length=200, description="Words in the title or the path.")
    state: Literal["", "ready", "working", "failed"] = ""
    page: int = Field(1, ge=1)


class NewestVersion(Told):
    id: UUID
    number: int
    state: str
    sha256: str
    pages: int
    passages: int
    received_at: datetime
    #: Why it failed, as a person reads it; empty otherwise.
    reason: str


class DocumentEntry(Told):
    id: UUID
    path: str
    title: str
    classification: str
    restricted: bool
    newest: NewestVersion
    #: The number of the version that answers questions now; None while none is ready.
    answering: int | None
    #: The last day it holds, where one is known; an expired one is past it.
    valid_until: date | None
    is_expired: bool


class Documents(Told):
    items: list[DocumentEntry]
    page: int
    pages: int
    per_page: int
    #: Over all pages and states.
    total: int


class Search(Asked):
    query: str = Field(min_length=1, max_length=settings.MAX_QUESTION_CHARACTERS)
    k: int = Field(10, ge=1, le=MOST_HITS, description="How many passages at most.")
    mode: Mode = Mode.HYBRID


class Evidence(Told):
    cosine: float | None


class LegReport(Told):
    name: str
    found: int
    asked_for: int
    exact: bool
    fault: str


class RerankerReport(Told):
    name: str
    scored: int
    kept_back: int
    fault: str


class Passage(Told):
    rank: int
    score: float
    cosine: float | None
    rerank: float | None
    document: str
    document_id: UUID
    title: str
    version: int
    version_id: UUID
    passage_id: UUID
    page: int | None
    locator: str
    start: int
    end: int
    text: str
    #: As of its document.
    valid_until: date | None
    is_expired: bool


class Found(Told):
    query: str
    language: str
    #: Whether the passages would count as evidence for an answer.
    usable: bool
    evidence: Evidence
    degraded: bool
    sentence: str
    legs: list[LegReport]
    #: None where the workspace has none.
    reranker: RerankerReport | None
    hits: list[Passage]


@router.get("/workspaces/{slug:slug}/documents", response=Documents, summary="Documents of a workspace")
@in_workspace(Action.OPEN)
def documents(request: HttpRequest, slug: str, filter: Query[Filter]) -> dict[str, Any]:
    """The documents open to this credential, a page at a time, by title."""
    refuse_unknown(request, Filter)
    found = listing(request.user, request.workspace, Sought(q=filter.q, state=filter.state, page=filter.page))
    return {
        "items": [_entry(row) for row in found.rows],
        "page": found.page.number,
        "pages": found.page.paginator.num_pages,
        "per_page": PER_PAGE,
        "total": found.total,
    }


@router.post("/workspaces/{slug:slug}/search", response=Found, summary="Search a workspace")
@in_workspace(Action.OPEN)
def search(request: HttpRequest, slug: str, asked: Search) -> dict[str, Any]:
    """The passages that bear most on the query, among those open to this credential; no model is asked."""
    return retrieval.as_document(
        retrieval.retrieve(request.user, request.workspace, asked.query, asked.k, mode=asked.mode)
    )


def _entry(row: Row) -> dict[str, Any]:
    document, version, current = row.document, row.version, row.document.current_version
    return {
        "id": document.pk,
        "path": document.path,
        "title": document.title,
        "classification": document.classification,
        "restricted": document.restricted,
        "newest": {
            "id": version.pk,
            "number": version.number,
            "state": version.state,
            "sha256": version.sha256,
            "pages": version.page_count,
            "passages": version.passage_count,
            "received_at": version.created_at,
            "reason": row.sentence,
        },
        "answering": current.number if current else None,
        "valid_until": document.valid_until,
        "is_expired": document.is_expired,
    }
