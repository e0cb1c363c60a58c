"""Which questions, answers and drafts a person may know of, and whether all their sources are open to them."""

from django.db.models import Exists, OuterRef, Q, QuerySet

from answers.models import Answer, Draft, Evidence, Question
from documents.models import Document
from documents.querysets import not_closed_to
from workspaces import access
from workspaces.models import User
from workspaces.roles import Action


def answers_open_to(user: User) -> QuerySet[Answer]:
    """The person's own answers, and those of workspaces where they review if every source is open to them."""
    own = Q(asked_by=user, workspace__in=access.workspaces_allowing(user, Action.ENTER))
    reviewed = Q(workspace__in=access.workspaces_allowing(user, Action.REVIEW)) & ~Exists(closed_evidence(user))
    return Answer.objects.filter(own | reviewed)


def questions_open_to(user: User) -> QuerySet[Question]:
    """The questions behind `answers_open_to`."""
    return Question.objects.filter(answers__in=answers_open_to(user)).distinct()


def drafts_open_to(user: User) -> QuerySet[Draft]:
    """Drafts of workspaces where `user` reviews, all of whose sources they may open, to questions others asked."""
    reviewed = Draft.objects.filter(workspace__in=access.workspaces_allowing(user, Action.REVIEW))
    # Whoever asked learns the text when it is released to them, not as their own reviewer.
    reviewed = reviewed.exclude(answer__asked_by=user)
    return reviewed.filter(~Exists(closed_evidence(user, answer="answer")))


def sources_open(user: User, answer: Answer) -> bool:
    """Whether `user` may open every document the answer rests on. Text is shown only when this holds."""
    return not closed_evidence(user, answer=None).filter(answer=answer).exists()


def closed_evidence(user: User, answer: str | None = "pk") -> QuerySet[Evidence]:
    """Evidence in documents `user` may not open; correlated to the outer row's `answer` field unless None."""
    closed = Evidence.objects.exclude(document__in=access.visible(user, Document).order_by().values("pk"))
    return closed.filter(answer=OuterRef(answer)) if answer else closed


def somebody_may_decide() -> Exists:
    """Correlated to an answer: a reviewer other than its asker may open every document it rests on."""
    # Counted outwards: document → evidence → person, and evidence → person → answer.
    opened = Document.objects.filter(not_closed_to(OuterRef(OuterRef(OuterRef("pk")))))
    closed = Evidence.objects.filter(answer=OuterRef(OuterRef("pk"))).exclude(
        document__in=opened.order_by().values("pk")
    )
    reviewers = access.people_allowed(OuterRef("workspace"), Action.REVIEW).exclude(pk=OuterRef("asked_by"))
    return Exists(reviewers.filter(~Exists(closed)))


access.guard(Answer, visible=answers_open_to, workspace_of=lambda answer: answer.workspace)
access.guard(Question, visible=questions_open_to, workspace_of=lambda question: question.workspace)
access.guard(Draft, visible=drafts_open_to, workspace_of=lambda draft: draft.workspace)
