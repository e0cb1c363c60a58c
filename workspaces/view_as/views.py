"""The way back from a look at the portal as somebody else."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from workspaces.decorators import on_platform
from workspaces.roles import PlatformAction
from workspaces.view_as import viewing


@require_POST
@on_platform(PlatformAction.MANAGE_ACCOUNTS)
def end_view(request: HttpRequest) -> HttpResponse:
    """End the look; the session is its administrator's own again."""
    look = viewing.leave(request)
    if look is None:
        messages.info(request, _("You are seeing the portal as yourself."))
        return redirect("home")
    messages.success(request, _("You see the portal as yourself again."))
    return redirect("admin:workspaces_user_change", look.person_id)
