"""What every page of the portal needs to draw its navigation."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest

from workspaces import access
from workspaces.models import Workspace
from workspaces.viewing import look_of

#: The bell says "99+" from here on.
_MOST_COUNTED = 100


def navigation(request: HttpRequest) -> dict[str, Any]:
    """The person's workspaces, the current one, the set of actions they hold there, and who looks as them."""
    user = getattr(request, "user", None)
    if user is None or not user.is_authenticated or request.path.startswith("/admin/"):
        return {}
    workspace, look = getattr(request, "workspace", None), look_of(request)
    return {
        "nav_workspaces": access.visible(user, Workspace).filter(archived_at=None),
        "current_workspace": workspace,
        "glass": access.broken_glass(user, workspace) if workspace else None,
        "can": access.reach(user, workspace) if workspace else frozenset(),
        "can_enter_admin": look is None and access.may_enter_admin(user),
        "can_platform": access.platform_actions(user),
        "look": look,
        "unread_notices": 0 if look else user.notifications.filter(read_at=None)[:_MOST_COUNTED].count(),
        "has_password": settings.LOCAL_SIGN_IN and user.has_usable_password(),
    }
