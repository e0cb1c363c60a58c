"""Precedents for programs: from a text or a document to similar documents, with the passages and why."""

from typing import Any
from uuid import UUID

from django.http import HttpRequest
from ninja import Router
from pydantic import Field

from answers.precedents import finding
from documents.api import Excerpt
from documents.models import Document
from workspaces import access
from workspaces.api import Asked, Told, in_workspace
from workspaces.classification import Classification
from workspaces.roles import Action

router = Router(tags=["Precedents"])


class Sought(Asked):
    text: str = Field(
        "", max_length=finding.MOST_CHARACTERS, description="A description or a text; it is compared and not kept."
    )
    document: UUID | None = Field(None, description="Instead of a text: a document of the workspace.")
    classification: Classification = Field(
        Classification.INTERNAL,
        description="Of the text: a server of the search that may not read this level is sent none of it.",
    )


class Resembling(Excerpt):
    #: What was brought, and what it is called there.
    clause: str
    label: str
    #: 0 to 1: half is nearness in meaning, half the share of the clause's words; `meaning` None: by words alone.
    strength: float
    meaning: float | None
    words: float
    #: Words of the clause that the passage has too.
    terms: list[str]
    #: The place in the portal, for a person's browser.
    url: str


class Precedent(Told):
    document_id: UUID
    title: str
    #: 0 to 1 over all clauses that were compared, and how many of them resemble it.
    score: float
    matched: int
    matches: list[Resembling]


class Precedents(Told):
    #: Clauses that say something, and of these the first, which were compared.
    clauses: int
    compared: int
    #: A part of the index did not answer.
    degraded: bool
    #: The level keeps it from a server of the search: its words were looked for here.
    by_words_alone: bool
    items: list[Precedent]


@router.post("/workspaces/{slug:slug}/precedents", response=Precedents, summary="Find precedents")
@in_workspace(Action.OPEN)
def seek_precedents(request: HttpRequest, slug: str, asked: Sought) -> dict[str, Any]:
    """The documents open to this credential that resemble a text or a document, best first."""
    workspace = request.workspace  # type: ignore[attr-defined]
    document = None
    if asked.document is not None:
        document = access.find(request.user, Action.OPEN, Document, pk=asked.document, workspace=workspace)
    level = asked.classification
    found = finding.find(workspace, asked.text, like=document, by=request.user, classification=level)
    return {
        "clauses": found.clauses,
        "compared": found.compared,
        "degraded": found.is_limited,
        "by_words_alone": found.by_words_alone,
        "items": [
            {
                "document_id": one.document_id,
                "title": one.title,
                "score": one.score,
                "matched": one.matched,
                "matches": [_match(match, slug) for match in one.matches],
            }
            for one in found.precedents
        ],
    }


def _match(match: finding.Match, slug: str) -> dict[str, Any]:
    source = match.source
    return {
        "clause": match.clause,
        "label": match.label,
        "version_id": source.version_id,
        "passage_id": source.passage_id,
        "page": source.page,
        "locator": source.locator,
        "start": source.start,
        "end": source.end,
        "text": source.text,
        "strength": match.strength,
        "meaning": match.meaning,
        "words": match.words,
        "terms": list(match.terms),
        "url": finding.address_of(match, slug),
    }
