"""Checks of who holds what: a manager, readers of the trail, nobody left over, nobody with too much."""

from datetime import date
from typing import Any

from django.db.models import Count, Exists, OuterRef, Q
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext_lazy, gettext_noop

from workspaces import access, charters
from workspaces.access_review import reviewing as access_review
from workspaces.identity.requirement import with_factor
from workspaces.models import (
    ApiToken,
    BreakGlass,
    Membership,
    PlatformPolicy,
    User,
    Workspace,
    WorkspaceGroupGrant,
    WorkspaceRole,
    WorkspaceUserGrant,
)
from workspaces.readiness.registry import Area, Found, Scene, blocked, check, none, passed, warned
from workspaces.readiness.thresholds import of, percent
from workspaces.roles import Action

_ = gettext_noop
_NAMED = 5
_PEOPLE = "workspaces:people"


def names(people: list[User]) -> str:
    """The first of them by name, for a sentence."""
    return ", ".join(one.name for one in people[:_NAMED]) + (", …" if len(people) > _NAMED else "")


def _in_roles(scene: Scene) -> dict[str, set[str]]:
    """Active people's ids by the action they hold here."""
    return {
        action: {str(pk) for pk in access.people_allowed(scene.workspace, action).values_list("pk", flat=True)}
        for action in (Action.ENTER, Action.ASK, Action.MANAGE, Action.MANAGE_PEOPLE, Action.REVIEW, Action.READ_TRAIL)
    }


@check("rights.manager", Area.RIGHTS, gettext_lazy("Somebody manages the workspace"), fix=_PEOPLE)
def manager(scene: Scene) -> Found:
    count = len(scene.once(_in_roles)[Action.MANAGE_PEOPLE])
    if not count:
        return blocked(_("Nobody with an open account manages this workspace's people."))
    return passed(_("Managers with an open account: %(n)d."), n=count)


@check("rights.many_managers", Area.RIGHTS, gettext_lazy("Few people manage the workspace"), fix=_PEOPLE)
def many_managers(scene: Scene) -> Found:
    count, most = len(scene.once(_in_roles)[Action.MANAGE_PEOPLE]), of("managers_warn")
    rate = warned if count > most else passed
    return rate(_("Managers: %(n)d, of at most %(most)d."), n=count, most=most)


@check("rights.many_reviewers", Area.RIGHTS, gettext_lazy("Reviewing is not everybody's"), fix=_PEOPLE)
def many_reviewers(scene: Scene) -> Found:
    held = scene.once(_in_roles)
    people, reviewers = len(held[Action.ENTER]), len(held[Action.REVIEW])
    too_many = people >= of("reviewers_from_people") and percent(reviewers, people) > of("reviewers_percent_warn")
    rate = warned if too_many else passed
    return rate(_("Reviewers: %(n)d of %(people)d people."), n=reviewers, people=people)


@check("rights.two_hats", Area.RIGHTS, gettext_lazy("Whoever manages does not review"), fix=_PEOPLE)
def two_hats(scene: Scene) -> Found:
    held = scene.once(_in_roles)
    both = list(User.objects.filter(pk__in=held[Action.MANAGE] & held[Action.REVIEW]).order_by("username"))
    if both:
        return warned(_("People who both manage and review: %(n)d (%(names)s)."), n=len(both), names=names(both))
    return passed(_("Nobody both manages and reviews."))


@check("rights.askers", Area.RIGHTS, gettext_lazy("There are people to ask questions"), fix=_PEOPLE)
def askers(scene: Scene) -> Found:
    held = scene.once(_in_roles)
    count = len(held[Action.ASK] - held[Action.MANAGE] - held[Action.REVIEW])
    if not count:
        return warned(_("Nobody may ask questions but those who manage or review."))
    return passed(_("People who may ask, beside managers and reviewers: %(n)d."), n=count)


@check("rights.auditor", Area.RIGHTS, gettext_lazy("Somebody reads the trail"), fix=_PEOPLE)
def auditor(scene: Scene) -> Found:
    count = len(scene.once(_in_roles)[Action.READ_TRAIL])
    if not count:
        return warned(_("Nobody with an open account may read this workspace's trail."))
    return passed(_("People who may read the trail: %(n)d."), n=count)


@check("rights.closed_accounts", Area.RIGHTS, gettext_lazy("No closed account keeps a role"), fix=_PEOPLE)
def closed_accounts(scene: Scene) -> Found:
    held = Membership.objects.filter(user=OuterRef("pk"), group__workspace_role__workspace=scene.workspace)
    left = list(User.objects.filter(Exists(held), is_active=False).order_by("username"))
    if left:
        return warned(_("Closed accounts that still hold a role: %(n)d (%(names)s)."), n=len(left), names=names(left))
    return passed(_("No closed account holds a role here."))


