"""Open exactly one released text to people to whom a source of it is closed, for a reason; and take that back.

The sources stay closed: their citations show no quote and no title. Another text, a deleted source or a never rule
against the reader ends it by itself (`answers/querysets.py`).
"""

from collections.abc import Collection
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from answers import review, separation
from answers.access.declassified import end, in_force
from answers.drafts.text import checked_reason
from answers.exceptions import DraftError, WrongState
from answers.models import Answer, Declassification, Draft
from answers.querysets import sources_open
from answers.states import RELEASED, DraftState
from audit.events import EventType
from audit.record import record
from workspaces import access
from workspaces.exceptions import Forbidden
from workspaces.models import User
from workspaces.roles import Action


@transaction.atomic
def declassify(answer: Answer, *, by: User, reason: str, readers: Collection[User] = ()) -> Declassification:
    """Let everybody who may ask in the workspace read the released text, or `readers` alone where some are named.

    For a reviewer by role who may open every source and whom nothing ties to the answer; see
    `separation.refusal_to_declassify`. Raises Hidden or Forbidden as
    access does, WrongState where the text is not released, is declassified already or is not theirs to decide on, and
    DraftError without a reason or for a reader who may not ask here.
    """
    answer = _locked(answer, by)
    refused = objection(answer, by)
    if refused:
        raise WrongState(refused)
    reason = checked_reason(reason)
    if not reason:
        raise DraftError(_("Say why: the reason goes into the trail."))
    for reader in readers:
        if not access.allows(reader, Action.ASK, answer.workspace):
            raise DraftError(_("%(name)s may not ask questions in this workspace.") % {"name": reader.name})
    sources = answer.evidence.order_by().values_list("version", "version__sha256").distinct()
    made = Declassification.objects.create(
        answer=answer,
        text_sha256=answer.released_sha256,
        sources={str(version): sha256 for version, sha256 in sources},
        reason=reason,
        for_workspace=not readers,
        declassified_by=by,
    )
    made.readers.set(readers)
    record(
        EventType.ANSWER_DECLASSIFIED,
        on=answer,
        workspace=answer.workspace_id,
        by=by,
        reason=reason,
        declassification=made.pk,
        text_sha256=made.text_sha256,
        sources=made.sources,
        readers=sorted(str(reader.pk) for reader in readers),
    )
    return made


@transaction.atomic
def approve_and_declassify(
    draft: Draft, *, by: User, seen_sha256: str, why: str, reason: str = "", readers: Collection[User] = ()
) -> Declassification:
    """Release the text and declassify it in one act: both, or neither. `why` is the reason to declassify.

    Raises as `review.approve` and `declassify` do, and WrongState for the first of two approvals: it lets nothing out.
    """
    approved = review.approve(draft, by=by, seen_sha256=seen_sha256, reason=reason).draft
    if approved.state != DraftState.APPROVED:
        raise WrongState(_("A second reviewer releases this text. It can be declassified with that approval."))
    return declassify(approved.answer, by=by, reason=why, readers=readers)


@transaction.atomic
def take_back(answer: Answer, *, by: User, reason: str = "") -> None:
    """Close the text again to whom a source is closed.

    For who reviews in the workspace or manages its people, open to them or not: taking back lets nothing out. Raises
    Hidden or Forbidden for others, and WrongState where nothing is declassified.
    """
    if not may_take_back(answer, by):
        access.require(by, Action.REVIEW, answer.workspace)
        # Broken glass lets one read; it takes nothing back.
        raise Forbidden(user=by, workspace=answer.workspace_id, action=Action.REVIEW, thing=answer)
    answer = _held_still(answer)
    found = in_force(answer)
    if found is None:
        raise WrongState(_("This answer is not declassified."))
    end(found, by=by, reason=checked_reason(reason))


def may_take_back(answer: Answer, person: User) -> bool:
    """Whether a declassification of this answer is theirs to end."""
    return any(access.allows(person, action, answer.workspace) for action in (Action.REVIEW, Action.MANAGE_PEOPLE))


def objection(answer: Answer, by: User) -> str:
    """Why `by`, who reviews here, may not declassify this answer now; empty when they may."""
    if answer.status not in RELEASED:
        return _("Only a text that was released can be declassified.")
    if answer.asked_by_id == by.pk:
        return str(separation.ASKED)
    if not sources_open(by, answer):
        return _("A document this answer rests on is closed to you.")
    if in_force(answer) is not None:
        return _("This answer is declassified already.")
    return separation.refusal_to_declassify(by, answer) or ""


def possible_readers(answer: Answer) -> QuerySet[User]:
    """Those who could be named: everybody who may ask in the answer's workspace."""
    return access.people_allowed(answer.workspace, Action.ASK).order_by("username")


def readers_named(answer: Answer, ids: Collection[str]) -> list[User]:
    """The people with these ids. Raises DraftError unless each can be named: to name nobody would open it to all."""
    wanted = {_uuid(text) for text in ids if text}
    found = list(possible_readers(answer).filter(pk__in=wanted - {None}))
    if len(found) != len(wanted):
        raise DraftError(_("Choose people from the list."))
    return found


def _locked(answer: Answer, by: User) -> Answer:
    access.require(by, Action.REVIEW, answer)
    if not access.allows(by, Action.REVIEW, answer):
        # By breaking glass one reads; only a reviewer's name stands under a decision.
        raise Forbidden(user=by, workspace=answer.workspace_id, action=Action.REVIEW, thing=answer)
    return _held_still(answer)


def _held_still(answer: Answer) -> Answer:
    return Answer.objects.select_for_update(of=("self",), no_key=True).select_related("workspace").get(pk=answer.pk)


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
