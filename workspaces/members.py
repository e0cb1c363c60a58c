"""The verbs that change workspaces, people and roles: each checked, atomic and in the trail."""

from collections.abc import Callable, Iterable
from typing import Any
from uuid import UUID

from django.contrib.auth.models import Group, Permission
from django.contrib.auth.password_validation import validate_password
from django.contrib.contenttypes.models import ContentType
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.db.models import Exists, OuterRef, QuerySet
from django.utils import timezone
from django.utils.text import slugify
from django.utils.translation import gettext as _

from audit.events import EventType
from audit.record import record
from workspaces import access
from workspaces.charters import charters
from workspaces.exceptions import MembershipError, WorkspaceError
from workspaces.models import Membership, ReviewPolicy, User, Workspace, WorkspaceGroupGrant, WorkspaceRole
from workspaces.roles import PLATFORM_ADMINISTRATOR, Action, PlatformAction, Role

#: What the apps above do when a person is about to lose the last role that opens documents, in the same transaction
#: and before any entry of it, so that rows are locked before the chain; they add themselves when they load.
when_left: list[Callable[[Workspace, User, User | None], None]] = []


#: What a manager changes about a workspace.
SETTINGS = frozenset(
    {"name", "description", "review_policy", "second_approver_from", "uploader_may_approve", "withhold_expired"}
)


@transaction.atomic
def create_workspace(
    *,
    slug: str,
    name: str,
    by: User | None,
    manager: User | None = None,
    policy: str = ReviewPolicy.OPEN,
    description: str = "",
) -> Workspace:
    """A new workspace with its role groups, and `manager` in the first of them if given.

    `by` None is the operator at the command line. Raises WorkspaceError for a name that is taken or unusable.
    """
    if by is not None:
        access.require(by, PlatformAction.CREATE_WORKSPACE, None)
    if slugify(slug) != slug or not slug:
        raise WorkspaceError(_("A short name has lower-case letters, digits and hyphens only, such as “hr-policies”."))
    if policy not in ReviewPolicy.values:
        raise WorkspaceError(_("The release policy is one of: %(list)s.") % {"list": ", ".join(ReviewPolicy.values)})
    try:
        with transaction.atomic():
            workspace = Workspace.objects.create(
                slug=slug, name=name or slug, description=description, review_policy=policy, created_by=by
            )
    except IntegrityError as error:
        raise WorkspaceError(_("There is already a workspace called “%(slug)s”.") % {"slug": slug}) from error
    renew_role_groups(workspace)
    record(EventType.WORKSPACE_CREATED, on=workspace, workspace=workspace, by=by, slug=slug, policy=policy)
    if manager is not None:
        # Whoever may create a workspace may name its first manager; nobody else could yet.
        _put_in_role(workspace, manager, Role.MANAGER, by=by)
    return workspace


@transaction.atomic
def change_workspace(workspace: Workspace, *, by: User, **changes: Any) -> Workspace:
    """Change what `SETTINGS` names; the trail keeps before and after."""
    access.require(by, Action.MANAGE, workspace)
    unknown = set(changes) - SETTINGS
    if unknown:
        raise WorkspaceError(
            _("These settings cannot be changed here: %(list)s.") % {"list": ", ".join(sorted(unknown))}
        )
    workspace = Workspace.objects.select_for_update(no_key=True).get(pk=workspace.pk)
    before = {field: getattr(workspace, field) for field in changes}
    changed = {field: value for field, value in changes.items() if value != before[field]}
    if not changed:
        return workspace
    for field, value in changed.items():
        setattr(workspace, field, value)
    workspace.clean_fields(exclude={field.name for field in Workspace._meta.fields} - set(changed))
    workspace.save(update_fields=list(changed))
    record(
        EventType.WORKSPACE_CHANGED,
        on=workspace,
        workspace=workspace,
        by=by,
        before={field: before[field] for field in changed},
        after=changed,
    )
    return workspace


