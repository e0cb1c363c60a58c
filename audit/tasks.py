"""Background work on the trail."""

import logging

from celery import shared_task

from audit import checkpoints
from audit.exceptions import AuditError

logger = logging.getLogger(__name__)


@shared_task(name="audit.tasks.sweep_checkpoints")
def sweep_checkpoints() -> None:
    """Sign a checkpoint of every chain that ought to have one by now. One that does not hold keeps no other from it."""
    for chain in checkpoints.due():
        try:
            checkpoints.make(chain)
        except (AuditError, OSError) as error:
            logger.error("No checkpoint of %s: %s", chain, error)  # noqa: TRY400 (the sentence says it all)
