"""The verbs of a reviewer: let the findings in somebody's draft out, or not."""

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from answers.draft_review import news
from answers.draft_review.separation import BROUGHT, refusal
from answers.draft_review.verdict import takes_two_now
from answers.exceptions import ByAsker, ExaminationError, WrongState
from answers.models import Examination, ExaminationState
from audit.events import EventType
from audit.record import record
from workspaces import access
from workspaces.exceptions import Forbidden
from workspaces.models import User
from workspaces.roles import Action

MAX_REASON = 500


@transaction.atomic
def approve(examination: Examination, *, by: User) -> Examination:
    """Release held findings to the draft's owner, or give the first of two approvals.

    Raises Hidden or Forbidden, WrongState when they are not held, and ExaminationError for one who is tied to them.
    """
    held = held_for(by, examination)
    if tied := refusal(by, held):
        raise ExaminationError(tied)
    # A document may have been classified higher while they waited.
    held.takes_two = takes_two_now(held)
    if held.takes_two and held.first_approved_by_id is None:
        held.first_approved_at, held.first_approved_by = timezone.now(), by
        # It waits for somebody else now.
        held.assigned_to = held.claimed_by = held.claimed_until = None
        held.save(
            update_fields=[
                *("takes_two", "first_approved_at", "first_approved_by"),
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
    stated = " ".join(reason.replace("\0", "").split())
    if not 0 < len(stated) <= MAX_REASON:
        raise ExaminationError(_("Give a reason of at most %(most)d characters.") % {"most": MAX_REASON})
    return _decide(held, ExaminationState.REJECTED, EventType.EXAMINATION_REJECTED, by, stated)


def held_for(by: User, examination: Examination) -> Examination:
    """The examined draft as it stands now, locked, if `by` reviews it, did not bring it, and its findings wait.

    Raises Hidden or Forbidden, and WrongState when they are decided, which names who was faster.
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
    if held.state != ExaminationState.HELD:
        raise WrongState(_already(held))
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
