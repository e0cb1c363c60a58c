"""What people were given of answers by hand, under access review: shares, declassifications and desks."""

from collections.abc import Iterable

from django.db.models import F, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from answers.access import declassification
from answers.drafts import desks
from answers.explain import label_of
from answers.models import Answer, AnswerUserGrant, Declassification, Draft
from answers.querysets import READ_ANSWER, REVIEW_ANSWER
from audit.events import EventType
from audit.record import record
from workspaces import access
from workspaces.access_review.kinds import Kind, Right, kinds, on
from workspaces.giving import Told, told_in
from workspaces.models import User, Workspace
from workspaces.roles import Action


def _why(how: tuple[str, object] | None, is_damaged: bool) -> str:
    if how is not None:
        return _("By hand by %(who)s, since %(when)s.") % {"who": how[0], "when": on(how[1])}
    return _("By hand. An entry in the trail about it is damaged.") if is_damaged else _("By hand.")


def _grants(workspace: Workspace, code: str) -> Iterable[AnswerUserGrant]:
    grants = AnswerUserGrant.objects.filter(content_object__workspace=workspace, permission__codename=code)
    return grants.select_related("user", "content_object__question", "content_object__asked_by").order_by("pk")


def _lock(workspace: Workspace, codes: list[str]) -> None:
    rows = Answer.objects.filter(workspace=workspace, pk__in=codes)
    list(rows.select_for_update(of=("self",), no_key=True).order_by("pk").values_list("pk"))


def _reason() -> str:
    return _("Access review of %(when)s") % {"when": on(timezone.now())}


# --- Shares -------------------------------------------------------------------------------------------------


def _shares_held(workspace: Workspace) -> Iterable[Right]:
    told: Told = told_in([workspace.pk], EventType.ANSWER_SHARED)
    for grant in _grants(workspace, READ_ANSWER):
        answer = grant.content_object
        why = _why(told.of(answer.pk, grant.user_id), told.is_damaged(answer.pk))
        yield Right(grant.user, str(answer.pk), label_of(answer), why)


def _end_share(workspace: Workspace, user: User, code: str, by: User) -> None:
    access.require(by, Action.MANAGE_PEOPLE, workspace)
    grants = AnswerUserGrant.objects.filter(user=user, content_object__workspace=workspace, content_object=code)
    grant = grants.filter(permission__codename=READ_ANSWER).select_related("content_object").first()
    if grant is None:
        return
    access.revoke(READ_ANSWER, user, grant.content_object)
    _record_unshared(grant.content_object, user, by)


def _record_unshared(answer: Answer, user: User, by: User, **details: object) -> None:
    person = {"person": user.pk, "person_label": user.get_username()}
    record(
        EventType.ANSWER_UNSHARED,
        on=answer,
        workspace=answer.workspace_id,
        by=by,
        reason=_reason(),
        **person,
        **details,
    )


# --- Texts declassified for people by name ------------------------------------------------------------------


def _in_force(workspace: Workspace) -> QuerySet[Declassification]:
    """Of texts as they stand: a declassification of another text opens nothing."""
    found = Declassification.objects.filter(
        answer__workspace=workspace, ended_at=None, text_sha256=F("answer__released_sha256")
    )
    found = found.select_related("answer__question", "answer__asked_by", "declassified_by")
    return found.order_by("declassified_at")


def _declassified_held(workspace: Workspace) -> Iterable[Right]:
    for made in _in_force(workspace).prefetch_related("readers"):
        why = _why((made.declassified_by.get_username(), made.declassified_at), is_damaged=False)
        for reader in made.readers.all():
            yield Right(reader, str(made.answer_id), label_of(made.answer), why)


def _end_declassified(workspace: Workspace, user: User, code: str, by: User) -> None:
    access.require(by, Action.MANAGE_PEOPLE, workspace)
    found = Declassification.objects.filter(answer__workspace=workspace, answer=code, ended_at=None, readers=user)
    for made in found.select_related("answer"):
        made.readers.remove(user)
        _record_unshared(made.answer, user, by, declassification=made.pk)


# --- Texts declassified for everybody -----------------------------------------------------------------------


def _for_everybody_held(workspace: Workspace) -> Iterable[Right]:
    """Under the name of who declassified them: whom they open a text to changes with the workspace."""
    for made in _in_force(workspace).filter(for_workspace=True):
        why = _("By hand, for everybody who may ask here, since %(when)s.") % {"when": on(made.declassified_at)}
        yield Right(made.declassified_by, str(made.answer_id), label_of(made.answer), why)


def _end_for_everybody(workspace: Workspace, user: User, code: str, by: User) -> None:
    access.require(by, Action.MANAGE_PEOPLE, workspace)
    made = _in_force(workspace).filter(for_workspace=True, answer=code, declassified_by=user).first()
    if made is not None:
        declassification.take_back(made.answer, by=by, reason=_reason())


# --- Desks --------------------------------------------------------------------------------------------------


def _desks_held(workspace: Workspace) -> Iterable[Right]:
    told = told_in([workspace.pk], EventType.DRAFT_ASSIGNED, person="to")
    drafts = dict(Draft.objects.filter(workspace=workspace).values_list("answer", "pk"))
    for grant in _grants(workspace, REVIEW_ANSWER):
        answer = grant.content_object
        draft = drafts.get(answer.pk, answer.pk)
        yield Right(
            grant.user, str(answer.pk), label_of(answer), _why(told.of(draft, grant.user_id), told.is_damaged(draft))
        )


def _lock_desks(workspace: Workspace, codes: list[str]) -> None:
    rows = Draft.objects.filter(workspace=workspace, answer__in=codes)
    list(rows.select_for_update(of=("self",), no_key=True).order_by("pk").values_list("pk"))


def _end_desk(workspace: Workspace, user: User, code: str, by: User) -> None:
    access.require(by, Action.MANAGE_PEOPLE, workspace)
    draft = Draft.objects.filter(workspace=workspace, answer=code).first()
    if draft is None or all(grant.user_id != user.pk for grant in desks.holders_of(draft)):
        return
    draft.save(update_fields=desks.put(draft, None))
    record(
        EventType.DRAFT_ASSIGNED,
        on=draft,
        workspace=workspace,
        by=by,
        reason=_reason(),
        answer=draft.answer_id,
        to=None,
        to_label="",
    )


# Drafts are locked before answers, as a decision on one does.
kinds["desk"] = Kind(gettext_lazy("Draft on their desk"), _desks_held, _lock_desks, _end_desk)
kinds["answer"] = Kind(gettext_lazy("Shared answer"), _shares_held, _lock, _end_share)
kinds["opened"] = Kind(gettext_lazy("Answer declassified for them"), _declassified_held, _lock, _end_declassified)
kinds["everybody"] = Kind(
    gettext_lazy("Answer declassified for everybody"), _for_everybody_held, _lock, _end_for_everybody
)
