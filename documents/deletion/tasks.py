"""Doorbells of what comes after a deletion, of the retention rules, and of files that nobody has.

They may ring twice, late or in any order.
"""

import logging

import redis
from celery import shared_task

from documents.deletion import proving, retention
from documents.index import IndexUnavailable
from documents.ingestion import left_originals
from documents.ingestion.leases import is_free
from workspaces.dispatch import dispatch

logger = logging.getLogger(__name__)

#: A search reads every table: more than these at once would crowd out what people wait for.
SWEPT = 20


# Named as if they stood in documents/tasks.py, by which they find their queue.
@shared_task(name="documents.tasks.prove_erasure_task")
def prove_erasure_task(deletion_id: str) -> None:
    """Look for what was erased, and sign a receipt when nothing of it is found."""
    try:
        proving.prove(deletion_id)
    except (IndexUnavailable, redis.RedisError) as error:
        logger.warning("The search for deletion %s waits for an engine: %s", deletion_id, error)


@shared_task(name="documents.tasks.sweep_erasures")
def sweep_erasures() -> None:
    """Ring for every erasure that is not proven yet."""
    waiting = proving.to_prove().filter(is_free()).order_by("searched_at", "erased_at")
    for deletion_id in waiting.values_list("pk", flat=True)[:SWEPT]:
        dispatch(prove_erasure_task, deletion_id)


@shared_task(name="documents.tasks.sweep_retention")
def sweep_retention() -> None:
    """Delete what the retention rules of each workspace no longer keep."""
    retention.run_everywhere()


@shared_task(name="documents.tasks.sweep_originals")
def sweep_originals() -> None:
    """Remove stored files that no document has."""
    left_originals.remove_left()
