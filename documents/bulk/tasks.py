"""The doorbells of acts on many documents, and of what is done to documents by the calendar."""

from celery import shared_task

from documents.bulk import orders as bulk
from documents.cards import reminders
from documents.coverage import alike


# Named as if they stood in documents/tasks.py, by which they find their queues.
@shared_task(name="documents.tasks.bulk_task")
def bulk_task(run_id: str) -> None:
    """Do what is left of an act on many documents."""
    bulk.work(run_id)


@shared_task(name="documents.tasks.sweep_documents")
def sweep_documents() -> None:
    """Find acts nobody works on, tell of days that came, and sketch what has none."""
    bulk.sweep()
    reminders.tell_of_days()
    alike.sketch_missing()
