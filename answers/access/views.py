"""The page on which those who answer for a workspace see who may read one answer and why, never what it says."""

from uuid import UUID

from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from answers import explain
from answers.access import declassification
from answers.models import Answer
from answers.querysets import answers_explained_to
from answers.states import RELEASED
from audit.events import EventType
from audit.record import record
from workspaces import access, narrowing
from workspaces.decorators import in_workspace
from workspaces.exceptions import Forbidden, Hidden, PortalError, ViewerMayNot
from workspaces.models import Workspace
from workspaces.roles import Action

#: More names than a page shows at once.
MOST_PEOPLE = 200
#: Whoever holds one of these is told.
TOLD_TO = (Action.MANAGE_PEOPLE, Action.READ_TRAIL, Action.REVIEW)


@require_GET
@in_workspace(Action.ENTER)
def who(request: HttpRequest, workspace: Workspace, pk: UUID) -> HttpResponse:
    """Who can read the answer, or could once it is released, and who is kept from it although it was given to them."""
    found = _find(request, workspace, pk)
    with transaction.atomic():
        record(EventType.RIGHTS_READ, on=found, workspace=workspace, by=request.user)
    people = explain.who_can_read(found)
    context = {
        "answer": found,
        "label": explain.label_of(found),
        "is_released": found.status in RELEASED,
        "is_known": access.visible(request.user, Answer).filter(pk=found.pk).exists(),
        "people": people[:MOST_PEOPLE],
        "more": max(0, len(people) - MOST_PEOPLE),
        "may_take_back": declassification.in_force(found) is not None
        and declassification.may_take_back(found, request.user),
        "kept": explain.who_is_kept_from(found)[:MOST_PEOPLE],
    }
    return render(request, "answers/who.html", context)


@require_POST
@in_workspace(Action.ENTER)
def take_back(request: HttpRequest, workspace: Workspace, pk: UUID) -> HttpResponse:
    """Close a declassified text again, for reviewers and for who manages people, whatever is open to them."""
    found = _find(request, workspace, pk)
    try:
        declassification.take_back(found, by=request.user)
        messages.success(request, _("Taken back. Only who may open every source reads it now."))
    except PortalError as error:
        messages.error(request, str(error))
    if not answers_explained_to(request.user).filter(pk=pk).exists():
        # A reviewer who knew of it by the declassification alone.
        return redirect("home")
    return redirect("answers:who", slug=workspace.slug, pk=pk)


# --- Inside -------------------------------------------------------------------------------------------------


def _find(request: HttpRequest, workspace: Workspace, pk: UUID) -> Answer:
    """The answer, for whom is told who may read it, and whose look is by somebody who is told too."""
    if not access.reach(request.user, workspace).intersection(TOLD_TO):
        raise Forbidden(user=request.user, workspace=workspace, action=Action.MANAGE_PEOPLE)
    rows = answers_explained_to(request.user).select_related("workspace", "question", "asked_by")
    found = rows.filter(workspace=workspace, pk=pk).first()
    if found is None:
        raise Hidden(user=request.user, workspace=workspace, action=Action.MANAGE_PEOPLE)
    viewer = narrowing.viewer_of(request.user)
    if viewer is not None and not answers_explained_to(viewer).filter(pk=pk).exists():
        raise ViewerMayNot(user=request.user, workspace=workspace, action=Action.MANAGE_PEOPLE, thing=found)
    return found
