"""Pages of questions that found no good answer, and what is done about them."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import F
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.text import Truncator
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from answers.exceptions import GapError
from answers.gaps import closing, gathering, steering, telling
from answers.gaps.forms import AssignForm, ByDocumentForm, ByFileForm, ByTextForm, DismissForm
from answers.gaps.querysets import counted, first_words, questions_in
from answers.models import UNSETTLED, Answer, Gap, GapState
from documents.models import Document
from workspaces import access
from workspaces.decorators import in_workspace, says_why
from workspaces.models import Workspace
from workspaces.roles import Action

PAGE = 30
#: Questions of a gap on one page.
_MOST_QUESTIONS = 200
SHOWN: dict[str, tuple[GapState, ...]] = {
    "unsettled": UNSETTLED,
    "open": (GapState.OPEN,),
    "assigned": (GapState.ASSIGNED, GapState.WAITING),
    "settled": (GapState.CLOSED, GapState.DISMISSED),
}


@require_POST
@in_workspace(Action.ASK)
def send(request: HttpRequest, workspace: Workspace, pk: UUID) -> HttpResponse:
    """Send one's question to who manages documents here."""
    answer = access.find(request.user, Action.ASK, Answer, pk=pk, workspace=workspace)
    problem = ""
    try:
        gathering.send(answer, by=request.user)
    except GapError as error:
        problem = str(error)
    if request.htmx:
        answer = Answer.objects.select_related("workspace", "question").get(pk=answer.pk)
        context = {"answer": answer, "slug": workspace.slug, "problem": problem, "sent": gathering.place_of(answer)}
        return render(request, "answers/_gap_button.html", context)
    if problem:
        messages.error(request, problem)
    else:
        messages.success(request, _("Sent. You will be told when your question can be answered."))
    return redirect("answers:answer", slug=workspace.slug, pk=pk)


@require_GET
@in_workspace(Action.ADD)
def gaps(request: HttpRequest, workspace: Workspace) -> HttpResponse:
    """The gaps of the workspace, most people waiting first; for contributors those assigned to them."""
    shown = request.GET.get("show", "unsettled")
    states = SHOWN.get(shown, UNSETTLED)
    rows = counted(access.visible(request.user, Gap).filter(workspace=workspace, state__in=states))
    # Its askers changed their minds, or sent their questions anew: nobody waits for anything.
    rows = rows.filter(question_count__gt=0)
    order = "last_at" if request.GET.get("sort") == "newest" else "waiting"
    rows = rows.select_related("assigned_to", "document").order_by(F(order).desc(nulls_last=True), "-opened_at")
    page = Paginator(rows, PAGE).get_page(request.GET.get("page"))
    words, today = first_words(page.object_list, to=request.user), timezone.localdate()
    for gap in page:
        gap.words, gap.tone = words.get(gap.pk, ""), tone_of(gap)
        gap.is_overdue = gap.due_on is not None and gap.due_on < today and gap.state in UNSETTLED
    context = {
        "page": page,
        "shown": shown,
        "sort": order,
        "manages": Action.MANAGE_DOCUMENTS in access.reach(request.user, workspace),
        "pages_query": f"show={shown}&" + ("sort=newest&" if order == "last_at" else ""),
    }
    return render(request, "answers/gaps.html", context)


@require_GET
@in_workspace(Action.ADD)
def gap(request: HttpRequest, workspace: Workspace, pk: UUID) -> HttpResponse:
    """One gap: its questions, as far as the person may read them, and what can be done."""
    found = access.find(request.user, Action.ADD, Gap, pk=pk, workspace=workspace)
    return _page(request, workspace, found)


@require_POST
@in_workspace(Action.MANAGE_DOCUMENTS)
@says_why("answers:gap", "pk")
def assign(request: HttpRequest, workspace: Workspace, pk: UUID) -> HttpResponse:
    """Give the gap to a person until a day, or to nobody."""
    found = _find(request, workspace, pk)
    form = AssignForm(request.POST, workspace=workspace)
    if not form.is_valid():
        return _page(request, workspace, found, assign=form)
    steering.assign(found, to=form.cleaned_data["to"], due_on=form.cleaned_data["due_on"], by=request.user)
    messages.success(request, _("Saved."))
    return redirect("answers:gap", slug=workspace.slug, pk=pk)


@require_POST
@in_workspace(Action.ADD)
@says_why("answers:gap", "pk")
def close(request: HttpRequest, workspace: Workspace, pk: UUID) -> HttpResponse:
    """Close the gap by a document, a file or a text (`way`)."""
    found = access.find(request.user, Action.ADD, Gap, pk=pk, workspace=workspace)
    way = request.POST.get("way")
    form: Any
    if way == "file":
        form = ByFileForm(request.POST, request.FILES)
    elif way == "text":
        form = ByTextForm(request.POST)
    else:
        way, form = "document", ByDocumentForm(request.POST, workspace=workspace, user=request.user)
    if not form.is_valid():
        return _page(request, workspace, found, **{way: form})
    sent = form.cleaned_data
    if way == "file":
        found = closing.by_upload(found, file=sent["file"], by=request.user)
    elif way == "text":
        found = closing.by_text(found, title=sent["title"], text=sent["text"], by=request.user)
    else:
        found = closing.by_document(found, document=sent["document"], by=request.user)
    if found.state == GapState.CLOSED:
        messages.success(request, _("Closed. Those who asked and may open the document are told."))
    else:
        messages.info(request, _("The document is being read. Those who asked are told once it answers."))
    return redirect("answers:gap", slug=workspace.slug, pk=pk)


