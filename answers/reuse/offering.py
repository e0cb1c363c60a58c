"""Which approved answers can be given again: they are taken up and expire by themselves, and a reviewer may end it.

The row only says what may be tried. Whether an answer is given to somebody is decided in the database when they ask
(answers/reuse/giving.py).
"""

from datetime import timedelta

from django.db import transaction
from django.db.models import Exists, F, OuterRef, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from answers import separation
from answers.exceptions import ReuseError
from answers.meaning import asked, asked_is_erased, meaning_of
from answers.models import Answer, ApprovedAnswer, Evidence, Reuse, ReuseRules
from answers.models.evidence import FIRST_INHERITED
from answers.querysets import answers_open_to, rests_on_open
from answers.reuse.rules import rules_of
from answers.states import AnswerStatus
from audit.events import EventType
from audit.record import record
from documents.embedding.spaces import space_of
from workspaces import access
from workspaces.models import User
from workspaces.notifications import notify
from workspaces.notifications.registry import Kind
from workspaces.roles import Action

#: Answers taken up, and reminders written, in one sweep; the next sweep takes the rest.
_MOST_AT_ONCE = 200


def take_up() -> int:
    """Let every approved answer of the workspaces that chose so be given again; how many were new.

    One that was given again itself is not: it is the same text under the same approval. Neither is one that rests on
    earlier turns of a conversation.
    """
    known = ApprovedAnswer.objects.filter(answer=OuterRef("pk"))
    enabled = ReuseRules.objects.filter(enabled=True).order_by().values("workspace")
    found = Answer.objects.filter(~Exists(known), workspace__in=enabled, status=AnswerStatus.ANSWERED_APPROVED)
    inherited = Evidence.objects.filter(answer=OuterRef("pk"), rank__gte=FIRST_INHERITED)
    found = found.filter(~Exists(inherited)).exclude(pk__in=Reuse.objects.values("answer")).exclude(question__text="")
    _approve_again()
    taken = list(found.select_related("question", "workspace__reuse_rules").order_by("released_at")[:_MOST_AT_ONCE])
    for answer in taken:
        _take_up(answer)
    return len(taken)


def renew_meanings() -> int:
    """Compute again what was computed in another space than the one searched now; how many."""
    renewed = 0
    workspaces = ApprovedAnswer.objects.filter(stopped_at=None).order_by().values_list("workspace", flat=True)
    for workspace_id in workspaces.distinct():
        rows = ApprovedAnswer.objects.filter(workspace=workspace_id, stopped_at=None)
        old = rows.exclude(space=space_of(workspace_id).fingerprint).exclude(asked_is_erased("answer"))
        for row in old.select_related("answer__question")[:_MOST_AT_ONCE]:
            meaning = meaning_of(asked(row.answer), row.language, workspace_id, answer=row.answer_id)
            rows.filter(pk=row.pk).update(vector=meaning.vector, space=meaning.space)
            renewed += 1
    return renewed


def remind() -> int:
    """Tell the approvers of answers that expire soon; how many were told of."""
    soon = timezone.now() + timedelta(days=1) * F("workspace__reuse_rules__remind_days")
    due = ApprovedAnswer.objects.filter(
        reminded_at=None,
        stopped_at=None,
        expires_at__gt=timezone.now(),
        expires_at__lte=soon,
        workspace__reuse_rules__enabled=True,
        answer__status=AnswerStatus.ANSWERED_APPROVED,
    )
    ids = list(due.order_by("expires_at").values_list("pk", flat=True)[:_MOST_AT_ONCE])
    return sum(_remind(pk) for pk in ids)


@transaction.atomic
def verify(approved: ApprovedAnswer, *, by: User, seen_sha256: str) -> ApprovedAnswer:
    """Stand by the answer once more: it is given again for as long as after its approval.

    Raises Hidden or Forbidden as access does, and ReuseError for one that is not released any more or was stopped, for
    another text than the one with `seen_sha256`, and to whom the separation of duties keeps from approving it. Where
    two let a text out, one alone does not let it out for longer.
    """
    approved = _locked(approved, by)
    refused = separation.refusal_to_confirm(by, approved.answer)
    if refused:
        raise ReuseError(refused)
    if approved.answer.status != AnswerStatus.ANSWERED_APPROVED:
        raise ReuseError(_("This answer is not released at the moment, so it is not given again."))
    if approved.answer.released_sha256 != seen_sha256:
        raise ReuseError(_("Somebody was faster: the text changed after you opened it. Read it again, then decide."))
    now = timezone.now()
    approved.verified_at, approved.verified_by, approved.reminded_at = now, by, None
    approved.expires_at = now + timedelta(days=rules_of(approved.workspace).days)
    approved.save(update_fields=["verified_at", "verified_by", "reminded_at", "expires_at"])
    record(
        EventType.REUSE_VERIFIED,
        on=approved.answer,
        workspace=approved.workspace_id,
        by=by,
        text_sha256=approved.answer.released_sha256,
        expires_at=approved.expires_at,
    )
    return approved


