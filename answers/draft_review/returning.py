"""What a reviewer wants to know from a draft's owner before deciding on its findings, and what the owner replies."""

from collections.abc import Sequence
from uuid import UUID

from django.db import transaction
from django.db.models import Max
from django.utils import timezone
from django.utils.translation import gettext as _

from answers.draft_review import news
from answers.draft_review.querysets import rests_on_closed
from answers.draft_review.releasing import held_for
from answers.exceptions import ExaminationError, WrongState
from answers.models import Examination, ExaminationState, FindingsQuestion
from answers.review.asking import questions_in, reply_in
from audit.chain import digest
from audit.events import EventType
from audit.record import record
from workspaces import access
from workspaces.exceptions import Hidden
from workspaces.models import User
from workspaces.roles import Action


@transaction.atomic
def return_with(examination: Examination, questions: Sequence[str], *, by: User) -> Examination:
    """Ask the draft's owner something; with the last reply the findings wait for a decision again.

    A reviewer may decide meanwhile all the same. A first approval is not kept. Raises Hidden or Forbidden, WrongState
    when they are decided already, ExaminationError without a question, and DraftError for too many or one too long.
    """
    held = held_for(by, examination)
    texts = questions_in(questions)
    if not texts:
        raise ExaminationError(_("Write what you want to know, one question a line."))
    now, number = timezone.now(), (held.questions.aggregate(last=Max("round"))["last"] or 0) + 1
    FindingsQuestion.objects.bulk_create(
        FindingsQuestion(examination=held, round=number, position=position, text=text, asked_by=by, asked_at=now)
        for position, text in enumerate(texts, 1)
    )
    held.state = ExaminationState.RETURNED
    held.first_approved_at = held.first_approved_by = held.claimed_by = held.claimed_until = None
    held.save(update_fields=["state", "first_approved_at", "first_approved_by", "claimed_by", "claimed_until"])
    record(
        EventType.EXAMINATION_RETURNED,
        on=held,
        workspace=held.workspace_id,
        by=by,
        questions=[digest(text) for text in texts],
        findings_sha256=held.findings_sha256,
    )
    news.returned(held, by=by)
    return held


@transaction.atomic
def reply(examination: Examination, question: UUID, *, text: str, by: User) -> FindingsQuestion:
    """The owner's one reply.

    Raises Hidden to everybody but the owner, and to the owner while something the findings rest on is closed to them;
    DraftError for an empty or too long reply, and WrongState when it was replied to or a reviewer has gone on.
    """
    access.require(by, Action.ASK, examination)
    rows = Examination.objects.select_for_update(of=("self",), no_key=True).select_related("workspace", "asked_by")
    held = rows.get(pk=examination.pk)
    if held.asked_by_id != by.pk or rests_on_closed(by, held):
        raise Hidden(user=by, workspace=held.workspace, action=Action.ASK, thing=held)
    asked = next((one for one in awaited(held) if one.pk == question), None)
    if asked is None:
        raise WrongState(_("A reviewer has gone on meanwhile, so a reply changes nothing any more."))
    asked.reply, asked.replied_at = reply_in(text), timezone.now()
    asked.save(update_fields=["reply", "replied_at"])
    is_last = not awaited(held)
    if is_last:
        held.state = ExaminationState.HELD
        held.save(update_fields=["state"])
    record(
        EventType.EXAMINATION_REPLIED,
        on=held,
        workspace=held.workspace_id,
        by=by,
        question=asked.pk,
        reply_sha256=digest(asked.reply),
        waits=is_last,
    )
    if is_last:
        news.replied(held, asked.asked_by)
    return asked


def awaited(examination: Examination) -> list[FindingsQuestion]:
    """The questions that wait for a reply: those of the last return, while it stands."""
    if examination.state != ExaminationState.RETURNED:
        return []
    asked = list(examination.questions.select_related("asked_by"))
    return [one for one in asked if one.round == asked[-1].round and one.replied_at is None]


def questions_to(person: User, examination: Examination) -> list[FindingsQuestion]:
    """All that was asked, for who may read it: a reviewer, and its owner while all it rests on is open to them.

    A question may repeat what a finding says.
    """
    asked = list(examination.questions.select_related("asked_by"))
    if asked and examination.asked_by_id == person.pk and rests_on_closed(person, examination):
        return []
    return asked
