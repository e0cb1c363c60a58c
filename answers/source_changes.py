"""Released answers are suspended when a source is replaced, runs out or is classified higher, as fast as it happens.

The change is written down in the transaction that makes it, and the first answers are closed in it too; a sweep closes
the rest, and those that were released while the change was being made. What is closed already is kept closed by each
further change: it opens when the last of its reasons is gone.
"""

import logging
from collections import defaultdict
from collections.abc import Sequence
from datetime import timedelta
from functools import partial
from uuid import UUID

from django.db import transaction
from django.db.models import Exists, Max, OuterRef, Q, QuerySet
from django.db.models.functions import Now
from django.utils import timezone

from answers import news, streaming
from answers.models import Answer, Citation, Confirmation, Evidence, GroundLost, SourceChange, Suspension
from answers.states import RELEASED, AnswerStatus
from answers.suspension.standing import ran_out, replaced, shown
from audit.events import EventType
from audit.record import Entry, record_all
from documents.cards import reminders
from documents.deletion import dependants
from documents.models import Document, Reclassification, Version
from workspaces.classification import Classification
from workspaces.models import User

logger = logging.getLogger(__name__)

#: Answers closed in one transaction; of more the rest waits for the sweep, at most half a minute.
_AT_ONCE = 200
#: An answer that was being made or approved while its source changed is released within this, or never.
_STRAGGLERS = timedelta(minutes=35)
_FIRST = UUID(int=0)


def note_replaced(version: Version) -> None:
    """Another version begins to answer in place of `version`, in this transaction."""
    change = SourceChange(document_id=version.document_id, reason=GroundLost.REPLACED, version=version)
    _note(change)
    _back_by_themselves(version.document_id)


def note_expired(document: Document) -> None:
    """The last valid day of `document` is over; the trail is told in this transaction."""
    _note(SourceChange(document=document, reason=GroundLost.EXPIRED))


def note_raised(document: Document, by: User) -> None:
    """`document` is classified higher than it was, in this transaction."""
    level = document.classification
    _note(SourceChange(document=document, reason=GroundLost.RECLASSIFIED, classification=level, changed_by=by))


def note_valid_again(document: Document, by: User) -> None:
    """`document` holds longer than it did: what was closed only because it was over stands again."""
    _end(Suspension.objects.filter(document=document, reason=GroundLost.EXPIRED, ended_at=None), by=by)


def sweep() -> int:
    """Close what still rests on something that changed, and return how many answers that were.

    A change that fails keeps nothing else open: the others are gone through, it stays to be done, and what went wrong
    is raised at the end, as one ExceptionGroup.
    """
    closed, failed, faults = 0, [], []
    for change in list(SourceChange.objects.filter(done_at=None).select_related("document").order_by("changed_at")):
        try:
            closed += _close_all(change)
        except Exception as fault:
            logger.exception("What rests on source change %s could not be closed", change.pk)
            failed.append(change.pk)
            faults.append(fault)
    old = SourceChange.objects.filter(done_at=None, changed_at__lt=Now() - _STRAGGLERS).exclude(pk__in=failed)
    old.update(done_at=timezone.now())
    if faults:
        raise ExceptionGroup(f"{len(faults)} source changes were not gone through", faults)
    return closed


def end_all(answer: Answer, *, by: User) -> None:
    """The answer's open suspensions end by a reviewer's hand, and it has the status from before; it is locked."""
    _end(Suspension.objects.filter(answer=answer, ended_at=None).exclude(reason=GroundLost.DELETED), by=by)


def forget_all(answer: Answer, *, by: User) -> None:
    """The answer's open suspensions end with it: it is no longer released."""
    Suspension.objects.filter(answer=answer, ended_at=None).update(ended_at=timezone.now(), ended_by=by)


# --- Inside -------------------------------------------------------------------------------------------------


def _note(change: SourceChange) -> None:
    change.save()
    _close(change, beyond=_FIRST)
    news.draft_source_changed(change)


def _close_all(change: SourceChange) -> int:
    closed = 0
    last: UUID | None = _FIRST
    while last is not None:
        found, last = _close(change, beyond=last)
        closed += found
    return closed


@transaction.atomic
def _close(change: SourceChange, *, beyond: UUID) -> tuple[int, UUID | None]:
    """Suspend what rests on the change among the next answers; how many, and where to go on, if there are more."""
    rows = _resting(change).filter(pk__gt=beyond).select_for_update(of=("self",), no_key=True)
    found = list(rows.select_related("question", "asked_by", "released_by").order_by("pk")[:_AT_ONCE])
    last = found[-1].pk if len(found) == _AT_ONCE else None
    answers = _below(change, found) if change.reason == GroundLost.RECLASSIFIED else found
    if not answers:
        return 0, last
    closed_already = Suspension.objects.filter(answer__in=answers, ended_at=None)
    before = dict(closed_already.values_list("answer", "status_before"))
    Suspension.objects.bulk_create(
        (
            Suspension(
                answer=answer,
                document_id=change.document_id,
                reason=change.reason,
                status_before=before.get(answer.pk, answer.status),
                suspended_by_id=change.changed_by_id,
            )
            for answer in answers
        ),
        ignore_conflicts=True,
    )
    closed = [answer for answer in answers if answer.status != AnswerStatus.SUSPENDED]
    entries = [_become(answer, AnswerStatus.SUSPENDED, change.reason, change.document_id) for answer in closed]
    if entries:
        news.suspended(closed, workspace_id=change.document.workspace_id)
        record_all(entries, workspace=change.document.workspace_id, by=change.changed_by)
    return len(closed), last


