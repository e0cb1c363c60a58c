"""Documents for programs: which there are, and which passages bear on a query."""

from datetime import date, datetime
from typing import Any, Literal
from uuid import UUID

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from ninja import File, Form, Query, Router, Status
from ninja.files import UploadedFile
from pydantic import Field

from documents import library
from documents.filters import Asked as Sought
from documents.ingestion.bringing import bring
from documents.listing import PER_PAGE, Row, listing, row_of
from documents.models import Document
from documents.retrieval import recording as retrieval
from documents.search import Mode
from documents.viewer import findings
from workspaces import access
from workspaces.api import Asked, Told, in_workspace, refuse_unknown, refuse_unknown_parts
from workspaces.classification import Classification
from workspaces.exceptions import Hidden
from workspaces.models import User
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
    #: Why it failed or what it waits for, as a person reads it; empty otherwise.
    reason: str
    hidden_text: dict[str, int] = Field(
        description="Characters that the file holds and its readers do not see, by kind: " + ", ".join(findings.WHERE)
    )


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
    tags: list[str]
    #: Where this document is read.
    url: str


class Documents(Told):
    items: list[DocumentEntry]
    page: int
    pages: int
    per_page: int
    #: Over all pages and states.
    total: int


class NewDocument(Asked):
    path: str = Field("", max_length=1000, description="Its path, with slashes; empty: the file's name.")
    folder: str = Field("", max_length=1000, description="The folder it is put into, with slashes; empty: the top.")
    classification: Classification | Literal[""] = Field(
        "", description="Of a document that is new, by who manages documents; empty: internal."
    )
    tags: str = Field("", max_length=2000, description="Tags to put on it, with commas between them.")
    valid_until: date | None = Field(None, description="The last day on which it holds.")


class Received(Told):
    #: added, new_version, or same: these very bytes are there already, as the version that `document` tells of.
    outcome: Literal["added", "new_version", "same"]
    document: DocumentEntry


class Deleting(Asked):
    reason: str = Field("", max_length=500, description="Kept in the trail.")


class Deleted(Told):
    document_id: UUID
    #: What leaves the index now.
    passages: int
    #: Until then it can be restored from the bin, in the portal.
    erase_after: datetime


class Search(Asked):
    query: str = Field(min_length=1, max_length=settings.MAX_QUESTION_CHARACTERS)
    k: int = Field(10, ge=1, le=MOST_HITS, description="How many passages at most.")
    mode: Mode = Mode.HYBRID


class Evidence(Told):
    cosine: float | None


class LegReport(Told):
    name: str
    fault: str = Field(description="`unavailable` or `incomplete` where it has less to say than it should.")


class RerankerReport(Told):
    name: str
    scored: int
    kept_back: int
    fault: str


class Excerpt(Told):
    """A passage of a version, word for word, and where it stands."""

    version_id: UUID
    passage_id: UUID
    page: int | None
    locator: str
    start: int
    end: int
    text: str


class Passage(Excerpt):
    rank: int
    score: float
    cosine: float | None
    rerank: float | None
    document: str
    document_id: UUID
    title: str
    version: int
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


@router.post(
    "/workspaces/{slug:slug}/documents", response={200: Received, 202: Received}, summary="Bring a document in"
)
@in_workspace(Action.ADD)
def bring_document(
    request: HttpRequest,
    slug: str,
    response: HttpResponse,
    given: Form[NewDocument],
    file: UploadedFile = File(...),  # noqa: B008
) -> Any:
    """Send one file, as `multipart/form-data`. 202 while it is read: ask its `url` whether it is ready.

    At a path where a document is, it becomes that document's next version; the same bytes again change nothing.
    """
    refuse_unknown_parts(request, NewDocument, "file")
    received = bring(
        request.workspace,  # type: ignore[attr-defined]
        file,
        given.path or file.name or "",
        by=request.user,
        folder=given.folder,
        classification=given.classification,
        tags=[name for name in given.tags.split(",") if name.strip()],
        valid_until=given.valid_until,
    )
    row = row_of(received.version.document)
    entry = _entry(row)
    response["Location"] = entry["url"]
    return Status(202 if row.working else 200, {"outcome": received.outcome, "document": entry})


@router.get("/documents/{uuid:pk}", response=DocumentEntry, summary="Where a document stands", url_name="document")
def document(request: HttpRequest, pk: UUID) -> dict[str, Any]:
    """The state of its newest version, why it failed if it did, and which version answers now."""
    return _entry(row_of(_find(request.user, Action.OPEN, pk)))


@router.delete("/documents/{uuid:pk}", response=Deleted, summary="Delete a document")
def delete_document(request: HttpRequest, pk: UUID, given: Query[Deleting]) -> dict[str, Any]:
    """From now on nothing of it is found or opened. 409 while a legal hold stands."""
    refuse_unknown(request, Deleting)
    found = _find(request.user, Action.MANAGE_DOCUMENTS, pk)
    deleted = library.delete(found, by=request.user, reason=given.reason)
    return {"document_id": pk, "passages": deleted.passages, "erase_after": deleted.deletion.erase_after}


document.required_action = Action.OPEN  # type: ignore[attr-defined]
delete_document.required_action = Action.MANAGE_DOCUMENTS  # type: ignore[attr-defined]


@router.post("/workspaces/{slug:slug}/search", response=Found, summary="Search a workspace")
@in_workspace(Action.OPEN)
def search(request: HttpRequest, slug: str, asked: Search) -> dict[str, Any]:
    """The passages that bear most on the query, among those open to this credential; no model is asked."""
    return retrieval.as_document(
        retrieval.retrieve(request.user, request.workspace, asked.query, asked.k, mode=asked.mode)
    )


def _find(user: User, action: str, pk: UUID) -> Document:
    found: Document = access.find(user, action, Document, pk=pk)
    if found.latest_version_id is None:
        raise Hidden(user=user, workspace=found.workspace_id, action=action, thing=found)
    return found


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
            "hidden_text": findings.hidden_characters(version),
        },
        "answering": current.number if current else None,
        "valid_until": document.valid_until,
        "is_expired": document.is_expired,
        "tags": [tag.name for tag in document.tags.all()],
        "url": reverse("api:document", kwargs={"pk": document.pk}),
    }