@transaction.atomic
def stop(approved: ApprovedAnswer, *, by: User) -> None:
    """Never give the answer again; those who have it keep it. Raises as `verify`, but for who asked."""
    approved = _locked(approved, by)
    approved.stopped_at, approved.stopped_by = timezone.now(), by
    approved.save(update_fields=["stopped_at", "stopped_by"])
    record(EventType.REUSE_STOPPED, on=approved.answer, workspace=approved.workspace_id, by=by)


def approved_open_to(user: User) -> QuerySet[ApprovedAnswer]:
    """Approved answers for those who review there and may open every source; see `answers_open_to`."""
    known = answers_open_to(user).order_by().values("pk")
    opened = rests_on_open(user, "answer")
    return ApprovedAnswer.objects.filter(access.where_allowed(user, Action.REVIEW), opened, answer__in=known)


def _locked(approved: ApprovedAnswer, by: User) -> ApprovedAnswer:
    rows = ApprovedAnswer.objects.select_for_update(of=("self", "answer"), no_key=True)
    held = rows.select_related("answer", "workspace").get(pk=approved.pk)
    access.require(by, Action.REVIEW, held)
    if held.stopped_at is not None:
        raise ReuseError(_("Somebody ended that this answer is given again."))
    return held


def _approve_again() -> None:
    """What was reopened and approved once more counts from the new approval on."""
    again = ApprovedAnswer.objects.filter(
        answer__status=AnswerStatus.ANSWERED_APPROVED, answer__released_at__gt=F("verified_at")
    )
    for row in again.select_related("answer", "workspace"):
        approved_at = row.answer.released_at
        rules = rules_of(row.workspace)
        ApprovedAnswer.objects.filter(pk=row.pk).update(
            verified_at=approved_at,
            verified_by=row.answer.released_by,
            expires_at=approved_at + timedelta(days=rules.days),
            reminded_at=None,
        )


def _take_up(answer: Answer) -> None:
    question, days = answer.question, answer.workspace.reuse_rules.days
    meaning = meaning_of(asked(answer), question.language, answer.workspace_id, answer=answer.pk)
    ApprovedAnswer.objects.get_or_create(
        answer=answer,
        defaults={
            "workspace": answer.workspace,
            "language": question.language,
            "vector": meaning.vector,
            "space": meaning.space,
            "verified_at": answer.released_at,
            "verified_by": answer.released_by,
            "expires_at": answer.released_at + timedelta(days=days),
        },
    )


@transaction.atomic
def _remind(pk: object) -> bool:
    rows = ApprovedAnswer.objects.select_for_update(of=("self",), no_key=True).filter(pk=pk, reminded_at=None)
    approved = rows.select_related("answer", "workspace", "verified_by").first()
    if approved is None:
        return False
    told = [approved.verified_by]
    if not access.allows(approved.verified_by, Action.REVIEW, approved):
        # Whoever stood by it may not look at it any more: those who review there may.
        everybody = access.people_allowed(approved.workspace, Action.REVIEW)
        told = [person for person in everybody if access.allows(person, Action.REVIEW, approved)]
    approved.reminded_at = timezone.now()
    approved.save(update_fields=["reminded_at"])
    notify(Kind.APPROVED_DUE, to=told, about=approved.answer, workspace=approved.workspace)
    record(
        EventType.REUSE_REMINDED,
        on=approved.answer,
        workspace=approved.workspace_id,
        by=None,
        to=[str(person.pk) for person in told],
        expires_at=approved.expires_at,
    )
    return True


access.guard(ApprovedAnswer, visible=approved_open_to, workspace_of=lambda approved: approved.workspace)
