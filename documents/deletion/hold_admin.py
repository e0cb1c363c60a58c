"""Legal holds on whole workspaces, for platform administrators: they place and lift them without entering any."""

from typing import Any
from uuid import UUID

from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from documents.deletion import holds
from documents.exceptions import HoldError
from documents.models import LegalHold
from workspaces.decorators import on_platform
from workspaces.exceptions import Hidden
from workspaces.models import Workspace
from workspaces.roles import PlatformAction


@require_GET
@on_platform(PlatformAction.HOLD_WORKSPACES)
def show(request: HttpRequest, pk: UUID) -> HttpResponse:
    """The holds on the whole of one workspace, standing ones first, and a form for another."""
    workspace = _workspace(request, pk)
    rows = _whole(request).filter(workspace=workspace).select_related("placed_by", "lifted_by")
    context = {
        **admin.site.each_context(request),
        "title": _("Legal holds"),
        "subtitle": workspace.name,
        "workspace": workspace,
        "holds": sorted(rows.order_by("-placed_at"), key=lambda hold: hold.lifted_at is not None),
        "most": holds.MAX_REASON,
    }
    return TemplateResponse(request, "admin/documents/legalhold/workspace.html", context)


@require_POST
@on_platform(PlatformAction.HOLD_WORKSPACES)
def place(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Hold everything in the workspace, with a reason."""
    workspace = _workspace(request, pk)
    try:
        holds.place(workspace, by=_person(request), reason=request.POST.get("reason", ""))
    except HoldError as error:
        messages.error(request, str(error))
    else:
        messages.success(request, _("The hold stands. Nothing under it is deleted until it is lifted."))
    return redirect("admin:documents_legalhold_workspace", pk=workspace.pk)


@require_POST
@on_platform(PlatformAction.HOLD_WORKSPACES)
def lift(request: HttpRequest, pk: UUID) -> HttpResponse:
    """End a hold on the whole workspace, with a reason."""
    workspace = _workspace(request, pk)
    hold = _whole(request).filter(workspace=workspace, pk=_uuid(request.POST.get("hold", ""))).first()
    if hold is None:
        raise Hidden(user=request.user, action=PlatformAction.HOLD_WORKSPACES)
    try:
        holds.lift(hold, by=_person(request), reason=request.POST.get("reason", ""))
    except HoldError as error:
        messages.error(request, str(error))
    else:
        messages.success(request, _("Lifted. What waited for it goes on."))
    return redirect("admin:documents_legalhold_workspace", pk=workspace.pk)


def _workspace(request: HttpRequest, pk: UUID) -> Workspace:
    workspace = Workspace.objects.filter(pk=pk).first()
    if workspace is None:
        raise Hidden(user=request.user, action=PlatformAction.HOLD_WORKSPACES)
    return workspace


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


def _whole(request: HttpRequest) -> Any:
    return LegalHold.objects.filter(pk__in=holds.holds_known_to(_person(request)).values("pk"), document=None)


def _person(request: HttpRequest) -> Any:
    return request.user
