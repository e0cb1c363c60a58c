"""Doorbells of a change of the embedding model: each takes an id, looks at the row, does a slice of what it owes."""

from celery import shared_task
from django.db.models import F, Q

from documents.models import SpaceComparison, SpaceMigration
from documents.reembedding import building, comparing, leases
from documents.states import MigrationState
from workspaces.dispatch import dispatch

SWEPT = 50


# Named as if they stood in documents/tasks.py, by which they find their queue.
@shared_task(name="documents.tasks.build_space_task")
def build_space_task(migration_id: str) -> None:
    """A slice of building, keeping or dropping a space; the bell rings again while there is more to do."""
    if building.work(migration_id) == "more":
        dispatch(build_space_task, migration_id)


@shared_task(name="documents.tasks.compare_spaces_task")
def compare_spaces_task(comparison_id: str) -> None:
    """Ask the questions of a comparison in both spaces."""
    if comparing.work(comparison_id) == "more":
        dispatch(compare_spaces_task, comparison_id)


@shared_task(name="documents.tasks.sweep_spaces")
def sweep_spaces() -> None:
    """Find changes that owe something and that nobody works on, and comparisons under way."""
    behind = Q(covered_revision=None) | ~Q(covered_revision=F("workspace__index_revision"))
    owing = leases.waiting(SpaceMigration).filter(
        Q(state__in=(MigrationState.BUILDING, MigrationState.DROPPING)) | behind
    )
    for migration_id in owing.values_list("pk", flat=True)[:SWEPT]:
        dispatch(build_space_task, migration_id)
    for comparison_id in leases.waiting(SpaceComparison).values_list("pk", flat=True)[:SWEPT]:
        dispatch(compare_spaces_task, comparison_id)
