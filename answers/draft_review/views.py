"""Pages of examined drafts: bring one, watch it being read, decide on what was found, take it away; and its review."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from answers import entered
from answers.draft_review import deciding, desk, reading, releasing, returning, rewording, ruling
from answers.draft_review.asking import has_a_model
from answers.draft_review.bringing import bring, read_file, read_text
from answers.draft_review.erasing import erase
from answers.draft_review.export.take import FORMATS, take
from answers.draft_review.forms import BringForm
from answers.draft_review.separation import refusal
from answers.export.naming import as_file
from answers.models import UNDECIDED, Examination, ExaminationState, FindingDecision, Priority, Severity
from answers.queue import order as queue
from answers.rag_templates.built_in import told
from workspaces import access
from workspaces.decorators import in_workspace
from workspaces.exceptions import Hidden, PortalError
from workspaces.models import User, Workspace
from workspaces.roles import Action

PAGE = 20
_LINE = queue.LINES[Examination]


@require_http_methods(["GET", "POST"])
@in_workspace(Action.ENTER)
def examinations(request: HttpRequest, workspace: Workspace) -> HttpResponse:
    """One's own drafts and the form that brings another, for who may ask; those that wait for one's review."""
    if request.method == "POST":
        access.require(request.user, Action.ASK, workspace)
    right = _right(request, workspace)
    template = ruling.in_force(workspace)
    form = BringForm(request.POST or None, request.FILES or None, workspace=workspace, template=template)
    if request.method == "POST" and form.is_valid():
        sent = form.cleaned_data
        try:
            brought = read_file(sent["file"]) if sent["file"] else read_text(sent["title"], sent["text"])
            chosen = {"classification": sent["classification"], "endpoint": sent["endpoint"]}
            made = bring(workspace, brought, by=request.user, **chosen)
        except PortalError as error:
            form.add_error(None, str(error))
        else:
            return redirect("answers:examination", slug=workspace.slug, pk=made.pk)
    known = access.visible(request.user, Examination).filter(workspace=workspace)
    own = known.filter(asked_by=request.user).exclude(state=ExaminationState.ERASED).defer("text")
    waiting = known.filter(state=ExaminationState.HELD).exclude(asked_by=request.user).order_by(*_LINE.order)
    context = {
        "form": form,
        "may_bring": right == Action.ASK,
        "template": template,
        "template_name": told(template.name) if template else "",
        "template_purpose": told(template.purpose) if template else "",
        "page": Paginator(own.order_by("-asked_at"), PAGE).get_page(request.GET.get("page")),
        "waiting": [
            (one, queue.holder(one), queue.is_overdue(one))
            for one in waiting.select_related("asked_by", "assigned_to", "claimed_by").defer("text")[:PAGE]
        ],
    }
    status = 400 if form.is_bound and form.errors else 200
    return render(request, "answers/draft_review/list.html", context, status=status)


@require_GET
@in_workspace(Action.ENTER)
def examination(request: HttpRequest, workspace: Workspace, pk: UUID) -> HttpResponse:
    """One draft; htmx asks for its part of the page again while it is being read."""
    found = access.find(request.user, _right(request, workspace), Examination, pk=pk, workspace=workspace)
    reading.note_read(found, by=request.user)
    return _page(request, found)


@require_POST
@in_workspace(Action.ASK)
def decide(request: HttpRequest, workspace: Workspace, pk: UUID) -> HttpResponse:
    """Accept, edit, reject or put back: one finding, all of a kind, or the last act (`act`)."""
    found = _find(request, workspace, pk)
    try:
        _decide(request, found)
    except PortalError as error:
        if request.htmx:
            reading.note_read(found, by=request.user)
        else:
            messages.error(request, str(error))
        return _after(request, found, problem=str(error))
    return _after(request, found)


@require_POST
@in_workspace(Action.REVIEW)
def review(request: HttpRequest, workspace: Workspace, pk: UUID) -> HttpResponse:
    """Release the findings in somebody's draft, or not, or ask its owner something first (`decision`)."""
    found = access.find(request.user, Action.REVIEW, Examination, pk=pk, workspace=workspace)
    by, sent = request.user, request.POST
    try:
        match sent.get("decision"):
            case "approve":
                decided = releasing.approve(found, by=by, seen=sent.get("seen", ""))
            case "return":
                decided = returning.return_with(found, sent.get("questions", "").splitlines(), by=by)
            case _:
                decided = releasing.reject(found, by=by, reason=sent.get("reason", ""))
    except PortalError as error:
        messages.error(request, str(error))
        return redirect("answers:examination", slug=workspace.slug, pk=pk)
    if decided.state == ExaminationState.HELD:
        messages.success(request, _("Approved. A second reviewer has to approve it too."))
    elif decided.state == ExaminationState.RETURNED:
        messages.success(request, _("Returned. Whoever brought the draft was told what you want to know."))
    elif decided.state == ExaminationState.RELEASED:
        messages.success(request, _("Released. Whoever brought the draft was told."))
    else:
        messages.success(request, _("Not released. Whoever brought the draft was told why."))
    if request.POST.get("then") == "next":
        return _onward(request, workspace, leaving=pk)
    return redirect("answers:examinations", slug=workspace.slug)


