"""The receipt of an answer as a file to keep."""

from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_POST

from answers.exceptions import ReceiptError
from answers.models import Answer
from answers.provenance import receipts
from workspaces import access
from workspaces.decorators import in_workspace
from workspaces.models import Workspace
from workspaces.roles import Action


@require_POST
@in_workspace(Action.ASK)
def receipt(request: HttpRequest, workspace: Workspace, pk: UUID) -> HttpResponse:
    """Sign a receipt of one answer and hand it out; a POST, because it is an act that the trail keeps."""
    answer = access.find(request.user, Action.ASK, Answer, pk=pk, workspace=workspace)
    try:
        document = receipts.issue(answer, by=request.user)
    except ReceiptError as error:
        messages.error(request, str(error))
        return redirect("answers:provenance", slug=workspace.slug, pk=pk)
    response = HttpResponse(document, content_type="application/json")
    response["Content-Disposition"] = f'attachment; filename="receipt-{pk}.json"'
    response["X-Content-Type-Options"] = "nosniff"
    return response
