"""Pages of questions and answers: ask, watch the answer come, open what it stands on."""

from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.core.paginator import Paginator
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from answers import cards, questions, sharing
from answers.cards import Card
from answers.forms import QuestionForm
from answers.models import Answer, Citation
from answers.provenance import record_of
from answers.querysets import answers_explained_to, closed_documents
from answers.reading import place_in_words, place_of, read
from answers.sse import event_stream
from answers.states import WORDING
from audit.events import EventType
from audit.models import Event
from audit.record import record
from documents.models import Version
from documents.place_forms import PlaceForm
from documents.reading import opened
from workspaces import access
from workspaces.decorators import in_workspace
from workspaces.exceptions import Hidden, PortalError
from workspaces.models import User, Workspace
from workspaces.roles import Action

HISTORY_PAGE = 30


@require_http_methods(["GET", "POST"])
@in_workspace(Action.ASK)
def ask(request: HttpRequest, workspace: Workspace) -> HttpResponse:
    """The thread of one's last questions with the composer below; a POST asks and adds a turn."""
    form = QuestionForm(request.POST or None, workspace=workspace)
    if request.method == "GET":
        return _thread(request, workspace, form)
    if not form.is_valid():
        sentences = [str(error) for errors in form.errors.values() for error in errors]
        return _not_asked(request, workspace, form, " ".join(sentences))
    try:
        answer = questions.ask(
            workspace=workspace, text=form.cleaned_data["text"], by=request.user, endpoint=form.endpoint()
        )
    except PortalError as error:
        return _not_asked(request, workspace, form, str(error))
    if request.htmx:
        return render(request, "answers/_turn.html", {"card": Card(answer, by=request.user), "is_latest": True})
    return redirect(reverse("answers:ask", kwargs={"slug": workspace.slug}) + "#latest")


@require_GET
@in_workspace(Action.ASK)
def history(request: HttpRequest, workspace: Workspace) -> HttpResponse:
    """All questions this person asked here, searched by their words."""
    is_shared = request.GET.get("list") == "shared"
    asked = cards.given_to(request.user, workspace) if is_shared else cards.asked_by(request.user, workspace)
    query = request.GET.get("q", "").replace("\0", "").strip()[:200]
    if query:
        asked = asked.filter(question__text__icontains=query)
    page = Paginator(asked, HISTORY_PAGE).get_page(request.GET.get("page"))
    for row in page:
        row.tone = WORDING[row.status].tone
    chosen = {**({"list": "shared"} if is_shared else {}), **({"q": query} if query else {})}
    context = {
        "page": page,
        "query": query,
        "pages_query": f"{urlencode(chosen)}&" if chosen else "",
        "is_shared": is_shared,
    }
    return render(request, "answers/history.html", context)


@require_GET
@in_workspace(Action.ASK)
def answer(request: HttpRequest, workspace: Workspace, pk: UUID) -> HttpResponse:
    """One answer with its question, at an address that can be kept."""
    found = _find(request, workspace, pk)
    return render(
        request, "answers/answer.html", {"card": Card(found, by=request.user), "shares": _shares(request, found)}
    )


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
    """Ask the same question once more; the new answer takes the place of the old card."""
    found = _find(request, workspace, pk)
    try:
        found = questions.ask_again(found, by=request.user)
    except PortalError as error:
        messages.error(request, str(error))
    return _after_act(request, found)


@require_GET
@in_workspace(Action.ASK)
def citation(request: HttpRequest, workspace: Workspace, pk: UUID, number: int) -> HttpResponse:
    """What one citation stands on: the page with the quote marked, for the side panel."""
    reading = read(_find(request, workspace, pk), by=request.user)
    cited = next((c for c in reading.citations if c.number == number), None)
    if cited is None:
        raise Hidden(user=request.user, workspace=workspace, action=Action.OPEN, thing=reading.answer)
    return render(request, "answers/_citation.html", _evidence(request, workspace, cited))


@require_GET
@in_workspace(Action.ASK)
def provenance(request: HttpRequest, workspace: Workspace, pk: UUID) -> HttpResponse:
    """Everything the answer stands on and everything that happened to it."""
    found = _find(request, workspace, pk)
    shown = Card(found, by=request.user)
    entries = Event.objects.filter(object_id=str(found.pk)).order_by("seq")
    is_theirs = found.asked_by_id == request.user.pk or Action.REVIEW in access.reach(request.user, workspace)
    if not is_theirs:
        # Who else read it is not for those it was shared with, nor what its reviewers told each other.
        entries = entries.none()
    record = record_of(found, closed=closed_documents(request.user, found), with_reasons=is_theirs)
    context = {
        "card": shown,
        "record": record,
        "events": entries,
        "may_read": bool(shown.reading.text),
        "is_told_who": answers_explained_to(request.user).filter(pk=found.pk).exists(),
    }
    return render(request, "answers/provenance.html", context)


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


def _thread(
    request: HttpRequest, workspace: Workspace, form: QuestionForm, *, error: str = "", status: int = 200
) -> HttpResponse:
    turns = cards.recent(request.user, workspace)
    context = {
        "turns": turns,
        "form": form,
        "error": error,
        "earlier": max(0, cards.asked_by(request.user, workspace).count() - len(turns)),
        "most": settings.MAX_QUESTION_CHARACTERS,
    }
    return render(request, "answers/ask.html", context, status=status)


def _not_asked(request: HttpRequest, workspace: Workspace, form: QuestionForm, sentence: str) -> HttpResponse:
    """The reason beside the composer, with the text still in it."""
    if not request.htmx:
        return _thread(request, workspace, form, error=sentence, status=400)
    response = render(request, "answers/_refused_question.html", {"error": sentence}, status=400)
    response.headers["HX-Retarget"] = "#composer-error"
    response.headers["HX-Reswap"] = "innerHTML"
    return response


def _after_act(request: HttpRequest, found: Answer) -> HttpResponse:
    if request.htmx:
        return render(request, "answers/_card.html", {"card": Card(found, by=request.user)})
    return redirect("answers:answer", slug=found.workspace.slug, pk=found.pk)


def _evidence(request: HttpRequest, workspace: Workspace, cited: Citation) -> dict[str, Any]:
    """The cited place, authorised again and recorded as read."""
    version = access.find(request.user, Action.OPEN, Version, pk=cited.version_id, document=cited.document_id)
    reading = opened(version.document, version, PlaceForm({"start": cited.start, "end": cited.end}))
    with transaction.atomic():
        record(
            EventType.DOCUMENT_OPENED,
            on=version.document,
            workspace=workspace,
            version=version.pk,
            answer=cited.answer_id,
            citation=cited.number,
        )
    return {
        "citation": cited,
        "reading": reading,
        "place": place_in_words(cited),
        "url": place_of(cited, workspace.slug),
        "context": _around(version.text, cited.start, cited.end),
        "title": _("Source %(number)s") % {"number": cited.number},
    }


def _around(text: str, start: int, end: int, *, characters: int = 180) -> dict[str, str]:
    """The quote in the text around it, cut at white space."""
    before, after = text[max(0, start - characters) : start], text[end : end + characters]
    if start > characters:
        before = "… " + before.partition(" ")[2]
    if end + characters < len(text):
        after = after.rpartition(" ")[0] + " …"
    return {"before": before.lstrip(), "quote": text[start:end], "after": after.rstrip()}
