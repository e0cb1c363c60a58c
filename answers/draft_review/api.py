"""Draft review for programs: bring a draft as text, and read what was found in it once it is released."""

from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from ninja import Router, Status
from pydantic import Field

from answers import endpoints
from answers.draft_review import told
from answers.draft_review.bringing import MAX_TITLE, MOST_CHARACTERS, bring, read_text
from answers.models import Examination
from workspaces import access
from workspaces.api import Asked, Told, in_workspace
from workspaces.classification import Classification
from workspaces.roles import Action

router = Router(tags=["Draft review"])


class NewDraft(Asked):
    text: str = Field(max_length=MOST_CHARACTERS)
    title: str = Field("", max_length=MAX_TITLE)
    classification: Classification = Field(
        Classification.INTERNAL, description="No model or server of the search below this level is given any of it."
    )
    model: str = Field("", max_length=100, description="The name of a model the workspace offers; empty: its default.")


class ExaminedBy(Told):
    code: str
    number: int


class FoundIn(Told):
    n: int
    #: blocker, major, minor or style.
    severity: str
    category: str
    #: Where its words stand in the text that was brought.
    start: int
    end: int
    words: str
    explanation: str
    suggestion: str
    by_model: bool
    #: What it rests on, and the exact words of that; none and empty for what the draft says against itself.
    document: UUID | None
    title: str
    quote: str
    #: open, accepted or rejected: people decide, on the page.
    decision: str


class ExaminedDraft(Told):
    examination_id: UUID
    title: str
    #: waiting, working, held, released, rejected, refused, failed or erased.
    state: str
    sentence: str
    classification: str
    model: str
    #: The workspace's template that it was examined by; none where it has none for this.
    template: ExaminedBy | None
    text_sha256: str
    findings_sha256: str
    clauses_without_model: int
    claims_left_out: int
    #: Empty until they are released, and without those that rest on what is not open to this credential.
    findings: list[FoundIn]
    #: The place in the portal, for a person's browser.
    page: str


@router.post("/workspaces/{slug:slug}/examinations", response={202: ExaminedDraft}, summary="Have a draft examined")
@in_workspace(Action.ASK)
def bring_draft(request: HttpRequest, slug: str, asked: NewDraft, response: HttpResponse) -> Any:
    """Take a draft in; read later what was found. It stays the person's own."""
    workspace = request.workspace  # type: ignore[attr-defined]
    made = bring(
        workspace,
        read_text(asked.title, asked.text),
        by=request.user,
        classification=asked.classification,
        endpoint=endpoints.named(asked.model, workspace) if asked.model else None,
    )
    response["Location"] = reverse("api:examination", kwargs={"pk": made.pk})
    return Status(202, told.as_document(made, by=request.user))


@router.get("/examinations/{uuid:pk}", response=ExaminedDraft, summary="Read an examined draft", url_name="examination")
def examined(request: HttpRequest, pk: UUID) -> dict[str, Any]:
    """Where one's own draft stands, and what was found in it once that is released."""
    found: Examination = access.find(request.user, Action.ASK, Examination, pk=pk)
    return told.as_document(found, by=request.user)


examined.required_action = Action.ASK  # type: ignore[attr-defined]
