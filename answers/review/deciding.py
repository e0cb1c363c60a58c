"""The decisions on a draft that waits: approve, return and reject."""

from collections.abc import Sequence

from django.db import transaction

from answers import news, separation
from answers.citations.carrying import carry_over
from answers.drafts.text import require_sound
from answers.models import Decision, Draft, Review
from answers.review import asking, telling
from answers.review.keeping import approved, decide, move_answer, sources
from answers.review.locking import locked_for_decision, require_seen
from answers.states import DraftState
from audit.chain import digest
from audit.events import EventType
from audit.record import Entry, record, record_all
from workspaces import access
from workspaces.models import User
from workspaces.roles import Action


@transaction.atomic
def approve(draft: Draft, *, by: User, seen_sha256: str, reason: str = "") -> Review:
    """Release exactly the text whose hash is `seen_sha256` to its asker, or give the first of two approvals.

    Raises WrongState when the draft is not waiting for a decision, when its text is another one by now, or when the
    separation of duties keeps `by` from it.
    """
    draft = locked_for_decision(draft, "approve", by)
    require_seen(draft, seen_sha256)
    require_sound(draft.text, draft.answer)
    carry_over(draft, by=by)
    first = _standing_approval(draft)
    if first is None and separation.needs_second(draft.answer):
        return _approve_once(draft, by, reason)
    review = decide(draft, Decision.APPROVED, by, reason)
    answer = draft.answer
    answer.released_text, answer.released_sha256 = draft.text, review.text_sha256
    answer.released_by, answer.released_at = by, review.decided_at
    move_answer(draft, "released_text", "released_sha256", "released_by", "released_at")
    approvals = [one.pk for one in (first, review) if one is not None]
    details = approved(review)
    released = {"draft": draft.pk, "policy": answer.policy, "approvals": approvals, **details}
    record_all(
        [
            Entry(EventType.DRAFT_APPROVED, draft, details={"answer": answer.pk, **details}),
            Entry(EventType.ANSWER_RELEASED, answer, details=released),
        ],
        workspace=draft.workspace,
        by=by,
    )
    news.released(answer, by=by)
    news.decided(draft, by=by)
    return review


@transaction.atomic
def return_for_changes(
    draft: Draft, *, by: User, reason: str, seen_sha256: str | None = None, questions: Sequence[str] = ()
) -> Review:
    """Ask for changes before this can be released, and the asker for what they can say. Raises as `approve`, and
    DraftError without a reason.

    The text is compared with what was seen only if `seen_sha256` is given. `questions` are shown to the asker, whose
    replies put the draft back in line.
    """
    draft = locked_for_decision(draft, "return", by)
    require_seen(draft, seen_sha256)
    review = decide(draft, Decision.RETURNED, by, reason)
    asked = asking.put(review, questions)
    move_answer(draft)
    record(
        EventType.DRAFT_RETURNED,
        on=draft,
        workspace=draft.workspace,
        by=by,
        reason=review.reason,
        answer=draft.answer_id,
        review=review.pk,
        text_sha256=review.text_sha256,
        **({"questions_sha256": [digest(one.text) for one in asked]} if asked else {}),
    )
    news.returned(draft, by=by)
    if asked:
        telling.asked(draft, by)
    return review


@transaction.atomic
def reject(draft: Draft, *, by: User, reason: str, seen_sha256: str | None = None) -> Review:
    """Decide that this answer is never released. Raises as `return_for_changes`."""
    draft = locked_for_decision(draft, "reject", by)
    require_seen(draft, seen_sha256)
    review = decide(draft, Decision.REJECTED, by, reason)
    move_answer(draft)
    answer = draft.answer
    details = {"review": review.pk, "text_sha256": review.text_sha256}
    record_all(
        [
            Entry(EventType.DRAFT_REJECTED, draft, review.reason, {"answer": answer.pk, **details}),
            Entry(EventType.ANSWER_REFUSED, answer, review.reason, {"status": answer.status, "draft": draft.pk}),
        ],
        workspace=draft.workspace,
        by=by,
    )
    news.refused(answer, by=by)
    news.decided(draft, by=by)
    return review


def _standing_approval(draft: Draft) -> Review | None:
    """The approval of exactly this text and these versions that waits for a second one, by who may still review it."""
    first = draft.first_approval
    if first is None or (first.text_sha256, first.sources) != (digest(draft.text), sources(draft)):
        return None
    return first if access.allows(first.decided_by, Action.REVIEW, draft) else None


def _approve_once(draft: Draft, by: User, reason: str) -> Review:
    """The first of two approvals: nothing is released yet."""
    review = decide(draft, Decision.APPROVED, by, reason, state=DraftState.APPROVED_ONCE)
    record(
        EventType.DRAFT_APPROVED_ONCE,
        on=draft,
        workspace=draft.workspace,
        by=by,
        answer=draft.answer_id,
        **approved(review),
    )
    news.second_wanted(draft, by=by)
    return review
