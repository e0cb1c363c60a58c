"""The earlier turns of a conversation, as far as its asker may still read everything they rest on.

Decided in the database at the moment of use: a turn whose source was closed to the asker since is left out whole, the
question too, which may repeat what stood in the answer.
"""

from dataclasses import dataclass
from uuid import UUID

from django.db.models import Exists, OuterRef, Subquery

from answers.models import Answer, Question
from answers.querysets import resting_on_closed
from answers.states import RELEASED

#: Turns that are looked back at. What is understood from further back is rarely what was meant.
MOST_TURNS = 6


@dataclass(frozen=True, slots=True)
class Turn:
    """A question with the text its asker read; `text` is "" where nothing was released."""

    answer_id: UUID
    question: str
    text: str


@dataclass(frozen=True, slots=True)
class Earlier:
    """What may be told, the oldest first, and how many turns may not."""

    turns: tuple[Turn, ...]
    left_out: int


NOTHING = Earlier((), 0)


def is_follow_up() -> Exists:
    """Correlated to an answer, as its `follows`: whether anything was asked before it, for `before` to look at."""
    earlier = Question.objects.filter(
        conversation=OuterRef("question__conversation"), asked_at__lt=OuterRef("question__asked_at")
    )
    return Exists(earlier)


def before(answer: Answer) -> Earlier:
    """The turns before the question of `answer` in its conversation, as its asker may read them now."""
    question = answer.question
    # What was asked before this question was asked before it was taken.
    if question.conversation_id is None or not getattr(answer, "follows", True):
        return NOTHING
    last = Answer.objects.filter(question=OuterRef("pk"), asked_by=answer.asked_by).order_by("-created_at")
    asked = Question.objects.filter(
        conversation=question.conversation_id,
        # Whoever moved a row by hand does not make one workspace's questions another's.
        workspace=answer.workspace_id,
        asked_by=answer.asked_by_id,
        asked_at__lt=question.asked_at,
        replaced_by=None,
    )
    newest = asked.order_by("-asked_at").annotate(last=Subquery(last.values("pk")[:1]))[:MOST_TURNS]
    found = {row.last: row.text for row in newest if row.last and row.text}
    closed = resting_on_closed(answer.asked_by, found)
    texts = dict(Answer.objects.filter(pk__in=found, status__in=RELEASED).values_list("pk", "released_text"))
    turns = [Turn(pk, text, texts.get(pk, "")) for pk, text in found.items() if pk not in closed]
    return Earlier(tuple(reversed(turns)), left_out=len(closed))