@require_POST
@in_workspace(Action.MANAGE_DOCUMENTS)
@says_why("answers:gap", "pk")
def dismiss(request: HttpRequest, workspace: Workspace, pk: UUID) -> HttpResponse:
    """Say that nothing is done, and why."""
    steering.dismiss(_find(request, workspace, pk), reason=request.POST.get("reason", ""), by=request.user)
    messages.success(request, _("Dismissed. Those who asked are told why."))
    return redirect("answers:gap", slug=workspace.slug, pk=pk)


@require_POST
@in_workspace(Action.MANAGE_DOCUMENTS)
@says_why("answers:gap", "pk")
def split(request: HttpRequest, workspace: Workspace, pk: UUID) -> HttpResponse:
    """Take the chosen questions out into a gap of their own."""
    chosen = [one for one in map(_uuid, request.POST.getlist("question")) if one is not None]
    apart = steering.split(_find(request, workspace, pk), questions=chosen, by=request.user)
    messages.success(request, _("The chosen questions are a gap of their own now."))
    return redirect("answers:gap", slug=workspace.slug, pk=apart.pk)


@require_POST
@in_workspace(Action.MANAGE_DOCUMENTS)
@says_why("answers:gap", "pk")
def merge(request: HttpRequest, workspace: Workspace, pk: UUID) -> HttpResponse:
    """Put all questions into another gap (`into`)."""
    found = _find(request, workspace, pk)
    other = access.find(request.user, Action.MANAGE_DOCUMENTS, Gap, pk=request.POST.get("into"), workspace=workspace)
    into = steering.merge(found, into=other, by=request.user)
    messages.success(request, _("The questions are together now."))
    return redirect("answers:gap", slug=workspace.slug, pk=into.pk)


def tone_of(gap: Gap) -> str:
    """The colour token of the gap's state."""
    return {"open": "wait", "assigned": "run", "waiting": "run", "closed": "ok"}.get(gap.state, "none")


# --- Inside -------------------------------------------------------------------------------------------------


def _find(request: HttpRequest, workspace: Workspace, pk: UUID) -> Gap:
    return access.find(request.user, Action.MANAGE_DOCUMENTS, Gap, pk=pk, workspace=workspace)


def _page(request: HttpRequest, workspace: Workspace, found: Gap, **forms: Any) -> HttpResponse:
    """The gap's page, with the forms that were sent and could not be taken."""
    rows = Paginator(questions_in(found, to=request.user).order_by("-added_at", "pk"), _MOST_QUESTIONS)
    count = found.questions.count()
    is_unsettled, manages = found.state in UNSETTLED, Action.MANAGE_DOCUMENTS in access.reach(request.user, workspace)
    others: list[Gap] = []
    if is_unsettled and manages:
        rest = access.visible(request.user, Gap).filter(workspace=workspace, state__in=UNSETTLED).exclude(pk=found.pk)
        others = list(counted(rest).order_by("-waiting", "-opened_at")[:50])
        words = first_words(others, to=request.user)
        for other in others:
            other.words = words.get(other.pk, "")
    assigned = {"to": found.assigned_to_id, "due_on": found.due_on}
    context = {
        "gap": found,
        "words": Truncator(first_words([found], to=request.user).get(found.pk, "")).chars(120),
        "tone": tone_of(found),
        "questions": rows.get_page(request.GET.get("page")),
        "not_shown": max(0, count - rows.count),
        "waiting": found.questions.filter(told_at=None).values("asker").distinct().count(),
        "shut_out": telling.shut_out(found) if found.state == GapState.CLOSED else 0,
        "document": _openable(request, found),
        "is_unsettled": is_unsettled,
        "manages": manages,
        "others": others,
        "forms": {
            "assign": forms.get("assign") or AssignForm(initial=assigned, workspace=workspace),
            "document": forms.get("document") or ByDocumentForm(workspace=workspace, user=request.user),
            "file": forms.get("file") or ByFileForm(),
            "text": forms.get("text") or ByTextForm(),
            "dismiss": DismissForm(),
        },
    }
    return render(request, "answers/gap.html", context, status=400 if forms else 200)


def _openable(request: HttpRequest, found: Gap) -> Document | None:
    """The document that closes the gap, if the person may open it."""
    opened = access.visible(request.user, Document)
    return opened.filter(pk=found.document_id).first() if found.document_id else None


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
