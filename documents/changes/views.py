"""The page that shows what changed between two versions of a document."""

from uuid import UUID

from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from audit.events import EventType
from audit.record import record
from documents.changes.page import changes_of
from documents.viewer.forms import ChangesForm
from documents.viewer.lookup import document_of, version_of
from documents.viewer.reading import versions_of
from workspaces.decorators import in_workspace
from workspaces.models import Workspace
from workspaces.roles import Action


@require_GET
@in_workspace(Action.OPEN)
def changes(request: HttpRequest, workspace: Workspace, pk: UUID) -> HttpResponse:
    """What changed from `?before=` to `?after=`: by default from the version before the one that answers."""
    document = document_of(request, workspace, pk)
    rows = versions_of(document)
    asked = ChangesForm(request.GET).usable()
    chosen = [version_of(request, document, asked[side]) if asked[side] else None for side in ("before", "after")]
    found = changes_of(document, *chosen, page=asked["page"])
    if found.comparison is not None:
        with transaction.atomic():
            record(
                EventType.VERSIONS_COMPARED,
                on=document,
                workspace=workspace,
                before=found.before.pk,
                before_number=found.before.number,
                after=found.after.pk,
                number=found.after.number,
            )
    return render(request, "documents/changes.html", {"document": document, "changes": found, "versions": rows})
