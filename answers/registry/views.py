"""The page of a workspace's settings on which its managers choose the models that answer there."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from answers import endpoints
from answers.forms import ModelsForm
from workspaces.decorators import in_workspace
from workspaces.exceptions import PortalError
from workspaces.models import Workspace
from workspaces.roles import Action


@require_http_methods(["GET", "POST"])
@in_workspace(Action.MANAGE)
def models(request: HttpRequest, workspace: Workspace) -> HttpResponse:
    """The model that answers unless a person chooses another, those they may choose, and what puts finds in order."""
    form = ModelsForm(request.POST if request.method == "POST" else None, workspace=workspace)
    if request.method == "POST" and form.is_valid():
        chosen = form.cleaned_data
        try:
            endpoints.choose_models(
                workspace,
                default=chosen["default"],
                choices=chosen["choices"],
                reranker=chosen["reranker"],
                by=request.user,
            )
        except PortalError as error:
            form.add_error(None, str(error))
        else:
            messages.success(request, _("Saved."))
            return redirect("answers:models", slug=workspace.slug)
    context = {"form": form, "endpoints": form.offered}
    return render(request, "answers/models.html", context, status=400 if form.errors else 200)
