"""Who works on a version: a lease by the database's clock, and an attempt number that every write must still hold.

A worker that was taken over may still be running; its writes find another attempt on the row and change nothing.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import models, transaction
from django.db.models import BooleanField, ExpressionWrapper, F, Q
from django.db.models.functions import Now

from documents.exceptions import LeaseLost
from documents.models import HEAVY, Document, Version
from documents.states import OPEN, VersionState

#: The attempt in which versions may travel together; see `documents/ingestion/company.py`.
FIRST = 1


def is_free() -> Q:
    """Matches rows that nobody holds."""
    return Q(lease_until=None) | Q(lease_until__lt=Now())


def is_due() -> Q:
    """Matches rows that are not to be left alone until a later time."""
    return Q(retry_at=None) | Q(retry_at__lte=Now())


@dataclass(frozen=True, slots=True)
class Lease:
    """The right to move one version on, as long as no other attempt took it over."""

    version_id: UUID
    document_id: UUID
    attempt: int
    #: Attempts before this one that ended without a word.
    deaths: int
    #: Attempts before this one that ended with an error of ours.
    errors: int = 0

    def renew(self, *, seconds: float = 0, **changes: Any) -> None:
        """Show progress: hold the row for another while, and change some of its fields. Raises LeaseLost.

        Inside a transaction this also locks the row, so that what follows is written by the holder or not at all.
        """
        if not self._rows().filter(state__in=OPEN).update(lease_until=until(seconds), **changes):
            raise LeaseLost

    @contextmanager
    def writing(self) -> Iterator[Version]:
        """A transaction in which the document and then the version are locked and the version is still ours.

        The caller saves what it changed. Raises LeaseLost before anything is written.
        """
        with transaction.atomic():
            # The document first, as every verb does: two orders would deadlock.
            document = Document.objects.select_for_update(no_key=True).get(pk=self.document_id)
            version = self._rows().filter(state__in=OPEN).select_for_update(no_key=True).defer(*HEAVY).first()
            if version is None:
                raise LeaseLost
            version.document = document
            version.lease_until = until(0)
            yield version

    def release(self) -> None:
        """Let go, whatever the row became; a lease that was taken over is not ours to let go."""
        self._rows().update(lease_until=None)

    def release_after_error(self) -> None:
        """Let go, and count that this attempt ended with an error."""
        self._rows().update(lease_until=None, errors=F("errors") + 1)

    def _rows(self) -> "models.QuerySet[Version]":
        return Version.objects.filter(pk=self.version_id, attempt=self.attempt)


def take(version_id: UUID | str) -> Lease | None:
    """Take the version for a new attempt, or None when it is settled, waits, or somebody holds it.

    The attempt is on disk before any work begins: a file that kills its worker cannot do so uncounted.
    """
    with transaction.atomic():
        version = (
            Version.objects.select_for_update(skip_locked=True, no_key=True)
            .filter(is_free(), is_due(), pk=version_id, state__in=OPEN)
            .only("document", "attempt", "deaths", "errors", "lease_until")
            .first()
        )
        if version is None:
            return None
        died = version.lease_until is not None
        lease = Lease(version.pk, version.document_id, version.attempt + 1, version.deaths + died, version.errors)
        Version.objects.filter(pk=version.pk).update(
            attempt=F("attempt") + 1, deaths=lease.deaths, lease_until=until(0), retry_at=None
        )
    return lease


def take_together(
    waiting: "models.QuerySet[Version]", *, most: int, most_bytes: int, seconds: float, asked: UUID | str | None = None
) -> list[Lease]:
    """Take up to `most` of `waiting` for their first attempt, each with a lease of its own: `asked`, then the oldest.

    Only the latest bytes of each document, never tried, that nobody holds: what died once is taken alone. None is
    larger than `most_bytes`, nor are all together. The leases run for `seconds`.
    """
    with transaction.atomic():
        rows = (
            waiting.filter(
                state=VersionState.RECEIVED,
                attempt=0,
                lease_until=None,
                size__lte=most_bytes,
                document__latest_version=F("pk"),
            )
            # The documents are locked along with them, so that none is taken that somebody is deleting now.
            .select_for_update(skip_locked=True, no_key=True)
            .order_by(ExpressionWrapper(Q(pk=asked), BooleanField()).desc(), "created_at")
            .values_list("pk", "document_id", "size")[:most]
        )
        taken, size = list[Lease](), 0
        for pk, document_id, bytes_ in rows:
            size += bytes_
            if size <= most_bytes:
                taken.append(Lease(pk, document_id, FIRST, 0))
        Version.objects.filter(pk__in=[lease.version_id for lease in taken]).update(
            attempt=FIRST, lease_until=until(seconds)
        )
    return taken


@transaction.atomic
def wake(versions: "models.QuerySet[Version]") -> None:
    """Have those of `versions` tried at once whose embedding server refused them, and be patient with it anew.

    Whoever is locked by others is left to its own time: to wait for them might be to wait for each other.
    """
    waiting = versions.filter(state__in=OPEN, refused_since__isnull=False).order_by()
    ids = list(waiting.select_for_update(skip_locked=True, no_key=True, of=("self",)).values_list("pk", flat=True))
    Version.objects.filter(pk__in=ids).update(retry_at=None, refused_since=Now())


def until(seconds: float) -> Any:
    """The end of a lease that is taken or renewed now, for at least `seconds`; an expression of the database's."""
    return Now() + timedelta(seconds=max(seconds, settings.LEASE_SECONDS))
