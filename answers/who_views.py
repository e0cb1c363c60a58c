"""The page on which those who answer for a workspace see who may read one answer and why, never what it says."""

from uuid import UUID

from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from answers import explain
from answers.models import Answer
from answers.querysets import answers_explained_to
from answers.states import RELEASED
from audit.events import EventType
from audit.record import record
from workspaces import access
from workspaces.decorators import in_workspace
from workspaces.exceptions import Forbidden, Hidden
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
    if not access.reach(request.user, workspace).intersection(TOLD_TO):
        raise Forbidden(user=request.user, workspace=workspace, action=Action.MANAGE_PEOPLE)
    rows = answers_explained_to(request.user).select_related("workspace", "question", "asked_by")
    found = rows.filter(workspace=workspace, pk=pk).first()
    if found is None:
        raise Hidden(user=request.user, workspace=workspace, action=Action.MANAGE_PEOPLE)
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
        "kept": explain.who_is_kept_from(found)[:MOST_PEOPLE],
    }
    return render(request, "answers/who.html", context)
