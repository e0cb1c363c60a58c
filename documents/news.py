"""Who is told what about documents, sources and deletions. Each function writes notices in the caller's transaction."""

from typing import Any

from django.db.models import QuerySet
from django.urls import reverse

from documents.models import Deletion, Document, LegalHold, RunKind, RunState, Source, SourceRun
from workspaces import access
from workspaces.models import User
from workspaces.notifications import notify
from workspaces.notifications.registry import Kind, describe
from workspaces.roles import Action

#: Failed runs in a row after which somebody is told, once.
FAILURES = 3


def review_due(document: Document) -> None:
    """The day came on which its owner looks through it."""
    _tell_owner(Kind.DOCUMENT_REVIEW, document, day=document.review_on)


def expired(document: Document) -> None:
    """Its last valid day is over."""
    _tell_owner(Kind.DOCUMENT_EXPIRED, document, day=document.valid_until)


def held(hold: LegalHold) -> None:
    """The document was placed under a hold; one on all documents is the manager's matter."""
    if hold.document_id is not None:
        _tell_owner(Kind.HOLD_PLACED, hold.document, by=hold.placed_by)


def run_ended(run: SourceRun) -> None:
    """The run that ended was the third in a row that failed: those who manage documents are told, once."""
    states = run.source.runs.filter(kind=RunKind.SYNC, ended_at__isnull=False).order_by("-ended_at")
    last = list(states.values_list("state", flat=True)[: FAILURES + 1])
    failed = [RunState.FAILED] * FAILURES
    if run.kind != RunKind.SYNC or last[:FAILURES] != failed or last[FAILURES:] == [RunState.FAILED]:
        return
    people = access.people_allowed(run.source.workspace, Action.MANAGE_DOCUMENTS)
    notify(Kind.SOURCE_FAILED, to=people, workspace=run.source.workspace_id, about=run.source)


def deletion_proven(deletion: Deletion) -> None:
    """The receipt was issued: whoever deleted it may take it."""
    if deletion.deleted_by is not None:
        notify(Kind.DELETION_PROVEN, to=[deletion.deleted_by], workspace=deletion.workspace_id, about=deletion)


def _tell_owner(kind: Kind, document: Document, *, by: User | None = None, **facts: Any) -> None:
    owner = document.owner
    if owner is not None:
        notify(kind, to=[owner], workspace=document.workspace_id, about=document, by=by, **facts)


# --- How they are named -------------------------------------------------------------------------------------


def _in_workspace(rows: QuerySet[Any]) -> QuerySet[Any]:
    return rows.select_related("workspace")


def _page(name: str) -> Any:
    return lambda thing: reverse(f"documents:{name}", kwargs={"slug": thing.workspace.slug, "pk": thing.pk})


describe(
    Document, name=lambda document: document.title, address=_page("detail"), name_in_mail=True, prepared=_in_workspace
)
describe(Source, name=lambda source: source.name, address=_page("source"), name_in_mail=True, prepared=_in_workspace)
describe(Deletion, name=lambda deletion: "", address=_page("deletion"), prepared=_in_workspace)
