"""When what begins to wait for reviewers now is due, and how long before that they are reminded, by workspace."""

from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from answers.exceptions import DraftError
from answers.models import DUE_HOURS, REMIND_HOURS, ReviewTime
from audit.events import EventType
from audit.record import record
from workspaces import access
from workspaces.models import User, Workspace
from workspaces.roles import Action


def hours_of(workspace_id: UUID) -> int:
    """How many hours the workspace gives its reviewers; 0 for no due date."""
    return times_of(workspace_id)[0]


def times_of(workspace_id: UUID) -> tuple[int, int]:
    """How many hours the workspace gives its reviewers, and how many before that they are reminded; 0 for neither."""
    found = ReviewTime.objects.filter(workspace=workspace_id).values_list("hours", "remind_hours").first()
    return found or (DUE_HOURS, REMIND_HOURS)


def due_after(hours: int | None) -> datetime | None:
    """When a draft that is held now will be due, by the hours of its workspace; None where nobody set any."""
    hours = DUE_HOURS if hours is None else hours
    return timezone.now() + timedelta(hours=hours) if hours else None


@transaction.atomic
def give_time(workspace: Workspace, *, hours: int, remind_hours: int, by: User) -> None:
    """Set how many hours after it is held a draft of the workspace is due (0: never), and how many before that its
    reviewers are reminded (0: not at all). Drafts that wait keep their due date.

    Raises Forbidden unless `by` manages the workspace, and DraftError for a number out of range.
    """
    access.require(by, Action.MANAGE, workspace)
    for given, most in ((hours, ReviewTime.LONGEST), (remind_hours, ReviewTime.EARLIEST_REMINDER)):
        if not 0 <= given <= most:
            raise DraftError(_("A number of hours from 0 to %(most)d.") % {"most": most})
    Workspace.objects.select_for_update(no_key=True).get(pk=workspace.pk)
    before = times_of(workspace.pk)
    after = (hours, remind_hours)
    if before == after:
        return
    stored = {"hours": hours, "remind_hours": remind_hours, "changed_by": by}
    ReviewTime.objects.update_or_create(workspace=workspace, defaults=stored)
    for setting, old, new in zip(("review_hours", "remind_hours"), before, after, strict=True):
        if old != new:
            record(
                EventType.WORKSPACE_CHANGED,
                on=workspace,
                workspace=workspace,
                by=by,
                setting=setting,
                before=old,
                after=new,
            )
