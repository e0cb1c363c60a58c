"""What the calendar does to documents: their last valid day passes, and the day of their review comes.

Nothing of it is stored as a state: lists and searches compare dates. Here the trail is told, once for each date.
"""

from collections.abc import Callable
from datetime import date
from functools import partial

from django.db import transaction
from django.db.models import F, Q, QuerySet
from django.utils import timezone

from audit.events import EventType
from audit.record import record
from documents import news
from documents.apart import apart
from documents.models import Document

#: What the apps above do when a document's last valid day is over, in the transaction that tells the trail; they add
#: themselves when they load. Called once for each last valid day, and again when a new one passes.
when_expired: list[Callable[[Document], None]] = []

#: Documents told about in one look; the next look goes on.
_AT_ONCE = 500


def tell_of_days() -> int:
    """Tell the trail which documents are past their last valid day or due for review since; how many entries.

    Safe to call often and from several places at once.
    """
    told = 0
    for pk in list(_newly_expired().values_list("pk", flat=True)[:_AT_ONCE]):
        told += apart("Telling of the last valid day", pk, partial(_tell_expired, pk)) or 0
    for pk in list(_newly_due().values_list("pk", flat=True)[:_AT_ONCE]):
        told += apart("Telling of the review", pk, partial(_tell_due, pk)) or 0
    return told


@transaction.atomic
def _tell_expired(pk: object) -> bool:
    document = _locked(_newly_expired(), pk)
    if document is None:
        return False
    document.expiry_told_for = document.valid_until
    document.save(update_fields=["expiry_told_for"])
    # Before the entry, whose chain stays locked to the end.
    for follow in when_expired:
        follow(document)
    news.expired(document)
    _record(EventType.DOCUMENT_EXPIRED, document, valid_until=document.valid_until)
    return True


@transaction.atomic
def _tell_due(pk: object) -> bool:
    document = _locked(_newly_due(), pk)
    if document is None:
        return False
    document.review_told_for = document.review_on
    document.save(update_fields=["review_told_for"])
    news.review_due(document)
    _record(EventType.DOCUMENT_REVIEW_DUE, document, review_on=document.review_on, owner=document.owner_id)
    return True


def _newly_expired() -> QuerySet[Document]:
    untold = Q(expiry_told_for=None) | ~Q(expiry_told_for=F("valid_until"))
    return Document.objects.filter(untold, deleted_at=None, valid_until__lt=_today()).order_by("pk")


def _newly_due() -> QuerySet[Document]:
    untold = Q(review_told_for=None) | ~Q(review_told_for=F("review_on"))
    return Document.objects.filter(untold, deleted_at=None, review_on__lte=_today()).order_by("pk")


def _locked(documents: QuerySet[Document], pk: object) -> Document | None:
    return documents.filter(pk=pk).select_for_update(of=("self",), no_key=True).first()


def _record(event: EventType, document: Document, **details: object) -> None:
    record(event, on=document, workspace=document.workspace_id, **details)


def _today() -> date:
    return timezone.localdate()
