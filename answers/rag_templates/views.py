"""The pages on which who manages a workspace takes in templates, writes versions and puts one in force."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from answers.exceptions import TemplateError
from answers.models import RagTemplate, TemplateVersion
from answers.rag_templates import built_in, content, filters, keeping
from answers.rag_templates.forms import TemplateForm, initial_of
from answers.rag_templates.problems import problems_of
from workspaces import access
from workspaces.decorators import in_workspace
from workspaces.exceptions import PortalError
from workspaces.models import Workspace
from workspaces.roles import Action


@require_GET
@in_workspace(Action.MANAGE)
def listing(request: HttpRequest, workspace: Workspace) -> HttpResponse:
    """The templates of the workspace, and the built-in ones that it has not taken in."""
    rows = access.visible(request.user, RagTemplate).filter(workspace=workspace)
    templates = list(rows.select_related("current__endpoint").order_by("current__name"))
    chosen = getattr(workspace, "templates_choice", None)
    taken = {template.code for template in templates}
    context = {
        "templates": templates,
        "standard": chosen.standard_id if chosen else None,
        "untaken": [(code, built_in.content_of(code)) for code in built_in.CODES if code not in taken],
        "problems": problems_of(workspace),
    }
    return render(request, "answers/rag_templates/list.html", context)


@require_POST
@in_workspace(Action.MANAGE)
def adopt(request: HttpRequest, workspace: Workspace) -> HttpResponse:
    """Take a built-in template in and switch it on, unless the change gate holds it back."""
    try:
        taken = keeping.adopt(workspace, request.POST.get("code", ""), by=request.user)
    except PortalError as error:
        messages.error(request, str(error))
        return redirect("answers:rag_templates", slug=workspace.slug)
    if taken.enabled:
        messages.success(request, _("The template is switched on."))
    else:
        messages.warning(request, _("The template is taken in and switched off: it has to pass the change gate first."))
    return redirect("answers:rag_templates", slug=workspace.slug)


@require_POST
@in_workspace(Action.MANAGE)
def standard(request: HttpRequest, workspace: Workspace) -> HttpResponse:
    """Have a template answer where nobody chose; an empty one brings the built-in back."""
    sent = request.POST.get("template", "")
    found = access.find(request.user, Action.MANAGE, RagTemplate, pk=sent, workspace=workspace) if sent else None

    def act() -> None:
        keeping.make_standard(workspace, found, by=request.user)

    return _done(request, workspace, act, _("Saved. It counts for every question from now on."))


@require_http_methods(["GET", "POST"])
@in_workspace(Action.MANAGE)
def new(request: HttpRequest, workspace: Workspace) -> HttpResponse:
    """Write a template of the workspace's own."""
    form = TemplateForm(request.POST or None, workspace=workspace, initial={"passages": 8})
    if request.method == "POST" and form.is_valid():
        try:
            made = keeping.write(workspace, form.content(), by=request.user)
        except PortalError as error:
            form.add_error(None, str(error))
        else:
            messages.success(request, _("Saved. Switch it on when people may ask with it."))
            return redirect("answers:rag_template", slug=workspace.slug, pk=made.pk)
    return render(request, "answers/rag_templates/edit.html", {"form": form}, status=400 if form.errors else 200)


@require_GET
@in_workspace(Action.MANAGE)
def detail(request: HttpRequest, workspace: Workspace, pk: UUID) -> HttpResponse:
    """One template: what its version in force says, and every version before and after."""
    found = _find(request, workspace, pk)
    versions = list(found.versions.select_related("made_by", "endpoint"))
    chosen = getattr(workspace, "templates_choice", None)
    context = {
        "template": found,
        "current": found.current,
        "versions": versions,
        "newest": versions[0],
        "is_standard": bool(chosen and chosen.standard_id == found.pk),
        "looks_at": filters.in_words(filters.read(found.current.filters), workspace) if found.current else [],
        "problems": problems_of(workspace, only=found),
    }
    return render(request, "answers/rag_templates/detail.html", context)


