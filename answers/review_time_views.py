"""The page of a workspace's settings on which its managers say how long reviewers have."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from answers import due, queue
from workspaces.decorators import in_workspace
from workspaces.exceptions import PortalError
from workspaces.models import Workspace
from workspaces.roles import Action


@require_http_methods(["GET", "POST"])
@in_workspace(Action.MANAGE)
def review_time(request: HttpRequest, workspace: Workspace) -> HttpResponse:
    """Hours from the moment an answer is held until its draft is due."""
    hours, error = str(due.hours_of(workspace.pk)), ""
    if request.method == "POST":
        hours = request.POST.get("hours", "").strip()
        try:
            given = int(hours) if hours.isascii() and hours.isdecimal() and len(hours) < 8 else -1
            queue.give_time(workspace, hours=given, by=request.user)
        except PortalError as refused:
            error = str(refused)
        else:
            messages.success(request, _("Saved. It counts for every answer that is held from now on."))
            return redirect("answers:review_time", slug=workspace.slug)
    context = {"hours": hours, "error": error}
    return render(request, "answers/review_time.html", context, status=400 if error else 200)
