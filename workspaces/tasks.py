"""What the installation does about people by itself, now and then."""

from celery import shared_task

from workspaces import view_as


@shared_task(name="workspaces.tasks.sweep_looks")
def sweep_looks() -> None:
    """End looks at the portal as somebody else that nobody came back to end."""
    view_as.end_overdue()
