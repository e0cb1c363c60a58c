"""What every page of the portal needs to draw its navigation."""

from functools import cache
from typing import Any

from django.conf import settings
from django.http import HttpRequest

from workspaces import access
from workspaces.models import Workspace
from workspaces.view_as.viewing import look_of

#: The bell says "99+" from here on.
_MOST_COUNTED = 100
#: The first part of an address inside a workspace → the entry of the menu it belongs to, where they differ.
_ENTRIES = {"questions": "ask", "answers": "ask", "feedback": "gaps", "access-review": "people"}
#: The same of the first two parts, where these lie elsewhere.
_DEEPER = {"documents/embedding": "settings", "documents/retention": "settings"}


def navigation(request: HttpRequest) -> dict[str, Any]:
    """The person's workspaces, the current one, the set of actions they hold there, and who looks as them.

    What is asked of the database is asked by the template that wants it, and once: a page of an error and a piece of a
    page draw no navigation.
    """
    user = getattr(request, "user", None)
    if user is None or not user.is_authenticated or request.path.startswith("/admin/"):
        return {}
    workspace, look = getattr(request, "workspace", None), look_of(request)

    @cache
    def platform() -> frozenset[str]:
        return access.platform_actions(user)

    return {
        "nav_workspaces": cache(lambda: access.visible(user, Workspace).filter(archived_at=None)),
        "current_workspace": workspace,
        "glass": cache(lambda: access.broken_glass(user, workspace) if workspace else None),
        "can": cache(lambda: access.reach(user, workspace) if workspace else frozenset()),
        "can_enter_admin": cache(lambda: look is None and access.may_enter_admin(user, platform())),
        "can_platform": platform,
        "look": look,
        "nav_entry": _entry(request, workspace),
        "unread_notices": cache(lambda: 0 if look else user.notifications.filter(read_at=None)[:_MOST_COUNTED].count()),
        "has_password": settings.LOCAL_SIGN_IN and user.has_usable_password(),
    }


def _entry(request: HttpRequest, workspace: Workspace | None) -> str:
    """The entry of the workspace's menu that this page belongs to; "" where none does."""
    if workspace is None:
        return ""
    part, *rest = request.path.removeprefix(f"/w/{workspace.slug}/").split("/")
    return _DEEPER.get("/".join([part, *rest[:1]]), _ENTRIES.get(part, part))
