"""The verbs over roles that this installation makes for itself, from the same actions as the declared ones.

They ask for the right to give and take roles in every workspace, because that is what they do: a changed role gives
and takes rights wherever somebody holds it, at once.
"""

from collections import defaultdict
from collections.abc import Iterable

from django.contrib.auth.models import Group, Permission
from django.contrib.contenttypes.models import ContentType
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from audit.events import EventType
from audit.record import Entry, record, record_all
from workspaces import access, members
from workspaces.charters import charter_of
from workspaces.exceptions import RoleError
from workspaces.models import CustomRole, Membership, User, Workspace, WorkspaceGroupGrant, WorkspaceRole
from workspaces.roles import PLATFORM_ADMINISTRATOR, Action, PlatformAction, Role

#: What an administrator may change later; the code stays, because the trail knows the role by it.
CHANGEABLE = ("name", "purpose", "actions")


@transaction.atomic
def create_role(*, code: str, name: str, purpose: str, actions: Iterable[str], by: User | None) -> CustomRole:
    """A new role that can be given in every workspace. `by` None is the operator.

    Raises RoleError for a code that is taken or unusable, and for actions that do not exist or are none.
    """
    _require(by)
    require_free_code(code)
    role = CustomRole(code=code, name=name.strip(), purpose=purpose.strip(), actions=_usable(actions), created_by=by)
    _check(role)
    role.save()
    _write_into_workspaces(role)
    record(EventType.ROLE_CREATED, on=role, by=by, code=code, after=_told(role))
    return role


@transaction.atomic
def change_role(role: CustomRole, *, by: User | None, name: str, purpose: str, actions: Iterable[str]) -> CustomRole:
    """Rename the role or change what it allows, for everybody who holds it. Raises RoleError as `create_role`."""
    _require(by)
    role = _locked(role)
    before = _told(role)
    role.name, role.purpose, role.actions = name.strip(), purpose.strip(), _usable(actions)
    after = _told(role)
    changed = [field for field in CHANGEABLE if after[field] != before[field]]
    if not changed:
        return role
    _check(role)
    holders = _holders(role)
    role.save(update_fields=changed)
    _write_into_workspaces(role)
    if Action.OPEN in before["actions"] and Action.OPEN not in after["actions"]:
        _let_go(holders, by)
    details = {
        "code": role.code,
        "before": {field: before[field] for field in changed},
        "after": {field: after[field] for field in changed},
    }
    for workspace in holders:
        record(EventType.ROLE_CHANGED, on=role, workspace=workspace, by=by, **details)
    record(EventType.ROLE_CHANGED, on=role, by=by, **details)
    return role


@transaction.atomic
def retire_role(role: CustomRole, *, by: User | None) -> None:
    """Take the role from everybody and offer it no more. Its code is never used again."""
    _require(by)
    role = _locked(role)
    holders = _holders(role)
    role.retired_at, role.retired_by = timezone.now(), by
    role.save(update_fields=["retired_at", "retired_by"])
    _write_into_workspaces(role)
    if Action.OPEN in role.actions:
        _let_go(holders, by)
    for workspace, people in holders.items():
        # Those that were seen and nobody else: an end that no entry tells of must not be.
        here = {"group__workspace_role__workspace": workspace, "group__workspace_role__role": role.code}
        Membership.objects.filter(**here, user__in=people).delete()
        details = {"role": role.code, "retired": True}
        record_all(
            [Entry(EventType.MEMBER_REMOVED, user, details=details) for user in people], workspace=workspace, by=by
        )
    record(EventType.ROLE_RETIRED, on=role, by=by, code=role.code, before=_told(role), workspaces=len(holders))


def require_free_code(code: str) -> None:
    """Raise RoleError for a code that stands for a role every installation has."""
    if code in {*Role.values, PLATFORM_ADMINISTRATOR}:
        raise RoleError(_("The code “%(code)s” has a meaning already.") % {"code": code})


# --- Inside -------------------------------------------------------------------------------------------------


def _require(by: User | None) -> None:
    if by is not None:
        access.require(by, PlatformAction.STAFF_WORKSPACES, None)


def _locked(role: CustomRole) -> CustomRole:
    role = CustomRole.objects.select_for_update(of=("self",), no_key=True).get(pk=role.pk)
    if role.retired_at:
        raise RoleError(_("“%(name)s” is retired.") % {"name": role.name})
    return role


def _usable(actions: Iterable[str]) -> list[str]:
    """The actions in the order of the table. Whoever may do anything in a workspace sees that it exists."""
    chosen = set(actions)
    unknown = chosen - set(Action.values)
    if unknown:
        raise RoleError(_("There is no such action: %(list)s.") % {"list": ", ".join(sorted(unknown))})
    if not chosen - {Action.ENTER}:
        raise RoleError(_("Choose at least one thing the role allows."))
    return [action.value for action in Action if action in chosen | {Action.ENTER}]


def _check(role: CustomRole) -> None:
    try:
        role.full_clean(exclude=["created_by", "retired_by"])
    except ValidationError as error:
        raise RoleError(" ".join(error.messages)) from error


def _told(role: CustomRole) -> dict[str, object]:
    return {field: getattr(role, field) for field in CHANGEABLE}


def _write_into_workspaces(role: CustomRole) -> None:
    """Make the role's group in every workspace hold what the role gives now, in a few statements for all of them."""
    known = WorkspaceRole.objects.filter(role=role.code).values("workspace")
    without = list(Workspace.objects.exclude(pk__in=known).order_by("pk"))
    made = Group.objects.bulk_create([Group(name=f"{workspace.pk}:{role.code}") for workspace in without])
    WorkspaceRole.objects.bulk_create(
        WorkspaceRole(group=group, workspace=workspace, role=role.code)
        for group, workspace in zip(made, without, strict=True)
    )
    gives = [] if role.retired_at else charter_of(role).actions
    grants = WorkspaceGroupGrant.objects.filter(group__workspace_role__role=role.code)
    grants.exclude(permission__codename__in=gives).delete()
    of_workspaces = Permission.objects.filter(content_type=ContentType.objects.get_for_model(Workspace))
    permissions = list(of_workspaces.filter(codename__in=gives))
    WorkspaceGroupGrant.objects.bulk_create(
        [
            WorkspaceGroupGrant(content_object_id=place.workspace_id, group_id=place.group_id, permission=permission)
            for place in WorkspaceRole.objects.filter(role=role.code)
            for permission in permissions
        ],
        ignore_conflicts=True,
        batch_size=1000,
    )


def _holders(role: CustomRole) -> dict[Workspace, list[User]]:
    """Who holds the role where, always in this order, so that two acts lock several chains one after another."""
    rows = Membership.objects.filter(group__workspace_role__role=role.code)
    found: dict[Workspace, dict[User, None]] = defaultdict(dict)
    # Locked, so that nobody is given the role between this look and the end of it.
    for row in (
        rows.select_for_update(of=("self",), no_key=True)
        .select_related("user", "group__workspace_role__workspace")
        .order_by("group__workspace_role__workspace", "pk")
    ):
        found[row.group.workspace_role.workspace][row.user] = None
    return {workspace: list(people) for workspace, people in found.items()}


def _let_go(holders: dict[Workspace, list[User]], by: User | None) -> None:
    """What was given by name ends for those who have no other role that opens documents (see `members.when_left`)."""
    for workspace, people in holders.items():
        able = set(access.people_allowed(workspace, Action.OPEN).values_list("pk", flat=True))
        for user in people:
            if user.pk not in able:
                for follow in members.when_left:
                    follow(workspace, user, by)
