"""Who held which rights when, for an auditor: at a moment, at each change since, and now; and whether trail and
database agree about it.
"""

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import Any

from django.db import transaction
from django.db.models import Q

from audit import detached
from audit.chain import PLATFORM
from audit.events import EventType
from audit.export import content_of
from audit.models import ChainHead, Event
from workspaces.auditing import trail
from workspaces.auditing.replay import Held, Right, Told, has, held_now, telling_types, tells
from workspaces.charters import charters
from workspaces.models import CustomRole, Membership, RoleBar, Workspace, WorkspaceGroupGrant, WorkspaceUserGrant
from workspaces.roles import CHARTERS, PLATFORM_ADMINISTRATOR, PLATFORM_CHARTER, Action, PlatformAction

#: Entries about what somebody may do, listed also where they give and take nothing by themselves: by the part of their
#: code before the dot, and some by name.
_FAMILIES = ("member.", "group.", "role.", "token.", "access_review.", "workspace.", "user.created", "user.changed")
_NAMED = (EventType.POLICY_CHANGED, EventType.GLASS_BROKEN, EventType.GLASS_ENDED, EventType.DOCUMENT_CLASSIFIED)
#: What the platform's chain tells about rights in every workspace, and the kinds these are.
_SHARED = ("group.", "role.")
_OF_ALL = frozenset({"group", "allows"})
#: The file of an archive that carries rights on.
CARRIED = "rights/carried.json"


def types() -> list[str]:
    """The codes of the entries that may be changes of rights."""
    return [code for code in EventType.values if _is_always_listed(code) or code in telling_types()]


def _is_always_listed(code: str) -> bool:
    return code.startswith(_FAMILIES) or code in {one.value for one in _NAMED}


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
    """Rights in one chain's workspace (or the installation): at entry `after`, at each change up to `upto`, and now.

    `differences` names every right that only the trail or only the database knows of. People of groups and actions of
    roles are told where the group or the role was ever used in the workspace.
    """
    ends, rights_now, members_now = _now(which)
    held, names, used = _beginning(which)
    before: list[Right] | None = None
    at_end: list[Right] | None = None
    changes: list[dict[str, Any]] = []
    for event in _events(which, ends):
        is_ours = event.chain == which.name
        if before is None and is_ours and event.seq > after:
            before = list(held)
        if at_end is None and is_ours and event.seq > upto:
            at_end = list(held)
        held.apply(event)
        names.hear(event)
        used.note(held.given)
        is_change = held.given or held.taken or (is_ours and _is_always_listed(event.type))
        if before is not None and at_end is None and is_change:
            changes.append(_change(event, held))
    told = _Told(used, names)
    return {
        "chain": which.name,
        "before": told.rights(held if before is None else before),
        "changes": [told.change(change) for change in changes if told.concerns(change)],
        "after": told.rights(held if at_end is None else at_end),
        "now": {"entry": ends[which.name], "rights": told.rights(sorted(rights_now)), **members_now},
        "differences": _differences(told, set(held), rights_now),
    }


def carried_on(which: trail.Chain, upto: int) -> str:
    """The rights the chain's entries up to `upto` leave behind, for those who read on when they are in an archive."""
    held, names, used = _beginning(which, with_platform=False)
    for event in _events(which, {which.name: upto}):
        held.apply(event)
        names.hear(event)
        used.note(held.given)
    content = {"rights": list(held), "names": names.known, "used": sorted(used.names)}
    return json.dumps(content, ensure_ascii=False)


def _beginning(which: trail.Chain, *, with_platform: bool = True) -> tuple[Held, "_Names", "_Used"]:
    """What is held before the first entry that the database has."""
    rights, names, used = [], _Names(), _Used(which)
    chains = {which.name, PLATFORM} if with_platform else {which.name}
    for chain in sorted(chains):
        known = detached.carried(chain, CARRIED) or {"rights": [], "names": {}, "used": []}
        found = [Right(*right) for right in known["rights"]]
        rights += [right for right in found if chain == which.name or right.kind in _OF_ALL]
        names.known |= known["names"]
        used.names |= set(known["used"]) if chain == which.name else set()
    return Held(rights), names, used


def _now(which: trail.Chain) -> tuple[dict[str, int], set[Right], dict[str, Any]]:
    """How long the chains are, and what the database holds at exactly that moment."""
    with transaction.atomic():
        # Whoever changes a right appends to one of these; locked in the order in which every act does.
        chains = [which.name] if which.workspace is None else [which.name, PLATFORM]
        heads = {}
        for chain in chains:
            head = ChainHead.objects.select_for_update(no_key=True).filter(chain=chain).first()
            heads[chain] = head.seq if head else 0
        return heads, held_now(which.workspace), _members_now(which.workspace)


