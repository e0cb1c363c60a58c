"""When a draft that begins to wait now is due: the hours that its workspace gives its reviewers."""

from datetime import datetime, timedelta
from uuid import UUID

from django.utils import timezone

from answers.models import DUE_HOURS, ReviewTime


def hours_of(workspace_id: UUID) -> int:
    """How many hours the workspace gives its reviewers; 0 for no due date."""
    hours = ReviewTime.objects.filter(workspace=workspace_id).values_list("hours", flat=True).first()
    return DUE_HOURS if hours is None else hours


def due_after(hours: int | None) -> datetime | None:
    """When a draft that is held now will be due, by the hours of its workspace; None where nobody set any."""
    hours = DUE_HOURS if hours is None else hours
    return timezone.now() + timedelta(hours=hours) if hours else None
