"""Comparisons of trained models on their pages."""

from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from answers.finetuning import comparing, side_by_side
from answers.finetuning.forms import CompareForm
from answers.models import FineTuningJob, TuningComparison
from workspaces import access
from workspaces.decorators import in_workspace
from workspaces.exceptions import PortalError
from workspaces.models import Workspace
from workspaces.roles import Action


@require_POST
@in_workspace(Action.MANAGE)
def start(request: HttpRequest, workspace: Workspace, pk: UUID) -> HttpResponse:
    """Have the model of a training compared on a question set (`question_set`)."""
    job = access.find(request.user, Action.MANAGE, FineTuningJob, pk=pk, workspace=workspace)
    form = CompareForm(request.POST, workspace=workspace)
    try:
        if not form.is_valid():
            messages.error(request, _("Choose a question set."))
            return redirect("answers:tuning_job", slug=workspace.slug, pk=pk)
        made = comparing.start(job, form.cleaned_data["question_set"], by=request.user)
    except PortalError as error:
        messages.error(request, str(error))
        return redirect("answers:tuning_job", slug=workspace.slug, pk=pk)
    return redirect("answers:tuning_comparison", slug=workspace.slug, pk=made.pk)


@require_GET
@in_workspace(Action.MANAGE)
def show(request: HttpRequest, workspace: Workspace, pk: UUID) -> HttpResponse:
    """Three sides of one question set, in figures and bars; no words of questions or answers."""
    rows = TuningComparison.objects.select_related("job__result", "question_set", "retrieval_run", "hybrid_run")
    found = access.find(request.user, Action.MANAGE, TuningComparison, pk=pk, workspace=workspace)
    found = rows.get(pk=found.pk)
    sides = side_by_side.sides(found)
    context = {
        "comparison": found,
        "sides": sides,
        "is_open": side_by_side.is_under_way(found),
        "rows": side_by_side.rows(sides),
        "differences": side_by_side.differences(sides),
    }
    part = "answers/finetuning/_comparison.html" if request.htmx else "answers/finetuning/comparison.html"
    return render(request, part, context)