@transaction.atomic
def set_archived(workspace: Workspace, *, archived: bool, by: User) -> None:
    """Close a workspace to questions and uploads, or open it again; nothing in it is lost."""
    access.require(by, Action.MANAGE, workspace)
    workspace.archived_at = timezone.now() if archived else None
    workspace.archived_by = by if archived else None
    workspace.save(update_fields=["archived_at", "archived_by"])
    record(EventType.WORKSPACE_CHANGED, on=workspace, workspace=workspace, by=by, after={"archived": archived})


@transaction.atomic
def add_member(workspace: Workspace, user: User, role: str, *, by: User | None) -> Membership:
    """Give `user` a role. Adding a role somebody already holds changes nothing and says nothing."""
    require_staffing(workspace, by)
    return _put_in_role(workspace, user, role, by=by)


@transaction.atomic
def remove_member(workspace: Workspace, user: User, role: str, *, by: User | None) -> None:
    """Take a role from `user`. The last manager stays, so that a workspace is never ownerless by accident."""
    require_staffing(workspace, by)
    if role == Role.MANAGER and managers_of(workspace) == {user.pk}:
        raise MembershipError(_("A workspace keeps at least one manager. Name another one first."))
    roles = set(roles_of(workspace, user))
    let_go(workspace, user, roles, roles - {role}, by)
    held = Membership.objects.filter(group__workspace_role__workspace=workspace, group__workspace_role__role=role)
    deleted, _rows = held.filter(user=user).delete()
    if deleted:
        record(EventType.MEMBER_REMOVED, on=user, workspace=workspace, by=by, role=role)


@transaction.atomic
def change_roles(workspace: Workspace, user: User, roles: Iterable[str], *, by: User) -> None:
    """Make `roles` the exact set `user` holds in the workspace; an empty set removes them."""
    require_staffing(workspace, by)
    wanted = set(roles)
    held = set(roles_of(workspace, user))
    let_go(workspace, user, held, wanted, by)
    for role in sorted(wanted - held):
        add_member(workspace, user, role, by=by)
    for role in sorted(held - wanted):
        remove_member(workspace, user, role, by=by)


def managers_of(workspace: Workspace) -> set[UUID]:
    """Who manages the workspace now: active people, not barred from it.

    Their places stay locked to the end of the transaction, so that two managers who end each other's role, or bar each
    other, leave one of them.
    """
    places = Membership.objects.filter(
        group__workspace_role__workspace=workspace, group__workspace_role__role=Role.MANAGER
    )
    list(places.select_for_update(of=("self",), no_key=True).order_by("pk").values_list("pk"))
    return set(access.holders(workspace, Role.MANAGER).values_list("pk", flat=True))


def without_manager() -> QuerySet[Workspace]:
    """The workspaces in use that nobody may manage, since a provider's groups or a closed account took the last."""
    managers = access.people_allowed(OuterRef("pk"), Action.MANAGE)
    return Workspace.objects.filter(~Exists(managers), archived_at=None)


def roles_of(workspace: Workspace, user: User) -> list[str]:
    """The roles `user` holds in `workspace`."""
    return list(
        WorkspaceRole.objects.filter(workspace=workspace, group__memberships__user=user)
        .order_by("role")
        .distinct()
        .values_list("role", flat=True)
    )


@transaction.atomic
def create_user(
    *, username: str, by: User | None, password: str | None = None, email: str = "", display_name: str = ""
) -> User:
    """A new account that belongs nowhere. Without a password nobody can sign in to it.

    Raises MembershipError for a name that is taken or a password the rules refuse.
    """
    if by is not None:
        access.require(by, PlatformAction.MANAGE_ACCOUNTS, None)
    if User.objects.filter(username__iexact=username).exists():
        raise MembershipError(_("There is already an account called “%(name)s”.") % {"name": username})
    user = User(username=username, email=email, first_name=display_name)
    try:
        if password is not None:
            validate_password(password, user)
        user.set_password(password)
        user.full_clean(exclude=["password"])
    except ValidationError as error:
        raise MembershipError(" ".join(error.messages)) from error
    user.save()
    record(EventType.USER_CREATED, on=user, by=by)
    return user


