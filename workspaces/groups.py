"""The verbs over groups of people, such as a department: who is granted or barred together.

A group holds no role and no right by itself; what rests on one is told before it is deleted. Whoever runs the
accounts of the installation runs the groups: a group is the same in every workspace.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from django.contrib.auth.models import Group
from django.core.exceptions import ValidationError
from django.db import IntegrityError, models, transaction
from django.utils.translation import gettext as _

from audit.events import EventType
from audit.record import record
from workspaces import access
from workspaces.exceptions import GroupInUse, MembershipError
from workspaces.models import Bar, ClaimRule, Membership, PeopleGroup, RoleBar, User, Workspace
from workspaces.roles import PlatformAction


@dataclass(frozen=True, slots=True)
class Use:
    """Something that rests on a group and ends with it: `code` for the trail, `sentence` for a person."""

    code: str
    sentence: str
    workspace: Workspace | None


#: model with a key to a group → the uses of one group in it. The apps above add theirs when they load; a test fails
#: while a model is missing.
uses_in: dict[type[models.Model], Callable[[Group], Iterable[Use]]] = {}


@transaction.atomic
def create_group(*, name: str, description: str = "", by: User | None) -> PeopleGroup:
    """A new group with nobody in it. `by` None is the operator. Raises MembershipError for a name that is taken."""
    _require(by)
    made = PeopleGroup(name=name.strip(), description=description.strip(), created_by=by)
    _check(made)
    try:
        with transaction.atomic():
            made.group = Group.objects.create(name=f"people:{uuid4()}")
            made.save(force_insert=True)
    except IntegrityError as error:
        raise _taken(made) from error
    record(EventType.GROUP_CREATED, on=made, by=by)
    return made


@transaction.atomic
def change_group(group: PeopleGroup, *, by: User | None, name: str, description: str) -> PeopleGroup:
    """Rename or describe the group; the trail keeps before and after. Raises MembershipError as `create_group`."""
    _require(by)
    group = PeopleGroup.objects.select_for_update(no_key=True).get(pk=group.pk)
    wanted = {"name": name.strip(), "description": description.strip()}
    before = {field: getattr(group, field) for field in wanted}
    changed = {field: value for field, value in wanted.items() if value != before[field]}
    if not changed:
        return group
    for field, value in changed.items():
        setattr(group, field, value)
    _check(group)
    try:
        with transaction.atomic():
            group.save(update_fields=list(changed))
    except IntegrityError as error:
        raise _taken(group) from error
    record(EventType.GROUP_CHANGED, on=group, by=by, before={field: before[field] for field in changed}, after=changed)
    return group


@transaction.atomic
def delete_group(group: PeopleGroup, *, by: User | None, with_its_uses: bool = False) -> None:
    """Delete the group. Raises GroupInUse, which says what would end, unless `with_its_uses`.

    Raises MembershipError for whom a never rule keeps out through it.
    """
    _require(by)
    group = PeopleGroup.objects.select_for_update(of=("self",), no_key=True).get(pk=group.pk)
    ended = uses(group)
    if ended and not with_its_uses:
        raise GroupInUse(ended)
    if by is not None and group.pk in barred() and Membership.objects.filter(user=by, group=group.group).exists():
        raise MembershipError(
            _("A never rule rests on your place in this group. Ask another administrator to delete it.")
        )
    details = {"people": Membership.objects.filter(group=group.group).values("user").distinct().count()}
    for workspace in _workspaces(ended):
        here = [use.code for use in ended if use.workspace == workspace]
        record(EventType.GROUP_DELETED, on=group, workspace=workspace, by=by, ended=here, **details)
    record(EventType.GROUP_DELETED, on=group, by=by, ended=[use.code for use in ended], **details)
    group.group.delete()


@transaction.atomic
def add_to_group(group: PeopleGroup, user: User, *, by: User | None) -> None:
    """Put `user` into the group by hand; doing so twice changes nothing and says nothing."""
    _require(by)
    if not user.is_active:
        raise MembershipError(_("%(name)s's account is not active.") % {"name": user.name})
    _row, made = Membership.objects.get_or_create(user=user, group_id=group.pk, source="", defaults={"added_by": by})
    if made:
        _record_member(EventType.GROUP_MEMBER_ADDED, group, user, by)


@transaction.atomic
def remove_from_group(group: PeopleGroup, user: User, *, by: User | None) -> None:
    """Take `user` out of the group.

    Raises MembershipError where an identity provider put them there, and for oneself while something rests on the
    group: a never rule would end by leaving it.
    """
    _require(by)
    if by is not None and by.pk == user.pk and uses(group):
        raise MembershipError(_("Something rests on this group. Ask another administrator to take you out of it."))
    rows = Membership.objects.filter(user=user, group_id=group.pk)
    if rows.filter(source="").delete()[0]:
        _record_member(EventType.GROUP_MEMBER_REMOVED, group, user, by)
    elif rows.exists():
        raise MembershipError(
            _("The identity provider puts %(name)s into this group at each sign-in. Change it there.")
            % {"name": user.name}
        )


def memberships(group: PeopleGroup) -> list[Membership]:
    """Who is in the group, by hand or by an identity provider (`source`), in the order of their names."""
    rows = Membership.objects.filter(group_id=group.pk).select_related("user", "added_by")
    return list(rows.order_by("user__username", "source"))


def uses(group: PeopleGroup) -> list[Use]:
    """What rests on the group now, in every workspace."""
    return [use for find in uses_in.values() for use in find(group.group)]


def barred() -> set[int]:
    """The ids of all groups whose people a never rule keeps from something."""
    rules = [model for model in uses_in if issubclass(model, Bar)]
    return {pk for model in rules for pk in model.objects.exclude(group=None).values_list("group", flat=True)}


def workspaces_of(group: PeopleGroup) -> list[Workspace]:
    """The workspaces in which the group opens or closes something, in the order of writing to their chains."""
    return _workspaces(uses(group))


# --- Inside -------------------------------------------------------------------------------------------------


def _require(by: User | None) -> None:
    if by is not None:
        access.require(by, PlatformAction.MANAGE_ACCOUNTS, None)


def _check(group: PeopleGroup) -> None:
    if not group.name:
        raise MembershipError(_("A group needs a name."))
    try:
        group.clean_fields(exclude=["group", "created_by"])
    except ValidationError as error:
        raise MembershipError(" ".join(error.messages)) from error


def _taken(group: PeopleGroup) -> MembershipError:
    return MembershipError(_("There is already a group called “%(name)s”.") % {"name": group.name})


def _record_member(event: EventType, group: PeopleGroup, user: User, by: User | None) -> None:
    """Tell the platform's chain, and that of every workspace in which the group opens or closes something."""
    details: dict[str, Any] = {"group": group.name, "group_id": group.pk}
    for workspace in workspaces_of(group):
        record(event, on=user, workspace=workspace, by=by, **details)
    record(event, on=user, by=by, **details)


def _workspaces(found: list[Use]) -> list[Workspace]:
    """Each workspace once, always in this order, so that two acts lock the chains of several one after another."""
    return sorted({use.workspace for use in found if use.workspace}, key=lambda workspace: workspace.pk)


def _role_bars(group: Group) -> Iterator[Use]:
    for bar in RoleBar.objects.filter(group=group).select_related("workspace").order_by("pk"):
        words = {"workspace": bar.workspace.name, "role": bar.role}
        sentence = _("Never %(role)s in %(workspace)s.") if bar.role else _("Never any role in %(workspace)s.")
        yield Use(f"role_bar:{bar.pk}", sentence % words, bar.workspace)


def _claim_rules(group: Group) -> Iterator[Use]:
    for rule in ClaimRule.objects.filter(people_group=group.pk).order_by("pk"):
        words = {"provider": rule.provider, "claim": rule.claim}
        sentence = _("%(provider)s puts the people of “%(claim)s” into it.") % words
        yield Use(f"claim_rule:{rule.pk}", sentence, None)


uses_in[RoleBar] = _role_bars
uses_in[ClaimRule] = _claim_rules
