"""What the groups of an identity provider give here: rules over its groups claim, and their outcome at each sign-in.

A place given by a rule is a `Membership` whose `source` is the provider. At a sign-in these become exactly what the
rules say of the groups named then; places given by hand are never touched. A claim that is missing or makes no sense
names no groups, so that it can only take, and takes no place that a never rule rests on: whom it keeps out, stays out.
Between two sign-ins nothing is given: a new rule waits for the next one, the end of a rule takes at once.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.db.models import Count, IntegerField, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.utils.translation import gettext as _

from audit.events import EventType
from audit.record import Entry, record_all
from workspaces import access, groups, members
from workspaces.charters import charters
from workspaces.exceptions import ClaimRuleError
from workspaces.models import ClaimRule, Membership, PeopleGroup, User, Workspace, WorkspaceRole
from workspaces.roles import PlatformAction, Role

#: An entry and the chains it goes into; None is the platform's.
Told = tuple[list[Workspace | None], Entry]
_OF_PLACE = ("group__workspace_role__workspace", "group__people_group")


@dataclass(frozen=True, slots=True)
class Change:
    """How many places a sign-in gave and took."""

    given: int
    taken: int


@transaction.atomic
def add_rule(
    *,
    provider: str,
    claim: str,
    by: User | None,
    workspace: Workspace | None = None,
    role: str = "",
    people_group: PeopleGroup | None = None,
) -> ClaimRule:
    """Whom `provider` names in the group `claim` gets `role` in `workspace`, or a place in `people_group`.

    Holds from each person's next sign-in. `by` None is the operator. Raises ClaimRuleError for a rule that gives
    neither or both, a role that is not in force, and a rule that there is already.
    """
    _require(by)
    rule = ClaimRule(
        provider=provider, claim=claim.strip(), workspace=workspace, role=role, people_group=people_group, created_by=by
    )
    _check(rule)
    try:
        with transaction.atomic():
            rule.save(force_insert=True)
    except IntegrityError as error:
        raise ClaimRuleError(_("There is such a rule already.")) from error
    _write(_about_rule(EventType.CLAIM_RULE_ADDED, rule), by=by)
    return rule


@transaction.atomic
def remove_rule(rule: ClaimRule, *, by: User | None) -> int:
    """End the rule, and at once every place it gave. How many places that were.

    Where another rule gives the same place, the next sign-in gives it again: which of a person's groups it came
    from is not kept. A place that a never rule rests on stays as one given by hand, so that the end of a rule lets
    nobody in. Raises ClaimRuleError where `by` themselves has such a place.
    """
    _require(by)
    rule = ClaimRule.objects.select_for_update(of=("self",), no_key=True).get(pk=rule.pk)
    places = Membership.objects.filter(source=rule.provider, group__in=_targets([rule]))
    if by is not None and places.filter(user=by, group__in=groups.barred()).exists():
        raise ClaimRuleError(_("A never rule rests on your place in this group. Ask another administrator to end it."))
    bound = _bound(places)
    taken = _take(places, by=by)
    given = [told for user, group_ids in bound.items() for told in _give(user, "", group_ids)]
    _write([*taken, *given, *_about_rule(EventType.CLAIM_RULE_REMOVED, rule, places=len(taken))], by=by)
    rule.delete()
    return len(taken)


@transaction.atomic
def recompute(user: User, *, provider: str, claimed: Iterable[str], is_told: bool = True) -> Change:
    """Make the places `provider` gives `user` exactly those that the rules say of the groups `claimed`.

    Without `is_told` the provider did not say which groups these are, and places that never rules rest on stay.
    """
    # Two sign-ins of one person, one after the other; and none beside the end of a rule that it builds on.
    User.objects.select_for_update(no_key=True).get(pk=user.pk)
    rules = ClaimRule.objects.filter(provider=provider, claim__in=list(claimed) if user.is_active else [])
    wanted = _targets(rules.select_for_update(of=("self",), no_key=True).order_by("pk"))
    held = Membership.objects.filter(user=user, source=provider)
    ended = held.exclude(group__in=wanted)
    if not (is_told and user.is_active):
        ended = ended.exclude(group__in=groups.barred())
    taken = _take(ended, by=None)
    given = _give(user, provider, wanted - set(held.values_list("group_id", flat=True)))
    _write([*taken, *given], by=None)
    return Change(given=len(given), taken=len(taken))


@transaction.atomic
def let_go(user: User, *, provider: str) -> Change:
    """End all that `provider` gave `user`, who is no longer its person.

    A place that a never rule rests on stays as one given by hand, which an administrator may take: nobody gets rid of
    such a rule by leaving the provider.
    """
    User.objects.select_for_update(no_key=True).get(pk=user.pk)
    held = Membership.objects.filter(user=user, source=provider)
    bound = _bound(held)
    taken = _take(held, by=None)
    given = _give(user, "", bound.get(user, set()))
    _write([*taken, *given], by=None)
    return Change(given=len(given), taken=len(taken))


def places_given() -> Coalesce:
    """For a queryset of rules: how many places the provider gives now where the rule points.

    Where several rules give the same place, each counts it.
    """
    here = Q(group__workspace_role__workspace=OuterRef("workspace"), group__workspace_role__role=OuterRef("role"))
    places = Membership.objects.filter(here | Q(group=OuterRef("people_group")), source=OuterRef("provider"))
    counted = places.order_by().values("source").annotate(n=Count("pk")).values("n")
    return Coalesce(Subquery(counted, output_field=IntegerField()), 0)


# --- Inside -------------------------------------------------------------------------------------------------


def _require(by: User | None) -> None:
    if by is not None:
        access.require(by, PlatformAction.MANAGE_ACCOUNTS, None)
        access.require(by, PlatformAction.STAFF_WORKSPACES, None)


def _check(rule: ClaimRule) -> None:
    if not rule.claim:
        raise ClaimRuleError(_("Name the group as the provider's claim spells it."))
    gives_role = rule.workspace is not None and bool(rule.role) and rule.people_group is None
    gives_group = rule.workspace is None and not rule.role and rule.people_group is not None
    if not (gives_role or gives_group):
        raise ClaimRuleError(_("A rule gives either a role in a workspace, or a place in a group of people."))
    if gives_role and rule.role not in charters():
        raise ClaimRuleError(_("There is no role “%(role)s”.") % {"role": rule.role})
    try:
        rule.clean_fields(exclude=["workspace", "people_group", "created_by"])
    except ValidationError as error:
        raise ClaimRuleError(" ".join(error.messages)) from error


def _targets(rules: Iterable[ClaimRule]) -> set[int]:
    """The groups that the rules give: those of roles in force, and groups of people."""
    in_force = set(charters())
    found = set()
    for rule in rules:
        if rule.people_group_id is not None:
            found.add(rule.people_group_id)
        elif rule.role in in_force:
            roles = WorkspaceRole.objects.filter(workspace=rule.workspace_id, role=rule.role)
            found |= set(roles.values_list("group_id", flat=True))
    return found


def _bound(places: QuerySet[Membership]) -> dict[User, set[int]]:
    """Of these places, the groups that never rules rest on and that the person was not put into by hand as well."""
    found: dict[User, set[int]] = {}
    for place in places.filter(group__in=groups.barred()).select_related("user").order_by("user", "group"):
        if not Membership.objects.filter(user=place.user, source="", group=place.group_id).exists():
            found.setdefault(place.user, set()).add(place.group_id)
    return found


def _take(places: QuerySet[Membership], *, by: User | None) -> list[Told]:
    """Delete these places and say what to write of it."""
    rows = list(places.select_related("user", *_OF_PLACE).order_by("group__workspace_role__workspace", "pk"))
    for place in rows:
        role = _role(place)
        by_hand = Membership.objects.filter(user=place.user_id, group=place.group_id).exclude(pk=place.pk)
        if role is not None and not by_hand.exists():
            held = set(members.roles_of(role.workspace, place.user))
            members.let_go(role.workspace, place.user, held, held - {role.role}, by)
        place.delete()
    return [_about_place(place, EventType.MEMBER_REMOVED, EventType.GROUP_MEMBER_REMOVED) for place in rows]


def _give(user: User, provider: str, group_ids: set[int]) -> list[Told]:
    """Make these places and say what to write of it."""
    for group_id in sorted(group_ids):
        Membership(user=user, group_id=group_id, source=provider).save(force_insert=True)
    rows = Membership.objects.filter(user=user, source=provider, group__in=group_ids)
    rows = rows.select_related("user", *_OF_PLACE).order_by("pk")
    return [_about_place(place, EventType.MEMBER_ADDED, EventType.GROUP_MEMBER_ADDED) for place in rows]


def _role(place: Membership) -> WorkspaceRole | None:
    return getattr(place.group, "workspace_role", None)


def _about_place(place: Membership, of_role: EventType, of_group: EventType) -> Told:
    role = _role(place)
    if role is None:
        group = place.group.people_group
        details: dict[str, Any] = {"group": group.name, "group_id": group.pk}
        if place.source:
            details["source"] = place.source
        return [*groups.workspaces_of(group), None], Entry(of_group, on=place.user, details=details)
    details = {"source": place.source, "role": role.role}
    if of_role == EventType.MEMBER_REMOVED and role.role == Role.MANAGER and not members.managers_of(role.workspace):
        # Off means off: whom the provider no longer names keeps no role for being the last. A platform administrator
        # names another manager.
        details["last_manager"] = True
    return [role.workspace], Entry(of_role, on=place.user, details=details)


def _about_rule(event: EventType, rule: ClaimRule, **details: Any) -> list[Told]:
    details |= {"provider": rule.provider, "claim": rule.claim}
    if rule.people_group is not None:
        details |= {"group": rule.people_group.name, "group_id": rule.people_group_id}
    if rule.workspace is not None:
        details |= {"role": rule.role, "slug": rule.workspace.slug}
    return [([rule.workspace, None] if rule.workspace else [None], Entry(event, on=rule, details=details))]


def _write(told: list[Told], *, by: User | None) -> None:
    """Write each entry to its chains; the chains in one order, so that two acts lock them one after another."""
    chains: dict[Workspace | None, list[Entry]] = {}
    for workspaces, entry in told:
        for workspace in workspaces:
            chains.setdefault(workspace, []).append(entry)
    for workspace in sorted(chains, key=lambda one: (one is None, one.pk if one else None)):
        record_all(chains[workspace], workspace=workspace, by=by)
