"""What the installation does about people by itself, now and then."""

from celery import shared_task

from workspaces import view_as
from workspaces.notifications import mail


@shared_task(name="workspaces.tasks.sweep_looks")
def sweep_looks() -> None:
    """End looks at the portal as somebody else that nobody came back to end."""
    view_as.end_overdue()


@shared_task(name="workspaces.tasks.sweep_mails")
def sweep_mails() -> None:
    """Send the mails that are due."""
    mail.send_due()
