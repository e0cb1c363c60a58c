"""Doorbells: each takes ids, looks at the row, makes one call. All may run twice, late or in any order."""

import logging
from collections.abc import Callable
from uuid import UUID

from celery import shared_task

from documents.deletion import erasing as deletion
from documents.index import IndexUnavailable
from documents.indexing import checks as index_checks
from documents.indexing import writing as indexing
from documents.ingestion import company, leases, receiving
from documents.models import Version
from documents.states import OPEN, WITHDRAWN
from documents.viewer import slides
from workspaces.dispatch import dispatch

logger = logging.getLogger(__name__)

#: Bells rung in one sweep; a longer queue is served by its own bells, and by the next sweep.
SWEPT = 200


@shared_task
def ingest_version_task(version_id: str) -> None:
    """Bring a version as far as it gets now, and small new ones that wait beside it."""
    for result in company.ingest_waiting(version_id):
        if result.outcome == company.ALONE:
            dispatch(ingest_version_task, result.version_id)


@shared_task
def withdraw_version_task(version_id: str) -> None:
    """Take the vectors of a version that no longer answers out of the index."""
    _when_the_index_listens(indexing.withdraw, version_id)


@shared_task
def erase_document_task(document_id: str) -> None:
    """Erase what a deleted document left."""
    _when_the_index_listens(deletion.erase, document_id)


@shared_task
def check_index_task(workspace_id: str) -> None:
    """Compare a workspace's index with the database, unless that was just done."""
    index_checks.check_due(UUID(workspace_id))


@shared_task
def check_doubted_index_task(workspace_id: str) -> None:
    """Compare a workspace's index with the database because a search met something that does not agree."""
    index_checks.check_doubted(UUID(workspace_id))


@shared_task
def sweep_indexes() -> None:
    """Have the indexes compared with the database whose turn it is, and those at once that are damaged."""
    index_checks.empty_damaged()
    for workspace_id in index_checks.due():
        dispatch(check_index_task, workspace_id)


@shared_task
def draw_slides_task(version_id: str) -> None:
    """Make the pages of a presentation to look at."""
    slides.draw(version_id)


@shared_task
def sweep_ingestion() -> None:
    """Find what waits and nobody works on: unfinished versions, vectors to remove, documents to erase, half uploads."""
    waiting = Version.objects.filter(leases.is_free(), leases.is_due(), state__in=OPEN)
    # The least tried first, so that versions which wait for an index that is down do not hide the others.
    for version_id in waiting.order_by("attempt", "created_at").values_list("pk", flat=True)[:SWEPT]:
        dispatch(ingest_version_task, version_id)
    withdrawn = Version.objects.filter(leases.is_free(), state__in=WITHDRAWN, in_index=True)
    for version_id in withdrawn.values_list("pk", flat=True)[:SWEPT]:
        dispatch(withdraw_version_task, version_id)
    for document_id in deletion.to_erase().values_list("document", flat=True).distinct()[:SWEPT]:
        dispatch(erase_document_task, document_id)
    receiving.remove_abandoned()


def _when_the_index_listens(act: Callable[[str], object], row_id: str) -> None:
    """An index that is down is no error of the task: the row still says what is to do, and the sweep reads it."""
    try:
        act(row_id)
    except IndexUnavailable as error:
        logger.warning("%s of %s waits for the index: %s", act.__name__, row_id, error)
