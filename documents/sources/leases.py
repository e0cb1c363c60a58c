"""Who works on a run of a source: a lease and an attempt number, as of a version (documents/ingestion/leases.py)."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import F, QuerySet
from django.db.models.functions import Now

from documents.exceptions import LeaseLost
from documents.ingestion.leases import is_free
from documents.models import OPEN_RUNS, RunState, SourceRun

#: Seconds a run is held without a word: the longest that one request and one parse take.
HOLD_SECONDS = 300


@dataclass(frozen=True, slots=True)
class RunLease:
    """The right to work on one run, as long as no other attempt took it over."""

    run_id: UUID
    attempt: int

    def renew(self, *, seconds: float = 0, **changes: Any) -> None:
        """Show progress, change fields of the run, and hold it for `seconds` if they are many. Raises LeaseLost."""
        if not self._rows().update(lease_until=_until(seconds), **changes):
            raise LeaseLost

    @contextmanager
    def writing(self) -> Iterator[None]:
        """A transaction that is only committed by the attempt that still holds the run. Raises LeaseLost."""
        with transaction.atomic():
            if not self._rows().select_for_update(no_key=True).values("pk"):
                raise LeaseLost
            yield

    def count(self, **by: int) -> None:
        """Add to counts of the run: something was got done."""
        self.renew(stalls=0, **{name: F(name) + more for name, more in by.items()})

    def release(self) -> None:
        """Let go of a run that is not finished; somebody else's is left alone."""
        SourceRun.objects.filter(pk=self.run_id, attempt=self.attempt).update(lease_until=None)

    def _rows(self) -> QuerySet[SourceRun]:
        return SourceRun.objects.filter(pk=self.run_id, attempt=self.attempt, state=RunState.RUNNING)


def take(run_id: UUID | str) -> RunLease | None:
    """Take an open run for a new attempt, or None when it is settled or somebody holds it."""
    with transaction.atomic():
        run = (
            SourceRun.objects.select_for_update(skip_locked=True, no_key=True, of=("self",))
            .filter(is_free(), pk=run_id, state__in=OPEN_RUNS)
            .first()
        )
        if run is None:
            return None
        SourceRun.objects.filter(pk=run.pk).update(
            attempt=run.attempt + 1,
            stalls=F("stalls") + 1,
            state=RunState.RUNNING,
            started_at=run.started_at or Now(),
            lease_until=_until(),
        )
    return RunLease(run.pk, run.attempt + 1)


def _until(seconds: float = 0) -> Any:
    return Now() + timedelta(seconds=max(HOLD_SECONDS, settings.LEASE_SECONDS, seconds))
