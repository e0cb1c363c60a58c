"""The admin of workspaces, people and the trail."""

from django.contrib import admin
from django.contrib.auth.models import Group

from workspaces.admin.people import UserAdmin
from workspaces.admin.trail import EventAdmin
from workspaces.admin.workspaces import WorkspaceAdmin

__all__ = ["EventAdmin", "UserAdmin", "WorkspaceAdmin"]

# A group is how a role is stored; roles are given on a workspace's page, through the verbs.
admin.site.unregister(Group)