def _resting(change: SourceChange) -> QuerySet[Answer]:
    """Released and suspended answers that may not stand on what `change` left, and are not closed by it."""
    known = Suspension.objects.filter(
        answer=OuterRef("pk"), document=change.document_id, reason=change.reason, ended_at=None
    )
    released = Answer.objects.filter(~Exists(known), status__in=(*RELEASED, AnswerStatus.SUSPENDED))
    if change.reason == GroundLost.RECLASSIFIED:
        rests = Evidence.objects.filter(document=change.document_id).order_by().values("answer")
        return released.filter(pk__in=rests, released_at__lt=change.changed_at)
    lost = replaced() if change.reason == GroundLost.REPLACED else ran_out()
    cited = shown(Citation.objects.filter(lost, document=change.document_id), "answer__released_text")
    return released.filter(pk__in=cited.order_by().values("answer"))


def _below(change: SourceChange, answers: Sequence[Answer]) -> list[Answer]:
    """Those of which the raised document is now above all that they were released, or confirmed, under.

    Four queries, however many answers there are: they are looked at again with each sweep.
    """
    since = {answer.pk: answer.released_at for answer in answers}
    confirmed = Confirmation.objects.filter(answer__in=answers).order_by().values("answer")
    since |= dict(confirmed.annotate(at=Max("confirmed_at")).values_list("answer", "at"))
    rests: dict[UUID, set[UUID]] = defaultdict(set)
    for answer_id, document_id in Evidence.objects.filter(answer__in=answers).values_list("answer", "document"):
        rests[answer_id].add(document_id)
    levels = dict(Document.objects.filter(pk__in=set().union(*rests.values())).values_list("pk", "classification"))
    # Backwards, so that the oldest change since then has the last word on what it was.
    changes = Reclassification.objects.filter(document__in=levels).order_by("-changed_at")
    known = list(changes.values_list("document", "before", "changed_at"))
    raised = Classification(change.classification).rank

    def highest(answer: Answer) -> int:
        then = {pk: levels[pk] for pk in rests[answer.pk]}
        then |= {pk: before for pk, before, at in known if pk in then and at > since[answer.pk]}
        return max(Classification(level).rank for level in then.values())

    return [answer for answer in answers if raised > highest(answer)]


def _back_by_themselves(document_id: UUID) -> None:
    """Open again what was closed when a version was replaced that answers again by now."""
    closed = Suspension.objects.filter(document=document_id, reason=GroundLost.REPLACED, ended_at=None)
    cited = shown(Citation.objects.filter(answer=OuterRef("answer"), document=document_id), "answer__released_text")
    _end(closed.filter(~Exists(cited.filter(replaced()))), by=None)


def _end(suspensions: QuerySet[Suspension], *, by: User | None) -> None:
    """End these, and open the answers that nothing else keeps closed."""
    ids = list(suspensions.order_by().values_list("pk", flat=True))
    if not ids:
        return
    rows = Answer.objects.filter(suspensions__in=ids, status=AnswerStatus.SUSPENDED).distinct()
    rows = Answer.objects.filter(pk__in=rows.order_by().values("pk"))
    rows = rows.select_for_update(of=("self",), no_key=True).select_related("question", "asked_by")
    answers = list(rows.order_by("pk"))
    before = {one.answer_id: one for one in Suspension.objects.filter(pk__in=ids)}
    Suspension.objects.filter(pk__in=ids, ended_at=None).update(ended_at=timezone.now(), ended_by=by)
    kept = Q(ended_at=None) | Q(erased_at__isnull=False)
    closed = set(Suspension.objects.filter(kept, answer__in=answers).values_list("answer", flat=True))
    opened = [answer for answer in answers if answer.pk not in closed]
    entries = []
    for answer in opened:
        was = before[answer.pk]
        entries.append(_become(answer, AnswerStatus(was.status_before), was.reason, was.document_id))
    if entries:
        news.resumed(opened, workspace_id=opened[0].workspace_id)
        record_all(entries, workspace=opened[0].workspace_id, by=by)


def _become(answer: Answer, status: AnswerStatus, reason: str, document_id: UUID) -> Entry:
    was, answer.status = answer.status, status
    answer.save(update_fields=["status"])
    transaction.on_commit(partial(streaming.announce, answer))
    event = EventType.ANSWER_SUSPENDED if status == AnswerStatus.SUSPENDED else EventType.ANSWER_RESUMED
    details = {"document": document_id, "because": reason, "was": was, "status": status}
    return Entry(event, answer, details=details | {"text_sha256": answer.released_sha256})


dependants.when_replaced.append(note_replaced)
dependants.when_raised.append(note_raised)
dependants.when_valid_again.append(note_valid_again)
reminders.when_expired.append(note_expired)
