"""What comes first of what waits for reviewers, and who is on which: priority, due date and claims.

Drafts of answers and examined drafts wait alike; `LINES` says in what they differ. A claim says "I am reading this" for
a while, so that two people do not start on the same thing. It forbids nothing: who may decide is said in
`answers/review`, `answers/separation.py` and `answers/draft_review` alone.
"""

from bisect import bisect_right
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, TypeVar
from uuid import UUID

from django.db import transaction
from django.db.models import F, Model, Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from answers import review, separation
from answers.draft_review import separation as examined_separation
from answers.exceptions import ByAsker, DraftError, WrongState
from answers.models import Draft, Examination, ExaminationState, Priority, QueueName
from audit.events import EventType
from audit.record import record
from workspaces import access, members
from workspaces.exceptions import Forbidden
from workspaces.models import User, Workspace
from workspaces.roles import Action

#: How long a claim keeps others from starting on something; whoever has it may claim again.
CLAIM = timedelta(minutes=30)
#: How much is looked at for one that the person may decide on, and at a time.
_LOOKED_AT, _AT_A_TIME = 400, 40

Waiting = Draft | Examination
W = TypeVar("W", Draft, Examination)


@dataclass(frozen=True, slots=True)
class Line:
    """One kind of what waits for reviewers."""

    name: QueueName
    #: States in which nobody decided yet, and those in which a decision can be taken now.
    open: frozenset[str]
    decidable: frozenset[str]
    #: The field that says since when it waits.
    since: str
    claimed: EventType
    claim_ended: EventType
    ranked: EventType
    #: Whose the thing is, as the look-up of a field, and what they are told who would be their own reviewer.
    asker: str
    own: Any
    #: The rows with what ties a person to each, and why somebody tied does not approve one; "" or None when they may.
    with_ties: Callable[[Any, User], QuerySet[Any]]
    refusal_of: Callable[[Any], str | None]

    @property
    def order(self) -> tuple[str, ...]:
        """The urgent first, then what is due, then what waits longest. What is never due comes last."""
        return ("-priority", "due_at", self.since)

    @property
    def place(self) -> tuple[str, ...]:
        """The fields that say where a row stands, for `_in_line`."""
        return ("priority", "due_at", self.since, "pk")


LINES: dict[type[Model], Line] = {
    Draft: Line(
        name=QueueName.DRAFTS,
        open=review.WHEN["assign"],
        decidable=review.WHEN["approve"],
        since="created_at",
        claimed=EventType.DRAFT_CLAIMED,
        claim_ended=EventType.DRAFT_CLAIM_ENDED,
        ranked=EventType.DRAFT_RANKED,
        asker="answer__asked_by",
        own=separation.ASKED,
        with_ties=separation.with_ties,
        refusal_of=lambda draft: separation.refusal_of(draft, separation.APPROVE),
    ),
    Examination: Line(
        name=QueueName.EXAMINATIONS,
        open=frozenset({ExaminationState.HELD}),
        decidable=frozenset({ExaminationState.HELD}),
        since="examined_at",
        claimed=EventType.EXAMINATION_CLAIMED,
        claim_ended=EventType.EXAMINATION_CLAIM_ENDED,
        ranked=EventType.EXAMINATION_RANKED,
        asker="asked_by",
        own=examined_separation.BROUGHT,
        with_ties=examined_separation.with_ties,
        refusal_of=examined_separation.refusal_of,
    ),
}


# --- Acts ---------------------------------------------------------------------------------------------------


@transaction.atomic
def claim(waiting: W, *, by: User, take_over: bool = False) -> W:
    """Let the others see that `by` reads this now, for `CLAIM` from now.

    Raises WrongState when it is decided already, and when somebody else's claim stands unless `take_over` is given.
    """
    held = _locked(waiting, by)
    before = holder(held)
    if before is not None and before != by and not take_over:
        raise WrongState(
            _("%(name)s is reading this draft already. You can take it over.") % {"name": before.name},
        )
    _set_claim(held, by, timezone.now() + CLAIM)
    taken = {} if before in (None, by) else {"taken_from": before.pk, "taken_from_label": before.get_username()}
    _record(LINES[type(held)].claimed, held, by, until=held.claimed_until, **taken)
    return held


def claim_next(rows: QuerySet[W], *, by: User, but: UUID | None = None) -> W | None:
    """Claim the first of `rows` that waits for `by` and is still free; None when nothing is left.

    `but` is the one they leave: it is put back into line, and the one after it comes next.
    """
    line = LINES[rows.model]
    left = rows.filter(claimed(), claimed_by=by, state__in=line.open, pk=but).first()
    waiting = waiting_for(by, rows, but=but)
    if left is not None:
        with suppress(WrongState):  # decided a moment ago: nothing is left to put back
            let_go(left, by=by)
    for one in waiting:
        if not access.allows(by, Action.REVIEW, one):
            # Broken glass shows it to them; it waits for a reviewer.
            continue
        with suppress(WrongState):  # somebody was faster: the next one
            return claim(one, by=by)
    return None


@transaction.atomic
def let_go(waiting: W, *, by: User) -> W:
    """Put back into line what `by` had claimed. Raises WrongState when the claim is somebody else's."""
    held = _locked(waiting, by)
    before = holder(held)
    if before is None:
        return held
    if before != by:
        raise WrongState(_("%(name)s is reading this draft, not you.") % {"name": before.name})
    _set_claim(held, None, None)
    _record(LINES[type(held)].claim_ended, held, by)
    return held