@check("rights.role_table", Area.RIGHTS, gettext_lazy("Roles give what their table says"), fix=_PEOPLE)
def role_table(scene: Scene) -> Found:
    said = {code: set(charter.actions) for code, charter in charters.charters().items()}
    held: dict[str, set[str]] = {role: set() for role in said}
    groups = dict(WorkspaceRole.objects.filter(workspace=scene.workspace).values_list("group", "role"))
    grants = WorkspaceGroupGrant.objects.filter(content_object=scene.workspace)
    strays = 0
    for group, action in grants.values_list("group", "permission__codename"):
        if groups.get(group) in held:
            held[groups[group]].add(action)
        else:
            strays += 1
    unlike = sum(held[role] != said[role] for role in said) + strays
    if unlike:
        return blocked(_("Groups whose rights are not those of the role table: %(n)d."), n=unlike)
    return passed(_("All %(n)d roles hold exactly what the role table gives them."), n=len(said))


@check("rights.direct", Area.RIGHTS, gettext_lazy("Rights come from roles alone"), fix=_PEOPLE)
def direct(scene: Scene) -> Found:
    count = WorkspaceUserGrant.objects.filter(content_object=scene.workspace).count()
    if count:
        return warned(_("Rights that people hold beside their roles: %(n)d."), n=count)
    return passed(_("Nobody holds a right beside their role."))


@check("rights.second_factor", Area.RIGHTS, gettext_lazy("Second factors where they are required"), fix=_PEOPLE)
def second_factor(scene: Scene) -> Found:
    codes = list(PlatformPolicy.objects.values_list("second_factor_roles", flat=True).first() or [])
    needed = Membership.objects.filter(
        group__workspace_role__workspace=scene.workspace, group__workspace_role__role__in=codes, user__is_active=True
    )
    if not codes or not needed.exists():
        return none(_("No role here is required to have a second factor."))
    people = set(needed.values_list("user", flat=True))
    missing = list(User.objects.filter(pk__in=people - with_factor(people)).order_by("username"))
    if missing:
        return warned(
            _("People who need a second factor and have none: %(n)d (%(names)s)."),
            n=len(missing),
            names=names(missing),
        )
    return passed(_("All %(n)d people who need a second factor have one."), n=len(people))


def _told(facts: dict[str, Any]) -> dict[str, Any]:
    """The day as the reader writes it; the report keeps it as it was found."""
    day = facts.get("day")
    return facts | {"day": date_format(date.fromisoformat(day), "DATE_FORMAT")} if day else facts


@check(
    "rights.access_review",
    Area.RIGHTS,
    gettext_lazy("Rights were reviewed in time"),
    fix="workspaces:access_reviews",
    told=_told,
)
def reviewed(scene: Scene) -> Found:
    since = access_review.is_due(scene.workspace)
    if since is not None:
        return warned(_("A review of who holds which rights is due since %(day)s."), day=since.date().isoformat())
    return passed(_("No review of rights is due."))


@check("rights.glass", Area.RIGHTS, gettext_lazy("Nobody uses rights without a role"), fix="workspaces:glass")
def glass(scene: Scene) -> Found:
    open_glass = BreakGlass.objects.filter(workspace=scene.workspace, ended_at=None, until__gt=timezone.now())
    count = open_glass.count()
    if count:
        return warned(_("Superusers who use rights without a role here now: %(n)d."), n=count)
    return passed(_("No superuser uses rights without a role here now."))


@check("rights.tokens", Area.RIGHTS, gettext_lazy("No token reaches for what its person lost"), fix=_PEOPLE)
def tokens(scene: Scene) -> Found:
    live = ApiToken.objects.filter(workspaces=scene.workspace, revoked_at=None, expires_at__gt=timezone.now())
    here = access.people_allowed(scene.workspace, Action.ENTER).values("pk")
    found = live.aggregate(all=Count("pk"), stray=Count("pk", filter=~Q(user__in=here)))
    if found["stray"]:
        return warned(_("Live tokens of people who are not in the workspace any more: %(stray)d of %(all)d."), **found)
    return passed(_("Live tokens for this workspace, each of somebody in it: %(all)d."), all=found["all"])


@check("rights.stranger", Area.RIGHTS, gettext_lazy("A stranger gets in nowhere"), fix=_PEOPLE)
def stranger(scene: Scene) -> Found:
    """Somebody without any role is made, asks the door for everything it guards, and is gone with the rest."""
    nobody = outsider(scene)
    let_in = [action for action in Action.values if access.allows(nobody, action, scene.workspace)]
    if access.visible(nobody, Workspace).filter(pk=scene.workspace.pk).exists():
        let_in.append(Action.ENTER.value)
    if let_in:
        return blocked(
            _("The access door lets a person without a role do this: %(actions)s."), actions=", ".join(let_in)
        )
    return passed(_("A person without a role was refused all %(n)d actions."), n=len(Action.values))


def outsider(scene: Scene) -> User:
    """A person without any role, for as long as a check lasts."""
    return User.objects.create(username=f"readiness-{scene.workspace.pk}", is_active=True)
