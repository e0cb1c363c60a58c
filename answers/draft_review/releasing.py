"""The verbs of a reviewer: let the findings in somebody's draft out, or not, and put them under review again."""

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from answers.draft_review import news
from answers.draft_review.separation import BROUGHT, refusal
from answers.draft_review.verdict import takes_two_now
from answers.exceptions import ByAsker, ExaminationError, WrongState
from answers.models import UNDECIDED, Examination, ExaminationState
from audit.events import EventType
from audit.record import record
from workspaces import access
from workspaces.exceptions import Forbidden
from workspaces.models import User
from workspaces.roles import Action

MAX_REASON = 500


@transaction.atomic
def approve(examination: Examination, *, by: User, seen: str = "") -> Examination:
    """Release held findings to the draft's owner, or give the first of two approvals.

    `seen` is the hash of the findings that were read. Raises Hidden or Forbidden, WrongState when they are not held or
    others by now, and ExaminationError for one who is tied to them.
    """
    held = held_for(by, examination)
    if seen and seen != held.findings_sha256:
        raise WrongState(_("Somebody changed these findings since you read them. Read them again."))
    if tied := refusal(by, held):
        raise ExaminationError(tied)
    # A document may have been classified higher while they waited.
    held.takes_two = takes_two_now(held)
    if held.takes_two and held.first_approved_by_id is None:
        held.first_approved_at, held.first_approved_by = timezone.now(), by
        # It waits for somebody else now.
        held.assigned_to = held.claimed_by = held.claimed_until = None
        held.state = ExaminationState.HELD
        held.save(
            update_fields=[
                *("state", "takes_two", "first_approved_at", "first_approved_by"),
                *("assigned_to", "claimed_by", "claimed_until"),
            ]
        )
        _record(EventType.EXAMINATION_APPROVED_ONCE, held, by)
        news.waiting(held)
        return held
    return _decide(held, ExaminationState.RELEASED, EventType.EXAMINATION_RELEASED, by, "")


@transaction.atomic
def reject(examination: Examination, *, by: User, reason: str) -> Examination:
    """Let nothing out; the owner is told the reason. Raises as `approve`, and without a reason."""
    held = held_for(by, examination)
    return _decide(held, ExaminationState.REJECTED, EventType.EXAMINATION_REJECTED, by, stated_in(reason))


@transaction.atomic
def reopen(examination: Examination, *, by: User, reason: str) -> Examination:
    """Put findings that a reviewer decided on under review again: from this moment their owner reads none of them.

    For a reviewer who did not bring the draft, whoever decided; what their owner made of them is kept. What the policy
    released is nobody's but its owner's, so that nobody reopens it. Raises Hidden or Forbidden, WrongState when a
    reviewer did not decide, and ExaminationError without a reason and where nobody would be left to decide.
    """
    held = locked_for(by, examination)
    if held.reviewed_by_id is None or held.state not in (ExaminationState.RELEASED, ExaminationState.REJECTED):
        raise WrongState(_("Only findings that a reviewer decided on are put under review again."))
    stated = stated_in(reason)
    held.state, held.reason = ExaminationState.HELD, ""
    held.reviewed_at = held.reviewed_by = held.first_approved_at = held.first_approved_by = None
    held.assigned_to = held.claimed_by = held.claimed_until = None
    held.save(
        update_fields=[
            *("state", "reason", "reviewed_at", "reviewed_by", "first_approved_at", "first_approved_by"),
            *("assigned_to", "claimed_by", "claimed_until"),
        ]
    )
    require_deciders(held)
    _record(EventType.EXAMINATION_REOPENED, held, by, reason=stated)
    news.reopened(held, by=by)
    return held


def stated_in(reason: str) -> str:
    """The reason as it is kept. Raises ExaminationError for none, or one too long."""
    stated = " ".join(reason.replace("\0", "").split())
    if not 0 < len(stated) <= MAX_REASON:
        raise ExaminationError(_("Give a reason of at most %(most)d characters.") % {"most": MAX_REASON})
    return stated


def require_deciders(held: Examination) -> None:
    """Return if somebody may decide on the findings as they stand in this transaction. Raises ExaminationError."""
    if not any(not refusal(person, held) for person in news.able(held)):
        raise ExaminationError(
            _("Nobody would be left to decide on these findings. Ask a manager for another reviewer.")
        )


def held_for(by: User, examination: Examination) -> Examination:
    """As `locked_for`, if the findings wait for a decision. Raises WrongState too, which names who was faster."""
    held = locked_for(by, examination)
    if held.state not in UNDECIDED:
        raise WrongState(_already(held))
    return held


def locked_for(by: User, examination: Examination) -> Examination:
    """The examined draft as it stands now, locked, if `by` reviews it and did not bring it.

    Raises Hidden or Forbidden.
    """
    rows = Examination.objects.select_for_update(of=("self",), no_key=True).select_related("workspace", "asked_by")
    held = rows.get(pk=examination.pk)
    # After the lock: rights taken away while we waited for it count.
    access.require(by, Action.REVIEW, held)
    if held.asked_by_id == by.pk:
        raise ByAsker(BROUGHT, user=by, workspace=held.workspace, action=Action.REVIEW, thing=held)
    if not access.allows(by, Action.REVIEW, held):
        # By breaking glass one reads; only a reviewer's name stands under a decision.
        raise Forbidden(user=by, workspace=held.workspace_id, action=Action.REVIEW, thing=held)
    return held


def _already(examination: Examination) -> str:
    if examination.reviewed_by is None:
        return _("These findings do not wait for a decision any more.")
    return _("Somebody was faster: these findings are “%(state)s”, decided by %(name)s.") % {
        "state": examination.get_state_display(),
        "name": examination.reviewed_by.name,
    }


def _decide(held: Examination, state: ExaminationState, event: EventType, by: User, reason: str) -> Examination:
    held.state, held.reason = state, reason
    held.reviewed_at, held.reviewed_by = timezone.now(), by
    held.save(update_fields=["state", "reason", "reviewed_at", "reviewed_by"])
    _record(event, held, by, reason=reason)
    news.decided(held, by=by)
    return held


def _record(event: EventType, held: Examination, by: User, *, reason: str = "") -> None:
    record(
        event,
        on=held,
        workspace=held.workspace_id,
        by=by,
        reason=reason,
        findings_sha256=held.findings_sha256,
        text_sha256=held.text_sha256,
    )
