"""The verbs of a human decision on a draft: assign, edit, submit, approve, return and reject.

Each asks `workspaces.access` who may, the table below when it may be, and writes its audit entry in the same
transaction. The draft's row is locked first, so of two people acting together one is told that the other was faster.
Who may not decide although they review, and when it takes two, is said in `answers/separation.py`.
"""

from functools import partial
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from answers import desks, separation, streaming
from answers.draft_text import checked_reason, marks, require_sound
from answers.exceptions import DraftError, WrongState
from answers.models import Answer, Decision, Draft, Review
from answers.states import ANSWER_STATUS_OF, DraftState, may_follow
from audit.chain import digest
from audit.events import EventType
from audit.record import Entry, record, record_all
from workspaces import access
from workspaces.exceptions import Forbidden
from workspaces.models import User
from workspaces.roles import Action

#: act → the draft states in which it may happen.
WHEN: dict[str, frozenset[str]] = {
    "assign": frozenset({DraftState.WAITING, DraftState.APPROVED_ONCE, DraftState.RETURNED}),
    "edit": frozenset({DraftState.WAITING, DraftState.APPROVED_ONCE, DraftState.RETURNED}),
    "submit": frozenset({DraftState.RETURNED}),
    "approve": frozenset({DraftState.WAITING, DraftState.APPROVED_ONCE}),
    "return": frozenset({DraftState.WAITING, DraftState.APPROVED_ONCE}),
    "reject": frozenset({DraftState.WAITING, DraftState.APPROVED_ONCE, DraftState.RETURNED}),
}

_STATE_OF: dict[Decision, DraftState] = {
    Decision.APPROVED: DraftState.APPROVED,
    Decision.RETURNED: DraftState.RETURNED,
    Decision.REJECTED: DraftState.REJECTED,
}

# --- Acts ---------------------------------------------------------------------------------------------------


@transaction.atomic
def assign(draft: Draft, *, to: User | None, by: User) -> Draft:
    """Put the draft on one reviewer's desk, or on nobody's. It stays open to the others.

    Raises DraftError when `to` could not decide on it, and WrongState when it is decided already.
    """
    draft = _locked(draft, "assign", by)
    if to is not None:
        if not access.allows(to, Action.REVIEW, draft):
            raise DraftError(_("%(name)s may not review this draft.") % {"name": to.name})
        reason = separation.refusal(to, draft, separation.APPROVE)
        if reason:
            told = _("%(name)s asked for, edited, approved or brought what this answer rests on.") % {"name": to.name}
            raise DraftError(reason if to == by else told)
    if draft.assigned_to_id == (to.pk if to else None):
        return draft
    _save(draft, by, "", *desks.put(draft, to))
    record(
        EventType.DRAFT_ASSIGNED,
        on=draft,
        workspace=draft.workspace,
        by=by,
        answer=draft.answer_id,
        to=to.pk if to else None,
        to_label=to.get_username() if to else "",
    )
    return draft


@transaction.atomic
def edit(draft: Draft, *, text: str, by: User, reason: str = "", seen_sha256: str | None = None) -> Draft:
    """Give the draft another text; history keeps the one before. The editor can then no longer decide on it.

    A first approval of the text before is void. Raises DraftError for a text without citations or with a mark that
    cites nothing and when nobody would be left to decide, and WrongState when the draft is decided already or, if
    `seen_sha256` is given, was edited since.
    """
    draft = _locked(draft, "edit", by)
    _require_seen(draft, seen_sha256)
    text = text.replace("\r\n", "\n").strip()
    if text == draft.text:
        return draft
    require_sound(text, draft.answer)
    reason = checked_reason(reason)
    before, voided = digest(draft.text), draft.first_approval_id
    draft.text, draft.edited_by, draft.edited_at = text, by, timezone.now()
    fields = ["text", "edited_by", "edited_at"]
    if voided:
        draft.state, draft.first_approval = DraftState.WAITING, None
        fields += ["state", "first_approval"]
    if draft.assigned_to_id == by.pk:
        # It would wait on the desk of somebody who can no longer decide.
        fields += desks.put(draft, None)
    _save(draft, by, reason, *fields)
    if not Answer.objects.filter(separation.somebody_may_decide(), pk=draft.answer_id).exists():
        raise DraftError(
            _("Nobody would be left to decide on your text. Ask a manager for another reviewer, or reject the draft.")
        )
    record(
        EventType.DRAFT_EDITED,
        on=draft,
        workspace=draft.workspace,
        by=by,
        reason=reason,
        answer=draft.answer_id,
        before_sha256=before,
        after_sha256=digest(text),
        **({"voids": voided} if voided else {}),
    )
    return draft


