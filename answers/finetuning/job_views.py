"""Jobs at a provider on their page: how far they are, what the provider tells, and how they are ended."""

from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from answers.finetuning import flagging, jobs, page, tidying
from answers.finetuning.forms import CompareForm
from answers.models import OPEN_JOBS, FineTuningJob, JobState
from workspaces import access
from workspaces.decorators import in_workspace
from workspaces.endpoints.base import EndpointState
from workspaces.exceptions import PortalError
from workspaces.models import Workspace
from workspaces.roles import Action

_MOST_EVENTS = 100
_RECENT = 10


@require_GET
@in_workspace(Action.MANAGE)
def show(request: HttpRequest, workspace: Workspace, pk: UUID) -> HttpResponse:
    """A job with what the provider told of it; htmx asks again while it is under way."""
    found = _find(request, workspace, pk)
    result = found.result
    context = {
        "job": found,
        "tone": page.JOB_TONES[JobState(found.state)],
        "is_open": found.state in OPEN_JOBS,
        "files_told": page.files_of(found),
        "events": found.events.order_by("-at", "-remote_id")[:_MOST_EVENTS],
        "model_tone": page.MODEL_TONES[EndpointState(result.state)] if result else "",
        "comparisons": found.comparisons.select_related("question_set", "asked_by")[:_RECENT] if result else (),
        "compare": CompareForm(workspace=workspace) if result and result.state != EndpointState.RETIRED else None,
        "model_told": page.model_of(found),
        "may_forget": tidying.may_forget(found),
        "objection": flagging.objection(result) if result else "",
    }
    part = "answers/finetuning/_job.html" if request.htmx else "answers/finetuning/job.html"
    return render(request, part, context)


@require_POST
@in_workspace(Action.MANAGE)
def cancel(request: HttpRequest, workspace: Workspace, pk: UUID) -> HttpResponse:
    """Have the job ended."""
    try:
        jobs.cancel(_find(request, workspace, pk), by=request.user)
    except PortalError as error:
        messages.error(request, str(error))
    else:
        messages.success(request, _("It is to be ended. The provider decides whether that comes in time."))
    return redirect("answers:tuning_job", slug=workspace.slug, pk=pk)


@require_POST
@in_workspace(Action.MANAGE)
def forget_model(request: HttpRequest, workspace: Workspace, pk: UUID) -> HttpResponse:
    """Have the provider delete the model."""
    try:
        tidying.forget_model(_find(request, workspace, pk), by=request.user)
    except PortalError as error:
        messages.error(request, str(error))
    else:
        messages.success(request, _("The provider is told to delete it. This page says when it is gone."))
    return redirect("answers:tuning_job", slug=workspace.slug, pk=pk)


# --- Inside -------------------------------------------------------------------------------------------------


def _find(request: HttpRequest, workspace: Workspace, pk: UUID) -> FineTuningJob:
    return access.find(request.user, Action.MANAGE, FineTuningJob, pk=pk, workspace=workspace)
