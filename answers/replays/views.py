"""Pages of a replay: ask for one, watch it come, read the difference."""

from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_POST

from answers.models import Answer
from answers.replays.ask import compared, replay
from workspaces import access
from workspaces.decorators import in_workspace
from workspaces.exceptions import PortalError
from workspaces.models import Workspace
from workspaces.roles import Action


@require_POST
@in_workspace(Action.REVIEW)
def begin(request: HttpRequest, workspace: Workspace, pk: UUID) -> HttpResponse:
    """Have the answer made once more."""
    answer = access.find(request.user, Action.REVIEW, Answer, pk=pk, workspace=workspace)
    try:
        made = replay(answer, by=request.user)
    except PortalError as error:
        messages.error(request, str(error))
        return redirect("answers:provenance", slug=workspace.slug, pk=pk)
    return redirect("answers:replay", slug=workspace.slug, pk=pk, replay=made.pk)


@require_GET
@in_workspace(Action.REVIEW)
def show(request: HttpRequest, workspace: Workspace, pk: UUID, replay: UUID) -> HttpResponse:
    """What the replay came to; htmx asks for its part of the page again while it is under way."""
    answer = access.find(request.user, Action.REVIEW, Answer, pk=pk, workspace=workspace)
    found, pieces = compared(answer, replay, by=request.user)
    context = {"answer": answer, "replay": found, "pieces": pieces}
    return render(request, "answers/_replay.html" if request.htmx else "answers/replay.html", context)
