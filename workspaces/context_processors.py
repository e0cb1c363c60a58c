"""What every page of the portal needs to draw its navigation."""

from typing import Any

from django.http import HttpRequest

from workspaces import access
from workspaces.models import Workspace


def navigation(request: HttpRequest) -> dict[str, Any]:
    """The person's workspaces, the current one, and the set of actions they hold there."""
    user = getattr(request, "user", None)
    if user is None or not user.is_authenticated or request.path.startswith("/admin/"):
        return {}
    workspace = getattr(request, "workspace", None)
    return {
        "nav_workspaces": access.visible(user, Workspace).filter(archived_at=None),
        "current_workspace": workspace,
        "can": access.actions(user, workspace) if workspace else frozenset(),
        "can_enter_admin": access.may_enter_admin(user),
        "can_platform": access.platform_actions(user),
    }
