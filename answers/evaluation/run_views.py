"""Pages of the runs of question sets, for who manages the workspace."""

from typing import Any
from uuid import UUID

from django.core.paginator import Paginator
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_POST

from answers.evaluation import figures, page, runs
from answers.evaluation.views import PAGE, RECENT, find_set
from answers.models import EvaluationRun, RunState
from audit.events import EventType
from audit.record import record
from workspaces import access
from workspaces.decorators import in_workspace, says_why
from workspaces.models import Workspace
from workspaces.roles import Action


@require_POST
@in_workspace(Action.MANAGE)
@says_why("answers:evaluation")
def start(request: HttpRequest, workspace: Workspace, pk: UUID) -> HttpResponse:
    """Ask the set with what is live now."""
    run = runs.start(find_set(request, workspace, pk), by=request.user)
    return redirect("answers:evaluation_run", slug=workspace.slug, pk=run.pk)


@require_POST
@in_workspace(Action.MANAGE)
@says_why("answers:evaluation")
def stop(request: HttpRequest, workspace: Workspace, pk: UUID) -> HttpResponse:
    """End a run where it is."""
    runs.stop(_find_run(request, workspace, pk), by=request.user)
    return redirect("answers:evaluation_run", slug=workspace.slug, pk=pk)


@require_POST
@in_workspace(Action.MANAGE)
@says_why("answers:evaluation")
def resume(request: HttpRequest, workspace: Workspace, pk: UUID) -> HttpResponse:
    """Go on with a run."""
    runs.resume(_find_run(request, workspace, pk), by=request.user)
    return redirect("answers:evaluation_run", slug=workspace.slug, pk=pk)


@require_POST
@in_workspace(Action.MANAGE)
@says_why("answers:evaluation")
def repeat(request: HttpRequest, workspace: Workspace, pk: UUID) -> HttpResponse:
    """Ask the questions of a run once more, and show it beside the first."""
    again = runs.repeat(_find_run(request, workspace, pk), by=request.user)
    address = reverse("answers:evaluation_run", args=[workspace.slug, again.pk])
    return redirect(f"{address}?against={pk}")


@require_GET
@in_workspace(Action.MANAGE)
def run(request: HttpRequest, workspace: Workspace, pk: UUID) -> HttpResponse:
    """A run: its progress, its figures and its questions, beside another run (`against`) of the same set."""
    found = _find_run(request, workspace, pk)
    context: dict[str, Any] = {
        "run": found,
        "tone": page.tone(found),
        "what_ran": page.what_ran(found),
        "done": found.results.count(),
        "is_own": found.started_by_id == request.user.pk,
    }
    if request.htmx and found.is_open:
        return render(request, "answers/evaluation/_progress.html", context)
    others = EvaluationRun.objects.filter(question_set=found.question_set_id, state=RunState.DONE).exclude(pk=pk)
    others = others.select_related("started_by", "candidate")[:RECENT]
    against = next((one for one in others if str(one.pk) == request.GET.get("against")), None)
    rows = [] if found.is_open else page.rows(found, to=request.user, against=against)
    shown = Paginator(rows, PAGE).get_page(request.GET.get("page"))
    if any(row.text or row.other_text for row in shown):
        with transaction.atomic():
            record(
                EventType.EVALUATION_READ,
                on=found,
                workspace=workspace,
                by=request.user,
                texts=sum(bool(row.text) + bool(row.other_text) for row in shown),
                against=against.pk if against else None,
            )
    both = (list(against.results.all()), list(found.results.all())) if against else None
    context |= {
        "lines": page.lines(found),
        "others": [(one, page.what_ran(one)) for one in others],
        "against": against,
        "against_ran": page.what_ran(against) if against else "",
        "differences": page.difference_lines(figures.differences(*both)) if both else [],
        "page": shown,
        "ran_with": page.ran_with(found),
        "ran_otherwise": page.ran_otherwise(found, against) if against else [],
        "pages_query": f"against={against.pk}&" if against else "",
        "closed": sum(not row.question for row in rows),
    }
    return render(request, "answers/evaluation/run.html", context)


# --- Inside -------------------------------------------------------------------------------------------------


def _find_run(request: HttpRequest, workspace: Workspace, pk: UUID) -> EvaluationRun:
    return access.find(request.user, Action.MANAGE, EvaluationRun, pk=pk, workspace=workspace)
