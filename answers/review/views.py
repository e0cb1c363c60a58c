"""What a released answer's reviewers and a held answer's asker do in the portal: reopen, take back, reply."""

from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from answers import review
from answers.models import Answer, Clarification
from workspaces import access
from workspaces.decorators import in_workspace
from workspaces.exceptions import Hidden, PortalError
from workspaces.models import Workspace
from workspaces.roles import Action


@require_POST
@in_workspace(Action.ASK)
def reply(request: HttpRequest, workspace: Workspace, pk: UUID, question: UUID) -> HttpResponse:
    """The asker's reply to one question of a reviewer."""
    answer = access.find(request.user, Action.ASK, Answer, pk=pk, workspace=workspace)
    asked = Clarification.objects.filter(review__draft__answer=answer, pk=question).first()
    if asked is None:
        raise Hidden(user=request.user, workspace=workspace, action=Action.ASK, thing=answer)
    try:
        review.reply(asked, text=request.POST.get("text", ""), by=request.user)
    except PortalError as error:
        messages.error(request, str(error))
    else:
        messages.success(request, _("Your reply is with the reviewer."))
    return redirect("answers:answer", slug=workspace.slug, pk=pk)


@require_POST
@in_workspace(Action.REVIEW)
def reopen(request: HttpRequest, workspace: Workspace, pk: UUID) -> HttpResponse:
    """Put a released answer back under review, or take it back (`act=take_back`); the reason is needed."""
    answer = access.find(request.user, Action.REVIEW, Answer, pk=pk, workspace=workspace)
    take_back = request.POST.get("act") == "take_back"
    act = review.take_back if take_back else review.reopen
    try:
        act(answer, by=request.user, reason=request.POST.get("reason", ""))
    except PortalError as error:
        messages.error(request, str(error))
    else:
        closed, taken = _("Under review again, and closed meanwhile."), _("Taken back. Nobody reads it any more.")
        messages.success(request, taken if take_back else closed)
    return redirect("answers:answer", slug=workspace.slug, pk=pk)
