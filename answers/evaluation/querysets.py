"""Who knows of question sets, runs and candidates, and whose words they may read.

They belong to who manages the workspace. Words of a case or of a result that rest on a document are shown only to
who may open it: managing is no way around a restriction.
"""

from collections.abc import Iterable
from uuid import UUID

from django.db.models import Q, QuerySet

from answers.models import CaseResult, EvaluationRun, GateCandidate, QuestionCase, QuestionSet
from documents.models import Document
from workspaces import access
from workspaces.models import User
from workspaces.roles import Action


def sets_open_to(user: User) -> QuerySet[QuestionSet]:
    """The question sets of workspaces that `user` manages."""
    return QuestionSet.objects.filter(access.where_allowed(user, Action.MANAGE))


def runs_open_to(user: User) -> QuerySet[EvaluationRun]:
    """The runs of workspaces that `user` manages."""
    return EvaluationRun.objects.filter(access.where_allowed(user, Action.MANAGE))


def candidates_open_to(user: User) -> QuerySet[GateCandidate]:
    """The proposed changes of workspaces that `user` manages."""
    return GateCandidate.objects.filter(access.where_allowed(user, Action.MANAGE))


def cases_in(question_set: QuestionSet, version: int) -> QuerySet[QuestionCase]:
    """The cases of one version of a set, in order, without those whose words were erased since."""
    stands = Q(until=None) | Q(until__gt=version)
    rows = QuestionCase.objects.filter(stands, question_set=question_set, since__lte=version, erased_at=None)
    return rows.order_by("position")


def open_among(user: User, documents: Iterable[UUID]) -> frozenset[UUID]:
    """Those of `documents` that `user` may open now; one statement."""
    # A look at the portal as somebody else opens what both may open.
    opened = access.within_view(access.visible(user, Document)).filter(pk__in=set(documents))
    return frozenset(opened.order_by().values_list("pk", flat=True))


def readable(user: User, rows: Iterable[QuestionCase | CaseResult]) -> frozenset[UUID]:
    """The ids of those rows of whose documents none is closed to `user`."""
    listed = list(rows)
    opened = open_among(user, (document for row in listed for document in row.documents))
    return frozenset(row.pk for row in listed if opened.issuperset(row.documents))


access.guard(QuestionSet, visible=sets_open_to, workspace_of=lambda row: row.workspace)
access.guard(EvaluationRun, visible=runs_open_to, workspace_of=lambda row: row.workspace)
access.guard(GateCandidate, visible=candidates_open_to, workspace_of=lambda row: row.workspace)
