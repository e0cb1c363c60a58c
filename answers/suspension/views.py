"""The pages on which reviewers look at suspended answers again: the list, and one with old and new side by side."""

from uuid import UUID

from django.contrib import messages
from django.core.paginator import Paginator
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from answers.citations.marks import numbers
from answers.citations.quotes import quotes_now
from answers.models import Answer
from answers.querysets import sources_open
from answers.reading import place_of
from answers.states import AnswerStatus
from answers.suspension import confirming, suspended
from audit.events import EventType
from audit.record import record
from workspaces import access
from workspaces.decorators import in_workspace
from workspaces.exceptions import PortalError
from workspaces.models import Workspace
from workspaces.roles import Action

_PER_PAGE = 30


@require_GET
@in_workspace(Action.REVIEW)
def listing(request: HttpRequest, workspace: Workspace) -> HttpResponse:
    """The suspended answers of the workspace whose sources are open to the reviewer, the newest first."""
    known = access.visible(request.user, Answer).filter(workspace=workspace, status=AnswerStatus.SUSPENDED)
    rows = known.exclude(asked_by=request.user).select_related("question", "asked_by").order_by("-created_at")
    page = Paginator(rows, _PER_PAGE).get_page(request.GET.get("page"))
    why = suspended.sentences_for(page, to=request.user)
    listed = [(answer, why.get(answer.pk, [])) for answer in page]
    return render(request, "answers/suspended.html", {"page": page, "rows": listed})


@require_GET
@in_workspace(Action.REVIEW)
def standing(request: HttpRequest, workspace: Workspace, pk: UUID) -> HttpResponse:
    """Each quote as it was and as it stands today, and what may be done."""
    answer = _find(request, workspace, pk)
    is_suspended = answer.status == AnswerStatus.SUSPENDED
    may_look = answer.asked_by_id != request.user.pk and sources_open(request.user, answer)
    is_open = is_suspended and may_look
    quotes = quotes_now(answer, numbers(answer.released_text), compared=True) if is_open else []
    if is_open:
        _note(request, answer)
    context = {
        "answer": answer,
        "is_open": is_open,
        "is_suspended": is_suspended,
        "why": suspended.sentences_for([answer], to=request.user).get(answer.pk, []),
        "closings": [one.pk for one in suspended.standing_of(answer)] if is_open else [],
        "quotes": [(quote, place_of(quote.citation, workspace.slug)) for quote in quotes],
        "refusal": confirming.refusal(answer, request.user) if is_open else None,
        # A reason may repeat what a source says.
        "confirmations": answer.confirmations.select_related("confirmed_by") if may_look else (),
    }
    return render(request, "answers/standing.html", context)


@require_POST
@in_workspace(Action.REVIEW)
def confirm(request: HttpRequest, workspace: Workspace, pk: UUID) -> HttpResponse:
    """It stands word for word: open it again."""
    answer = _find(request, workspace, pk)
    seen, reason = request.POST.get("seen_sha256", ""), request.POST.get("reason", "")
    closings = request.POST.getlist("closing")
    try:
        confirming.confirm(answer, by=request.user, seen_sha256=seen, seen_closings=closings, reason=reason)
    except PortalError as error:
        messages.error(request, str(error))
        return redirect("answers:standing", slug=workspace.slug, pk=answer.pk)
    messages.success(request, _("Confirmed. The answer stands again, and its asker is told."))
    return redirect("answers:suspended", slug=workspace.slug)


@require_POST
@in_workspace(Action.REVIEW)
def send_back(request: HttpRequest, workspace: Workspace, pk: UUID) -> HttpResponse:
    """It does not stand as it is: put it under review again."""
    answer = _find(request, workspace, pk)
    try:
        draft = confirming.send_back(answer, by=request.user, reason=request.POST.get("reason", ""))
    except PortalError as error:
        messages.error(request, str(error))
        return redirect("answers:standing", slug=workspace.slug, pk=answer.pk)
    messages.success(request, _("The answer is under review again."))
    return redirect("admin:answers_draft_change", draft.pk)


def _find(request: HttpRequest, workspace: Workspace, pk: UUID) -> Answer:
    found = access.find(request.user, Action.REVIEW, Answer, pk=pk, workspace=workspace)
    return Answer.objects.select_related("question", "workspace", "asked_by").get(pk=found.pk)


def _note(request: HttpRequest, answer: Answer) -> None:
    """The entry that the reviewer is handed exactly this text."""
    with transaction.atomic():
        record(
            EventType.ANSWER_READ,
            on=answer,
            workspace=answer.workspace_id,
            by=request.user,
            text_sha256=answer.released_sha256,
        )