def _events(which: trail.Chain, ends: dict[str, int]) -> Iterator[Event]:
    wanted = Q(pk=None)
    for chain, end in ends.items():
        begins = detached.beginning(chain)
        told = [code for code in types() if chain == which.name or code.startswith(_SHARED)]
        wanted |= Q(chain=chain, type__in=told, seq__gt=begins.upto if begins else 0, seq__lte=end)
    # Time never runs backwards inside a chain, so each keeps its own order.
    return Event.objects.filter(wanted).order_by("at", "chain", "seq").iterator()


def _change(event: Event, held: Held) -> dict[str, Any]:
    entry = content_of(event)
    touched = {right.holder for right in (*held.given, *held.taken)}
    return {
        "chain": event.chain,
        "seq": event.seq,
        "at": event.at,
        "type": event.type,
        "by": event.actor_label,
        "about": event.object_label,
        "reason": entry.get("reason", ""),
        "details": entry.get("details", {}),
        "given": list(held.given),
        "taken": list(held.taken),
        "held_after": {holder: held.of([holder]) for holder in sorted(touched)},
    }


class _Used:
    """Which groups and roles ever counted in the workspace; in the installation all of them do."""

    def __init__(self, which: trail.Chain) -> None:
        self.everything = which.workspace is None
        self.names: set[str] = set()

    def note(self, given: Iterable[Right]) -> None:
        self.names |= {right.what if right.kind == "role" else right.holder for right in given}

    def __contains__(self, right: Right) -> bool:
        if self.everything or right.kind not in _OF_ALL:
            return True
        return (right.what if right.kind == "group" else right.holder) in self.names


class _Names:
    """What people, groups and documents were called when the trail last named them."""

    def __init__(self) -> None:
        self.known: dict[str, str] = {}

    def hear(self, event: Event) -> None:
        kind = {"workspaces.user": "person", "documents.document": "document", "workspaces.peoplegroup": "group"}
        if event.object_type in kind:
            self.known[f"{kind[event.object_type]}:{event.object_id}"] = event.object_label
        details = content_of(event).get("details")
        if isinstance(details, dict) and "group_id" in details:
            self.known[f"group:{details['group_id']}"] = str(details.get("group", ""))


class _Told:
    """Rights as plain data, those left out that are no matter of the workspace."""

    def __init__(self, used: _Used, names: _Names) -> None:
        self.used, self.names = used, names

    def rights(self, rights: Iterable[Right]) -> list[dict[str, str]]:
        return [self.right(right) for right in rights if right in self.used]

    def right(self, right: Right) -> dict[str, str]:
        known = self.names.known
        named = {"holder_name": known.get(right.holder, ""), "what_name": known.get(right.what, "")}
        return {part: value for part, value in (right._asdict() | named).items() if value}

    def concerns(self, change: dict[str, Any]) -> bool:
        changed = [*change["given"], *change["taken"]]
        return not changed or any(right in self.used for right in changed)

    def change(self, change: dict[str, Any]) -> dict[str, Any]:
        parts = {name: self.rights(change[name]) for name in ("given", "taken")}
        return {**change, **parts, "held_after": {who: self.rights(held) for who, held in change["held_after"].items()}}


def _differences(told: _Told, in_trail: set[Right], in_database: set[Right]) -> list[dict[str, str]]:
    return [
        {**told.right(right), "only_in": "trail" if right in in_trail else "database"}
        for right in sorted(in_trail ^ in_database)
        if right in told.used
    ]


# --- What this app's entries change ---------------------------------------------------------------------------


@tells(EventType.MEMBER_ADDED)
def _role_given(held: Held, told: Told) -> None:
    details = told.details
    held.give("role", f"person:{told.about}", str(details.get("role", "")), str(details.get("source", "")))


@tells(EventType.MEMBER_REMOVED)
def _role_taken(held: Held, told: Told) -> None:
    """Whoever takes a role by hand takes it whatever gave it; an identity provider takes what it gave."""
    exact = {"holder": f"person:{told.about}", "what": str(told.details.get("role", ""))}
    if "source" in told.details:
        exact["how"] = str(told.details["source"])
    held.take("role", **exact)


@tells(EventType.GROUP_MEMBER_ADDED, EventType.GROUP_MEMBER_REMOVED)
def _place_in_group(held: Held, told: Told) -> None:
    if not told.is_platform:  # the same is in the platform's chain, of every group
        return
    place = {"holder": f"person:{told.about}", "what": f"group:{told.details.get('group_id')}"}
    place["how"] = str(told.details.get("source", ""))
    if told.type == EventType.GROUP_MEMBER_ADDED:
        held.give("group", **place)
    else:
        held.take("group", **place)