@transaction.atomic
def set_platform_administrator(user: User, *, by: User | None, administrator: bool = True) -> None:
    """Put `user` among the platform administrators, or take them out.

    Raises MembershipError for the last one, whom only the operator (`by` None) takes out.
    """
    if by is not None:
        access.require(by, PlatformAction.MANAGE_ACCOUNTS, None)
    group, _made = Group.objects.get_or_create(name=PLATFORM_ADMINISTRATOR)
    if administrator:
        _membership, changed = Membership.objects.get_or_create(
            user=user, group=group, source="", defaults={"added_by": by}
        )
    else:
        if by is not None:
            require_other_administrator(user)
        changed = bool(Membership.objects.filter(user=user, group=group).delete()[0])
    if changed:
        event = EventType.MEMBER_ADDED if administrator else EventType.MEMBER_REMOVED
        record(event, on=user, by=by, role=PLATFORM_ADMINISTRATOR)


def require_other_administrator(user: User) -> None:
    """Raise MembershipError if `user` is the only platform administrator with an open account."""
    # Locked, so that two administrators removing each other leave one of them.
    held = Membership.objects.select_for_update(of=("self",), no_key=True).filter(group__name=PLATFORM_ADMINISTRATOR)
    administrators = list(held.filter(user__is_active=True).order_by("pk").values_list("user_id", flat=True))
    if administrators == [user.pk]:
        raise MembershipError(_("This is the last platform administrator. Name another one first."))


def renew_all_role_groups() -> None:
    """Make every workspace follow the role table as it is now."""
    for workspace in Workspace.objects.all():
        renew_role_groups(workspace)


def renew_role_groups(workspace: Workspace) -> None:
    """Make the workspace's role groups hold exactly what their charters say; a retired role's group holds nothing."""
    content_type = ContentType.objects.get_for_model(Workspace)
    permissions = {p.codename: p for p in Permission.objects.filter(content_type=content_type)}
    in_force = charters()
    retired = WorkspaceRole.objects.filter(workspace=workspace).exclude(role__in=in_force)
    WorkspaceGroupGrant.objects.filter(content_object=workspace, group__in=retired.values("group")).delete()
    for role, charter in in_force.items():
        group, _made = Group.objects.get_or_create(name=f"{workspace.pk}:{role}")
        WorkspaceRole.objects.get_or_create(group=group, defaults={"workspace": workspace, "role": role})
        grants = WorkspaceGroupGrant.objects.filter(content_object=workspace, group=group)
        grants.exclude(permission__codename__in=charter.actions).delete()
        WorkspaceGroupGrant.objects.bulk_create(
            [
                WorkspaceGroupGrant(content_object=workspace, group=group, permission=permissions[code])
                for code in sorted(charter.actions)
            ],
            ignore_conflicts=True,
        )


def require_staffing(workspace: Workspace, by: User | None) -> None:
    """Return for whoever gives and takes roles here: the operator (None), platform administrators, who holds the right.

    Raises Hidden or Forbidden as `access.require` does.
    """
    if by is None or PlatformAction.STAFF_WORKSPACES in access.platform_actions(by):
        return
    access.require(by, Action.MANAGE_PEOPLE, workspace)


def let_go(workspace: Workspace, user: User, before: set[str], after: set[str], by: User | None) -> None:
    """Before roles change: what was given to the person by name ends with the last role that let them use it."""
    if _opens_documents(before) and not _opens_documents(after):
        for follow in when_left:
            follow(workspace, user, by)


def _opens_documents(roles: set[str]) -> bool:
    return any(Action.OPEN in charter.actions for role, charter in charters().items() if role in roles)


def _put_in_role(workspace: Workspace, user: User, role: str, *, by: User | None) -> Membership:
    if role not in charters():
        raise MembershipError(_("There is no role “%(role)s”.") % {"role": role})
    if not user.is_active:
        raise MembershipError(_("%(name)s's account is not active.") % {"name": user.name})
    group = WorkspaceRole.objects.get(workspace=workspace, role=role).group
    membership, created = Membership.objects.get_or_create(user=user, group=group, source="", defaults={"added_by": by})
    if created:
        record(EventType.MEMBER_ADDED, on=user, workspace=workspace, by=by, role=role)
    return membership
