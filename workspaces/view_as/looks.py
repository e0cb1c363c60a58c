"""An administrator's look at the portal as another person sees it: read-only, with a reason, for half an hour.

The session stays the administrator's; it only remembers which look is under way. What a look leaves of the person's
rights is said in `workspaces/narrowing.py`, and what of the portal stays open in `workspaces/view_as/viewing.py`.
"""

from datetime import timedelta
from typing import Any

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from audit import context
from audit.events import EventType
from audit.record import record
from workspaces import access
from workspaces.exceptions import Forbidden, ViewingError
from workspaces.models import User, ViewAs
from workspaces.roles import PlatformAction

MINUTES = 30

#: How a look ended, for the trail.
ENDED, TIME_UP, SIGNED_OUT, CLOSED, RIGHT_LOST, ANOTHER = (
    "ended",
    "time_up",
    "signed_out",
    "account_closed",
    "right_lost",
    "another_began",
)


@transaction.atomic
def start(person: User, *, by: User, reason: str) -> ViewAs:
    """Begin to see the portal as `person`. An earlier look of `by` ends.

    Raises Forbidden when `person` is a superuser and `by` is none, and ViewingError without a reason, for oneself, for
    a closed account, or from inside another look.
    """
    if context.current().viewer is not None:
        raise ViewingError(_("You are seeing the portal as somebody else already. End that first."))
    access.require(by, PlatformAction.MANAGE_ACCOUNTS, None)
    # Locked, so that two looks that begin at once leave one.
    by, person = User.objects.select_for_update(no_key=True).get(pk=by.pk), User.objects.get(pk=person.pk)
    if _is_above(person, by):
        raise Forbidden(user=by, action=PlatformAction.MANAGE_ACCOUNTS, thing=person)
    reason = reason.strip()
    if not reason:
        raise ViewingError(_("Say why you need to see the portal as this person."))
    if person.pk == by.pk:
        raise ViewingError(_("This is you already."))
    if not person.is_active:
        raise ViewingError(_("%(name)s's account is not active.") % {"name": person.name})
    end_all(ViewAs.objects.filter(viewer=by), how=ANOTHER)
    until = timezone.now() + timedelta(minutes=MINUTES)
    look = ViewAs.objects.create(viewer=by, person=person, reason=reason[:300], until=until)
    record(EventType.VIEW_AS_STARTED, on=person, by=by, reason=look.reason, look=look.pk, until=until)
    return look


@transaction.atomic
def end_all(looks: QuerySet[ViewAs], *, how: str = ENDED) -> int:
    """End those of `looks` that are still open, each with its entry; returns how many there were."""
    still_open = looks.filter(ended_at=None).select_for_update(of=("self",), no_key=True)
    ended = list(still_open.select_related("viewer", "person").order_by("pk"))
    for look in ended:
        look.ended_at = timezone.now()
        look.save(update_fields=["ended_at"])
        record(EventType.VIEW_AS_ENDED, on=look.person, by=look.viewer, reason=look.reason, look=look.pk, how=how)
    return len(ended)


def under_way(pk: Any, viewer: User) -> ViewAs | None:
    """The open look called `pk` of `viewer`; one that must be over by now is ended here."""
    look = ViewAs.objects.select_related("viewer", "person").filter(pk=pk, viewer=viewer, ended_at=None).first()
    how = _over(look) if look else None
    if how:
        end_all(ViewAs.objects.filter(pk=pk), how=how)
        return None
    return look


def end_overdue() -> int:
    """End every look whose time is up or one of whose accounts has closed, though nobody came back to it."""
    looks = ViewAs.objects.filter(ended_at=None)
    closed = Q(viewer__is_active=False) | Q(person__is_active=False)
    return end_all(looks.filter(closed), how=CLOSED) + end_all(looks.filter(until__lte=timezone.now()), how=TIME_UP)


def _over(look: ViewAs) -> str | None:
    if not (look.viewer.is_active and look.person.is_active):
        return CLOSED
    if look.until <= timezone.now():
        return TIME_UP
    may = PlatformAction.MANAGE_ACCOUNTS in access.platform_actions(look.viewer)
    return None if may and not _is_above(look.person, look.viewer) else RIGHT_LOST


def _is_above(person: User, viewer: User) -> bool:
    return person.is_superuser and not viewer.is_superuser
