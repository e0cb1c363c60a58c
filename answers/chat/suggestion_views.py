"""The page of a workspace's settings on which its managers write the questions that are suggested."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from answers.chat import suggestions
from workspaces.decorators import in_workspace
from workspaces.exceptions import PortalError
from workspaces.models import Workspace
from workspaces.roles import Action


@require_http_methods(["GET", "POST"])
@in_workspace(Action.MANAGE)
def suggested(request: HttpRequest, workspace: Workspace) -> HttpResponse:
    """Up to eight questions, one a line."""
    text, error = "\n".join(suggestions.written_for(workspace)), ""
    if request.method == "POST":
        text = request.POST.get("questions", "")
        try:
            suggestions.save(workspace, texts=text.splitlines(), by=request.user)
        except PortalError as refused:
            error = str(refused)
        else:
            messages.success(request, _("Saved."))
            return redirect("answers:suggestions", slug=workspace.slug)
    topics = suggestions.topics(request.user, workspace)
    context = {"text": text, "error": error, "most": suggestions.MOST, "topics": topics}
    return render(request, "answers/suggestions.html", context, status=400 if error else 200)
