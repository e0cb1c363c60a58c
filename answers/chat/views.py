"""The page on which questions are asked, and what the owner of a conversation does with it."""

from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from answers import questions
from answers.chat import conversations, suggestions, threads, ways_out
from answers.forms import QuestionForm
from answers.governing import budgets
from answers.models import Answer, Conversation
from workspaces import access
from workspaces.decorators import in_workspace
from workspaces.exceptions import PortalError
from workspaces.models import Workspace
from workspaces.roles import Action

#: Conversations offered on the page of a new one; all of them are in the history.
_OFFERED = 5


@require_http_methods(["GET", "POST"])
@in_workspace(Action.ASK)
def ask(request: HttpRequest, workspace: Workspace) -> HttpResponse:
    """The conversation that was used last, with the composer below; a POST asks and adds a turn."""
    form = QuestionForm(request.POST or None, workspace=workspace)
    if request.method == "GET":
        return _page(request, workspace, form, threads.newest(request.user, workspace))
    going_on = _sent(request, workspace)
    if not form.is_valid():
        sentences = [str(error) for errors in form.errors.values() for error in errors]
        return _not_asked(request, workspace, form, going_on, " ".join(sentences))
    try:
        answer = questions.ask(
            workspace=workspace,
            text=form.cleaned_data["text"],
            by=request.user,
            endpoint=form.endpoint(),
            conversation=going_on,
            template=form.asked_with(),
        )
    except PortalError as error:
        return _not_asked(request, workspace, form, going_on, str(error))
    if not request.htmx:
        # The conversation that was used last is this one now.
        return redirect(reverse("answers:ask", kwargs={"slug": workspace.slug}) + "#latest")
    response = _turn(request, threads.new_turn(answer, by=request.user), is_first=going_on is None)
    if going_on is None:
        response.headers["HX-Replace-Url"] = _address(answer.question.conversation, workspace)
    return response


@require_GET
@in_workspace(Action.ASK)
def new(request: HttpRequest, workspace: Workspace) -> HttpResponse:
    """A conversation that has not begun; `?text=` is a question to start from."""
    initial = {
        "text": request.GET.get("text", "").replace("\0", "")[: settings.MAX_QUESTION_CHARACTERS],
        "template": request.GET.get("template", ""),
    }
    return _page(request, workspace, QuestionForm(initial=initial, workspace=workspace), None)


@require_GET
@in_workspace(Action.ASK)
def conversation(request: HttpRequest, workspace: Workspace, pk: UUID) -> HttpResponse:
    """One conversation at an address of its own; `?all=1` shows it from its beginning."""
    found = _find(request, workspace, pk)
    return _page(request, workspace, QuestionForm(workspace=workspace), found)


@require_POST
@in_workspace(Action.ASK)
def rename(request: HttpRequest, workspace: Workspace, pk: UUID) -> HttpResponse:
    """Give the conversation the name that is sent."""
    found = _find(request, workspace, pk)
    try:
        conversations.rename(found, title=request.POST.get("title", ""), by=request.user)
    except PortalError as error:
        messages.error(request, str(error))
    return redirect(_address(found, workspace))


@require_POST
@in_workspace(Action.ASK)
def archive(request: HttpRequest, workspace: Workspace, pk: UUID) -> HttpResponse:
    """Take the conversation out of its owner's view."""
    conversations.archive(_find(request, workspace, pk), by=request.user)
    messages.success(request, _("The conversation is deleted from your view. The trail keeps that it was."))
    return redirect("answers:new_conversation", slug=workspace.slug)


@require_POST
@in_workspace(Action.ASK)
def rephrase(request: HttpRequest, workspace: Workspace, pk: UUID) -> HttpResponse:
    """Put the question of this answer differently; the new turn takes the place of the old one."""
    found = access.find(request.user, Action.ASK, Answer, pk=pk, workspace=workspace)
    try:
        answer = questions.rephrase(found, text=request.POST.get("text", ""), by=request.user)
    except PortalError as error:
        messages.error(request, str(error))
        answer = found
    if request.htmx:
        return _turn(request, threads.turn_of(answer, by=request.user))
    return redirect("answers:answer", slug=workspace.slug, pk=answer.pk)


@require_GET
@in_workspace(Action.ASK)
def way_out(request: HttpRequest, workspace: Workspace, pk: UUID) -> HttpResponse:
    """What helps on after a refusal: documents that came closest, and words to try."""
    found = access.find(request.user, Action.ASK, Answer, pk=pk, workspace=workspace)
    context = {"answer": found, "way": ways_out.way_out(found, by=request.user)}
    return render(request, "answers/_way_out.html", context)


# --- Inside -------------------------------------------------------------------------------------------------


def _find(request: HttpRequest, workspace: Workspace, pk: UUID) -> Conversation:
    """One's own that was not put away: to its owner it is gone."""
    return access.find(request.user, Action.ASK, Conversation, pk=pk, workspace=workspace, archived_at=None)


def _sent(request: HttpRequest, workspace: Workspace) -> Conversation | None:
    """The conversation that was sent with the question, if one was."""
    sent = request.POST.get("conversation", "")
    if not sent:
        return None
    # What is no id at all is found as little as an id nobody has.
    return access.find(request.user, Action.ASK, Conversation, pk=sent, workspace=workspace)


def _address(found: Conversation | None, workspace: Workspace) -> str:
    if found is None:
        return reverse("answers:new_conversation", kwargs={"slug": workspace.slug})
    return reverse("answers:conversation", kwargs={"slug": workspace.slug, "pk": found.pk})


def _turn(request: HttpRequest, turn: threads.Turn, *, is_first: bool = False) -> HttpResponse:
    context = {"turn": turn, "card": turn.card, "is_latest": True, "is_first": is_first}
    if is_first:
        question = turn.card.question
        context["thread"] = threads.Thread(question.conversation, [turn], name=question.text[:80])
    return render(request, "answers/_turn.html", context)


def _page(
    request: HttpRequest,
    workspace: Workspace,
    form: QuestionForm,
    found: Conversation | None,
    *,
    error: str = "",
    status: int = 200,
) -> HttpResponse:
    if found is not None:
        form.initial["template"] = form.picker.remembered(found)
    thread = threads.read(found, by=request.user, most=threads.MOST if "all" in request.GET else threads.RECENT)
    context = {"thread": thread, "form": form, "error": error, "most": settings.MAX_QUESTION_CHARACTERS}
    context["budget_spent"] = budgets.is_spent(workspace, request.user)
    if not thread.turns:
        listed = threads.named(conversations.shown_to(request.user, workspace))[:_OFFERED]
        context["examples"] = form.picker.examples if form.picker.is_offered else []
        context["suggested"] = suggestions.offered(request.user, workspace)
        context["conversations"] = [(one, threads.name_of(one)) for one in listed]
    return render(request, "answers/ask.html", context, status=status)


def _not_asked(
    request: HttpRequest, workspace: Workspace, form: QuestionForm, going_on: Conversation | None, sentence: str
) -> HttpResponse:
    """The reason beside the composer, with the text still in it."""
    if not request.htmx:
        return _page(request, workspace, form, going_on, error=sentence, status=400)
    response = render(request, "answers/_refused_question.html", {"error": sentence}, status=400)
    response.headers["HX-Retarget"] = "#composer-error"
    response.headers["HX-Reswap"] = "innerHTML"
    return response
