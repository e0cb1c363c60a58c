"""Hold on to an examination while working on it: a lease on database time, and an attempt that every write names."""

from datetime import timedelta
from time import monotonic
from typing import Any

from django.conf import settings
from django.db.models import Q, QuerySet
from django.db.models.expressions import Combinable
from django.db.models.functions import Now

from answers.exceptions import LeaseLost
from answers.models import OPEN_EXAMINATIONS, Examination, ExaminationState

_GLANCE_SECONDS = 1.0


def unheld() -> Q:
    """Open examinations that no living worker holds."""
    return Q(state__in=OPEN_EXAMINATIONS) & (Q(lease_until=None) | Q(lease_until__lt=Now()))


def ours(examination: Examination) -> QuerySet[Examination]:
    """The row, as long as it is still this attempt's."""
    return Examination.objects.filter(pk=examination.pk, attempt=examination.attempt, state=ExaminationState.WORKING)


def renew(examination: Examination, **changes: Any) -> None:
    """Hold on for another lease, with changes. Raises LeaseLost when the row is no longer ours."""
    if not ours(examination).update(lease_until=from_now(), **changes):
        raise LeaseLost(examination.pk)


def from_now() -> Combinable:
    """When a lease that is taken now runs out."""
    return Now() + timedelta(seconds=settings.LEASE_SECONDS)


class Watch:
    """Asked as often as one likes whether to stop; looks at the row every second, which holds on to it as well."""

    def __init__(self, examination: Examination) -> None:
        self.examination, self.lost, self._looked_at = examination, False, monotonic()

    def should_stop(self) -> bool:
        if not self.lost and monotonic() - self._looked_at >= _GLANCE_SECONDS:
            self._looked_at = monotonic()
            self.lost = not ours(self.examination).update(lease_until=from_now())
        return self.lost
