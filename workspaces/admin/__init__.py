"""The admin of workspaces, people and the trail."""

from workspaces.admin.claim_rules import ClaimRuleAdmin
from workspaces.admin.groups import PeopleGroupAdmin
from workspaces.admin.people import UserAdmin
from workspaces.admin.policy import PlatformPolicyAdmin
from workspaces.admin.roles import CustomRoleAdmin
from workspaces.admin.tokens import ApiTokenAdmin
from workspaces.admin.trail import EventAdmin
from workspaces.admin.workspaces import WorkspaceAdmin

__all__ = [
    "ApiTokenAdmin",
    "ClaimRuleAdmin",
    "CustomRoleAdmin",
    "EventAdmin",
    "PeopleGroupAdmin",
    "PlatformPolicyAdmin",
    "UserAdmin",
    "WorkspaceAdmin",
]
