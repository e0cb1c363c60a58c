"""What every decision writes: the review with the exact text and sources, the draft's new form, the answer's status."""

from functools import partial
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from answers import streaming
from answers.drafts import desks
from answers.drafts.text import checked_reason, marks
from answers.exceptions import DraftError, WrongState
from answers.models import Answer, Decision, Draft, Review
from answers.queue.due import due_after, hours_of
from answers.review.locking import STATE_OF, WHEN
from answers.separation import somebody_may_decide
from answers.states import ANSWER_STATUS_OF, AnswerStatus, DraftState, may_follow
from audit.chain import digest
from workspaces.models import User


def decide(draft: Draft, decision: Decision, by: User, reason: str, *, state: DraftState | None = None) -> Review:
    """Write the decision down and move the draft. Raises DraftError without a reason where one is needed."""
    reason = checked_reason(reason)
    if decision != Decision.APPROVED and not reason:
        raise DraftError(_("Say why: the reason goes to the people who work on this answer and into the trail."))
    review = Review.objects.create(
        draft=draft,
        decision=decision,
        decided_by=by,
        reason=reason,
        text_sha256=digest(draft.text),
        sources=sources(draft),
    )
    draft.state = state or STATE_OF[decision]
    fields = ["state", "first_approval"]
    draft.first_approval = None
    if draft.state in WHEN["assign"]:
        # It waits for somebody else now, who is given nothing that is being read.
        fields += desks.end_claim(draft)
    if draft.state == DraftState.APPROVED_ONCE:
        draft.first_approval = review
        fields += desks.put(draft, None)
    elif decision == Decision.REOPENED:
        # The columns kept who had it when it was decided, and by when.
        fields += [*desks.put(draft, None), "due_at"]
        draft.due_at = due_after(hours_of(draft.workspace_id))
    elif draft.state not in WHEN["assign"]:
        desks.end(draft)
    save(draft, by, reason, *fields)
    return review


def sources(draft: Draft) -> dict[str, str]:
    """`{version id: SHA-256}` of every version the draft's text cites."""
    cited = draft.answer.citations.filter(number__in=marks(draft.text)).values_list("version", "version__sha256")
    return {str(version): sha256 for version, sha256 in cited}


def save(draft: Draft, by: User, reason: str, *fields: str) -> None:
    """Save these fields as a form of the draft that history tells apart by person and reason."""
    draft._history_user, draft._change_reason = by, reason[:100]
    draft.save(update_fields=list(fields))


def move_answer(draft: Draft, *fields: str, status: AnswerStatus | None = None) -> None:
    """Let the answer follow its draft, and tell whoever watches it once that is committed."""
    answer, status = draft.answer, status or ANSWER_STATUS_OF[draft.state]
    if not may_follow(answer.status, status):
        raise WrongState(_("The answer is no longer held: it is “%(state)s”.") % {"state": answer.get_status_display()})
    answer.status = status
    answer.save(update_fields=["status", *fields])
    transaction.on_commit(partial(streaming.announce, answer))


def require_deciders(answer: Answer, told: str) -> None:
    """Raise DraftError with `told` when nobody would be left who may decide on the answer's draft."""
    if not Answer.objects.filter(somebody_may_decide(), pk=answer.pk).exists():
        raise DraftError(told)


def approved(review: Review) -> dict[str, Any]:
    """What the trail says of an approval. Receipts carry these entries to all who may read the answer, and the reason
    is for the asker and the reviewers: its hash stands in the trail, its text in the review alone.
    """
    details = {"review": review.pk, "text_sha256": review.text_sha256, "sources": review.sources}
    return {**details, "reason_sha256": digest(review.reason)} if review.reason else details
