"""Look after sources by the clock: ask for the syncs that are due, and find runs that nobody works on."""

from typing import Any

from celery import shared_task
from django.db import transaction
from django.utils import timezone

from documents.ingestion.leases import is_free
from documents.models import OPEN_RUNS, RunKind, Source, SourceRun
from documents.sources.keeping import new_run, next_due
from documents.sources.tasks import run_source_task
from workspaces.dispatch import dispatch

#: Bells rung in one sweep.
SWEPT = 200


@shared_task(name="documents.tasks.sweep_sources")
def sweep_sources() -> None:
    """Ask for what is due, and ring for every run that waits."""
    ask_due_runs()
    waiting = SourceRun.objects.filter(is_free(), state__in=OPEN_RUNS)
    for run_id in waiting.order_by("attempt", "asked_at").values_list("pk", flat=True)[:SWEPT]:
        dispatch(run_source_task, run_id)


def ask_due_runs() -> int:
    """Ask for the syncs whose time has come, for nobody; how many. Safe to call from several places at once."""
    asked = 0
    due = Source.objects.filter(due_at__lte=timezone.now(), started_at__isnull=False)
    for source_id in list(due.values_list("pk", flat=True)):
        asked += _ask_if_due(source_id)
    return asked


@transaction.atomic
def _ask_if_due(source_id: Any) -> bool:
    rows = Source.objects.select_for_update(no_key=True, skip_locked=True, of=("self",)).select_related("workspace")
    source = rows.filter(pk=source_id, due_at__lte=timezone.now()).first()
    if source is None:
        return False
    source.due_at = next_due(source)
    source.save(update_fields=["due_at"])
    if source.workspace.archived_at is not None or source.runs.filter(state__in=OPEN_RUNS).exists():
        return False
    new_run(source, RunKind.SYNC, by=None)
    return True
