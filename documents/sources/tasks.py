"""The doorbell of a run: it takes an id, looks at the row, makes one call. It may ring twice, late or in any order."""

from celery import shared_task

from documents.sources import sync


# Named as if it stood in documents/tasks.py, by which it finds its queue.
@shared_task(name="documents.tasks.run_source_task")
def run_source_task(run_id: str) -> None:
    """Do what is left of a test, preview or sync of a source."""
    sync.work(run_id)
