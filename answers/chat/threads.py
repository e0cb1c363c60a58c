"""A conversation as its owner's page shows it: turns, the forms a question had before, the answers before the last."""

from collections import defaultdict
from dataclasses import dataclass, field
from uuid import UUID

from django.db.models import OuterRef, QuerySet, Subquery

from answers import endpoints
from answers.chat import cards, conversations
from answers.chat.cards import Card
from answers.models import Answer, Conversation, Question
from answers.reading import in_line
from workspaces import access
from workspaces.models import User, Workspace

#: Turns shown at once; a link leads to all of them.
RECENT = 8
MOST = 100
_NAME_LENGTH = 80


@dataclass(slots=True)
class Turn:
    """One question with its last answer."""

    card: Card
    #: What it was before it was put differently, the newest form first, each with `answer_id` of its last answer.
    earlier_forms: list[Question] = field(default_factory=list)
    #: Answers to the same question before the one that is shown, the newest first.
    earlier_answers: list[Answer] = field(default_factory=list)
    #: Whether it is the question that can be put differently.
    may_edit: bool = False


@dataclass(slots=True)
class Thread:
    """The last turns of a conversation, the oldest first, and how many came before them."""

    conversation: Conversation | None = None
    turns: list[Turn] = field(default_factory=list)
    earlier: int = 0
    name: str = ""


def named(listed: QuerySet[Conversation]) -> QuerySet[Conversation]:
    """The conversations with `first`, the text of the question they began with, for `name_of`."""
    first = Question.objects.filter(conversation=OuterRef("pk")).order_by("asked_at").values("text")[:1]
    return listed.annotate(first=Subquery(first))


def name_of(conversation: Conversation) -> str:
    """What it goes by: its own name, or the beginning of its first question. Of a row from `named`."""
    name = conversation.title or " ".join((conversation.first or "").split())  # type: ignore[attr-defined]
    return name if len(name) <= _NAME_LENGTH else name[: _NAME_LENGTH - 1].rstrip() + "…"


def newest(user: User, workspace: Workspace) -> Conversation | None:
    """The conversation of `user` in `workspace` that was used last."""
    return conversations.shown_to(user, workspace).first()


def read(conversation: Conversation | None, *, by: User, most: int = RECENT) -> Thread:
    """The thread as `by`, its owner, may read it now. Reading released answers leaves entries, as everywhere."""
    if conversation is None:
        return Thread()
    asked = cards.asked_by(by, conversation.workspace).filter(
        question__conversation=conversation, question__replaced_by=None
    )
    shown = list(asked.order_by("-question__asked_at")[:most])
    models = endpoints.names_for(conversation.workspace)
    forms, answers = _forms(conversation, by), _answers(shown, by)
    turns = []
    for answer in reversed(shown):
        turn = Turn(Card(answer, by=by, models=models), _before(answer.question, forms), answers[answer.question_id])
        turns.append(turn)
    if turns:
        turns[-1].may_edit = conversation.archived_at is None
    earlier = asked.count() - len(turns) if len(turns) == most else 0
    return Thread(conversation, turns, earlier, name_of(named(Conversation.objects.filter(pk=conversation.pk)).get()))


def new_turn(answer: Answer, *, by: User) -> Turn:
    """The turn of a question that `by` asked a moment ago, the first in its form."""
    return Turn(Card(answer, by=by, reading=in_line(answer)), may_edit=True)


def turn_of(answer: Answer, *, by: User) -> Turn:
    """The one turn that ends in `answer`, as an act that made it shows it."""
    turn = Turn(Card(answer, by=by), may_edit=True)
    conversation = answer.question.conversation
    if conversation is not None:
        turn.earlier_forms = _before(answer.question, _forms(conversation, by))
    turn.earlier_answers = _answers([answer], by)[answer.question_id]
    return turn


def _forms(conversation: Conversation, by: User) -> dict[UUID, Question]:
    """The questions of the conversation that were put differently since, as far as `by` may know of them."""
    there = Question.objects.filter(conversation=conversation, replaced_by__isnull=False)
    ids = list(there.order_by().values_list("pk", flat=True))
    if not ids:
        # As mostly; the set of all that one may know of is the dearest statement of the page.
        return {}
    last = Answer.objects.filter(question=OuterRef("pk")).order_by("-created_at").values("pk")[:1]
    replaced = access.visible(by, Question).filter(pk__in=ids).annotate(answer_id=Subquery(last))
    return {question.pk: question for question in replaced}


def _before(question: Question, forms: dict[UUID, Question]) -> list[Question]:
    found = []
    earlier = question.replaces_id
    while earlier in forms:
        found.append(forms[earlier])
        earlier = forms[earlier].replaces_id
    return found


def _answers(shown: list[Answer], by: User) -> dict[UUID, list[Answer]]:
    """By question: its answers before the one that is shown, as far as `by` may know of them."""
    found: dict[UUID, list[Answer]] = defaultdict(list)
    there = Answer.objects.filter(question__in=[answer.question_id for answer in shown])
    there = there.exclude(pk__in=[answer.pk for answer in shown])
    ids = list(there.order_by().values_list("pk", flat=True))
    # As for the questions put differently.
    others = access.visible(by, Answer).filter(pk__in=ids).order_by("-created_at") if ids else Answer.objects.none()
    for answer in others.only("pk", "question_id", "created_at", "status", "endpoint_label"):
        found[answer.question_id].append(answer)
    return found
