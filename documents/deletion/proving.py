"""Prove that an erasure left nothing: tidy up what engines keep, look everywhere, and sign a receipt when all is clean.

It comes after documents/deletion/erasing.py, by the row, and again from time to time until a search finds nothing.
"""

import logging
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import timedelta
from uuid import UUID

import numpy as np
import redis
from django.conf import settings
from django.db import connection, transaction
from django.db.models import Q, QuerySet
from django.utils import timezone
from psycopg import sql

from audit.events import EventType
from audit.exceptions import Unprovable
from audit.record import record
from documents import index
from documents.deletion import dependants, probes, traces
from documents.deletion import receipts as deletion_receipts
from documents.deletion.telling import ids_of, names_of
from documents.embedding import spaces
from documents.embedding.vector_space import Space
from documents.exceptions import LeaseLost
from documents.indexing import files as index_files
from documents.indexing import vectors
from documents.ingestion.leases import is_free
from documents.models import Deletion, RetentionRules, Version
from documents.states import OPEN, VersionState

logger = logging.getLogger(__name__)

#: How long after a search that found something, or could not be signed, the next is made by itself.
AGAIN_AFTER = timedelta(hours=1)
#: Tables whose dead rows held text.
_TABLES = ("documents_version", "documents_passage", "documents_embedding", "answers_answer", "answers_citation",
           "answers_draft", "answers_historicaldraft", "answers_replay", "answers_trainingexample")  # fmt: skip
_REWRITE_SECONDS = 60
#: At most so often per lease, however many tables and files there are.
_RENEWALS = 4


def to_prove() -> QuerySet[Deletion]:
    """Erased, and not yet proven: never searched for, or a while ago."""
    waiting = Q(searched_at=None) | Q(searched_at__lt=timezone.now() - AGAIN_AFTER)
    return Deletion.objects.filter(waiting, erased_at__isnull=False, receipt_issued_at=None)


def prove(deletion_id: UUID | str) -> bool | None:
    """Look for what was erased, and issue the receipt: whether there is one now; None when somebody else is at it.

    Raises IndexUnavailable and redis.RedisError when a place cannot be looked into, and nothing is said then.
    """
    deletion = _take(deletion_id)
    if deletion is None:
        return None
    try:
        _erase_latecomers(deletion)
        search = _searched(deletion, _Renewal(deletion))
        return _keep(deletion, search) and _issued(deletion)
    except LeaseLost:
        logger.info("Deletion %s: the search of attempt %s was taken over", deletion.pk, deletion.attempt)
        return None
    finally:
        Deletion.objects.filter(pk=deletion.pk, attempt=deletion.attempt).update(lease_until=None)


def _issued(deletion: Deletion) -> bool:
    try:
        deletion_receipts.issue(deletion)
    except Unprovable as error:
        logger.warning("Deletion %s is proven and cannot be signed now: %s", deletion.pk, error)
        return False
    return True


class _Renewal:
    """Keeps the row ours while there is progress; writes a few times per lease. Raises LeaseLost."""

    def __init__(self, deletion: Deletion) -> None:
        self.ours = Deletion.objects.filter(pk=deletion.pk, attempt=deletion.attempt)
        self.last = time.monotonic()

    def __call__(self) -> None:
        if time.monotonic() < self.last + settings.LEASE_SECONDS / _RENEWALS:
            return
        if not self.ours.update(lease_until=timezone.now() + timedelta(seconds=settings.LEASE_SECONDS)):
            raise LeaseLost
        self.last = time.monotonic()


def _take(deletion_id: UUID | str) -> Deletion | None:
    with transaction.atomic():
        rows = Deletion.objects.filter(is_free(), pk=deletion_id, erased_at__isnull=False, receipt_issued_at=None)
        deletion = rows.select_for_update(skip_locked=True, no_key=True, of=("self",)).first()
        if deletion is None:
            return None
        deletion.attempt += 1
        deletion.lease_until = timezone.now() + timedelta(seconds=settings.LEASE_SECONDS)
        deletion.save(update_fields=["attempt", "lease_until"])
    return deletion


@transaction.atomic
def _erase_latecomers(deletion: Deletion) -> None:
    """An answer that was in the making when its source went ends with its text, after the erasure."""
    kept = RetentionRules.objects.filter(workspace=deletion.workspace_id, keeps_answers=True).exists()
    phrases = probes.unseal(deletion.sealed_probes).phrases
    for kind in dependants.kinds:
        kind.erase(deletion, phrases, kept)


