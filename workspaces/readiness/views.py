"""The pages of readiness: where the workspace stands, a run as it goes on, and the report to print and to take away."""

from uuid import UUID

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from workspaces.decorators import in_workspace
from workspaces.exceptions import Hidden, PortalError
from workspaces.models import OPEN_READINESS, Phase, ReadinessRun, ReadinessState, Rhythm, Workspace
from workspaces.readiness import asking, pdf, phases, reading, report, scoring
from workspaces.roles import Action


@require_GET
@in_workspace(Action.ENTER)
def overview(request: HttpRequest, workspace: Workspace) -> HttpResponse:
    """The phase, the last verdict, and those before it. For those who may read the reports."""
    reading.require(request.user, workspace)
    history, standing = reading.history(workspace), phases.standing(workspace)
    context = {
        "standing": standing,
        "phases": [(one.value, one.label) for one in standing.next_phases],
        "history": history,
        "trend": reading.trend(history),
        "under_way": ReadinessRun.objects.filter(workspace=workspace, state__in=OPEN_READINESS).first(),
        "rhythms": Rhythm.choices,
    }
    return render(request, "workspaces/readiness/overview.html", context)


@require_POST
@in_workspace(Action.MANAGE)
def check(request: HttpRequest, workspace: Workspace) -> HttpResponse:
    try:
        run = asking.check(workspace, by=request.user)
    except PortalError as error:
        messages.error(request, str(error))
        return redirect("workspaces:readiness", slug=workspace.slug)
    return redirect("workspaces:readiness_run", slug=workspace.slug, pk=run.pk)


@require_POST
@in_workspace(Action.MANAGE)
def move(request: HttpRequest, workspace: Workspace) -> HttpResponse:
    """Into pilot, live, or back."""
    try:
        settings = phases.move(workspace, request.POST.get("phase", ""), by=request.user)
    except PortalError as error:
        messages.error(request, str(error))
    else:
        messages.success(request, _("This workspace: %(phase)s.") % {"phase": Phase(settings.phase).label})
    return redirect("workspaces:readiness", slug=workspace.slug)


@require_POST
@in_workspace(Action.MANAGE)
def watch(request: HttpRequest, workspace: Workspace) -> HttpResponse:
    """How often readiness is checked by itself, and how long a go counts."""
    days = request.POST.get("valid_days", "")
    try:
        phases.watch(
            workspace,
            rhythm=request.POST.get("rhythm", ""),
            valid_days=int(days) if days.isascii() and days.isdecimal() and len(days) < 5 else 0,
            by=request.user,
        )
    except PortalError as error:
        messages.error(request, str(error))
    else:
        messages.success(request, _("Saved."))
    return redirect("workspaces:readiness", slug=workspace.slug)


@require_GET
@in_workspace(Action.ENTER)
def run(request: HttpRequest, workspace: Workspace, pk: UUID) -> HttpResponse:
    """One run, what it found so far, and what changed since the one before; to be printed as it is."""
    reading.require(request.user, workspace)
    found = _find(request, workspace, pk)
    sections = reading.sections(found, reader=request.user)
    better, worse = reading.changed(sections)
    results = [line.result for section in sections for line in section.lines]
    context = {
        "run": found,
        "sections": sections,
        "to_do": reading.to_do(sections),
        "better": better,
        "worse": worse,
        "before": reading.before(found),
        "counts": scoring.counts(results),
        "made": len(results),
    }
    name = "_run.html" if request.headers.get("HX-Request") else "run.html"
    return render(request, f"workspaces/readiness/{name}", context)


@require_POST
@in_workspace(Action.ENTER)
def take(request: HttpRequest, workspace: Workspace, pk: UUID) -> HttpResponse:
    """The signed report as a file; a POST, because it is an act that the trail keeps."""
    found = _find(request, workspace, pk)
    try:
        document = report.take(found, by=request.user)
    except PortalError as error:
        messages.error(request, str(error))
        return redirect("workspaces:readiness_run", slug=workspace.slug, pk=pk)
    response = HttpResponse(document, content_type="application/json")
    response["Content-Disposition"] = f'attachment; filename="readiness-{workspace.slug}-{pk}.json"'
    return response


@require_GET
@in_workspace(Action.ENTER)
def as_pdf(request: HttpRequest, workspace: Workspace, pk: UUID) -> HttpResponse:
    """The report to read and to hand on."""
    reading.require(request.user, workspace)
    found = _find(request, workspace, pk)
    if found.state != ReadinessState.DONE:
        messages.error(request, _("This check is not done yet."))
        return redirect("workspaces:readiness_run", slug=workspace.slug, pk=pk)
    response = HttpResponse(
        pdf.write(found, reading.sections(found, reader=request.user)), content_type="application/pdf"
    )
    response["Content-Disposition"] = f'attachment; filename="readiness-{workspace.slug}.pdf"'
    return response


def _find(request: HttpRequest, workspace: Workspace, pk: UUID) -> ReadinessRun:
    """An id from the address counts only if that run is of this workspace."""
    try:
        return ReadinessRun.objects.select_related("workspace", "asked_by").get(workspace=workspace, pk=pk)
    except (ReadinessRun.DoesNotExist, ValidationError) as error:
        raise Hidden(user=request.user, workspace=workspace, action=Action.ENTER) from error
