"""The page of a workspace's settings on which its managers say how long reviewers have."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from answers.queue import due
from workspaces.decorators import in_workspace
from workspaces.exceptions import PortalError
from workspaces.models import Workspace
from workspaces.roles import Action


@require_http_methods(["GET", "POST"])
@in_workspace(Action.MANAGE)
def review_time(request: HttpRequest, workspace: Workspace) -> HttpResponse:
    """Hours from the moment an answer is held until its draft is due, and hours before that to remind."""
    (hours, remind_hours), error = map(str, due.times_of(workspace.pk)), ""
    if request.method == "POST":
        hours, remind_hours = (request.POST.get(name, "").strip() for name in ("hours", "remind_hours"))
        try:
            given = {"hours": _hours_in(hours), "remind_hours": _hours_in(remind_hours)}
            due.give_time(workspace, **given, by=request.user)
        except PortalError as refused:
            error = str(refused)
        else:
            messages.success(request, _("Saved. It counts for every answer that is held from now on."))
            return redirect("answers:review_time", slug=workspace.slug)
    context = {"hours": hours, "remind_hours": remind_hours, "error": error}
    return render(request, "answers/review_time.html", context, status=400 if error else 200)


def _hours_in(written: str) -> int:
    """-1 for what is no number, which is refused as one out of range is."""
    return int(written) if written.isascii() and written.isdecimal() and len(written) < 8 else -1
