"""Share a released answer with a person of the workspace, and take it back.

A share makes the answer known to somebody. It opens no source: they read it only while every document it rests on is
open to them, or a reviewer declassified its text for them.
"""

from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from answers.drafts import desks
from answers.exceptions import SharingError
from answers.models import Answer, AnswerUserGrant, Declassification, Draft
from answers.querysets import READ_ANSWER, is_declassified_for, sources_open
from answers.states import RELEASED
from audit.events import EventType
from audit.record import Entry, record, record_all
from workspaces import access
from workspaces.exceptions import Forbidden
from workspaces.models import User, Workspace
from workspaces.roles import Action


@transaction.atomic
def share(answer: Answer, *, to: User, by: User) -> None:
    """Let `to` find the answer among those shared with them. Sharing twice is sharing once.

    Only its asker and reviewers share. Raises Hidden or Forbidden as access does, and SharingError for an answer that
    is not released or closed to `by`, and for somebody who may not ask in the workspace.
    """
    answer = _locked(answer, by)
    if answer.status not in RELEASED:
        raise SharingError(_("Only an answer that was released can be shared."))
    if not reads(by, answer):
        raise SharingError(_("A document this answer rests on is closed to you, so you cannot share it."))
    if to.pk == answer.asked_by_id:
        raise SharingError(_("%(name)s asked for this answer and has it already.") % {"name": to.name})
    if not access.allows(to, Action.ASK, answer.workspace):
        raise SharingError(_("%(name)s may not ask questions in this workspace.") % {"name": to.name})
    if _grants(answer).filter(user=to).exists():
        return
    access.grant(READ_ANSWER, to, answer)
    record(EventType.ANSWER_SHARED, on=answer, workspace=answer.workspace_id, by=by, **_told(to))


@transaction.atomic
def unshare(answer: Answer, *, person: User, by: User) -> None:
    """Take the share of `person` back. Raises as `share`; taking back what is not there changes nothing."""
    answer = _locked(answer, by)
    if not _grants(answer).filter(user=person).exists():
        return
    access.revoke(READ_ANSWER, person, answer)
    record(EventType.ANSWER_UNSHARED, on=answer, workspace=answer.workspace_id, by=by, **_told(person))


def end_grants(workspace: Workspace, person: User, by: User | None) -> None:
    """End what somebody who leaves the workspace was given of its answers: shares, desks and declassifications."""
    grants = AnswerUserGrant.objects.filter(content_object__workspace=workspace, user=person)
    shared = [grant.content_object for grant in grants.filter(permission__codename=READ_ANSWER).order_by("pk")]
    details = {**_told(person), "left": True}
    entries = [_off_desk(draft) for draft in desks.leave(workspace, person)]
    for answer in shared:
        access.revoke(READ_ANSWER, person, answer)
        entries.append(Entry(EventType.ANSWER_UNSHARED, answer, details=details))
    opened = Declassification.objects.filter(answer__workspace=workspace, readers=person, ended_at=None)
    for made in opened.select_related("answer").order_by("pk"):
        made.readers.remove(person)
        entries.append(Entry(EventType.ANSWER_UNSHARED, made.answer, details={**details, "declassification": made.pk}))
    if entries:
        record_all(entries, workspace=workspace, by=by)


def reads(person: User, answer: Answer) -> bool:
    """Whether the text is open to `person`: every source is, or a reviewer declassified it for them."""
    return sources_open(person, answer) or is_declassified_for(person, answer)


def may_share(answer: Answer, person: User) -> bool:
    """Whether the answer is theirs to share: asked for by them, or under their review; and released."""
    if answer.status not in RELEASED:
        return False
    return answer.asked_by_id == person.pk or access.allows(person, Action.REVIEW, answer)


def shared_with(answer: Answer) -> QuerySet[User]:
    """The people the answer is shared with."""
    return User.objects.filter(pk__in=_grants(answer).values("user")).order_by("username")


def people_to_share(answer: Answer) -> QuerySet[User]:
    """Those who may ask in the workspace and do not have the answer yet."""
    people = access.people_allowed(answer.workspace, Action.ASK).exclude(pk=answer.asked_by_id)
    return people.exclude(pk__in=_grants(answer).values("user")).order_by("username")


def _locked(answer: Answer, by: User) -> Answer:
    access.require(by, Action.ASK, answer)
    if answer.asked_by_id != by.pk and not access.allows(by, Action.REVIEW, answer):
        raise Forbidden(user=by, workspace=answer.workspace_id, action=Action.REVIEW, thing=answer)
    return Answer.objects.select_for_update(of=("self",), no_key=True).select_related("workspace").get(pk=answer.pk)


def _grants(answer: Answer) -> QuerySet[AnswerUserGrant]:
    return AnswerUserGrant.objects.filter(content_object=answer, permission__codename=READ_ANSWER)


def _off_desk(draft: Draft) -> Entry:
    details = {"answer": draft.answer_id, "to": None, "to_label": "", "left": True}
    return Entry(EventType.DRAFT_ASSIGNED, draft, details=details)


def _told(person: User) -> dict[str, object]:
    return {"person": person.pk, "person_label": person.get_username()}