@require_http_methods(["GET", "POST"])
@in_workspace(Action.MANAGE)
def edit(request: HttpRequest, workspace: Workspace, pk: UUID) -> HttpResponse:
    """Write another version; it is saved as a candidate."""
    found = _find(request, workspace, pk)
    newest = found.versions.select_related("endpoint")[0]
    form = TemplateForm(request.POST or None, workspace=workspace, initial=initial_of(content.of(newest)))
    if request.method == "POST" and form.is_valid():
        seen = request.POST.get("seen", "")
        number = int(seen) if seen.isascii() and seen.isdigit() and len(seen) < 9 else -1
        try:
            version = keeping.save(found, form.content(), by=request.user, seen=number)
        except PortalError as error:
            form.add_error(None, str(error))
        else:
            messages.success(
                request, _("Version %(number)d is saved. It is not in force yet.") % {"number": version.number}
            )
            return redirect("answers:rag_template_version", slug=workspace.slug, pk=version.pk)
    context = {"form": form, "template": found, "newest": newest}
    return render(request, "answers/rag_templates/edit.html", context, status=400 if form.errors else 200)


@require_GET
@in_workspace(Action.MANAGE)
def version(request: HttpRequest, workspace: Workspace, pk: UUID) -> HttpResponse:
    """One version, and what it changes of the one in force."""
    shown = find_version(request, workspace, pk)
    found = shown.template
    changed = content.differences(content.of(found.current), content.of(shown), workspace) if found.current else []
    context = {
        "template": found,
        "version": shown,
        "changed": changed,
        "looks_at": filters.in_words(filters.read(shown.filters), workspace),
        "previews": shown.previews.filter(asked_by=request.user)[:10],
    }
    return render(request, "answers/rag_templates/version.html", context)


@require_POST
@in_workspace(Action.MANAGE)
def put_in_force(request: HttpRequest, workspace: Workspace, pk: UUID) -> HttpResponse:
    """Have questions asked with this version from now on."""
    shown = find_version(request, workspace, pk)

    def act() -> None:
        keeping.put_in_force(shown, by=request.user, reason=request.POST.get("reason", ""))

    return _done(request, workspace, act, _("The version is in force."), shown.template)


@require_POST
@in_workspace(Action.MANAGE)
def switch(request: HttpRequest, workspace: Workspace, pk: UUID) -> HttpResponse:
    """Offer the template to who asks (`enabled=yes`), or no longer."""
    found = _find(request, workspace, pk)

    def act() -> None:
        keeping.switch(found, enabled=request.POST.get("enabled") == "yes", by=request.user)

    return _done(request, workspace, act, _("Saved."), found)


@require_POST
@in_workspace(Action.MANAGE)
def duplicate(request: HttpRequest, workspace: Workspace, pk: UUID) -> HttpResponse:
    """Make another template that begins with what this one says."""
    found = _find(request, workspace, pk)
    try:
        if found.current is None:
            raise TemplateError(_("Put a version in force first."))
        made = keeping.duplicate(found.current, name=request.POST.get("name", ""), by=request.user)
    except PortalError as error:
        messages.error(request, str(error))
        return redirect("answers:rag_template", slug=workspace.slug, pk=pk)
    messages.success(request, _("Copied. The copy is switched off."))
    return redirect("answers:rag_template", slug=workspace.slug, pk=made.pk)


# --- Inside -------------------------------------------------------------------------------------------------


def _find(request: HttpRequest, workspace: Workspace, pk: UUID) -> RagTemplate:
    found: RagTemplate = access.find(request.user, Action.MANAGE, RagTemplate, pk=pk, workspace=workspace)
    return found


def find_version(request: HttpRequest, workspace: Workspace, pk: UUID) -> TemplateVersion:
    """The version with its template and what is in force. Raises Hidden and Forbidden."""
    found = access.find(request.user, Action.MANAGE, TemplateVersion, pk=pk, template__workspace=workspace)
    related = ("template__workspace", "template__current__endpoint", "endpoint", "made_by")
    return TemplateVersion.objects.select_related(*related).get(pk=found.pk)


def _done(
    request: HttpRequest, workspace: Workspace, act: Callable[[], Any], said: str, about: RagTemplate | None = None
) -> HttpResponse:
    """Do one act, say how it went, and go back to the page it is about."""
    try:
        act()
    except PortalError as error:
        messages.error(request, str(error))
    else:
        messages.success(request, said)
    if about is None:
        return redirect("answers:rag_templates", slug=workspace.slug)
    return redirect("answers:rag_template", slug=workspace.slug, pk=about.pk)
