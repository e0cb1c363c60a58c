"""The verbs of a reviewer: let the findings in somebody's draft out, or not."""

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from answers.draft_review import news
from answers.draft_review.separation import refusal
from answers.draft_review.verdict import takes_two_now
from answers.exceptions import ExaminationError, WrongState
from answers.models import Examination, ExaminationState
from audit.events import EventType
from audit.record import record
from workspaces import access
from workspaces.models import User
from workspaces.roles import Action

MAX_REASON = 500


@transaction.atomic
def approve(examination: Examination, *, by: User) -> Examination:
    """Release held findings to the draft's owner, or give the first of two approvals.

    Raises Hidden or Forbidden, WrongState when they are not held, and ExaminationError for one who is tied to them.
    """
    held = _held(examination, by)
    if tied := refusal(by, held):
        raise ExaminationError(tied)
    # A document may have been classified higher while they waited.
    held.takes_two = takes_two_now(held)
    if held.takes_two and held.first_approved_by_id is None:
        held.first_approved_at, held.first_approved_by = timezone.now(), by
        held.save(update_fields=["takes_two", "first_approved_at", "first_approved_by"])
        _record(EventType.EXAMINATION_APPROVED_ONCE, held, by)
        news.waiting(held)
        return held
    return _decide(held, ExaminationState.RELEASED, EventType.EXAMINATION_RELEASED, by, "")


@transaction.atomic
def reject(examination: Examination, *, by: User, reason: str) -> Examination:
    """Let nothing out; the owner is told the reason. Raises as `approve`, and without a reason."""
    held = _held(examination, by)
    if held.asked_by_id == by.pk:
        raise ExaminationError(refusal(by, held))
    stated = " ".join(reason.replace("\0", "").split())
    if not 0 < len(stated) <= MAX_REASON:
        raise ExaminationError(_("Give a reason of at most %(most)d characters.") % {"most": MAX_REASON})
    return _decide(held, ExaminationState.REJECTED, EventType.EXAMINATION_REJECTED, by, stated)


def _held(examination: Examination, by: User) -> Examination:
    access.require(by, Action.REVIEW, examination)
    rows = Examination.objects.select_for_update(of=("self",), no_key=True).select_related("workspace", "asked_by")
    held = rows.get(pk=examination.pk)
    if held.state != ExaminationState.HELD:
        raise WrongState(_("These findings do not wait for a decision any more."))
    return held


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
