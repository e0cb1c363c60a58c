"""Where readers say whether an answer helped, and where that is read."""

from uuid import UUID

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from answers.chat import feedback
from answers.models import Answer, FeedbackReason
from workspaces import access
from workspaces.decorators import in_workspace
from workspaces.exceptions import Forbidden, PortalError
from workspaces.models import Workspace
from workspaces.roles import Action

PAGE = 30


@require_POST
@in_workspace(Action.ASK)
def give(request: HttpRequest, workspace: Workspace, pk: UUID) -> HttpResponse:
    """Say whether the answer helped (`helped=yes|no`, `reason`, `words`), or take it back (`act=take_back`)."""
    answer = access.find(request.user, Action.ASK, Answer, pk=pk, workspace=workspace)
    problem = ""
    try:
        if request.POST.get("act") == "take_back":
            feedback.take_back(answer, by=request.user)
        else:
            feedback.give(
                answer,
                helped=request.POST.get("helped") == "yes",
                reason=request.POST.get("reason", ""),
                words=request.POST.get("words", ""),
                by=request.user,
            )
    except PortalError as error:
        problem = str(error)
    if request.htmx:
        context = {"answer": answer, "own": feedback.own(answer, request.user), "reasons": FeedbackReason.choices}
        return render(request, "answers/_feedback.html", context | {"problem": problem, "slug": workspace.slug})
    if problem:
        messages.error(request, problem)
    else:
        messages.success(request, _("Thank you. You can change it or take it back here."))
    return redirect("answers:answer", slug=workspace.slug, pk=pk)


@require_GET
@in_workspace(Action.ASK)
def listing(request: HttpRequest, workspace: Workspace) -> HttpResponse:
    """What readers said of answers whose sources are all open to the person: for who manages documents or reviews."""
    if not feedback.watches(request.user, workspace):
        raise Forbidden(user=request.user, workspace=workspace, action=Action.REVIEW, thing=workspace)
    given = feedback.told_to(request.user, workspace)
    which, reason = request.GET.get("which", ""), request.GET.get("reason", "")
    if which in {"helped", "not"}:
        given = given.filter(helped=which == "helped")
    if reason in FeedbackReason.values:
        given = given.filter(reason=reason)
    rows = given.select_related("answer__question", "given_by").order_by("-given_at")
    context = {
        "page": Paginator(rows, PAGE).get_page(request.GET.get("page")),
        "which": which,
        "reason": reason,
        "reasons": FeedbackReason.choices,
        "may_review": Action.REVIEW in access.reach(request.user, workspace),
        "pages_query": f"which={which}&reason={reason}&" if which or reason else "",
    }
    return render(request, "answers/feedback.html", context)
