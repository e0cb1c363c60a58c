"""The tree of folders as a page, and the acts on it."""

from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from documents.folders import keeping as folders
from documents.models import Folder
from workspaces.decorators import in_workspace
from workspaces.exceptions import Hidden, PortalError
from workspaces.models import Workspace
from workspaces.roles import Action


@require_GET
@in_workspace(Action.MANAGE_DOCUMENTS)
def list_folders(request: HttpRequest, workspace: Workspace) -> HttpResponse:
    """All folders the manager knows of, with their acts."""
    tree = folders.tree(request.user, workspace)
    return render(request, "documents/folders.html", {"branches": list(tree.branches.values())})


@require_POST
@in_workspace(Action.MANAGE_DOCUMENTS)
def create_folder(request: HttpRequest, workspace: Workspace) -> HttpResponse:
    """Make a folder at the top or in another."""
    parent = request.POST.get("parent", "")
    above = _find(request, workspace, parent) if parent else None
    try:
        folders.create(workspace, request.POST.get("name", ""), above, by=request.user)
    except PortalError as error:
        messages.error(request, str(error))
    else:
        messages.success(request, _("The folder is there."))
    return redirect("documents:folders", slug=workspace.slug)


@require_POST
@in_workspace(Action.MANAGE_DOCUMENTS)
def rename_folder(request: HttpRequest, workspace: Workspace, folder: UUID) -> HttpResponse:
    """Give a folder another name."""
    found = _find(request, workspace, folder)
    try:
        folders.rename(found, request.POST.get("name", ""), by=request.user)
    except PortalError as error:
        messages.error(request, str(error))
    else:
        messages.success(request, _("The folder has its new name."))
    return redirect("documents:folders", slug=workspace.slug)


@require_POST
@in_workspace(Action.MANAGE_DOCUMENTS)
def remove_folder(request: HttpRequest, workspace: Workspace, folder: UUID) -> HttpResponse:
    """Take a folder away; its documents lie one level above then."""
    found = _find(request, workspace, folder)
    try:
        folders.remove(found, by=request.user)
    except PortalError as error:
        messages.error(request, str(error))
    else:
        messages.success(request, _("The folder is gone. Its documents lie one level above."))
    return redirect("documents:folders", slug=workspace.slug)


def _find(request: HttpRequest, workspace: Workspace, pk: object) -> Folder:
    """The folder, if the person knows of it; else as if it had never been."""
    folder = folders.tree(request.user, workspace).get(pk)
    if folder is None:
        raise Hidden(user=request.user, workspace=workspace, action=Action.MANAGE_DOCUMENTS)
    return folder
