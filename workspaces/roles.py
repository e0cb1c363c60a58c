"""The six roles and what each may do, in words an officer can read.

This table is the whole truth about roles. Changing it changes every workspace at the next `migrate`, and a test
generates one case from each of its cells, the empty ones too.
"""

from dataclasses import dataclass
from typing import Any

from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy


class Action(models.TextChoices):
    """Something a person may do inside one workspace. Codes are permanent."""

    ENTER = "enter_workspace", _("see that the workspace exists and open its pages")
    ASK = "ask_questions", _("ask questions and read the answers given to them")
    OPEN = "open_documents", _("open and search its documents, except restricted ones not granted to them")
    ADD = (
        "add_documents",
        _("add documents and new versions, retry failed ones, and keep the documents they own current"),
    )
    MANAGE_DOCUMENTS = (
        "manage_documents",
        _(
            "classify, file and delete documents, name their owners, restrict them and grant restricted ones, and see "
            "which questions found no good answer"
        ),
    )
    HOLD = "hold_documents", _("place legal holds on documents or on all of them, and lift them")
    REVIEW = "review_drafts", _("read, edit, approve, return and reject drafts")
    MANAGE_PEOPLE = "manage_people", _("add and remove people and change their roles")
    MANAGE = "manage_workspace", _("change the workspace's settings and policies")
    READ_TRAIL = "read_trail", _("read, verify and export the workspace's audit trail")


class PlatformAction(models.TextChoices):
    """Something a person may do across the installation; only broken glass opens a workspace's content."""

    CREATE_WORKSPACE = "create_workspace", _("create workspaces")
    STAFF_WORKSPACES = "staff_workspaces", _("give and take roles in every workspace")
    MANAGE_ACCOUNTS = "manage_accounts", _("create, change and deactivate accounts")
    HOLD_WORKSPACES = "hold_workspaces", _("place legal holds on whole workspaces, and lift those, as no manager can")
    MANAGE_ENDPOINTS = "manage_endpoints", _("connect model endpoints")
    WATCH_HEALTH = "watch_health", _("look at how the installation fares, and compare indexes with the database")
    READ_PLATFORM_TRAIL = "read_platform_trail", _("read, verify and export the platform's audit trail")
    BREAK_GLASS = "break_glass", _("use rights without a role, for a while, after stating a reason (superusers only)")


class Role(models.TextChoices):
    """What a person can be in a workspace. Nobody is anything by default."""

    MANAGER = "manager", _("Workspace manager")
    CONTRIBUTOR = "contributor", _("Contributor")
    REVIEWER = "reviewer", _("Reviewer")
    MEMBER = "member", _("Member")
    AUDITOR = "auditor", _("Auditor")


#: The sixth role stands above the workspaces, in a group of its own.
PLATFORM_ADMINISTRATOR = "platform-administrator"


@dataclass(frozen=True, slots=True)
class Charter:
    """One role: its name, what it is for and the actions it holds."""

    label: Any
    purpose: Any
    actions: frozenset[str]


CHARTERS: dict[Role, Charter] = {
    Role.MANAGER: Charter(
        Role.MANAGER.label,
        _("Runs the workspace: its people, documents and policies. Does not review."),
        frozenset(
            {
                Action.ENTER,
                Action.ASK,
                Action.OPEN,
                Action.ADD,
                Action.MANAGE_DOCUMENTS,
                Action.HOLD,
                Action.MANAGE_PEOPLE,
                Action.MANAGE,
            }
        ),
    ),
    Role.CONTRIBUTOR: Charter(
        Role.CONTRIBUTOR.label,
        _("Brings documents in and keeps them current."),
        frozenset({Action.ENTER, Action.ASK, Action.OPEN, Action.ADD}),
    ),
    Role.REVIEWER: Charter(
        Role.REVIEWER.label,
        _("Decides which drafts are released, with the evidence beside them."),
        frozenset({Action.ENTER, Action.ASK, Action.OPEN, Action.REVIEW}),
    ),
    Role.MEMBER: Charter(
        Role.MEMBER.label,
        pgettext_lazy("role purpose", "Asks questions and reads cited answers."),
        frozenset({Action.ENTER, Action.ASK, Action.OPEN}),
    ),
    Role.AUDITOR: Charter(
        Role.AUDITOR.label,
        _("Reads and verifies the trail. Asks nothing, changes nothing."),
        frozenset({Action.ENTER, Action.READ_TRAIL}),
    ),
}

#: Who manages a workspace may open another one, and is its first manager.
FOR_MANAGERS = frozenset({PlatformAction.CREATE_WORKSPACE.value})

PLATFORM_CHARTER = Charter(
    _("Platform administrator"),
    _("Runs the installation: workspaces, accounts, model endpoints. Opens no content."),
    frozenset(PlatformAction.values) - {PlatformAction.BREAK_GLASS},
)

#: What is left of a person's rights while an administrator looks at the portal as them.
READING = frozenset({Action.ENTER, Action.ASK, Action.OPEN, Action.REVIEW, Action.READ_TRAIL})
