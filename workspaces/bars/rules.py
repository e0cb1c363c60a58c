"""Never rules: keep a person, or everybody of a group, from one role in a workspace or from all of it.

A never rule wins over whatever else lets somebody in. Rules about documents are in `documents/access/bars.py`.
"""

from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from audit.events import EventType
from audit.record import record
from workspaces import access, members
from workspaces.charters import charters
from workspaces.exceptions import BarError
from workspaces.models import Bar, PeopleGroup, RoleBar, User, Workspace
from workspaces.roles import Action

Holder = User | PeopleGroup


@transaction.atomic
def bar(workspace: Workspace, holder: Holder, *, role: str = "", reason: str, by: User | None) -> RoleBar:
    """Keep `holder` from `role`, or from every role when it is empty, whatever gives it to them.

    What was granted by name to those who can open no document any more ends as when they leave. Raises BarError
    without a reason, for an unknown role or a rule that is there already, and where the rule would take a right from
    `by` or leave the workspace without a manager.
    """
    members.require_staffing(workspace, by)
    reason = reason_of(reason)
    if role and role not in charters():
        raise BarError(_("There is no role “%(role)s”.") % {"role": role})
    managed = bool(members.managers_of(workspace))
    mine = access.actions(by, workspace)
    could_open = _who_open(workspace, holder)
    try:
        with transaction.atomic():
            made = RoleBar.objects.create(
                workspace=workspace, role=role, reason=reason, created_by=by, **held_by(holder)
            )
    except IntegrityError as error:
        raise BarError(_("There is such a rule already.")) from error
    if access.actions(by, workspace) != mine:
        raise BarError(_("This rule would take a right from you. Ask another manager to make it."))
    if managed and not members.managers_of(workspace):
        raise BarError(_("This rule would leave the workspace without a manager. Name another one first."))
    can_open = set(_who_open(workspace, holder))
    for person in could_open:
        if person not in can_open:
            for follow in members.when_left:
                follow(workspace, person, by)
    record(EventType.BARRED, on=workspace, workspace=workspace, by=by, reason=reason, role=role or "all", **told(made))
    return made


@transaction.atomic
def lift(bar: RoleBar, *, by: User | None, reason: str) -> None:
    """End the rule: from now on the person has again what their roles give. Grants that ended stay ended.

    Raises BarError for whom the rule binds: somebody else lifts it.
    """
    members.require_staffing(bar.workspace, by)
    require_unbound(bar, by)
    reason = reason_of(reason)
    details = told(bar)
    deleted, _rows = RoleBar.objects.filter(pk=bar.pk).delete()
    if deleted:
        role = bar.role or "all"
        record(
            EventType.BAR_LIFTED, on=bar.workspace, workspace=bar.workspace, by=by, reason=reason, role=role, **details
        )


# --- Shared with the rules about documents -------------------------------------------------------------------


def require_unbound(bar: Bar, by: User | None) -> None:
    """Raise BarError if the rule is about `by`, by name or through a group."""
    if by is None:
        return
    if bar.user_id == by.pk or by.memberships.filter(group=bar.group_id, group__isnull=False).exists():
        raise BarError(_("This rule is about you. Ask another manager to lift it."))


def reason_of(text: str) -> str:
    """`text` as it is kept. Raises BarError for an empty or endless one."""
    text = " ".join(text.split())
    if not text or len(text) > 300:
        raise BarError(_("Say why, in at most 300 characters."))
    return text


def held_by(holder: Holder) -> dict[str, object]:
    """The columns of a rule that name whom it keeps out."""
    return {"group": holder.group} if isinstance(holder, PeopleGroup) else {"user": holder}


def people_of(holder: Holder) -> QuerySet[User]:
    """The people a rule or a grant of `holder` is about."""
    if isinstance(holder, PeopleGroup):
        return User.objects.filter(memberships__group=holder.group_id).distinct()
    return User.objects.filter(pk=holder.pk)


def told(bar: Bar) -> dict[str, object]:
    """What the trail keeps of a rule."""
    whom = {"person": bar.user_id} if bar.user_id else {"group": bar.group_id}
    return {"bar": bar.pk, "holder": bar.user.username if bar.user else bar.holder, **whom}


def _who_open(workspace: Workspace, holder: Holder) -> list[User]:
    able = access.people_allowed(workspace, Action.OPEN)
    return list(able.filter(pk__in=people_of(holder).values("pk")).order_by("pk"))
