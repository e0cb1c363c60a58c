"""Which examined drafts a person may know of, and which findings in them they may read."""

from django.db.models import Exists, OuterRef, Q, QuerySet

from answers.models import UNDECIDED, ClauseSource, Examination, ExaminationState, Finding
from documents.models import Document
from workspaces import access
from workspaces.models import User
from workspaces.roles import Action


def examinations_open_to(user: User) -> QuerySet[Examination]:
    """The person's own drafts, and those that were held for review where they review and may open all they rest on.

    What the policy released at once is nobody's but its owner's.
    """
    own = Q(access.where_allowed(user, Action.ASK), asked_by=user)
    held = Q(state__in=UNDECIDED) | Q(reviewed_at__isnull=False) & ~Q(state=ExaminationState.ERASED)
    reviewed = Q(access.where_allowed(user, Action.REVIEW)) & held & ~Q(asked_by=user)
    # What rests on a deleted document is closed, so nobody needs a right to that.
    closed = (rows.filter(document__deleted_at=None) for rows in _closed(user, OuterRef("pk")))
    return Examination.objects.filter(own | reviewed & ~Exists(next(closed)) & ~Exists(next(closed)))


def rests_on_closed(user: User, examination: Examination) -> bool:
    """Whether anything that was read for the draft, or is cited in its findings, is closed to `user` or deleted."""
    return any(rows.exists() for rows in _closed(user, examination))


def findings_open_to(user: User, examination: Examination) -> QuerySet[Finding]:
    """The findings `user` may read now: not closed, and resting on nothing that is closed to them.

    What a model wrote rests on all that it was given with the clause. What a reviewer left out is open to reviewers
    alone.
    """
    rests = Q(document__isnull=False) & ~Exists(_opened(user))
    given = ClauseSource.objects.filter(~Exists(_opened(user)), clause=OuterRef("clause"))
    rows = Finding.objects.filter(examination=examination, closed_because="")
    if examination.asked_by_id == user.pk:
        rows = rows.filter(left_out=False)
    return rows.exclude(rests).exclude(Q(by_model=True) & Exists(given))


def _closed(user: User, examination: Examination | OuterRef) -> tuple[QuerySet[ClauseSource], QuerySet[Finding]]:
    """What was read for the draft and what is cited in it that lies in documents `user` may not open."""
    read = ClauseSource.objects.filter(~Exists(_opened(user)), clause__examination=examination)
    cited = Finding.objects.filter(~Exists(_opened(user)), examination=examination, document__isnull=False)
    return read, cited


def _opened(user: User) -> QuerySet[Document]:
    # A look at the portal as somebody else opens what both may open.
    return access.within_view(access.visible(user, Document)).filter(pk=OuterRef("document"))


access.guard(Examination, visible=examinations_open_to, workspace_of=lambda examination: examination.workspace)
