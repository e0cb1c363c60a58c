"""Who may see the cockpit: of a workspace those who run or audit it, of everything who looks after the installation."""

from workspaces import access
from workspaces.models import User, Workspace
from workspaces.roles import Action, PlatformAction


def require(user: User, workspace: Workspace | None) -> None:
    """Return if `user` may see the figures of the workspace (None: of the whole). Raises Hidden or Forbidden."""
    if workspace is None:
        access.require(user, PlatformAction.WATCH_HEALTH, None)
    elif not access.allows(user, Action.READ_TRAIL, workspace):
        access.require(user, Action.MANAGE, workspace)
