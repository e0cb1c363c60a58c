"""The page of a workspace's settings on which its managers say how strictly answers are checked, and by whom."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from answers.checks import settings as checks
from answers.checks.forms import ChecksForm
from answers.evaluation import standing
from workspaces.decorators import in_workspace
from workspaces.exceptions import PortalError
from workspaces.models import Workspace
from workspaces.roles import Action


@require_http_methods(["GET", "POST"])
@in_workspace(Action.MANAGE)
def settings(request: HttpRequest, workspace: Workspace) -> HttpResponse:
    """How sure the documents must be before an answer is written, and the model that judges its sentences."""
    form = ChecksForm(request.POST if request.method == "POST" else None, current=checks.of(workspace))
    if request.method == "POST" and form.is_valid():
        chosen = form.cleaned_data
        try:
            checks.choose(workspace, strictness=chosen["strictness"], judge=chosen["judge"], by=request.user)
        except PortalError as error:
            form.add_error(None, str(error))
        else:
            messages.success(request, _("Saved. It counts for every question from now on."))
            return redirect("answers:checks", slug=workspace.slug)
    context = {"form": form, "withheld": standing.changed_judge(workspace)}
    return render(request, "answers/checks.html", context, status=400 if form.errors else 200)