@transaction.atomic
def rank(waiting: W, *, priority: int, due_at: datetime | None, by: User) -> W:
    """Say how urgent something is and by when it is to be decided (None: whenever).

    Raises DraftError for a priority that does not exist, and WrongState when it is decided already.
    """
    held = _locked(waiting, by)
    if priority not in Priority.values:
        raise DraftError(_("There is no such priority."))
    before = (held.priority, held.due_at)
    if before == (priority, due_at):
        return held
    held.priority, held.due_at = priority, due_at
    if isinstance(held, Draft):
        held._history_user, held._change_reason = by, ""
    held.save(update_fields=["priority", "due_at"])
    _record(
        LINES[type(held)].ranked,
        held,
        by,
        before={"priority": before[0], "due_at": before[1]},
        after={"priority": priority, "due_at": due_at},
    )
    return held


# --- Questions ----------------------------------------------------------------------------------------------


def holder(waiting: Waiting) -> User | None:
    """Who reads it now; None when nobody does, or their claim ran out."""
    if waiting.claimed_until is None or waiting.claimed_until <= timezone.now():
        return None
    return waiting.claimed_by


def is_open(waiting: Waiting) -> bool:
    """Whether nobody decided on it yet."""
    return waiting.state in LINES[type(waiting)].open


def is_overdue(waiting: Waiting) -> bool:
    return waiting.due_at is not None and is_open(waiting) and waiting.due_at < timezone.now()


def claimed() -> Q:
    """Drafts on which somebody's claim stands."""
    return Q(claimed_until__gt=timezone.now(), claimed_by__isnull=False)


def waiting_for(person: User, rows: QuerySet[W], *, but: UUID | None = None) -> Iterator[W]:
    """Those of `rows` that `person` may decide on and that nobody else has, what they are reading already first.

    `rows` are open to the person. With `but`, the one they leave or decided on, those after it come first, then those
    before it: whoever passes over one is not given it again before the others.
    """
    line = LINES[rows.model]
    free = rows.filter(Q(assigned_to=None) | Q(assigned_to=person), state__in=line.decidable)
    parts = (free.filter(claimed(), claimed_by=person), free.exclude(claimed()))
    left = None
    if but is not None:
        parts = (free.exclude(claimed() & ~Q(claimed_by=person)),)
        # A list of what waits has no place for what was decided: its own values tell where it stood.
        left = access.visible(person, rows.model).filter(pk=but).values_list(*line.place).first()
    for part in parts:
        found = list(part.order_by(*line.order).values_list(*line.place)[:_LOOKED_AT])
        if left is not None:
            found.sort(key=_in_line)
            at = bisect_right(found, _in_line(left), key=_in_line)
            found = found[at:] + [one for one in found[:at] if one != left]
        ids = [pk for *_order, pk in found]
        for start in range(0, len(ids), _AT_A_TIME):
            some = ids[start : start + _AT_A_TIME]
            tied = line.with_ties(rows.model._default_manager.filter(pk__in=some), person)
            for waiting in sorted(tied, key=lambda one: some.index(one.pk)):
                if not line.refusal_of(waiting):
                    yield waiting


# --- Inside -------------------------------------------------------------------------------------------------


def _in_line(place: tuple[Any, ...]) -> tuple[Any, ...]:
    """Sorts as `Line.order` does, and no two rows alike."""
    priority, due_at, since, pk = place
    return (-priority, due_at is None, due_at or since, since, pk)


def _locked(waiting: W, by: User) -> W:
    """It as it stands now, locked, if `by` reviews it by role, it is none of their own, and it is not decided."""
    line = LINES[type(waiting)]
    rows = type(waiting)._default_manager.select_for_update(of=("self",), no_key=True)
    held = rows.select_related("workspace", "claimed_by").annotate(asker=F(line.asker)).get(pk=waiting.pk)
    access.require(by, Action.REVIEW, held)
    if held.asker == by.pk:
        raise ByAsker(line.own, user=by, workspace=held.workspace, action=Action.REVIEW, thing=held)
    if not access.allows(by, Action.REVIEW, held):
        # Broken glass reads; the line of the reviewers is moved by reviewers.
        raise Forbidden(user=by, workspace=held.workspace_id, action=Action.REVIEW, thing=held)
    if not is_open(held):
        raise WrongState(
            _("This draft is “%(state)s”, so this cannot be done now.") % {"state": held.get_state_display()}
        )
    return held


def _set_claim(waiting: Waiting, person: User | None, until: datetime | None) -> None:
    waiting.claimed_by, waiting.claimed_until = person, until
    # No save: a claim is no form of a draft.
    rows = type(waiting)._default_manager.filter(pk=waiting.pk)
    rows.update(claimed_by=person, claimed_until=until)


def _record(event: EventType, waiting: Waiting, by: User, **details: Any) -> None:
    of = {"answer": waiting.answer_id} if isinstance(waiting, Draft) else {}
    record(event, on=waiting, workspace=waiting.workspace, by=by, **of, **details)


def _leave(workspace: Workspace, person: User, _by: User | None) -> None:
    """Nobody who left a workspace keeps from the others what waits in it."""
    for model in LINES:
        claims = model._default_manager.filter(workspace=workspace, claimed_by=person)
        claims.update(claimed_by=None, claimed_until=None)


members.when_left.append(_leave)
