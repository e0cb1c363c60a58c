"""Which questions, answers and drafts a person may know of, and which sources of an answer are closed to them."""

from collections.abc import Iterable
from uuid import UUID

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import Exists, F, Func, IntegerField, OuterRef, Q, QuerySet
from django.db.models.lookups import Exact

from answers.models import Answer, AnswerUserGrant, Declassification, Draft, Evidence, Question
from answers.states import RELEASED
from audit import context
from documents.models import Document
from documents.querysets import not_barred
from workspaces import access, narrowing
from workspaces.models import User
from workspaces.roles import Action

#: The object permissions on an answer; see `answers.models.AnswerUserGrant`.
READ_ANSWER, REVIEW_ANSWER = "read_answer", "review_answer"


def answers_open_to(user: User) -> QuerySet[Answer]:
    """The person's own answers, those of workspaces where they review, shared and declassified ones.

    Of an answer that somebody else asked for nothing is known, its question neither, unless every source is open to
    the person or a reviewer declassified its text for them.
    """
    own = Q(access.where_allowed(user, Action.ENTER), asked_by=user)
    reviewed = access.where_allowed(user, Action.REVIEW)
    asking = access.where_allowed(user, Action.ASK)
    shared = Q(asking, pk__in=_shared_with(user), status__in=RELEASED)
    declassified = Q(asking, pk__in=_declassified_for(user))
    return Answer.objects.filter(own | (reviewed | shared) & _all_open(user, answer="pk") | declassified)


def answers_given_to(user: User) -> QuerySet[Answer]:
    """Others' answers that `user` may read because they were shared with them or declassified for them."""
    given = Q(pk__in=_shared_with(user)) | Q(pk__in=_declassified_for(user))
    return access.visible(user, Answer).filter(given, status__in=RELEASED).exclude(asked_by=user)


def answers_explained_to(user: User) -> QuerySet[Answer]:
    """Answers of which `user` is told who may read them: who manages people or reads the trail there, and reviewers.

    That they exist and who asked may be known to the first two, not what was asked or answered.
    """
    governed = Q(workspace__in=access.workspaces_allowing(user, Action.MANAGE_PEOPLE))
    audited = Q(workspace__in=access.workspaces_allowing(user, Action.READ_TRAIL))
    reviewed = Q(pk__in=access.visible(user, Answer).order_by().values("pk"))
    reviewed &= Q(workspace__in=access.workspaces_allowing(user, Action.REVIEW))
    return Answer.objects.filter(governed | audited | reviewed)


def questions_open_to(user: User) -> QuerySet[Question]:
    """The questions behind `answers_open_to`."""
    return Question.objects.filter(answers__in=answers_open_to(user)).distinct()


def drafts_open_to(user: User) -> QuerySet[Draft]:
    """Drafts of workspaces where `user` reviews, all of whose sources they may open, to questions others asked."""
    reviewed = Draft.objects.filter(access.where_allowed(user, Action.REVIEW))
    # Whoever asked learns the text when it is released to them, not as their own reviewer.
    reviewed = reviewed.exclude(answer__asked_by=user)
    return reviewed.filter(_all_open(user, answer="answer"))


def sources_open(user: User, answer: Answer) -> bool:
    """Whether `user` may open every document the answer rests on."""
    return not closed_evidence(user, answer).exists()


def closed_documents(user: User, answer: Answer) -> frozenset[UUID]:
    """The documents the answer rests on that `user` may not open; nothing of them is told."""
    return frozenset(closed_evidence(user, answer).order_by().values_list("document", flat=True).distinct())


def is_declassified_for(user: User, answer: Answer) -> bool:
    """Whether a reviewer opened exactly the released text to `user` although a source of it is closed to them."""
    return _declassified_for(user).filter(answer=answer).exists()


def closed_evidence(user: User, answer: OuterRef | Answer) -> QuerySet[Evidence]:
    """What an answer rests on that lies in documents `user` may not open."""
    return evidence_closed_to(user).filter(answer=answer)


def evidence_closed_to(user: User) -> QuerySet[Evidence]:
    """What any answer rests on that lies in documents `user` may not open."""
    return Evidence.objects.filter(~Exists(_opened(user).filter(pk=OuterRef("document"))))


def resting_on_closed(user: User, answers: Iterable[UUID]) -> frozenset[UUID]:
    """Those of `answers` that rest on a document `user` may not open."""
    closed = evidence_closed_to(user).filter(answer__in=list(answers))
    return frozenset(closed.order_by().values_list("answer", flat=True).distinct())


def rests_on_open(user: User, answer: str) -> Q:
    """Of rows with an answer in the field `answer` ("pk" of answers): it rests on nothing that is closed to `user`."""
    return _all_open(user, answer)


def _all_open(user: User, answer: str) -> Q:
    """Correlated to the outer row's `answer` field: whether it rests on nothing that is closed to `user`."""
    # An array, because the database looks into one for each row that is shown or counted. NOT EXISTS it turns into the
    # set of all that is closed to the person, which in a large installation is most of what there is.
    found = ArraySubquery(closed_evidence(user, OuterRef(answer)).order_by().values("pk")[:1])
    return Q(Exact(Func(found, function="CARDINALITY", output_field=IntegerField()), 0))


def _opened(user: User) -> QuerySet[Document]:
    # A look at the portal as somebody else opens what both may open, here as for the texts themselves.
    return access.within_view(access.visible(user, Document))


def _shared_with(user: User) -> QuerySet[AnswerUserGrant]:
    grants = AnswerUserGrant.objects.filter(user=user, permission__codename=READ_ANSWER)
    return grants.values("content_object")


def _declassified_for(user: User) -> QuerySet[Declassification]:
    """The answers, as ids, that a declassification in force opens to `user`, as far as their role reads answers.

    Somebody who looks at the portal as `user` needs it open to themselves too, and a token has to open documents.
    """
    scope, viewer = narrowing.scope_of(user), context.current().viewer
    if scope is not None and Action.OPEN not in scope.actions:
        return Declassification.objects.none().values("answer")
    opened = _declassifications_for(user)
    if viewer is not None and viewer.pk != user.pk:
        own = _declassifications_for(viewer).order_by().values("answer")
        opened = opened.filter(Q(answer__in=own) | _all_open(viewer, answer="answer"))
    return opened.order_by().values("answer")


def _declassifications_for(person: User) -> QuerySet[Declassification]:
    """Those in force for a person. They override a restriction, bring back nothing deleted, yield to a never rule."""
    in_force = Declassification.objects.filter(
        Q(for_workspace=True)
        | Q(pk__in=Declassification.readers.through.objects.filter(user=person).values("declassification")),
        ended_at=None,
        answer__status__in=RELEASED,
        answer__released_sha256=F("text_sha256"),
    )
    readable = Document.objects.filter(not_barred(person), deleted_at=None).order_by().values("pk")
    beyond = Evidence.objects.filter(answer=OuterRef("answer")).exclude(document__in=readable)
    return in_force.filter(~Exists(beyond))


access.guard(Answer, visible=answers_open_to, workspace_of=lambda answer: answer.workspace)
access.guard(Question, visible=questions_open_to, workspace_of=lambda question: question.workspace)
access.guard(Draft, visible=drafts_open_to, workspace_of=lambda draft: draft.workspace)