@require_POST
@in_workspace(Action.REVIEW)
def reword(request: HttpRequest, workspace: Workspace, pk: UUID) -> HttpResponse:
    """Give a finding that waits for a decision another form, or leave it out."""
    found = access.find(request.user, Action.REVIEW, Examination, pk=pk, workspace=workspace)
    sent = request.POST
    finding = _uuid(sent.get("finding", ""))
    if finding is None:
        raise Http404
    try:
        rewording.reword(
            found,
            finding,
            by=request.user,
            left_out="left_out" in sent,
            **{name: sent.get(name, "") for name in ("reason", "severity", "explanation", "suggestion", "seen")},
        )
    except PortalError as error:
        messages.error(request, str(error))
    else:
        messages.success(request, _("Changed. Another reviewer lets these findings out."))
    return redirect("answers:examination", slug=workspace.slug, pk=pk)


@require_POST
@in_workspace(Action.REVIEW)
def reopen(request: HttpRequest, workspace: Workspace, pk: UUID) -> HttpResponse:
    """Put findings that a reviewer decided on under review again."""
    found = access.find(request.user, Action.REVIEW, Examination, pk=pk, workspace=workspace)
    try:
        releasing.reopen(found, by=request.user, reason=request.POST.get("reason", ""))
    except PortalError as error:
        messages.error(request, str(error))
    else:
        messages.success(request, _("Under review again. Whoever brought the draft was told."))
    return redirect("answers:examination", slug=workspace.slug, pk=pk)


@require_POST
@in_workspace(Action.ASK)
def reply(request: HttpRequest, workspace: Workspace, pk: UUID) -> HttpResponse:
    """Reply to one thing that a reviewer wants to know about one's own draft."""
    found = _find(request, workspace, pk)
    question = _uuid(request.POST.get("question", ""))
    if question is None:
        raise Http404
    try:
        returning.reply(found, question, text=request.POST.get("text", ""), by=request.user)
    except Hidden:
        raise
    except PortalError as error:
        messages.error(request, str(error))
    else:
        messages.success(request, _("Sent to the reviewer."))
    return redirect("answers:examination", slug=workspace.slug, pk=pk)


@require_POST
@in_workspace(Action.REVIEW)
def line(request: HttpRequest, workspace: Workspace, pk: UUID) -> HttpResponse:
    """Move findings that wait in the reviewers' line (`act`): claim, let_go, rank, assign to oneself, release."""
    found = access.find(request.user, Action.REVIEW, Examination, pk=pk, workspace=workspace)
    try:
        _move(found, request.POST.get("act", ""), request.POST, by=request.user)
    except PortalError as error:
        messages.error(request, str(error))
    return redirect("answers:examination", slug=workspace.slug, pk=pk)


@require_POST
@in_workspace(Action.REVIEW)
def next_waiting(request: HttpRequest, workspace: Workspace) -> HttpResponse:
    """Claim the next that the person may decide on and nobody else reads (`but`: the one they leave)."""
    return _onward(request, workspace, leaving=entered.id_in(request.POST.get("but", "")))


@require_POST
@in_workspace(Action.ASK)
def delete(request: HttpRequest, workspace: Workspace, pk: UUID) -> HttpResponse:
    """Erase one's draft with all that was found in it."""
    found = _find(request, workspace, pk)
    try:
        erase(found, by=request.user)
    except PortalError as error:
        messages.error(request, str(error))
        return redirect("answers:examination", slug=workspace.slug, pk=pk)
    messages.success(request, _("The draft was deleted."))
    return redirect("answers:examinations", slug=workspace.slug)


@require_GET
@in_workspace(Action.ASK)
def export(request: HttpRequest, workspace: Workspace, pk: UUID, format: str) -> HttpResponse:
    """The draft with what was accepted, as DOCX or Markdown."""
    found = _find(request, workspace, pk)
    if format not in FORMATS:
        raise Http404
    try:
        file = take(found, format=format, by=request.user)
    except PortalError as error:
        messages.error(request, str(error))
        return redirect("answers:examination", slug=workspace.slug, pk=pk)
    response = as_file(HttpResponse(file.content, content_type=file.content_type), file.name)
    response["Cache-Control"] = "no-store"
    return response


