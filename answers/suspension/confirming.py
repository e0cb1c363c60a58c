"""A reviewer looks at a suspended answer again: it still stands word for word, or it goes back under review.

Nothing of what was released changes: the citations stay those of the versions that were cited. A confirmation says
where each quote stands in the versions of today, byte for byte, and who found so (decision 31).
"""

from collections.abc import Collection

from django.db import transaction
from django.utils.translation import gettext as _

from answers import separation, source_changes
from answers.citations.carrying import write_down
from answers.citations.marks import numbers
from answers.citations.quotes import quotes_now
from answers.drafts.text import checked_reason
from answers.exceptions import WrongState
from answers.models import Answer, Confirmation, Draft, GroundLost
from answers.querysets import sources_open
from answers.review import reopen
from answers.states import AnswerStatus
from audit.chain import digest
from audit.events import EventType
from audit.record import record
from workspaces import access
from workspaces.exceptions import Forbidden
from workspaces.models import User
from workspaces.roles import Action


@transaction.atomic
def confirm(
    answer: Answer, *, by: User, seen_sha256: str, seen_closings: Collection[str] | None = None, reason: str = ""
) -> Confirmation:
    """Let a suspended answer stand again, because each quote it shows stands in the version that answers today.

    `seen_closings`: the ids of the suspensions that `by` was shown; None for all there are. Raises as access does,
    DraftError for a reason that is too long, and WrongState when it is not suspended, is another text than the one
    whose hash was seen, was closed by something else since, when a quote is gone, or when separation of duties keeps
    `by` from it.
    """
    held = _locked(answer, by)
    if seen_sha256 != held.released_sha256:
        raise WrongState(_("Somebody was faster: the text changed after you opened it. Read it again, then decide."))
    standing = held.suspensions.filter(ended_at=None).values_list("pk", flat=True)
    if seen_closings is not None and not {str(pk) for pk in standing} <= set(seen_closings):
        raise WrongState(_("Another source changed after you opened this. Look at it again, then decide."))
    refused = refusal(held, by)
    if refused:
        raise WrongState(refused)
    confirmation = write_down(held, held.released_text, by, checked_reason(reason))
    source_changes.end_all(held, by=by)
    record(
        EventType.ANSWER_CONFIRMED,
        on=held,
        workspace=held.workspace_id,
        by=by,
        confirmation=confirmation.pk,
        text_sha256=confirmation.text_sha256,
        sources=confirmation.sources,
        **({"reason_sha256": digest(confirmation.reason)} if confirmation.reason else {}),
    )
    return confirmation


@transaction.atomic
def send_back(answer: Answer, *, by: User, reason: str) -> Draft:
    """Put a suspended answer back under review, as a draft. Raises as `reopen` does, and WrongState as `confirm`."""
    held = _locked(answer, by)
    before = held.suspensions.filter(ended_at=None).order_by("suspended_at").first()
    if before is None or held.suspensions.filter(ended_at=None, reason=GroundLost.DELETED).exists():
        raise WrongState(_("A document this answer rests on was deleted, so nothing is left to decide."))
    # Opened and closed again in one transaction: nobody reads it in between, and the trail tells of the review alone.
    held.status = before.status_before
    held.save(update_fields=["status"])
    source_changes.forget_all(held, by=by)
    return reopen(held, by=by, reason=reason)


def refusal(answer: Answer, person: User) -> str | None:
    """Why `person` may not confirm this suspended answer although they review here, as a sentence."""
    if answer.suspensions.filter(ended_at=None, reason=GroundLost.DELETED).exists():
        return _("A document this answer rests on was deleted, so nothing is left to decide.")
    tied = separation.refusal_to_confirm(person, answer)
    if tied:
        return tied
    over = answer.suspensions.filter(ended_at=None, reason=GroundLost.EXPIRED)
    if answer.workspace.withhold_expired and over.exists():
        return _("A document that is over answers nothing here. Its owner can say that it still holds.")
    quotes = quotes_now(answer, numbers(answer.released_text))
    if not quotes or not all(quote.stands for quote in quotes):
        return _("A quote no longer stands word for word. Send the answer back to review, or have it asked afresh.")
    return None


# --- Inside -------------------------------------------------------------------------------------------------


def _locked(answer: Answer, by: User) -> Answer:
    access.require(by, Action.REVIEW, answer)
    rows = Answer.objects.select_for_update(of=("self",), no_key=True).select_related("question", "workspace")
    held = rows.get(pk=answer.pk)
    # After the lock: rights taken away while we waited for it count.
    access.require(by, Action.REVIEW, held)
    if not access.allows(by, Action.REVIEW, held):
        raise Forbidden(user=by, workspace=held.workspace_id, action=Action.REVIEW, thing=held)
    if not sources_open(by, held):
        raise WrongState(_("A document this answer rests on is closed to you."))
    if held.status != AnswerStatus.SUSPENDED or not held.released_text:
        raise WrongState(_("This answer is not suspended: it is “%(state)s”.") % {"state": held.get_status_display()})
    return held
