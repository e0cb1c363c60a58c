"""The first page of fine-tuning, the adviser, flags and rules, for who manages the workspace."""

from uuid import UUID

from django.contrib import messages
from django.db.models import Count, Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from answers.finetuning import assessing, flagging, page, settling
from answers.finetuning.forms import AssessmentForm, RulesForm, SettleForm
from answers.finetuning.sealing import Taken
from answers.models import Assessment, FineTuningJob, TrainingFlag, TrainingSet
from workspaces import access
from workspaces.decorators import in_workspace
from workspaces.exceptions import PortalError
from workspaces.models import Workspace
from workspaces.roles import Action

_RECENT = 20


@require_GET
@in_workspace(Action.MANAGE)
def overview(request: HttpRequest, workspace: Workspace) -> HttpResponse:
    """What is in doubt, and the assessments, sets, jobs and models of the workspace."""
    open_flags = TrainingFlag.objects.filter(training_set__workspace=workspace, settled_at=None)
    flags = list(open_flags.select_related("training_set").order_by("-flagged_at")[:_RECENT])
    sets = TrainingSet.objects.filter(workspace=workspace).select_related("asked_by")
    sets = sets.annotate(
        learnt=Count("examples", filter=Q(examples__dropped_at=None), distinct=True),
        doubts=Count("flags", filter=Q(flags__settled_at=None), distinct=True),
    )
    jobs = FineTuningJob.objects.filter(workspace=workspace).select_related("training_set", "asked_by", "result")
    context = {
        "flags": page.doubts(flags, to=request.user),
        "sets": [(one, page.SET_TONES[one.state]) for one in sets[:_RECENT]],
        "jobs": [
            (one, page.JOB_TONES[one.state], page.MODEL_TONES[one.result.state] if one.result else "")
            for one in jobs[:_RECENT]
        ],
        "assessments": [(one, page.VERDICT_TONES[one.verdict]) for one in assessing.newest_in(workspace)[:_RECENT]],
    }
    context["is_empty"] = not any(context.values())
    return render(request, "answers/finetuning/overview.html", context)


@require_http_methods(["GET", "POST"])
@in_workspace(Action.MANAGE)
def assess(request: HttpRequest, workspace: Workspace) -> HttpResponse:
    """Assess a use case."""
    return _assess(request, workspace, None)


@require_http_methods(["GET", "POST"])
@in_workspace(Action.MANAGE)
def assess_again(request: HttpRequest, workspace: Workspace, pk: UUID) -> HttpResponse:
    """Assess a use case anew, as the next version."""
    return _assess(request, workspace, _find_assessment(request, workspace, pk))


@require_GET
@in_workspace(Action.MANAGE)
def assessment(request: HttpRequest, workspace: Workspace, pk: UUID) -> HttpResponse:
    """The verdict, how each answer weighed, and what would change it."""
    found = _find_assessment(request, workspace, pk)
    advice = assessing.advice_of(found)
    context = {
        "assessment": found,
        "tone": page.VERDICT_TONES[found.verdict],
        "advice": advice,
        "bars": page.bars(advice) if advice else {},
        "versions": assessing.versions_of(found),
    }
    return render(request, "answers/finetuning/assessment.html", context)


@require_GET
@in_workspace(Action.MANAGE)
def take_assessment(request: HttpRequest, workspace: Workspace, pk: UUID, format: str) -> HttpResponse:
    """The assessment as a file."""
    found = _find_assessment(request, workspace, pk)
    try:
        return as_file(assessing.take(found, format, by=request.user))
    except PortalError as error:
        messages.error(request, str(error))
        return redirect("answers:assessment", slug=workspace.slug, pk=pk)


@require_http_methods(["GET", "POST"])
@in_workspace(Action.MANAGE)
def flag(request: HttpRequest, workspace: Workspace, pk: UUID) -> HttpResponse:
    """What a flag puts in doubt, and the decision about it."""
    found = access.find(request.user, Action.MANAGE, TrainingFlag, pk=pk, training_set__workspace=workspace)
    form = SettleForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        try:
            settling.settle(found, **form.cleaned_data, by=request.user)
        except PortalError as error:
            form.add_error(None, str(error))
        else:
            messages.success(request, _("Decided."))
            return redirect("answers:training_set", slug=workspace.slug, pk=found.training_set_id)
    jobs = found.training_set.jobs.select_related("result")
    context = {
        "doubt": page.doubts([found], to=request.user)[0],
        "flag": found,
        "form": form,
        "models": [(one.result, page.MODEL_TONES[one.result.state]) for one in jobs if one.result],
    }
    return render(request, "answers/finetuning/flag.html", context, status=400 if form.errors else 200)


@require_http_methods(["GET", "POST"])
@in_workspace(Action.MANAGE)
def rules(request: HttpRequest, workspace: Workspace) -> HttpResponse:
    """What takes a model out of use by itself."""
    form = RulesForm(
        request.POST if request.method == "POST" else None, initial={"suspends_on": flagging.suspending(workspace)}
    )
    if request.method == "POST" and form.is_valid():
        settling.change_rules(workspace, suspends_on=form.cleaned_data["suspends_on"], by=request.user)
        messages.success(request, _("Saved."))
        return redirect("answers:tuning_rules", slug=workspace.slug)
    return render(request, "answers/finetuning/rules.html", {"form": form}, status=400 if form.errors else 200)


def as_file(taken: Taken) -> HttpResponse:
    """A file as the browser keeps it."""
    response = HttpResponse(taken.content, content_type=taken.content_type)
    response["Content-Disposition"] = f'attachment; filename="{taken.name}"'
    return response


# --- Inside -------------------------------------------------------------------------------------------------


def _find_assessment(request: HttpRequest, workspace: Workspace, pk: UUID) -> Assessment:
    return access.find(request.user, Action.MANAGE, Assessment, pk=pk, workspace=workspace)


def _assess(request: HttpRequest, workspace: Workspace, follows: Assessment | None) -> HttpResponse:
    form = AssessmentForm(request.POST if request.method == "POST" else None, follows=follows)
    if request.method == "POST" and form.is_valid():
        said = form.cleaned_data
        try:
            made = assessing.make(
                workspace,
                name=said["name"],
                note=said["note"],
                choices=form.choices(),
                follows=follows,
                by=request.user,
            )
        except PortalError as error:
            form.add_error(None, str(error))
        else:
            return redirect("answers:assessment", slug=workspace.slug, pk=made.pk)
    context = {"form": form, "follows": follows}
    return render(request, "answers/finetuning/assess.html", context, status=400 if form.errors else 200)
