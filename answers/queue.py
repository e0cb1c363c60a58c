"""What comes first among the drafts that wait, and who is on which: priority, due date and claims.

A claim says "I am reading this" for a while, so that two people do not start on the same draft. It forbids nothing:
who may decide is said in `answers/review` and `answers/separation.py` alone.
"""

from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from answers import review, separation
from answers.due import hours_of
from answers.exceptions import DraftError, WrongState
from answers.models import Draft, Priority, ReviewTime
from audit.events import EventType
from audit.record import record
from workspaces import access, members
from workspaces.exceptions import Forbidden
from workspaces.models import User, Workspace
from workspaces.roles import Action

#: How long a claim keeps others from starting on a draft; whoever has it may claim again.
CLAIM = timedelta(minutes=30)
#: What comes first: the urgent, then what is due, then what waits longest. A draft that is never due comes last.
ORDER = ("-priority", "due_at", "created_at")
#: How many drafts are looked at for one that the person may decide on, and at a time.
_LOOKED_AT, _AT_A_TIME = 400, 40


# --- Acts ---------------------------------------------------------------------------------------------------


@transaction.atomic
def claim(draft: Draft, *, by: User, take_over: bool = False) -> Draft:
    """Let the others see that `by` reads this draft now, for `CLAIM` from now.

    Raises WrongState when it is decided already, and when somebody else's claim stands unless `take_over` is given.
    """
    draft = _locked(draft, by)
    before = holder(draft)
    if before is not None and before != by and not take_over:
        raise WrongState(
            _("%(name)s is reading this draft already. You can take it over.") % {"name": before.name},
        )
    _set_claim(draft, by, timezone.now() + CLAIM)
    record(
        EventType.DRAFT_CLAIMED,
        on=draft,
        workspace=draft.workspace,
        by=by,
        answer=draft.answer_id,
        until=draft.claimed_until,
        **({"taken_from": before.pk, "taken_from_label": before.get_username()} if before not in (None, by) else {}),
    )
    return draft


def claim_next(rows: QuerySet[Draft], *, by: User, but: UUID | None = None) -> Draft | None:
    """Claim the first of `rows` that waits for `by` and is still free; None when nothing is left."""
    for draft in waiting_for(by, rows, but=but):
        with suppress(WrongState):  # somebody was faster: the next one
            return claim(draft, by=by)
    return None


@transaction.atomic
def let_go(draft: Draft, *, by: User) -> Draft:
    """Put back into line a draft that `by` had claimed. Raises WrongState when the claim is somebody else's."""
    draft = _locked(draft, by)
    before = holder(draft)
    if before is None:
        return draft
    if before != by:
        raise WrongState(_("%(name)s is reading this draft, not you.") % {"name": before.name})
    _set_claim(draft, None, None)
    record(EventType.DRAFT_CLAIM_ENDED, on=draft, workspace=draft.workspace, by=by, answer=draft.answer_id)
    return draft


@transaction.atomic
def rank(draft: Draft, *, priority: int, due_at: datetime | None, by: User) -> Draft:
    """Say how urgent a draft is and by when it is to be decided (None: whenever).

    Raises DraftError for a priority that does not exist, and WrongState when the draft is decided already.
    """
    draft = _locked(draft, by)
    if priority not in Priority.values:
        raise DraftError(_("There is no such priority."))
    before = (draft.priority, draft.due_at)
    if before == (priority, due_at):
        return draft
    draft.priority, draft.due_at = priority, due_at
    draft._history_user, draft._change_reason = by, ""
    draft.save(update_fields=["priority", "due_at"])
    record(
        EventType.DRAFT_RANKED,
        on=draft,
        workspace=draft.workspace,
        by=by,
        answer=draft.answer_id,
        before={"priority": before[0], "due_at": before[1]},
        after={"priority": priority, "due_at": due_at},
    )
    return draft


