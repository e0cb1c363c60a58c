"""Break the glass: a superuser states a reason, and may then use rights without a role in one workspace for a while."""

from datetime import timedelta

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from audit.events import EventType
from audit.record import record
from workspaces import access
from workspaces.exceptions import GlassError, Hidden
from workspaces.models import BreakGlass, User, Workspace
from workspaces.roles import PlatformAction

#: The longest anybody goes without stating their reason again.
MOST_MINUTES = 8 * 60
MAX_REASON = 300


@transaction.atomic
def break_glass(workspace: Workspace, *, by: User, reason: str, minutes: int = 60) -> BreakGlass:
    """Let `by`, a superuser, use every right in `workspace` for `minutes`; each use is in its trail with the reason.

    A reason stated again takes the place of the one before. Raises Forbidden for anybody who is no superuser, and
    GlassError without a reason, for too long a time, or where a never rule keeps the person out.
    """
    access.require(by, PlatformAction.BREAK_GLASS, None)
    reason = " ".join(reason.split())
    if not reason or len(reason) > MAX_REASON:
        raise GlassError(_("State your reason, in at most %(most)d characters.") % {"most": MAX_REASON})
    if not 1 <= minutes <= MOST_MINUTES:
        raise GlassError(_("Choose between one minute and %(most)d hours.") % {"most": MOST_MINUTES // 60})
    now = timezone.now()
    before = BreakGlass.objects.filter(user=by, workspace=workspace, ended_at=None, until__gt=now)
    before.update(ended_at=now)
    glass = BreakGlass.objects.create(
        user=by, workspace=workspace, reason=reason, until=now + timedelta(minutes=minutes)
    )
    if access.broken_glass(by, workspace) is None:
        raise GlassError(_("A never rule keeps you out of this workspace. Who manages its people can lift it."))
    record(
        EventType.GLASS_BROKEN,
        on=workspace,
        workspace=workspace,
        by=by,
        reason=reason,
        glass=glass.pk,
        until=glass.until.isoformat(timespec="seconds"),
    )
    return glass


@transaction.atomic
def end(glass: BreakGlass, *, by: User) -> None:
    """End the use before its time; one that has ended stays as it is. Another superuser may do it too."""
    access.require(by, PlatformAction.BREAK_GLASS, None)
    now = timezone.now()
    ended = BreakGlass.objects.filter(pk=glass.pk, ended_at=None, until__gt=now).update(ended_at=now)
    if ended:
        record(
            EventType.GLASS_ENDED,
            on=glass.workspace,
            workspace=glass.workspace_id,
            by=by,
            glass=glass.pk,
            person=glass.user_id,
        )


def find_workspace(slug: str, *, by: User) -> Workspace:
    """The workspace called `slug`, for a superuser about to state a reason. Raises Forbidden or Hidden."""
    access.require(by, PlatformAction.BREAK_GLASS, None)
    workspace = access.visible(by, Workspace).filter(slug=slug).first()
    if workspace is None:
        raise Hidden(user=by, action=PlatformAction.BREAK_GLASS)
    return workspace


def record_listing(user: User, action: str, listed: str) -> None:
    """Leave an entry in every workspace whose things stand in a list only because `user` broke its glass."""
    if not user.is_superuser:
        return
    for workspace in access.workspaces_behind_glass(user):
        glass = access.broken_glass(user, workspace)
        if glass is None or action in access.actions(user, workspace):
            continue
        with transaction.atomic():
            record(
                EventType.BREAK_GLASS,
                on=workspace,
                workspace=workspace,
                by=user,
                reason=glass.reason,
                action=action,
                listed=listed,
                glass=glass.pk,
            )
