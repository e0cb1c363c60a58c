"""Another text for a draft: edited, checked again sentence by sentence, and put back in line."""

from dataclasses import asdict

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from answers import grounding, news, separation
from answers.drafts import desks
from answers.drafts.text import checked_reason, require_sound
from answers.exceptions import DraftError
from answers.models import Decision, Draft
from answers.review import asking
from answers.review.desk import assign
from answers.review.keeping import move_answer, save
from answers.review.locking import locked, require_seen
from answers.states import DraftState
from audit.chain import digest
from audit.events import EventType
from audit.record import record
from workspaces.models import User


@transaction.atomic
def edit(draft: Draft, *, text: str, by: User, reason: str = "", seen_sha256: str | None = None) -> Draft:
    """Give the draft another text; history keeps the one before. The editor can then no longer decide on it.

    The checks run over exactly the new text, and a first approval of the text before is void. Raises DraftError for a
    text without citations or with a mark that cites nothing and when nobody would be left to decide, and WrongState
    when the draft is decided already or, if `seen_sha256` is given, was edited since.
    """
    draft = locked(draft, "edit", by)
    require_seen(draft, seen_sha256)
    text = _as_stored(text)
    if text == draft.text:
        return draft
    if refused := separation.refusal_to_edit(by, draft.answer):
        raise DraftError(refused)
    require_sound(text, draft.answer)
    reason = checked_reason(reason)
    before, voided = digest(draft.text), draft.first_approval_id
    draft.text, draft.edited_by, draft.edited_at = text, by, timezone.now()
    checked = grounding.check(draft.answer, text)
    draft.sentences, draft.grounding = [asdict(one) for one in checked], grounding.summarise(checked).verdict
    fields = ["text", "sentences", "grounding", "edited_by", "edited_at"]
    if voided:
        draft.state, draft.first_approval = DraftState.WAITING, None
        fields += ["state", "first_approval"]
    if draft.assigned_to_id == by.pk:
        # It would wait on the desk of somebody who can no longer decide.
        fields += desks.put(draft, None)
    if draft.claimed_by_id == by.pk:
        # Nor would those who can be given it while they are said to read it.
        fields += desks.end_claim(draft)
    save(draft, by, reason, *fields)
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

    Raises WrongState when it was not returned, and DraftError when neither the text changed nor the asker replied
    since it was.
    """
    draft = locked(draft, "submit", by)
    returned = draft.reviews.filter(decision=Decision.RETURNED).last()
    unchanged = returned is not None and returned.text_sha256 == digest(draft.text)
    if returned is not None and unchanged and not asking.has_reply(returned):
        raise DraftError(_("Nothing changed since this draft was returned. Edit it first, or reject it."))
    draft.state = DraftState.WAITING
    save(draft, by, "", "state")
    move_answer(draft)
    record(
        EventType.DRAFT_SUBMITTED,
        on=draft,
        workspace=draft.workspace,
        by=by,
        answer=draft.answer_id,
        text_sha256=digest(draft.text),
    )
    news.waiting(draft)
    return draft


@transaction.atomic
def approve_with_edits(
    draft: Draft, *, text: str, by: User, seen_sha256: str, reason: str = "", to: User | None = None
) -> Draft:
    """Let the draft out in other words, as far as one person may: the edit is kept and waits for somebody else's yes.

    Nobody approves what they wrote. So this edits, puts a returned draft back in line, and puts it on the desk of `to`
    if given; whoever approves next lets out exactly this text. Raises as `edit` and `assign` do, and DraftError for the
    words that stand there already.
    """
    if _as_stored(text) == locked(draft, "edit", by).text:
        raise DraftError(_("This is the same text: approve it as it stands, or change it first."))
    draft = edit(draft, text=text, by=by, reason=reason, seen_sha256=seen_sha256)
    was_returned = draft.state == DraftState.RETURNED
    if was_returned:
        draft = submit(draft, by=by)
    if to is not None:
        return assign(draft, to=to, by=by)
    if not was_returned:
        news.waiting(draft)
    return draft


def _as_stored(text: str) -> str:
    return text.replace("\r\n", "\n").strip()
