"""Hold a run while its checks are made, however long a source outside takes to answer.

A look is one transaction that is rolled back, so it cannot renew the lease itself: another connection does. It stops
with the process, so that the run of a worker that was killed is taken up soon.
"""

import logging
import threading
from datetime import timedelta
from types import TracebackType

from django.conf import settings
from django.db import DatabaseError, connection
from django.db.models import QuerySet
from django.db.models.expressions import Combinable
from django.db.models.functions import Now

from workspaces.models import ReadinessRun, ReadinessState

logger = logging.getLogger(__name__)

_HOLD_SECONDS = 180


def ours(run: ReadinessRun) -> QuerySet[ReadinessRun]:
    """The row, as long as it is this attempt's."""
    return ReadinessRun.objects.filter(pk=run.pk, attempt=run.attempt, state=ReadinessState.WORKING)


def from_now() -> Combinable:
    """When a lease that is taken now runs out, by the database's clock."""
    return Now() + timedelta(seconds=_seconds())


class Held:
    """Inside the block the lease of `run` is renewed again and again, unless another worker has it."""

    def __init__(self, run: ReadinessRun, *, every: float | None = None) -> None:
        self._run, self._every = run, every or _seconds() / 3
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._beat, name=f"readiness {run.pk}", daemon=True)

    def __enter__(self) -> None:
        self._thread.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._done.set()
        self._thread.join()

    def _beat(self) -> None:
        try:
            while not self._done.wait(self._every):
                if not ours(self._run).update(lease_until=from_now()):
                    return
        except DatabaseError:
            # Whoever makes the checks meets the same database, and says so; at worst the lease runs out.
            logger.exception("The lease of readiness %s is not renewed any more", self._run.pk)
        finally:
            connection.close()


def _seconds() -> int:
    return max(_HOLD_SECONDS, settings.LEASE_SECONDS)
