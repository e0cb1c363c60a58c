"""What the installation does about people by itself, now and then."""

from datetime import timedelta

from celery import shared_task
from django.conf import settings
from django.db.models import Q
from django.db.models.functions import Now

from workspaces.dispatch import dispatch
from workspaces.models import ReadinessRun
from workspaces.notifications import mail
from workspaces.readiness import asking, lapsing, running
from workspaces.readiness.bell import check_readiness
from workspaces.view_as import looks as view_as


@shared_task(name="workspaces.tasks.sweep_looks")
def sweep_looks() -> None:
    """End looks at the portal as somebody else that nobody came back to end."""
    view_as.end_overdue()


@shared_task(name="workspaces.tasks.sweep_mails")
def sweep_mails() -> None:
    """Send the mails that are due."""
    mail.send_due()


@shared_task(name="workspaces.tasks.sweep_readiness")
def sweep_readiness() -> None:
    """Ring again for runs that no living worker holds, begin those that are due, and tell of goes that are lost."""
    # A new one has its own bell under way; ringing again at once would only double it.
    waited = Q(lease_until__isnull=False) | Q(asked_at__lt=Now() - timedelta(seconds=settings.SWEEP_SECONDS))
    for run_id in ReadinessRun.objects.filter(running.unheld(), waited).values_list("pk", flat=True)[:50]:
        dispatch(check_readiness, run_id)
    asking.check_when_due()
    lapsing.notice()
    lapsing.end_pilots()
