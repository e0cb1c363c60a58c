"""The doorbell of a run: it carries an id and says "look again"; the row is the job."""

from uuid import UUID

from celery import shared_task

from workspaces.readiness import running


@shared_task(name="workspaces.tasks.check_readiness")
def check_readiness(run_id: str) -> None:
    """Make the checks of one run, if nobody is at it."""
    running.run(UUID(run_id))
