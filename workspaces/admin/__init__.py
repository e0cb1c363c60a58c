"""The admin of workspaces, people and the trail."""

from workspaces.admin.people import UserAdmin
from workspaces.admin.trail import EventAdmin
from workspaces.admin.workspaces import WorkspaceAdmin

__all__ = ["EventAdmin", "UserAdmin", "WorkspaceAdmin"]
