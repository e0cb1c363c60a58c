"""Held answers that nobody can decide on any more end, with a sentence for their asker.

A document they rest on was deleted, so nobody may read them; or no reviewer is left who may open all they rest on.
"""

from functools import partial
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from answers import streaming
from answers.drafts import desks
from answers.models import Answer, Draft, Evidence
from answers.separation import somebody_may_decide
from answers.states import ANSWER_STATUS_OF, HELD, DraftState
from audit.events import EventType
from audit.record import Entry, record_all
from documents.models import Deletion
from workspaces.models import User
from workspaces.notifications import notify_each
from workspaces.notifications.registry import Kind

_EVENT_OF = {
    DraftState.WITHDRAWN: EventType.DRAFT_WITHDRAWN,
    DraftState.STRANDED: EventType.DRAFT_STRANDED,
}


def withdraw_drafts(deletion: Deletion) -> None:
    """End every held answer that rests on what was deleted, in the same transaction, and tell its asker."""
    evidence = Evidence.objects.filter(document=deletion.document_id)
    if deletion.version_id is not None:
        evidence = evidence.filter(version=deletion.version_id)
    answers = Answer.objects.filter(pk__in=evidence.values("answer"))
    _end(answers, DraftState.WITHDRAWN, deletion.workspace_id, deletion.deleted_by)


def withdraw_leftovers() -> int:
    """End what no single act could, and return how many those were.

    Answers held at the very moment one of their documents was deleted, and answers whose last able reviewer left or
    lost a grant.
    """
    gone = Evidence.objects.filter(document__deleted_at__isnull=False)
    ended = _end_everywhere(Answer.objects.filter(pk__in=gone.values("answer")), DraftState.WITHDRAWN)
    return ended + _end_everywhere(Answer.objects.filter(~somebody_may_decide()), DraftState.STRANDED)


def _end_everywhere(answers: QuerySet[Answer], state: DraftState) -> int:
    """One transaction for each workspace: each has its own chain."""
    workspaces = answers.filter(status__in=HELD).order_by().values_list("workspace", flat=True).distinct()
    return sum(_end_in(workspace_id, answers, state) for workspace_id in list(workspaces))


@transaction.atomic
def _end_in(workspace_id: UUID, answers: QuerySet[Answer], state: DraftState) -> int:
    return _end(answers.filter(workspace=workspace_id), state, workspace_id, None)


def _end(answers: QuerySet[Answer], state: DraftState, workspace_id: UUID, by: User | None) -> int:
    # Locked as a review locks them, and in one order, so that neither waits for the other in a circle.
    rows = Draft.objects.select_for_update(of=("self", "answer"), no_key=True).select_related("answer__asked_by")
    drafts = list(rows.filter(answer__status__in=HELD, answer__in=answers.order_by().values("pk")).order_by("pk"))
    for draft in drafts:
        draft.state, draft.first_approval = state, None
        draft.save(update_fields=["state", "first_approval"])
        desks.end(draft)
        answer = draft.answer
        answer.status, answer.ended_at = ANSWER_STATUS_OF[state], timezone.now()
        answer.save(update_fields=["status", "ended_at"])
        transaction.on_commit(partial(streaming.announce, answer))
    if drafts:
        told = [(draft.answer, [draft.answer.asked_by]) for draft in drafts]
        notify_each(Kind.ANSWER_REFUSED, told, workspace=workspace_id, by=by)
        record_all([entry for draft in drafts for entry in _entries(draft)], workspace=workspace_id, by=by)
    return len(drafts)


def _entries(draft: Draft) -> tuple[Entry, Entry]:
    """What the trail keeps on the draft, and on the answer its asker waits for."""
    answer = draft.answer
    return (
        Entry(_EVENT_OF[DraftState(draft.state)], draft, details={"answer": answer.pk}),
        Entry(EventType.ANSWER_REFUSED, answer, details={"status": answer.status, "draft": draft.pk}),
    )