def _searched(deletion: Deletion, renew: Callable[[], None]) -> traces.Search:
    """A search; where engines still keep bytes of what they were told to delete, they are made to let go, once."""
    sought = probes.unseal(deletion.sealed_probes)
    about = {"but": ids_of(deletion), "names": names_of(deletion), "renew": renew}
    _vacuum(renew)
    if settings.EMBEDDED_BROKER:
        # Always: what an earlier release wrote is compressed, and a phrase in it would not be seen.
        _rewrite_broker_files(renew)
    search = traces.search(sought, **about)
    if search.found_in("index"):
        _renew_index(deletion.workspace_id, renew)
        return traces.search(sought, **about)
    return search


@transaction.atomic
def _keep(deletion: Deletion, search: traces.Search) -> bool:
    """Write down what the search found, and in the trail where that is news. Whether it was clean."""
    found = {looked.place: looked.count for looked in search.places if looked.found}
    before = {one["place"]: sum(one["found"].values()) for one in deletion.search.get("places", []) if one["found"]}
    is_news = deletion.searched_at is None or found != before or not found
    deletion.searched_at, deletion.search = timezone.now(), search.as_data()
    ours = Deletion.objects.filter(pk=deletion.pk, attempt=deletion.attempt)
    if not ours.update(searched_at=deletion.searched_at, search=deletion.search):
        return False
    if is_news:
        record(
            EventType.TRACES_SEARCHED,
            on=deletion.document,
            workspace=deletion.workspace_id,
            deletion=deletion.pk,
            places={looked.place: looked.what for looked in search.places},
            found=found,
            probes=search.probes,
            set_aside=search.set_aside,
        )
    return search.is_clean


# --- What engines keep --------------------------------------------------------------------------------------


def _vacuum(renew: Callable[[], None]) -> None:
    """Give up the space of dead rows, on a connection of its own: inside a transaction it cannot be done.

    To give pages back to the disk a table would be waited for, five seconds whenever somebody writes to it.
    A role that does not own the tables is told so by PostgreSQL and goes on; its own vacuum does it later.
    """
    own = connection.copy()
    try:
        with own.cursor() as cursor:
            for table in _TABLES:
                renew()
                cursor.execute(
                    sql.SQL("VACUUM (SKIP_LOCKED, TRUNCATE FALSE) {}").format(sql.Identifier(table)).as_string()
                )
    finally:
        own.close()


def _renew_index(workspace_id: UUID, renew: Callable[[], None]) -> None:
    """Make the workspace's collections anew from stored vectors, and remove what Chroma forgot to."""
    for space in spaces.all_known():
        renew()
        if next(_kept_vectors(workspace_id, space), None) is None:
            # An empty collection is as good as none, and Chroma takes long to tell that one is empty.
            index.drop(workspace_id, space)
        elif index.remake(workspace_id, space, _kept_vectors(workspace_id, space, renew)):
            # What was indexed into the former collection while the new one was made.
            held = index.ids(workspace_id, space)
            for ids, matrix in _kept_vectors(workspace_id, space, renew):
                rows = [row for row, id in enumerate(ids) if id not in held]
                index.upsert(workspace_id, space, [ids[row] for row in rows], matrix[rows])
    index_files.tidy()


def _kept_vectors(
    workspace_id: UUID, space: Space, renew: Callable[[], None] = lambda: None
) -> Iterator[tuple[Sequence[str], np.ndarray]]:
    """The stored vectors of every version that is in the index by right."""
    standing = Version.objects.filter(
        document__workspace=workspace_id,
        document__deleted_at=None,
        in_index=True,
        state__in=(*OPEN, VersionState.READY),
    )
    for _version, ids, matrix in vectors.stored(list(standing.order_by().values_list("pk", flat=True)), space):
        renew()
        yield ids, matrix


def _rewrite_broker_files(renew: Callable[[], None]) -> None:
    """Have Valkey write its file anew from what it holds now, and wait until it has. Raises redis.RedisError."""
    with redis.Redis.from_url(settings.REDIS_URL, socket_timeout=_REWRITE_SECONDS) as client:
        # One that is under way may have begun before the last of it was deleted.
        _await_rewriting(client, renew)
        client.bgrewriteaof()
        _await_rewriting(client, renew)


def _await_rewriting(client: "redis.Redis", renew: Callable[[], None]) -> None:
    until = time.monotonic() + _REWRITE_SECONDS
    while time.monotonic() < until:
        about = client.info("persistence")
        if not about["aof_rewrite_in_progress"] and not about["aof_rewrite_scheduled"]:
            return
        renew()
        time.sleep(0.05)
    raise redis.TimeoutError("Valkey has not written its file anew in time.")