@transaction.atomic
def submit(draft: Draft, *, by: User) -> Draft:
    """Put a returned draft back in line for a decision.

    Raises WrongState when it was not returned, and DraftError when nobody changed it since it was.
    """
    draft = _locked(draft, "submit", by)
    returned = draft.reviews.filter(decision=Decision.RETURNED).last()
    if returned is not None and returned.text_sha256 == digest(draft.text):
        raise DraftError(_("Nothing changed since this draft was returned. Edit it first, or reject it."))
    draft.state = DraftState.WAITING
    _save(draft, by, "", "state")
    _move_answer(draft)
    record(
        EventType.DRAFT_SUBMITTED,
        on=draft,
        workspace=draft.workspace,
        by=by,
        answer=draft.answer_id,
        text_sha256=digest(draft.text),
    )
    return draft


@transaction.atomic
def approve(draft: Draft, *, by: User, seen_sha256: str, reason: str = "") -> Review:
    """Release exactly the text whose hash is `seen_sha256` to its asker, or give the first of two approvals.

    Raises WrongState when the draft is not waiting for a decision, when its text is another one by now, or when the
    separation of duties keeps `by` from it.
    """
    draft = _locked_for_decision(draft, "approve", by)
    _require_seen(draft, seen_sha256)
    require_sound(draft.text, draft.answer)
    first = _standing_approval(draft)
    if first is None and separation.needs_second(draft.answer):
        return _approve_once(draft, by, reason)
    review = _decide(draft, Decision.APPROVED, by, reason)
    answer = draft.answer
    answer.released_text, answer.released_sha256 = draft.text, review.text_sha256
    answer.released_by, answer.released_at = by, review.decided_at
    _move_answer(draft, "released_text", "released_sha256", "released_by", "released_at")
    approvals = [one.pk for one in (first, review) if one is not None]
    details = _approved(review)
    released = {"draft": draft.pk, "policy": answer.policy, "approvals": approvals, **details}
    record_all(
        [
            Entry(EventType.DRAFT_APPROVED, draft, details={"answer": answer.pk, **details}),
            Entry(EventType.ANSWER_RELEASED, answer, details=released),
        ],
        workspace=draft.workspace,
        by=by,
    )
    return review


@transaction.atomic
def return_for_changes(draft: Draft, *, by: User, reason: str, seen_sha256: str | None = None) -> Review:
    """Ask for changes before this can be released. Raises as `approve`, and DraftError without a reason.

    The text is compared with what was seen only if `seen_sha256` is given.
    """
    draft = _locked_for_decision(draft, "return", by)
    _require_seen(draft, seen_sha256)
    review = _decide(draft, Decision.RETURNED, by, reason)
    _move_answer(draft)
    record(
        EventType.DRAFT_RETURNED,
        on=draft,
        workspace=draft.workspace,
        by=by,
        reason=review.reason,
        answer=draft.answer_id,
        review=review.pk,
        text_sha256=review.text_sha256,
    )
    return review


@transaction.atomic
def reject(draft: Draft, *, by: User, reason: str, seen_sha256: str | None = None) -> Review:
    """Decide that this answer is never released. Raises as `return_for_changes`."""
    draft = _locked_for_decision(draft, "reject", by)
    _require_seen(draft, seen_sha256)
    review = _decide(draft, Decision.REJECTED, by, reason)
    _move_answer(draft)
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
    return review


@transaction.atomic
def opened(draft: Draft, *, by: User) -> None:
    """Record that `by` reads the draft and everything it rests on. Raises as access does."""
    access.require(by, Action.REVIEW, draft)
    record(
        EventType.DRAFT_OPENED,
        on=draft,
        workspace=draft.workspace,
        by=by,
        answer=draft.answer_id,
        text_sha256=digest(draft.text),
        documents=sorted({str(pk) for pk in draft.answer.evidence.values_list("document", flat=True)}),
    )


# --- Inside -------------------------------------------------------------------------------------------------


def _locked(draft: Draft, act: str, by: User) -> Draft:
    """The draft as it stands now, locked with its answer, if `by` may review it and `act` fits its state."""
    rows = Draft.objects.select_for_update(of=("self", "answer"), no_key=True)
    held = rows.select_related("answer__question", "workspace").get(pk=draft.pk)
    # After the lock: rights taken away while we waited for it count.
    access.require(by, Action.REVIEW, held)
    if held.answer.asked_by_id == by.pk:
        # A superuser who asked; for anybody else such a draft does not exist.
        raise WrongState(str(separation.ASKED))
    if held.state not in WHEN[act]:
        raise WrongState(_already(held))
    return held


