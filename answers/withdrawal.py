"""What deleting a document does to answers that wait for a reviewer: they end, as nobody may read them any more."""

from functools import partial

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from answers import streaming
from answers.models import Answer, Draft, Evidence
from answers.states import ANSWER_STATUS_OF, HELD, DraftState
from audit.events import EventType
from audit.record import Entry, record_all
from documents.models import Document
from workspaces.models import User


def withdraw_drafts(document: Document, by: User) -> None:
    """End every held answer that rests on `document`, in the transaction of its deletion, and tell its asker."""
    _withdraw(Evidence.objects.filter(document=document), document.workspace_id, by)


def withdraw_leftovers() -> int:
    """End answers that were held at the very moment one of their documents was deleted; how many those were."""
    gone = Evidence.objects.filter(document__deleted_at__isnull=False)
    workspaces = Answer.objects.filter(status__in=HELD, pk__in=gone.values("answer")).order_by().values("workspace")
    return sum(_leftovers_of(row["workspace"], gone) for row in workspaces.distinct())


@transaction.atomic
def _leftovers_of(workspace_id: object, gone: QuerySet[Evidence]) -> int:
    return _withdraw(gone.filter(answer__workspace=workspace_id), workspace_id, None)


def _withdraw(evidence: QuerySet[Evidence], workspace_id: object, by: User | None) -> int:
    held = Answer.objects.select_for_update().filter(status__in=HELD, pk__in=evidence.values("answer"))
    answers = list(held)
    drafts = list(Draft.objects.select_for_update().filter(answer__in=answers))
    for draft in drafts:
        draft.state = DraftState.WITHDRAWN
        draft.save(update_fields=["state"])
    for answer in answers:
        answer.status = ANSWER_STATUS_OF[DraftState.WITHDRAWN]
        answer.ended_at = timezone.now()
        answer.save(update_fields=["status", "ended_at"])
        transaction.on_commit(partial(streaming.announce, answer))
    if drafts:
        entries = [
            Entry(EventType.DRAFT_WITHDRAWN, draft, details={"answer": str(draft.answer_id)}) for draft in drafts
        ]
        record_all(entries, workspace=workspace_id, by=by)
    return len(answers)
