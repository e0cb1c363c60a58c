"""Who works on a migration or a comparison: a lease and an attempt number, as of a version (documents/ingestion)."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import models, transaction
from django.db.models import F, Q
from django.db.models.functions import Now

from documents.exceptions import LeaseLost
from documents.ingestion.leases import is_due, is_free
from documents.models import ComparisonState, SpaceComparison, SpaceMigration
from documents.states import MIGRATION_WORKS

#: Longer than one request for vectors and one batch into the index take.
HOLD_SECONDS = 400

Held = type[SpaceMigration] | type[SpaceComparison]
_IN_WORK: dict[Held, Q] = {
    SpaceMigration: Q(state__in=MIGRATION_WORKS),
    SpaceComparison: Q(state=ComparisonState.RUNNING),
}


@dataclass(frozen=True, slots=True)
class JobLease:
    """The right to work on one row, as long as no other attempt took it over and nobody changed its state."""

    model: Held
    row_id: UUID
    attempt: int
    state: str
    #: Attempts since something was last got done.
    stalls: int

    def renew(self, **changes: Any) -> None:
        """Show progress, change fields of the row, and hold it on. Raises LeaseLost.

        Inside a transaction this also locks the row, so that what follows is written by the holder or not at all.
        """
        if not self._rows().update(lease_until=_until(), **changes):
            raise LeaseLost

    @contextmanager
    def writing(self) -> Iterator[None]:
        """A transaction that is only committed by the attempt that still holds the row. Raises LeaseLost."""
        with transaction.atomic():
            self.renew()
            yield

    def release(self, **changes: Any) -> None:
        """Let go, and change fields of the row, whatever its state is by now; another attempt's is left alone."""
        self.model.objects.filter(pk=self.row_id, attempt=self.attempt).update(lease_until=None, **changes)

    def _rows(self) -> "models.QuerySet[Any]":
        return self.model.objects.filter(pk=self.row_id, attempt=self.attempt, state=self.state)


def waiting(model: Held) -> "models.QuerySet[Any]":
    """Rows that may be taken now."""
    return model.objects.filter(is_free(), is_due(), _IN_WORK[model])


def take(model: Held, row_id: UUID | str) -> JobLease | None:
    """Take a row for a new attempt, or None when nothing is to do or somebody holds it."""
    with transaction.atomic():
        row = waiting(model).select_for_update(skip_locked=True, no_key=True, of=("self",)).filter(pk=row_id).first()
        if row is None:
            return None
        model.objects.filter(pk=row.pk).update(
            attempt=row.attempt + 1, stalls=F("stalls") + 1, lease_until=_until(), retry_at=None
        )
    return JobLease(model, row.pk, row.attempt + 1, row.state, row.stalls + 1)


def _until() -> Any:
    return Now() + timedelta(seconds=max(HOLD_SECONDS, settings.LEASE_SECONDS))
