"""Who is told what about examined drafts. Each function writes notices in the caller's transaction."""

from collections.abc import Sequence

from django.db.models import QuerySet
from django.urls import reverse

from answers.models import Examination, ExaminationState
from answers.news import holders, is_past
from workspaces import access
from workspaces.models import User
from workspaces.notifications import notify, notify_each
from workspaces.notifications.registry import Kind, describe
from workspaces.roles import Action


def ended(examination: Examination) -> None:
    """It came to findings, which wait or can be read, or to none."""
    if examination.state == ExaminationState.HELD:
        waiting(examination)
    else:
        decided(examination)


def waiting(examination: Examination) -> None:
    """Reviewers of the workspace; those to whom something it rests on is closed are told of nothing."""
    _tell(Kind.EXAMINATION_WAITING, examination, able(examination))


def waits_for(examination: Examination) -> list[User]:
    """Who has the findings, as long as they may review them, and else all who may decide on them."""
    near = [person for person in holders(examination) if access.allows(person, Action.REVIEW, examination)]
    return near or able(examination)


def assigned(examination: Examination, *, to: User | None, by: User) -> None:
    """The findings were put on somebody's desk; whoever takes them themselves knows."""
    _tell(Kind.EXAMINATION_ASSIGNED, examination, [to] if to else [], by=by)


def decided(examination: Examination, *, by: User | None = None) -> None:
    """The owner is told whether there is something to read, and whoever had it to do that it is done."""
    _tell(Kind.DECIDED_BY_OTHER, examination, holders(examination), by=by)
    released = examination.state == ExaminationState.RELEASED
    kind = Kind.EXAMINATION_DONE if released else Kind.EXAMINATION_REFUSED
    _tell(kind, examination, [examination.asked_by], by=by)


def closed(examinations: Sequence[Examination]) -> None:
    """Findings in these, which are of one workspace, were closed."""
    told = [(one, [one.asked_by]) for one in examinations]
    if told:
        notify_each(Kind.FINDINGS_CLOSED, told, workspace=examinations[0].workspace_id)


def returned(examination: Examination, *, by: User) -> None:
    """A reviewer wants to know something from the owner."""
    _tell(Kind.EXAMINATION_RETURNED, examination, [examination.asked_by], by=by)


def replied(examination: Examination, to: User) -> None:
    """The owner replied to all that `to` wanted to know; the findings wait for a decision again."""
    near = [to] if access.allows(to, Action.REVIEW, examination) else able(examination)
    _tell(Kind.EXAMINATION_REPLIED, examination, near)


def reopened(examination: Examination, *, by: User) -> None:
    """What the owner could read, or was refused, is under review again."""
    _tell(Kind.EXAMINATION_REOPENED, examination, [examination.asked_by], by=by)
    _tell(Kind.EXAMINATION_WAITING, examination, able(examination), by=by)


def able(examination: Examination) -> list[User]:
    """Reviewers who did not bring the draft or approve the findings already, and to whom all they rest on is open."""
    reviewers = access.people_allowed(examination.workspace, Action.REVIEW, Action.OPEN)
    tied = {examination.asked_by_id, examination.first_approved_by_id}
    return [person for person in reviewers if person.pk not in tied and _knows(person, examination)]


def _knows(person: User, examination: Examination) -> bool:
    return access.visible(person, Examination).filter(pk=examination.pk).exists()


def _tell(kind: Kind, examination: Examination, to: Sequence[User], *, by: User | None = None) -> None:
    notify(kind, to=to, workspace=examination.workspace_id, about=examination, by=by)


# --- How they are named -------------------------------------------------------------------------------------


def _title(examination: Examination) -> str:
    return examination.title


def _page(examination: Examination) -> str:
    return reverse("answers:examination", kwargs={"slug": examination.workspace.slug, "pk": examination.pk})


def _prepared(rows: QuerySet[Examination]) -> QuerySet[Examination]:
    return rows.select_related("workspace")


def _waits(examination: Examination) -> bool:
    return examination.state == ExaminationState.HELD


describe(
    Examination,
    name=_title,
    address=_page,
    prepared=_prepared,
    waits={
        **dict.fromkeys((Kind.EXAMINATION_WAITING, Kind.EXAMINATION_ASSIGNED, Kind.EXAMINATION_REPLIED), _waits),
        Kind.EXAMINATION_RETURNED: lambda examination: examination.state == ExaminationState.RETURNED,
        Kind.EXAMINATION_DUE: lambda examination: _waits(examination) and examination.due_at is not None,
        Kind.EXAMINATION_OVERDUE: lambda examination: _waits(examination) and is_past(examination),
    },
)