# --- Inside -------------------------------------------------------------------------------------------------


def _right(request: HttpRequest, workspace: Workspace) -> Action:
    """By which right the person is here: some roles review and ask nothing. Raises Forbidden to who does neither."""
    if access.allows(request.user, Action.ASK, workspace):
        return Action.ASK
    access.require(request.user, Action.REVIEW, workspace)
    return Action.REVIEW


def _find(request: HttpRequest, workspace: Workspace, pk: UUID) -> Examination:
    return access.find(request.user, Action.ASK, Examination, pk=pk, workspace=workspace)


def _onward(request: HttpRequest, workspace: Workspace, *, leaving: UUID | None) -> HttpResponse:
    rows = access.visible(request.user, Examination).filter(workspace=workspace)
    claimed = queue.claim_next(rows, by=request.user, but=leaving)
    if claimed is None:
        messages.info(request, _("Nothing is left here that waits for you."))
        return redirect("answers:examinations", slug=workspace.slug)
    return redirect("answers:examination", slug=workspace.slug, pk=claimed.pk)


def _move(found: Examination, act: str, sent: Any, *, by: User) -> None:
    match act:
        case "claim":
            queue.claim(found, by=by, take_over="take_over" in sent)
        case "let_go":
            queue.let_go(found, by=by)
        case "rank":
            priority = entered.number_in(sent.get("priority", ""))
            queue.rank(found, priority=priority, due_at=entered.moment_in(sent.get("due_at", "")), by=by)
        case "assign":
            desk.assign(found, to=by, by=by)
        case "release":
            desk.assign(found, to=None, by=by)
        case _:
            raise Http404


def _decide(request: HttpRequest, found: Examination) -> None:
    act, by, sent = request.POST.get("act", ""), request.user, request.POST
    finding = _uuid(sent.get("finding", ""))
    if act in ("accept_all", "reject_all"):
        decision = FindingDecision.ACCEPTED if act == "accept_all" else FindingDecision.REJECTED
        kind = {"severity": sent.get("severity", ""), "category": sent.get("category", "")}
        deciding.decide_all(found, decision, by=by, **kind)
    elif act == "undo":
        deciding.undo(found, by=by, finding=finding)
    elif finding is None:
        raise Http404
    elif act == "edit":
        deciding.accept(found, finding, by=by, wording=sent.get("wording", ""))
    elif act == "accept":
        deciding.accept(found, finding, by=by)
    elif act == "reject":
        deciding.reject(found, finding, by=by)
    else:
        raise Http404


def _after(request: HttpRequest, found: Examination, *, problem: str = "") -> HttpResponse:
    if request.htmx:
        return _page(request, found, problem=problem)
    return redirect("answers:examination", slug=found.workspace.slug, pk=found.pk)


def _page(request: HttpRequest, found: Examination, *, problem: str = "") -> HttpResponse:
    view = reading.view(found, request.user)
    asked = request.POST.get("shown") or request.GET.get("severity") or ""
    shown = asked if asked in Severity.values else ""
    is_own = found.asked_by_id == request.user.pk
    may_review = not is_own and found.state in UNDECIDED
    reader = queue.holder(found) if may_review else None
    awaited = returning.awaited(found) if is_own else []
    context = {
        "examination": found,
        "view": view,
        "shown": shown,
        "findings": [one for one in view.findings if shown in ("", one.finding.severity)],
        "kinds": reading.kinds(view.findings),
        "clauses": found.clauses.count(),
        "done": found.clauses.exclude(done_at=None).count(),
        "by_model": has_a_model(found),
        "is_own": is_own,
        "may_review": may_review,
        "reader": reader,
        "is_reader": reader == request.user,
        "is_overdue": queue.is_overdue(found),
        "priorities": Priority.choices,
        "tied": "" if is_own else refusal(request.user, found),
        "questions": returning.questions_to(request.user, found),
        "awaited": {one.pk for one in awaited},
        "may_reopen": not is_own
        and found.reviewed_by_id is not None
        and found.state in (ExaminationState.RELEASED, ExaminationState.REJECTED)
        and access.allows(request.user, Action.REVIEW, found),
        "severities": Severity.choices,
        "problem": problem,
    }
    return render(request, f"answers/draft_review/{'_work' if request.htmx else 'page'}.html", context)


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