def _locked_for_decision(draft: Draft, act: str, by: User) -> Draft:
    held = _locked(draft, act, by)
    if not access.allows(by, Action.REVIEW, held):
        # A superuser may read by breaking glass, but only a reviewer's name stands under a decision.
        raise Forbidden(user=by, workspace=held.workspace_id, action=Action.REVIEW, thing=held)
    reason = separation.refusal(by, held, act)
    if reason:
        raise WrongState(reason)
    return held


def _standing_approval(draft: Draft) -> Review | None:
    """The approval of exactly this text and these versions that waits for a second one, by who may still review it."""
    first = draft.first_approval
    if first is None or (first.text_sha256, first.sources) != (digest(draft.text), _sources(draft)):
        return None
    return first if access.allows(first.decided_by, Action.REVIEW, draft) else None


def _approve_once(draft: Draft, by: User, reason: str) -> Review:
    """The first of two approvals: nothing is released yet."""
    review = _decide(draft, Decision.APPROVED, by, reason, state=DraftState.APPROVED_ONCE)
    record(
        EventType.DRAFT_APPROVED_ONCE,
        on=draft,
        workspace=draft.workspace,
        by=by,
        answer=draft.answer_id,
        **_approved(review),
    )
    return review


def _approved(review: Review) -> dict[str, Any]:
    """What the trail says of an approval. Receipts carry these entries to all who may read the answer, and the reason
    is for the asker and the reviewers: its hash stands in the trail, its text in the review alone.
    """
    details = {"review": review.pk, "text_sha256": review.text_sha256, "sources": review.sources}
    return {**details, "reason_sha256": digest(review.reason)} if review.reason else details


def _decide(draft: Draft, decision: Decision, by: User, reason: str, *, state: DraftState | None = None) -> Review:
    reason = checked_reason(reason)
    if decision != Decision.APPROVED and not reason:
        raise DraftError(_("Say why: the reason goes to the people who work on this answer and into the trail."))
    review = Review.objects.create(
        draft=draft,
        decision=decision,
        decided_by=by,
        reason=reason,
        text_sha256=digest(draft.text),
        sources=_sources(draft),
    )
    draft.state = state or _STATE_OF[decision]
    fields = ["state", "first_approval"]
    draft.first_approval = None
    if draft.state == DraftState.APPROVED_ONCE:
        # It waits for somebody else now.
        draft.first_approval = review
        fields += desks.put(draft, None)
    elif draft.state not in WHEN["assign"]:
        desks.end(draft)
    _save(draft, by, reason, *fields)
    return review


def _sources(draft: Draft) -> dict[str, str]:
    """`{version id: SHA-256}` of every version the draft's text cites."""
    cited = draft.answer.citations.filter(number__in=marks(draft.text)).values_list("version", "version__sha256")
    return {str(version): sha256 for version, sha256 in cited}


def _save(draft: Draft, by: User, reason: str, *fields: str) -> None:
    draft._history_user, draft._change_reason = by, reason[:100]
    draft.save(update_fields=list(fields))


def _move_answer(draft: Draft, *fields: str) -> None:
    """Let the answer follow its draft, and tell whoever watches it once that is committed."""
    answer, status = draft.answer, ANSWER_STATUS_OF[draft.state]
    if not may_follow(answer.status, status):
        raise WrongState(_("The answer is no longer held: it is “%(state)s”.") % {"state": answer.get_status_display()})
    answer.status = status
    answer.save(update_fields=["status", *fields])
    transaction.on_commit(partial(streaming.announce, answer))


def _require_seen(draft: Draft, seen_sha256: str | None) -> None:
    if seen_sha256 is not None and seen_sha256 != digest(draft.text):
        raise WrongState(_("Somebody was faster: the text changed after you opened it. Read it again, then decide."))


def _already(draft: Draft) -> str:
    if draft.state == DraftState.WITHDRAWN:
        return _("A document this draft rests on was deleted, so nothing is left to decide.")
    if draft.state == DraftState.STRANDED:
        return _(
            "This draft ended when no reviewer was left who may open all it rests on. The question can be asked again."
        )
    last = draft.reviews.select_related("decided_by").last()
    if last is None or _STATE_OF[Decision(last.decision)] != draft.state:
        return _("This draft is “%(state)s”, so this cannot be done now.") % {"state": draft.get_state_display()}
    return _("Somebody was faster: this draft is “%(state)s”, decided by %(name)s.") % {
        "state": draft.get_state_display(),
        "name": last.decided_by.name,
    }
