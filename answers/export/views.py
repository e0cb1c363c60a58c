"""An answer as a file to keep."""

from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_GET

from answers.exceptions import ExportError
from answers.export.naming import as_file
from answers.export.take import FORMATS, take
from answers.models import Answer
from workspaces import access
from workspaces.decorators import in_workspace
from workspaces.models import Workspace
from workspaces.roles import Action


@require_GET
@in_workspace(Action.ASK)
def export(request: HttpRequest, workspace: Workspace, pk: UUID, format: str) -> HttpResponse:
    """The answer as Markdown, PDF or DOCX."""
    answer = access.find(request.user, Action.ASK, Answer, pk=pk, workspace=workspace)
    if format not in FORMATS:
        raise Http404
    try:
        file = take(answer, format=format, by=request.user, at=request.build_absolute_uri)
    except ExportError as error:
        messages.error(request, str(error))
        return redirect("answers:answer", slug=workspace.slug, pk=pk)
    response = as_file(HttpResponse(file.content, content_type=file.content_type), file.name)
    response["Cache-Control"] = "no-store"
    return response
