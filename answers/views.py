"""Pages of questions and answers: ask, watch the answer come, open what it stands on."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from answers import endpoints, questions
from answers.access import sharing
from answers.chat import threads
from answers.chat.cards import Card
from answers.models import Answer
from answers.sse import event_stream
from workspaces import access
from workspaces.decorators import in_workspace
from workspaces.exceptions import Hidden, PortalError
from workspaces.models import User, Workspace
from workspaces.roles import Action


@require_GET
@in_workspace(Action.ASK)
def answer(request: HttpRequest, workspace: Workspace, pk: UUID) -> HttpResponse:
    """One answer with its question, at an address that can be kept."""
    found = _find(request, workspace, pk)
    turn = threads.turn_of(found, by=request.user)
    turn.may_edit = False
    context = {"turn": turn, "card": turn.card, "shares": _shares(request, found)}
    return render(request, "answers/answer.html", context)


@require_POST
@in_workspace(Action.ASK)
def share(request: HttpRequest, workspace: Workspace, pk: UUID) -> HttpResponse:
    """Share the answer with the person sent, or take it back from them (`act=unshare`)."""
    found = _find(request, workspace, pk)
    person = User.objects.filter(pk__in=_uuids(request.POST.get("person", ""))).first()
    # Whoever is no part of the workspace, and whoever is nobody, are the same to the sender.
    if person is None or not access.allows(person, Action.ENTER, workspace):
        raise Hidden(user=request.user, workspace=workspace, action=Action.ASK, thing=found)
    try:
        if request.POST.get("act") == "unshare":
            sharing.unshare(found, person=person, by=request.user)
            messages.success(request, _("%(name)s does not have this answer any more.") % {"name": person.name})
        else:
            sharing.share(found, to=person, by=request.user)
            messages.success(request, _("Shared with %(name)s.") % {"name": person.name})
    except PortalError as error:
        messages.error(request, str(error))
    return redirect("answers:answer", slug=workspace.slug, pk=pk)


@require_GET
@in_workspace(Action.ASK)
def card(request: HttpRequest, workspace: Workspace, pk: UUID) -> HttpResponse:
    """The answer's card alone; the page asks for it when something was decided."""
    found = _find(request, workspace, pk)
    if request.GET.get("shown") == found.status:
        return HttpResponse(status=204)  # nothing new: the page keeps the card it has
    return render(request, "answers/_card.html", {"card": Card(found, by=request.user)})


@require_GET
@in_workspace(Action.ASK)
def events(request: HttpRequest, workspace: Workspace, pk: UUID) -> HttpResponseBase:
    """What happens to one's own answer, as server-sent events; resumes behind the last event the browser saw."""
    return event_stream(request, _find(request, workspace, pk))


@require_POST
@in_workspace(Action.ASK)
def stop(request: HttpRequest, workspace: Workspace, pk: UUID) -> HttpResponse:
    found = _find(request, workspace, pk)
    try:
        questions.stop(found, by=request.user)
    except PortalError as error:
        messages.info(request, str(error))
    return _after_act(request, found)


@require_POST
@in_workspace(Action.ASK)
def again(request: HttpRequest, workspace: Workspace, pk: UUID) -> HttpResponse:
    """Ask the same question once more, of the model that is sent; the new answer takes the place of the old card."""
    found = _find(request, workspace, pk)
    try:
        endpoint = endpoints.named(request.POST.get("model", ""), workspace)
        found = questions.ask_again(found, by=request.user, endpoint=endpoint)
    except PortalError as error:
        messages.error(request, str(error))
    return _after_act(request, found)


# --- Inside -------------------------------------------------------------------------------------------------


def _find(request: HttpRequest, workspace: Workspace, pk: UUID) -> Answer:
    return access.find(request.user, Action.ASK, Answer, pk=pk, workspace=workspace)


def _shares(request: HttpRequest, found: Answer) -> dict[str, Any] | None:
    """Whom the answer is shared with and could be, for those who may share it."""
    if not sharing.may_share(found, request.user):
        return None
    people = [(one, sharing.reads(one, found)) for one in sharing.shared_with(found)]
    return {"people": people, "candidates": sharing.people_to_share(found).exclude(pk=request.user.pk)}


def _uuids(text: str) -> list[UUID]:
    try:
        return [UUID(text)]
    except ValueError:
        return []


def _after_act(request: HttpRequest, found: Answer) -> HttpResponse:
    if request.htmx:
        return render(request, "answers/_card.html", {"card": Card(found, by=request.user)})
    return redirect("answers:answer", slug=found.workspace.slug, pk=found.pk)