@tells(EventType.GROUP_DELETED)
def _group_gone(held: Held, told: Told) -> None:
    group = f"group:{told.about}"
    if told.is_platform:
        held.take("group", what=group)
    for kind in ("bar", "document"):
        held.take(kind, holder=group)


@tells(EventType.BARRED)
def _barred(held: Held, told: Told) -> None:
    details = told.details
    holder = f"person:{details['person']}" if "person" in details else f"group:{details.get('group')}"
    what = f"role:{details['role']}" if "role" in details else f"document:{told.about}"
    held.give("bar", holder, what, str(details.get("bar", "")))


@tells(EventType.BAR_LIFTED)
def _bar_lifted(held: Held, told: Told) -> None:
    held.take("bar", how=str(told.details.get("bar", "")))


@tells(EventType.ROLE_CREATED, EventType.ROLE_CHANGED, EventType.ROLE_RETIRED)
def _role_made(held: Held, told: Told) -> None:
    code, after = str(told.details.get("code", "")), told.details.get("after", {})
    if not told.is_platform or (told.type == EventType.ROLE_CHANGED and "actions" not in after):
        return
    held.take("allows", holder=code)
    for action in after.get("actions", []):
        held.give("allows", code, str(action))


# --- What this app's tables hold ------------------------------------------------------------------------------


@has
def _memberships(workspace: Workspace | None) -> Iterator[Right]:
    rows = Membership.objects.values_list("user", "group__workspace_role__role", "group", "source")
    roles = rows.filter(group__workspace_role__workspace=workspace) if workspace else rows.none()
    for user, role, _group, source in roles:
        yield Right("role", f"person:{user}", role, source)
    for user, _role, group, source in rows.filter(group__people_group__isnull=False):
        yield Right("group", f"person:{user}", f"group:{group}", source)
    if workspace is None:
        for user, _role, _group, source in rows.filter(group__name=PLATFORM_ADMINISTRATOR):
            yield Right("role", f"person:{user}", PLATFORM_ADMINISTRATOR, source)


@has
def _bars(workspace: Workspace | None) -> Iterator[Right]:
    for bar in RoleBar.objects.filter(workspace=workspace) if workspace else ():
        holder = f"person:{bar.user_id}" if bar.user_id else f"group:{bar.group_id}"
        yield Right("bar", holder, f"role:{bar.role or 'all'}", str(bar.pk))


@has
def _direct_grants(workspace: Workspace | None) -> Iterator[Right]:
    """Actions that were granted past the roles, which no entry of the trail ever tells of."""
    if workspace is None:
        return
    by_name = WorkspaceUserGrant.objects.filter(content_object=workspace)
    for user, action in by_name.values_list("user", "permission__codename"):
        yield Right("granted", f"person:{user}", action)
    rows = WorkspaceGroupGrant.objects.filter(content_object=workspace)
    allowed = {(role, action) for role, charter in charters().items() for action in charter.actions}
    for group, role, action in rows.values_list("group", "group__workspace_role__role", "permission__codename"):
        if (role, action) not in allowed:
            yield Right("granted", role or f"group:{group}", action)


@has
def _custom_roles(workspace: Workspace | None) -> Iterator[Right]:
    for code, actions in CustomRole.objects.filter(retired_at=None).values_list("code", "actions"):
        yield from (Right("allows", code, action) for action in actions)


def _members_now(workspace: Workspace | None) -> dict[str, Any]:
    """The people as the database knows them, and what the roles' groups are granted."""
    if workspace is None:
        return {"members": _members(Membership.objects.filter(group__name=PLATFORM_ADMINISTRATOR))}
    actions: dict[str, list[str]] = defaultdict(list)
    grants = WorkspaceGroupGrant.objects.filter(content_object=workspace).order_by("permission__codename")
    for role, action in grants.values_list("group__workspace_role__role", "permission__codename"):
        actions[role].append(action)
    members = Membership.objects.filter(group__workspace_role__workspace=workspace)
    return {"members": _members(members), "actions_of_roles": actions}


def _members(memberships: Any) -> list[dict[str, Any]]:
    rows = memberships.select_related("user", "group__workspace_role", "added_by")
    return [
        {
            "person": row.user.get_username(),
            "active": row.user.is_active,
            "role": row.group.workspace_role.role if hasattr(row.group, "workspace_role") else row.group.name,
            "source": row.source,
            "added_at": row.added_at,
            "added_by": row.added_by.get_username() if row.added_by else None,
        }
        for row in rows.order_by("group__name", "user__username", "source")
    ]
