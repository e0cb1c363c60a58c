"""Pages of question sets, for who manages the workspace; `run_views.py` has those of their runs."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.paginator import Paginator
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.text import slugify
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from answers.evaluation import page, reading_files, sets, writing_files
from answers.evaluation.forms import CaseForm, FileForm, KeepForm, NameForm
from answers.evaluation.querysets import cases_in, readable
from answers.evaluation.sets import sha256_of
from answers.models import Answer, EvaluationRun, QuestionSet
from audit.events import EventType
from audit.record import record
from documents.models import Document
from workspaces import access
from workspaces.decorators import in_workspace, says_why
from workspaces.exceptions import PortalError
from workspaces.models import Workspace
from workspaces.roles import Action

PAGE = 50
RECENT = 20
_FORMATS = {
    "csv": ("text/csv; charset=utf-8", writing_files.as_csv),
    "jsonl": ("application/x-ndjson", writing_files.as_jsonl),
}


@require_GET
@in_workspace(Action.MANAGE)
def overview(request: HttpRequest, workspace: Workspace) -> HttpResponse:
    """The question sets of the workspace and its last runs."""
    return _overview(request, workspace, NameForm())


@require_POST
@in_workspace(Action.MANAGE)
def create(request: HttpRequest, workspace: Workspace) -> HttpResponse:
    """Make an empty question set."""
    form = NameForm(request.POST)
    if form.is_valid():
        try:
            made = sets.create(workspace, name=form.cleaned_data["name"], by=request.user)
        except PortalError as error:
            form.add_error("name", str(error))
        else:
            return redirect("answers:question_set", slug=workspace.slug, pk=made.pk)
    return _overview(request, workspace, form, status=400)


@require_GET
@in_workspace(Action.MANAGE)
def question_set(request: HttpRequest, workspace: Workspace, pk: UUID) -> HttpResponse:
    """One set with its questions."""
    return _set_page(request, workspace, find_set(request, workspace, pk))


@require_POST
@in_workspace(Action.MANAGE)
@says_why("answers:evaluation")
def add(request: HttpRequest, workspace: Workspace, pk: UUID) -> HttpResponse:
    """Write one question into the set."""
    found, form = find_set(request, workspace, pk), CaseForm(request.POST)
    if not form.is_valid():
        return _set_page(request, workspace, found, case=form)
    read = reading_files.read_one(form.cleaned_data, workspace=workspace, by=request.user)
    if read.mistakes:
        for mistake in read.mistakes:
            form.add_error(None, mistake.sentence)
        return _set_page(request, workspace, found, case=form)
    sets.put(found, read.cases, by=request.user)
    messages.success(request, _("Saved."))
    return redirect("answers:question_set", slug=workspace.slug, pk=pk)


@require_POST
@in_workspace(Action.MANAGE)
@says_why("answers:evaluation")
def bring(request: HttpRequest, workspace: Workspace, pk: UUID) -> HttpResponse:
    """Bring a file of questions in, all of it or, with its mistakes by line, nothing."""
    found, form = find_set(request, workspace, pk), FileForm(request.POST, request.FILES)
    if not form.is_valid():
        return _set_page(request, workspace, found, file=form)
    content = form.cleaned_data["file"].read(reading_files.MOST_BYTES + 1)
    read = reading_files.read(content, workspace=workspace, by=request.user)
    if read.mistakes:
        return _set_page(request, workspace, found, file=form, mistakes=read.mistakes)
    sets.put(found, read.cases, by=request.user)
    messages.success(request, _("All questions of the file are in the set."))
    return redirect("answers:question_set", slug=workspace.slug, pk=pk)


@require_POST
@in_workspace(Action.MANAGE)
@says_why("answers:evaluation")
def take_out(request: HttpRequest, workspace: Workspace, pk: UUID) -> HttpResponse:
    """Take one question (`code`) out of the next version."""
    sets.remove(find_set(request, workspace, pk), [request.POST.get("code", "")], by=request.user)
    messages.success(request, _("Taken out. Runs of earlier versions keep it."))
    return redirect("answers:question_set", slug=workspace.slug, pk=pk)


@require_GET
@in_workspace(Action.MANAGE)
def take(request: HttpRequest, workspace: Workspace, pk: UUID, format: str) -> HttpResponse:
    """The set as a file: the questions whose documents are open to the person, with its entry."""
    if format not in _FORMATS:
        raise Http404
    found = find_set(request, workspace, pk)
    cases = list(cases_in(found, found.version))
    told = readable(request.user, cases)
    opened = [case for case in cases if case.pk in told]
    ids = {document for case in opened for document in case.documents}
    paths = {str(id): path for id, path in Document.objects.filter(pk__in=ids).values_list("pk", "path")}
    kind, write = _FORMATS[format]
    with transaction.atomic():
        record(
            EventType.QUESTION_SET_TAKEN,
            on=found,
            workspace=workspace,
            by=request.user,
            version=found.version,
            cases=len(opened),
            left_out=len(cases) - len(opened),
            cases_sha256=sha256_of(opened),
        )
    response = HttpResponse(write(opened, paths), content_type=kind)
    name = slugify(found.name) or "questions"
    response["Content-Disposition"] = f'attachment; filename="{name}-{found.version}.{format}"'
    return response


@require_http_methods(["GET", "POST"])
@in_workspace(Action.MANAGE)
def keep(request: HttpRequest, workspace: Workspace, pk: UUID) -> HttpResponse:
    """Keep the question of an answer in a set."""
    answer = access.find(request.user, Action.ASK, Answer, pk=pk, workspace=workspace)
    form = KeepForm(request.POST if request.method == "POST" else None, workspace=workspace)
    if request.method == "POST" and form.is_valid():
        chosen = form.cleaned_data["question_set"]
        try:
            sets.keep(answer, question_set=chosen, by=request.user)
        except PortalError as error:
            form.add_error(None, str(error))
        else:
            messages.success(request, _("The question is in the set. Look at what is expected of its answer."))
            return redirect("answers:question_set", slug=workspace.slug, pk=chosen.pk)
    context = {"form": form, "answer": answer}
    return render(request, "answers/evaluation/keep.html", context, status=400 if form.errors else 200)


def find_set(request: HttpRequest, workspace: Workspace, pk: UUID) -> QuestionSet:
    """The set with this id, if it is one of the workspace that the person manages. Raises Hidden and Forbidden."""
    return access.find(request.user, Action.MANAGE, QuestionSet, pk=pk, workspace=workspace)


# --- Inside -------------------------------------------------------------------------------------------------


def _overview(request: HttpRequest, workspace: Workspace, form: NameForm, status: int = 200) -> HttpResponse:
    found = EvaluationRun.objects.filter(workspace=workspace).select_related("question_set", "started_by", "candidate")
    listed = [
        (one, page.tone(one), page.what_ran(one), page.written("refusal", one.figures.get("refusal", {}).get("value")))
        for one in found[:RECENT]
    ]
    numbers = sets.counts(workspace)
    shown = [(one, numbers.get(one.pk, 0)) for one in QuestionSet.objects.filter(workspace=workspace)]
    context = {"sets": shown, "runs": listed, "form": form}
    return render(request, "answers/evaluation/overview.html", context, status=status)


def _set_page(request: HttpRequest, workspace: Workspace, found: QuestionSet, **sent: Any) -> HttpResponse:
    cases = list(cases_in(found, found.version))
    told = readable(request.user, cases)
    shown = Paginator(cases, PAGE).get_page(request.GET.get("page"))
    ids = {document for case in shown if case.pk in told for document in case.documents}
    titles = dict(Document.objects.filter(pk__in=ids).values_list("pk", "title"))
    for case in shown:
        case.is_told = case.pk in told
        case.places = [_place(item, titles) for item in case.expected] if case.is_told else []
    context = {
        "set": found,
        "page": shown,
        "count": len(cases),
        "case_form": sent.get("case") or CaseForm(),
        "file_form": sent.get("file") or FileForm(),
        "mistakes": sent.get("mistakes", ()),
        "runs": [(one, page.tone(one), page.what_ran(one)) for one in found.runs.all()[:RECENT]],
    }
    return render(request, "answers/evaluation/set.html", context, status=400 if sent else 200)


def _place(item: dict[str, Any], titles: dict[UUID, str]) -> dict[str, Any]:
    return item | {"title": titles.get(UUID(item["document"]), "")}