@transaction.atomic
def give_time(workspace: Workspace, *, hours: int, by: User) -> int:
    """Set how many hours after it is held a draft of the workspace is due (0: never); those that wait keep theirs.

    Raises Forbidden unless `by` manages the workspace, and DraftError for a number out of range.
    """
    access.require(by, Action.MANAGE, workspace)
    if not 0 <= hours <= ReviewTime.LONGEST:
        raise DraftError(_("A number of hours from 0 to %(most)d.") % {"most": ReviewTime.LONGEST})
    Workspace.objects.select_for_update(no_key=True).get(pk=workspace.pk)
    before = hours_of(workspace.pk)
    if before == hours:
        return hours
    ReviewTime.objects.update_or_create(workspace=workspace, defaults={"hours": hours, "changed_by": by})
    record(
        EventType.WORKSPACE_CHANGED,
        on=workspace,
        workspace=workspace,
        by=by,
        setting="review_hours",
        before=before,
        after=hours,
    )
    return hours


# --- Questions ----------------------------------------------------------------------------------------------


def holder(draft: Draft) -> User | None:
    """Who reads the draft now; None when nobody does, or their claim ran out."""
    if draft.claimed_until is None or draft.claimed_until <= timezone.now():
        return None
    return draft.claimed_by


def is_overdue(draft: Draft) -> bool:
    return draft.due_at is not None and draft.state in review.WHEN["edit"] and draft.due_at < timezone.now()


def claimed() -> Q:
    """Drafts on which somebody's claim stands."""
    return Q(claimed_until__gt=timezone.now(), claimed_by__isnull=False)


def waiting_for(person: User, rows: QuerySet[Draft], *, but: UUID | None = None) -> Iterator[Draft]:
    """Those of `rows` that `person` may decide on and that nobody else has, what they are reading already first.

    `rows` are drafts open to the person; `but` is the one they leave.
    """
    free = rows.filter(Q(assigned_to=None) | Q(assigned_to=person), state__in=review.WHEN["approve"]).exclude(pk=but)
    for line in (free.filter(claimed(), claimed_by=person), free.exclude(claimed())):
        ids = list(line.order_by(*ORDER).values_list("pk", flat=True)[:_LOOKED_AT])
        for start in range(0, len(ids), _AT_A_TIME):
            some = ids[start : start + _AT_A_TIME]
            tied = separation.with_ties(Draft.objects.filter(pk__in=some), person).order_by(*ORDER)
            yield from (draft for draft in tied if separation.refusal_of(draft, separation.APPROVE) is None)


# --- Inside -------------------------------------------------------------------------------------------------


def _locked(draft: Draft, by: User) -> Draft:
    """The draft as it stands now, locked, if `by` reviews it by role and it is not decided."""
    rows = Draft.objects.select_for_update(of=("self",), no_key=True)
    held = rows.select_related("workspace", "claimed_by").get(pk=draft.pk)
    access.require(by, Action.REVIEW, held)
    if not access.allows(by, Action.REVIEW, held):
        # Broken glass reads; the line of the reviewers is moved by reviewers.
        raise Forbidden(user=by, workspace=held.workspace_id, action=Action.REVIEW, thing=held)
    if held.state not in review.WHEN["assign"]:
        raise WrongState(
            _("This draft is “%(state)s”, so this cannot be done now.") % {"state": held.get_state_display()}
        )
    return held


def _set_claim(draft: Draft, person: User | None, until: datetime | None) -> None:
    draft.claimed_by, draft.claimed_until = person, until
    # No save: a claim is no form of the draft.
    Draft.objects.filter(pk=draft.pk).update(claimed_by=person, claimed_until=until)


def _leave(workspace: Workspace, person: User, _by: User | None) -> None:
    """Nobody who left a workspace keeps a draft of it from the others."""
    Draft.objects.filter(workspace=workspace, claimed_by=person).update(claimed_by=None, claimed_until=None)


members.when_left.append(_leave)
