"""What a reviewer wants to know from the asker before deciding, and what the asker replies."""

from collections.abc import Sequence

from django.db import transaction
from django.db.models import BooleanField, ExpressionWrapper, OuterRef, Q, QuerySet, Subquery
from django.utils import timezone
from django.utils.translation import gettext as _

from answers.exceptions import DraftError, WrongState
from answers.models import Answer, Clarification, Decision, Draft, Review
from answers.querysets import sources_open
from answers.review import telling
from answers.review.keeping import move_answer, save
from answers.states import DraftState
from audit.chain import digest
from audit.events import EventType
from audit.record import record
from workspaces import access
from workspaces.exceptions import Hidden
from workspaces.models import User
from workspaces.roles import Action

MOST_QUESTIONS = 5
MAX_QUESTION_CHARACTERS = 500
MAX_REPLY_CHARACTERS = 2_000


def put(review: Review, questions: Sequence[str]) -> list[Clarification]:
    """Keep a returning reviewer's questions to the asker. Raises DraftError for too many, or one too long."""
    return Clarification.objects.bulk_create(
        Clarification(review=review, position=position, text=text)
        for position, text in enumerate(questions_in(questions), 1)
    )


def questions_in(questions: Sequence[str]) -> list[str]:
    """What was asked, as it is kept. Raises DraftError for too many, or one too long."""
    texts = [text for text in (cleaned(each) for each in questions) if text]
    if len(texts) > MOST_QUESTIONS:
        raise DraftError(_("Ask at most %(most)d questions at a time.") % {"most": MOST_QUESTIONS})
    if any(len(text) > MAX_QUESTION_CHARACTERS for text in texts):
        raise DraftError(_("A question has at most %(limit)d characters.") % {"limit": MAX_QUESTION_CHARACTERS})
    return texts


def reply_in(text: str) -> str:
    """What was replied, as it is kept. Raises DraftError for nothing, or too much."""
    said = cleaned(text)
    if not said:
        raise DraftError(_("Write a reply first."))
    if len(said) > MAX_REPLY_CHARACTERS:
        raise DraftError(_("A reply has at most %(limit)d characters.") % {"limit": MAX_REPLY_CHARACTERS})
    return said


def questions_to(person: User, answer: Answer) -> list[Clarification]:
    """What reviewers asked about `answer`, for its asker while every source is open to them; else nothing.

    A question may repeat what the held text says, so it is open to whom the text would be. Each has `awaits_reply`.
    """
    if answer.asked_by_id != person.pk:
        return []
    asked = list(_put().filter(review__draft__answer=answer).select_related("review__decided_by"))
    return asked if asked and sources_open(person, answer) else []


def has_reply(review: Review) -> bool:
    """Whether the asker replied to anything that was asked with this review."""
    return review.clarifications.filter(replied_at__isnull=False).exists()


@transaction.atomic
def reply(clarification: Clarification, *, text: str, by: User) -> Clarification:
    """The asker's one reply; with the last of them the draft waits for a decision again.

    Raises Hidden to everybody but the asker, and to the asker while a source is closed to them; DraftError for an
    empty or too long reply, and WrongState when it was replied to, was asked before the draft was last returned, or
    is decided already.
    """
    rows = Draft.objects.select_for_update(of=("self", "answer"), no_key=True)
    draft = rows.select_related("answer__question", "workspace").get(reviews=clarification.review_id)
    answer = draft.answer
    access.require(by, Action.ASK, answer)
    if answer.asked_by_id != by.pk or not sources_open(by, answer):
        raise Hidden(user=by, workspace=answer.workspace_id, action=Action.ASK, thing=answer)
    asked = _put().select_related("review__decided_by").get(pk=clarification.pk)
    if draft.state != DraftState.RETURNED or not asked.awaits_reply:  # type: ignore[attr-defined]
        raise WrongState(_("A reviewer has gone on meanwhile, so a reply changes nothing any more."))
    said = reply_in(text)
    asked.reply, asked.replied_at, asked.replied_by = said, timezone.now(), by
    asked.save(update_fields=["reply", "replied_at", "replied_by"])
    is_last = not asked.review.clarifications.filter(replied_at=None).exists()
    if is_last:
        draft.state = DraftState.WAITING
        save(draft, by, "", "state")
        move_answer(draft)
    record(
        EventType.DRAFT_REPLIED,
        on=draft,
        workspace=draft.workspace,
        by=by,
        answer=answer.pk,
        clarification=asked.pk,
        reply_sha256=digest(said),
        waits=is_last,
    )
    if is_last:
        telling.replied(draft, asked.review.decided_by, by)
    return asked


def _put() -> QuerySet[Clarification]:
    """Questions, each with whether a reply to it is awaited: those put when the draft was last returned are."""
    returned = Review.objects.filter(draft=OuterRef("review__draft"), decision=Decision.RETURNED).order_by(
        "-decided_at"
    )
    awaits = Q(replied_at=None, review=Subquery(returned.values("pk")[:1]))
    return Clarification.objects.annotate(awaits_reply=ExpressionWrapper(awaits, output_field=BooleanField()))


def cleaned(text: str) -> str:
    return text.replace("\0", "").replace("\r\n", "\n").strip()  # PostgreSQL stores no NUL
