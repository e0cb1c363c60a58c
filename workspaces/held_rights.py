"""Who held which rights when, for an auditor: as the database has them now, and every change as the trail has it."""

from collections import defaultdict
from typing import Any

from audit.events import EventType
from audit.export import content_of
from audit.models import Event
from workspaces import trail
from workspaces.models import Membership, Workspace, WorkspaceGroupGrant
from workspaces.roles import CHARTERS, PLATFORM_ADMINISTRATOR, PLATFORM_CHARTER, Action, PlatformAction

#: Entries that change what somebody may do, by the part of their code before the dot, and some by name.
_FAMILIES = ("member.", "group.", "role.", "token.", "access_review.", "workspace.", "user.created", "user.changed")
_NAMED = (
    EventType.BARRED,
    EventType.BAR_LIFTED,
    EventType.POLICY_CHANGED,
    EventType.GLASS_BROKEN,
    EventType.GLASS_ENDED,
    EventType.DOCUMENT_RESTRICTED,
    EventType.DOCUMENT_UNRESTRICTED,
    EventType.DOCUMENT_GRANTED,
    EventType.DOCUMENT_REVOKED,
    EventType.DOCUMENT_CLASSIFIED,
)
TYPES = tuple(code for code in EventType.values if code.startswith(_FAMILIES) or code in _NAMED)


def role_table() -> dict[str, Any]:
    """The declared roles with what each allows, in an officer's words."""
    return {
        "actions": {str(action): str(action.label) for action in (*Action, *PlatformAction)},
        "roles": {
            str(role): {"purpose": str(charter.purpose), "actions": sorted(charter.actions)}
            for role, charter in (*CHARTERS.items(), (PLATFORM_ADMINISTRATOR, PLATFORM_CHARTER))
        },
    }


def over_time(which: trail.Chain, *, after: int, upto: int) -> dict[str, Any]:
    """Rights in one chain's workspace (or the platform): at entry `after`, at each change up to `upto`, and now."""
    held: dict[str, set[str]] = defaultdict(set)
    before: dict[str, list[str]] = {}
    changes = []
    for event in Event.objects.filter(chain=which.name, type__in=TYPES, seq__lte=upto).order_by("seq").iterator():
        if event.seq > after and not changes:
            before = _listed(held)
        entry = content_of(event)
        _apply(held, event, entry.get("details") or {})
        if event.seq > after:
            changes.append(
                {
                    "seq": event.seq,
                    "at": event.at,
                    "type": event.type,
                    "by": event.actor_label,
                    "about": event.object_label,
                    "reason": entry.get("reason", ""),
                    "details": entry.get("details", {}),
                    "roles_after": _listed(held),
                }
            )
    return {
        "chain": which.name,
        "roles_before": before if changes else _listed(held),
        "changes": changes,
        "now": _now(which.workspace) if which.workspace else _administrators(),
    }


def _apply(held: dict[str, set[str]], event: Event, details: dict[str, Any]) -> None:
    role = str(details.get("role", ""))
    if event.type == EventType.MEMBER_ADDED:
        held[event.object_label].add(role)
    elif event.type == EventType.MEMBER_REMOVED:
        held[event.object_label].discard(role)


def _listed(held: dict[str, set[str]]) -> dict[str, list[str]]:
    return {person: sorted(roles) for person, roles in sorted(held.items()) if roles}


def _now(workspace: Workspace) -> dict[str, Any]:
    actions: dict[str, list[str]] = defaultdict(list)
    grants = WorkspaceGroupGrant.objects.filter(content_object=workspace).order_by("permission__codename")
    for group, action in grants.values_list("group__name", "permission__codename"):
        actions[group].append(action)
    members = Membership.objects.filter(group__workspace_role__workspace=workspace)
    return {"members": _members(members), "actions_of_groups": actions}


def _administrators() -> dict[str, Any]:
    return {"members": _members(Membership.objects.filter(group__name=PLATFORM_ADMINISTRATOR))}


def _members(memberships: Any) -> list[dict[str, Any]]:
    rows = memberships.select_related("user", "group", "added_by").order_by("group__name", "user__username")
    return [
        {
            "person": row.user.get_username(),
            "active": row.user.is_active,
            "group": row.group.name,
            "added_at": row.added_at,
            "added_by": row.added_by.get_username() if row.added_by else None,
        }
        for row in rows
    ]
