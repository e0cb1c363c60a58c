"""Why somebody may or may not do something: the chain of roles, grants, never rules and broken glass behind a right.

It explains what `workspaces/access.py` decides and decides nothing; a test holds the two together. The apps above
explain their own things and add them to `things_of`. The number of queries is the same for any number of people.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import UUID

from django.db.models import Q
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from workspaces.charters import charters
from workspaces.models import (
    BreakGlass,
    Membership,
    RoleBar,
    User,
    Workspace,
    WorkspaceGroupGrant,
    WorkspaceUserGrant,
)
from workspaces.roles import PLATFORM_ADMINISTRATOR, PLATFORM_CHARTER, Action, Charter


@dataclass(frozen=True, slots=True)
class Reason:
    """One link of the chain. `gives` says whether it opens or closes, `sentence` tells a person.

    `untold` is the sentence for where the thing is not named: without what somebody wrote about it.
    """

    kind: str
    gives: bool
    sentence: str
    actions: frozenset[str] = frozenset()
    untold: str = ""

    def unnamed(self) -> "Reason":
        """The reason as it stands beside a thing that is not named."""
        return replace(self, sentence=self.untold, untold="") if self.untold else self


@dataclass(frozen=True, slots=True)
class Standing:
    """One person before one thing: whether it is open to them, and every reason for and against."""

    person: User
    is_open: bool
    reasons: list[Reason]


@dataclass(frozen=True, slots=True)
class Thing:
    """Something inside a workspace that is open or closed to a person on its own account.

    Its name is told to those who hold the action `named_to` there.
    """

    label: str
    is_open: bool
    reasons: list[Reason]
    kind: str = "document"
    named_to: str = Action.MANAGE_DOCUMENTS
    #: The page on which the same is said of everybody, for those who may open it.
    url: str = ""

    def named_for(self, actions: frozenset[str]) -> "Thing":
        """The thing as somebody who holds `actions` there may see it."""
        if self.named_to in actions:
            return self
        label = _("An answer") if self.kind == "answer" else _("A document")
        return replace(self, label=label, reasons=[reason.unnamed() for reason in self.reasons])


@dataclass(slots=True)
class Place:
    """What one person holds in one workspace."""

    workspace: Workspace
    actions: frozenset[str]
    reasons: list[Reason]
    things: list[Thing] = field(default_factory=list)

    def things_for(self, actions: frozenset[str]) -> list[tuple[str, list[Thing]]]:
        """Kind → its things, as somebody who holds `actions` here may see them."""
        found: dict[str, list[Thing]] = defaultdict(list)
        for thing in self.things:
            found[thing.kind].append(thing.named_for(actions))
        return list(found.items())


#: What the apps above add to the places of one person, by workspace id. They add themselves when they load.
things_of: list[Callable[[User, dict[UUID, Place]], None]] = []


def standings(workspace: Workspace, action: str, *, person: User | None = None) -> dict[UUID, Standing]:
    """Everybody with something to say about them in `workspace` (or `person` alone), by id, for one action."""
    found = _reasons(workspace=workspace, person=person)
    return {user.pk: Standing(user, _holds(reasons, action), reasons) for (user, _place), reasons in found.items()}


def why(person: User, action: str, workspace: Workspace) -> Standing:
    """Why `person` may or may not do `action` in `workspace`. Somebody without any reason is a stranger there."""
    return standings(workspace, action, person=person).get(person.pk, Standing(person, False, []))


def what_can_see(person: User) -> list[Place]:
    """The workspaces a person has any reason in, by name, with what is open or closed to them on its own account."""
    places = {
        workspace.pk: Place(workspace, _actions(reasons), reasons)
        for (_user, workspace), reasons in _reasons(person=person).items()
    }
    for add in things_of:
        add(person, places)
    return sorted(places.values(), key=lambda place: place.workspace.name)


def on_platform(person: User) -> list[Reason]:
    """What the person holds above the workspaces, and why nothing counts where the account is closed."""
    found = []
    places = person.memberships.filter(group__name=PLATFORM_ADMINISTRATOR).select_related("added_by")
    for place in places.order_by("added_at"):
        found.append(Reason("role", person.is_active, _role_sentence(str(PLATFORM_CHARTER.label), place)))
    if person.is_superuser:
        sentence = _("Superuser: may open anything anywhere after stating a reason.")
        found.append(Reason("superuser", False, sentence))
    if not person.is_active:
        found.append(Reason("closed", False, _("The account is closed.")))
    return found


def day(at: Any) -> str:
    """A date as a person reads it."""
    return date_format(timezone.localtime(at), "SHORT_DATE_FORMAT")


# --- Inside -------------------------------------------------------------------------------------------------

_Key = tuple[User, Workspace]


def _reasons(*, workspace: Workspace | None = None, person: User | None = None) -> dict[_Key, list[Reason]]:
    """(person, workspace) → reasons, within one workspace, of one person, or both."""
    in_force, bars = charters(), _bars(workspace, person)
    given: dict[_Key, list[Reason]] = defaultdict(list)
    for user, place, reason in [*_roles(workspace, person, bars, in_force), *_direct(workspace, person, bars)]:
        given[user, place].append(reason)
    for user, place, rules in bars.values():
        given[user, place] += [_bar_reason(rule, in_force) for rule in rules]
    for user, place, reason in _glass(workspace, person, bars):
        given[user, place].append(reason)
    return {key: _of_account(key[0], reasons) for key, reasons in given.items()}


def _of_account(user: User, reasons: list[Reason]) -> list[Reason]:
    """A closed account opens nothing; a superuser could break the glass."""
    if not user.is_active:
        closed = Reason("closed", False, _("The account is closed."))
        return [closed, *(Reason(one.kind, False, one.sentence, one.actions) for one in reasons)]
    if user.is_superuser and not any(one.kind == "glass" for one in reasons):
        return [*reasons, Reason("superuser", False, _("Superuser: may open anything here after stating a reason."))]
    return reasons


_Bars = dict[tuple[UUID, UUID], tuple[User, Workspace, list[RoleBar]]]


def _bars(workspace: Workspace | None, person: User | None) -> _Bars:
    """(person id, workspace id) → the never rules against them there, by name and through groups."""
    rules = RoleBar.objects.select_related("user", "group__people_group", "workspace").order_by("created_at")
    rules = rules.filter(workspace=workspace) if workspace else rules
    if person:
        rules = rules.filter(Q(user=person) | Q(group__memberships__user=person)).distinct()
    rows = list(rules)
    people: dict[int, list[User]] = members_of((rule.group_id for rule in rows if rule.group_id), person)
    found: _Bars = {}
    for rule in rows:
        for user in [rule.user] if rule.user else people[rule.group_id]:  # type: ignore[index]
            found.setdefault((user.pk, rule.workspace_id), (user, rule.workspace, []))[2].append(rule)
    return found


def members_of(groups: Iterable[int], person: User | None = None) -> dict[int, list[User]]:
    """Group id → the people in it (or `person` alone, where they are). One query."""
    places = Membership.objects.filter(group__in=set(groups)).select_related("user").order_by("user__username")
    people: dict[int, dict[UUID, User]] = defaultdict(dict)
    for place in places.filter(user=person) if person else places:
        people[place.group_id][place.user_id] = place.user
    return defaultdict(list, {group: list(users.values()) for group, users in people.items()})


def _is_barred(bars: _Bars, user: UUID, workspace: UUID, role: str = "") -> bool:
    _user, _place, rules = bars.get((user, workspace), (None, None, []))
    return any(rule.role in {"", role} for rule in rules)


def _roles(
    workspace: Workspace | None, person: User | None, bars: _Bars, in_force: dict[str, Charter]
) -> Iterable[tuple[User, Workspace, Reason]]:
    holds: dict[int, set[str]] = defaultdict(set)
    grants = WorkspaceGroupGrant.objects.filter(group__workspace_role__role__in=in_force)
    grants = grants.filter(content_object=workspace) if workspace else grants
    grants = grants.filter(group__memberships__user=person) if person else grants
    for group, code in grants.values_list("group_id", "permission__codename"):
        holds[group].add(code)
    places = Membership.objects.filter(group__in=holds).order_by("added_at")
    places = places.filter(user=person) if person else places
    for place in places.select_related("user", "added_by", "group__workspace_role__workspace"):
        given = place.group.workspace_role
        barred = _is_barred(bars, place.user_id, given.workspace_id, given.role)
        sentence = _role_sentence(str(in_force[given.role].label), place)
        yield place.user, given.workspace, Reason("role", not barred, sentence, frozenset(holds[place.group_id]))


def _role_sentence(role: str, place: Membership) -> str:
    words = {"role": role, "when": day(place.added_at), "provider": place.source}
    if place.source:
        return _("%(role)s, by the identity provider %(provider)s since %(when)s.") % words
    if place.added_by is None:
        return _("%(role)s, since %(when)s.") % words
    return _("%(role)s, given by %(who)s on %(when)s.") % (words | {"who": place.added_by.name})


def _direct(workspace: Workspace | None, person: User | None, bars: _Bars) -> Iterable[tuple[User, Workspace, Reason]]:
    grants = WorkspaceUserGrant.objects.select_related("user", "content_object", "permission").order_by("pk")
    grants = grants.filter(content_object=workspace) if workspace else grants
    for grant in grants.filter(user=person) if person else grants:
        code = grant.permission.codename
        barred = _is_barred(bars, grant.user_id, grant.content_object_id)
        words = _("Given by name: %(action)s.") % {"action": Action(code).label}
        yield grant.user, grant.content_object, Reason("grant", not barred, words, frozenset({code}))


def _bar_reason(rule: RoleBar, in_force: dict[str, Charter]) -> Reason:
    role = in_force[rule.role].label if rule.role in in_force else rule.role
    words = {"role": role, "reason": _unended(rule.reason)}
    if rule.group_id:
        words["group"] = rule.holder
        sentence = (
            _("Never %(role)s, through the group %(group)s: %(reason)s.")
            if rule.role
            else _("Never in this workspace, through the group %(group)s: %(reason)s.")
        )
    else:
        sentence = _("Never %(role)s: %(reason)s.") if rule.role else _("Never in this workspace: %(reason)s.")
    return Reason("never", False, sentence % words)


def _glass(workspace: Workspace | None, person: User | None, bars: _Bars) -> Iterable[tuple[User, Workspace, Reason]]:
    broken = BreakGlass.objects.filter(user__is_superuser=True, ended_at=None, until__gt=timezone.now())
    broken = broken.filter(workspace=workspace) if workspace else broken
    broken = broken.filter(user=person) if person else broken
    for glass in broken.select_related("user", "workspace").order_by("until"):
        until = date_format(timezone.localtime(glass.until), "SHORT_DATETIME_FORMAT")
        sentence = _("Broken glass until %(until)s: %(reason)s.") % {"until": until, "reason": _unended(glass.reason)}
        opens = not _is_barred(bars, glass.user_id, glass.workspace_id)
        yield glass.user, glass.workspace, Reason("glass", opens, sentence, frozenset(Action.values))


def _unended(reason: str) -> str:
    """What a person wrote, without the full stop that the sentence around it ends with."""
    return reason.rstrip().removesuffix(".")


def _holds(reasons: list[Reason], action: str) -> bool:
    return action in _actions(reasons)


def _actions(reasons: list[Reason]) -> frozenset[str]:
    return frozenset().union(*(reason.actions for reason in reasons if reason.gives))
