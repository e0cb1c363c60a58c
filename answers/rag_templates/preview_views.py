"""The pages of a preview: choose questions, watch it come, read both versions side by side."""

from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from answers.chat import suggestions
from answers.models import TemplatePreview
from answers.rag_templates import preview_asking, previewing, shapes
from answers.rag_templates.forms import PreviewForm
from answers.rag_templates.views import find_version
from answers.states import WORDING, AnswerStatus
from workspaces import access
from workspaces.decorators import in_workspace
from workspaces.exceptions import PortalError
from workspaces.models import Workspace
from workspaces.roles import Action


@require_http_methods(["GET", "POST"])
@in_workspace(Action.MANAGE)
def begin(request: HttpRequest, workspace: Workspace, pk: UUID) -> HttpResponse:
    """Choose the questions this version is tried on."""
    version = find_version(request, workspace, pk)
    offered = version.examples or suggestions.written_for(workspace)
    form = PreviewForm(request.POST or None, initial={"questions": "\n".join(offered[:3])})
    if request.method == "POST" and form.is_valid():
        try:
            preview = preview_asking.ask(version, form.texts(), by=request.user)
        except PortalError as error:
            form.add_error(None, str(error))
        else:
            return redirect("answers:rag_preview", slug=workspace.slug, pk=preview.pk)
    context = {"form": form, "template": version.template, "version": version}
    return render(request, "answers/rag_templates/preview_begin.html", context, status=400 if form.errors else 200)


@require_GET
@in_workspace(Action.MANAGE)
def show(request: HttpRequest, workspace: Workspace, pk: UUID) -> HttpResponse:
    """What the preview came to so far; htmx asks for its part again while it is under way."""
    preview = access.find(request.user, Action.MANAGE, TemplatePreview, pk=pk, workspace=workspace)
    try:
        results = previewing.results_of(preview, by=request.user)
    except PortalError as error:
        messages.error(request, str(error))
        return redirect("answers:rag_templates", slug=workspace.slug)
    by_place = {(result.position, result.is_candidate): result for result in results}
    for result in results:
        version = preview.candidate if result.is_candidate else preview.beside
        result.items = shapes.read(version.shape, version.columns, result.text) if version else None
        result.wording = WORDING[AnswerStatus(result.ending)]
        # Nothing of a preview is released, so its badge does not say so.
        is_answered = result.ending == AnswerStatus.ANSWERED
        result.label = _("Answered, not released") if is_answered else AnswerStatus(result.ending).label
    rows = [
        (question, by_place.get((place, False)), by_place.get((place, True)))
        for place, question in enumerate(preview.questions)
    ]
    context = {
        "preview": preview,
        "rows": rows,
        "template": preview.candidate.template,
        "done": len(results),
        "total": 2 * len(preview.questions),
    }
    page = "answers/rag_templates/_preview.html" if request.htmx else "answers/rag_templates/preview.html"
    return render(request, page, context)
