"""Which questions come into gaps: sent by their askers, refused for want of evidence, weakly answered, found wanting.

A sweep gathers what nobody sent. It looks back a week, so that what came while it stood still is not lost.
"""

from datetime import timedelta

from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.db.models.functions import Now
from django.utils import timezone
from django.utils.translation import gettext as _

from answers.exceptions import GapError
from answers.gaps import grouping, meanings
from answers.models import UNSETTLED, Answer, Feedback, Gap, GapCause, GapQuestion, StepRun
from answers.states import RELEASED, AnswerStatus
from audit.events import EventType
from audit.record import record
from workspaces import access
from workspaces.exceptions import Forbidden
from workspaces.models import User
from workspaces.roles import Action

_LOOKS_BACK = timedelta(days=7)
_MOST_AT_ONCE = 200
#: What its asker may send; an answer that helps nobody may be sent as well.
MAY_BE_SENT = frozenset(
    {AnswerStatus.REFUSED_NO_EVIDENCE, AnswerStatus.REFUSED_BY_REVIEWER, AnswerStatus.FAILED_MODEL_UNCITED, *RELEASED}
)


def send(answer: Answer, *, by: User) -> GapQuestion:
    """Send one's question to who manages documents here, who then see it and who asked. Sending twice is sending once.

    Raises Hidden or Forbidden as access does, also to who did not ask; GapError for an answer that is held, under way
    or gone for another reason, and for a question that was erased.
    """
    access.require(by, Action.ASK, answer)
    if answer.asked_by_id != by.pk:
        raise Forbidden(user=by, workspace=answer.workspace_id, action=Action.ASK, thing=answer)
    if not may_be_sent(answer):
        raise GapError(_("This question cannot be sent at the moment."))
    meant = grouping.meaning(answer)
    with transaction.atomic():
        # It was gathered before, and what was done then did not help its asker: that is news.
        _leave(GapQuestion.objects.filter(answer=answer, sent_at=None).exclude(gap__state__in=UNSETTLED))
        placed = grouping.put(answer, GapCause.SENT, meant)
        if GapQuestion.objects.filter(pk=placed.pk, sent_at=None).update(sent_at=timezone.now()):
            record(EventType.GAP_QUESTION_SENT, on=placed.gap, workspace=answer.workspace_id, by=by, answer=answer.pk)
    placed.refresh_from_db()
    return placed


def may_be_sent(answer: Answer) -> bool:
    """Whether sending makes sense: the answer has ended without helping, and the question is still there."""
    return answer.status in MAY_BE_SENT and bool(answer.question.text)


def place_of(answer: Answer) -> GapQuestion | None:
    """Where the answer's question stands among the gaps."""
    return GapQuestion.objects.filter(answer=answer).select_related("gap__document").first()


def gather() -> int:
    """Bring in what was refused or weakly answered and is in no gap yet; how many questions."""
    gathered = 0
    for cause, answers in _wanting():
        for answer in answers.select_related("question", "workspace").order_by("created_at")[:_MOST_AT_ONCE]:
            meant = grouping.meaning(answer)
            with transaction.atomic():
                grouping.put(answer, cause, meant)
            gathered += 1
    return gathered


def no_longer_told(answer: Answer) -> None:
    """Its asker changed their mind: the question leaves a gap that nobody settled, unless they sent it too."""
    told = GapQuestion.objects.filter(answer=answer, cause=GapCause.FEEDBACK, sent_at=None)
    _leave(told.filter(gap__state__in=UNSETTLED))


def _leave(questions: QuerySet[GapQuestion]) -> None:
    """Take questions out of their gaps. Runs in the caller's transaction."""
    gaps = Gap.objects.select_for_update(no_key=True).filter(pk__in=questions.order_by().values("gap")).order_by("pk")
    held = [gap.pk for gap in gaps]
    if held and questions.filter(gap__in=held).delete()[0]:
        meanings.renew(held)


def _wanting() -> list[tuple[GapCause, QuerySet[Answer]]]:
    recent = Answer.objects.filter(~Exists(GapQuestion.objects.filter(answer=OuterRef("pk"))))
    recent = recent.filter(created_at__gt=Now() - _LOOKS_BACK, workspace__archived_at=None).exclude(question__text="")
    weakly = StepRun.objects.filter(
        answer=OuterRef("pk"), attempt=OuterRef("attempt"), step="ground", detail__unsupported__gt=0
    )
    praised = Feedback.objects.filter(answer=OuterRef("pk"), given_by=OuterRef("asked_by"), helped=True)
    return [
        (GapCause.NO_EVIDENCE, recent.filter(status=AnswerStatus.REFUSED_NO_EVIDENCE)),
        (GapCause.WEAK, recent.filter(Q(Exists(weakly)), ~Exists(praised), status=AnswerStatus.ANSWERED)),
    ]
