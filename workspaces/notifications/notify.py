"""Tell people of something: rows in the caller's transaction, and nothing else. Mails leave later, by themselves."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import models, transaction
from django.db.models import OuterRef, Subquery
from django.utils import timezone

from workspaces.models import Channel, Correspondence, Mail, Notification, NotificationChoice, User, Workspace
from workspaces.notifications.registry import MANNERS, Kind

#: A digest that is nearly due is not joined any more: its mail may be under way when this act is committed.
_TOO_LATE = timedelta(minutes=10)


def notify(
    kind: Kind | str,
    *,
    to: Iterable[User | UUID],
    about: models.Model | None = None,
    workspace: Workspace | UUID | None = None,
    by: User | None = None,
    **facts: Any,
) -> int:
    """Tell each active person of `to`, themselves or their ids, but `by` that `kind` happened; how many were told.

    `about` is the thing, `facts` are codes, ids and dates that JSON can carry. Whether a person may see the thing is
    asked when the notice is shown and again when it is mailed; still, tell only people whom it concerns. A failing
    mail never fails the act: nothing is sent here.
    """
    return notify_each(kind, [(about, list(to))], workspace=workspace, by=by, **facts)


@transaction.atomic
def notify_each(
    kind: Kind | str,
    told: Sequence[tuple[models.Model | None, Sequence[User | UUID]]],
    *,
    workspace: Workspace | UUID | None = None,
    by: User | None = None,
    **facts: Any,
) -> int:
    """As `notify`, for several things at once: each person gets a notice for each of theirs, and one mail for all."""
    manner = MANNERS[Kind(kind)]
    named = [
        (thing, dict.fromkeys(person.pk if isinstance(person, User) else person for person in to)) for thing, to in told
    ]
    people = {pk for _thing, to in named for pk in to} - {by.pk if by else None}
    if not people:
        return 0
    chosen = NotificationChoice.objects.filter(person=OuterRef("pk"), kind=kind).values("channel")[:1]
    active = User.objects.filter(pk__in=people, is_active=True).order_by().annotate(chosen=Subquery(chosen))
    channels, reachable = {}, set()
    for pk, email, channel in active.values_list("pk", "email", "chosen"):
        channels[pk] = Channel(channel or manner.default)
        if email:
            reachable.add(pk)
    if manner.may_be_off:
        channels = {pk: channel for pk, channel in channels.items() if channel != Channel.OFF}
    mails = _mails({pk: channels[pk] for pk in channels if pk in reachable}) if settings.MAIL_IS_ON else {}
    return len(
        Notification.objects.bulk_create(
            Notification(
                person_id=pk,
                kind=Kind(kind).value,
                workspace_id=getattr(workspace, "pk", workspace),
                about_type=thing._meta.label_lower if thing is not None else "",
                about_id=thing.pk if thing is not None else None,
                by=by,
                facts={name: str(value) for name, value in facts.items()},
                mail=mails.get(pk),
            )
            for thing, to in named
            for pk in to
            if pk in channels
        )
    )


def _mails(channels: dict[UUID, Channel]) -> dict[UUID, Mail]:
    """The mail that carries the notice, for each person who wants one: one of its own, or the next digest."""
    now = timezone.now()
    at_once = [Mail(person_id=pk, due_at=now) for pk, channel in channels.items() if channel == Channel.NOW]
    Mail.objects.bulk_create(at_once)
    found = {mail.person_id: mail for mail in at_once}
    # In one order: two acts that tell the same people would else wait for each other's rows in a circle.
    waiting = sorted(pk for pk, channel in channels.items() if channel == Channel.DIGEST)
    return found | _digests(waiting, now) if waiting else found


def _digests(people: list[UUID], now: datetime) -> dict[UUID, Mail]:
    hours = dict(Correspondence.objects.filter(person__in=people).values_list("person", "digest_hour"))
    wanted = [Mail(person_id=pk, is_digest=True, due_at=next_morning(now, hours.get(pk, 7))) for pk in people]
    # Whoever else asks for the same morning at this moment gets the same row.
    Mail.objects.bulk_create(wanted, ignore_conflicts=True)
    rows = Mail.objects.filter(is_digest=True, person__in=people, due_at__in={mail.due_at for mail in wanted})
    return {mail.person_id: mail for mail in rows}


def next_morning(now: datetime, hour: int) -> datetime:
    """The next time it is `hour` o'clock in the portal's time zone, and not just now."""
    local = timezone.localtime(now)
    morning = local.replace(hour=hour, minute=0, second=0, microsecond=0)
    return morning if morning > local + _TOO_LATE else morning + timedelta(days=1)
