"""The page on which a workspace's managers change its embedding model."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseBadRequest
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop
from django.views.decorators.http import require_GET, require_POST

from documents.embedding.spaces import space_of
from documents.models import SpaceMigration
from documents.reembedding import steering
from documents.reembedding.page import ACTS, Compared, Way
from workspaces import access
from workspaces.decorators import in_workspace
from workspaces.exceptions import PortalError
from workspaces.models import Workspace
from workspaces.roles import Action

COMPARISONS_SHOWN = 5
EARLIER_SHOWN = 10
_SAID = {
    "start": gettext_noop("The vectors are made in the background. Questions are answered as before."),
    "pause": gettext_noop("Paused. What is made stays."),
    "cancel": gettext_noop("Given up. The vectors made so far are kept for another try."),
    "switch": gettext_noop("Switched. From now on questions are searched with the new model."),
    "roll_back": gettext_noop("Rolled back. Questions are searched as before."),
    "drop": gettext_noop("The unused vectors are being removed."),
}


@require_GET
@in_workspace(Action.MANAGE)
def show_embedding(request: HttpRequest, workspace: Workspace) -> HttpResponse:
    """The model the workspace is searched with, and its way to another one."""
    return render(request, "documents/embedding/page.html", _context(request, workspace))


@require_GET
@in_workspace(Action.MANAGE)
def embedding_progress(request: HttpRequest, workspace: Workspace) -> HttpResponse:
    """The part that changes by itself, for htmx; once nothing is on its way, the page is told to load again."""
    context = _context(request, workspace)
    response = render(request, "documents/embedding/_state.html", context)
    if not context["moving"]:
        response.headers["HX-Refresh"] = "true"
    return response


@require_POST
@in_workspace(Action.MANAGE)
def plan_embedding(request: HttpRequest, workspace: Workspace) -> HttpResponse:
    """Estimate a change to the model called `to`."""
    try:
        steering.plan(workspace, to=request.POST.get("to", ""), by=request.user)
    except PortalError as error:
        messages.error(request, str(error))
    return redirect("documents:embedding", slug=workspace.slug)


@require_POST
@in_workspace(Action.MANAGE)
def steer_embedding(request: HttpRequest, workspace: Workspace, pk: UUID) -> HttpResponse:
    """Start, pause, give up, switch, roll back or drop, as `act` says."""
    migration = _find(request, workspace, pk)
    act = request.POST.get("act", "")
    if act not in ACTS:
        return HttpResponseBadRequest(_("There is no such act."))
    try:
        getattr(steering, act)(migration, by=request.user)
    except PortalError as error:
        messages.error(request, str(error))
    else:
        messages.success(request, _(_SAID[act]))
    return redirect("documents:embedding", slug=workspace.slug)


@require_POST
@in_workspace(Action.MANAGE)
def compare_embedding(request: HttpRequest, workspace: Workspace, pk: UUID) -> HttpResponse:
    """Compare on questions asked here, or on the `questions` that somebody wrote."""
    migration = _find(request, workspace, pk)
    try:
        steering.compare(migration, by=request.user, written=request.POST.get("questions", ""))
    except PortalError as error:
        messages.error(request, str(error))
    return redirect("documents:embedding", slug=workspace.slug)


# --- Inside -------------------------------------------------------------------------------------------------


def _find(request: HttpRequest, workspace: Workspace, pk: UUID) -> SpaceMigration:
    return access.find(request.user, Action.MANAGE, SpaceMigration, pk=pk, workspace=workspace)


def _context(request: HttpRequest, workspace: Workspace) -> dict[str, Any]:
    rows = access.visible(request.user, SpaceMigration).filter(workspace=workspace)
    rows = rows.select_related("workspace", "source__endpoint", "target__endpoint", "ended_by")
    current = steering.current(workspace)
    way = Way(current) if current else None
    comparisons = [
        Compared(one, request.user)
        for one in (current.comparisons.select_related("asked_by")[:COMPARISONS_SHOWN] if current else ())
    ]
    return {
        "searched": space_of(workspace.pk),
        "way": way,
        "choices": [] if current else steering.choices(workspace),
        "comparisons": comparisons,
        "comparing": any(one.working for one in comparisons),
        "moving": bool(way and way.working) or any(one.working for one in comparisons),
        "earlier": [Way(one) for one in rows.exclude(pk=current.pk if current else None)[:EARLIER_SHOWN]],
    }
