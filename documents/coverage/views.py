"""The page about what a workspace's documents cover, and the same as a table."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from documents.coverage.counts import TRENDS, as_csv, coverage, near_duplicates
from workspaces.decorators import in_workspace
from workspaces.models import Workspace
from workspaces.roles import Action


@require_GET
@in_workspace(Action.MANAGE_DOCUMENTS)
def show_coverage(request: HttpRequest, workspace: Workspace) -> HttpResponse:
    """Figures with the tables behind them."""
    found = coverage(workspace, by=request.user, days=_days(request))
    return render(request, "documents/coverage.html", {"coverage": found, "trends": TRENDS})


@require_GET
@in_workspace(Action.MANAGE_DOCUMENTS)
def show_near_duplicates(request: HttpRequest, workspace: Workspace) -> HttpResponse:
    """Documents that say nearly the same, among those the manager may open."""
    return render(request, "documents/alike.html", {"near": near_duplicates(workspace, by=request.user)})


@require_GET
@in_workspace(Action.MANAGE_DOCUMENTS)
def download_coverage(request: HttpRequest, workspace: Workspace) -> HttpResponse:
    """The figures as a table for other programs."""
    response = HttpResponse(as_csv(workspace, by=request.user, days=_days(request)), content_type="text/csv")
    response.headers["Content-Disposition"] = f'attachment; filename="{workspace.slug}-documents.csv"'
    return response


def _days(request: HttpRequest) -> int:
    asked = request.GET.get("days", "")
    return next((days for days in TRENDS if str(days) == asked), TRENDS[0])
