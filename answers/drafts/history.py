"""How a draft came about: every form it had, and the difference between any two of them."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from answers.models import Draft, Priority
from answers.states import DraftState
from documents.changes.differences import Piece, difference

#: What a change of state is called where its label would not say what was done.
_STEP = {DraftState.APPROVED_ONCE: gettext_lazy("Approved by the first of two")}


@dataclass(frozen=True, slots=True)
class Step:
    """One form of the draft: who gave it that form, when, why, and what changed."""

    at: datetime
    who: str
    what: str
    reason: str
    pieces: list[Piece]


@dataclass(frozen=True, slots=True)
class Form:
    """One text the draft had, by its number in order; `is_last` is the one that stands."""

    number: int
    at: datetime
    who: str
    text: str
    is_last: bool


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two forms and what changed from the one to the other."""

    before: Form
    after: Form
    pieces: list[Piece]


@dataclass(frozen=True, slots=True)
class History:
    """All of it: the newest step first, the texts in order."""

    steps: list[Step]
    forms: list[Form]

    def compare(self, before: str, after: str) -> Comparison | None:
        """The difference between two forms by their numbers; None when one of them does not exist."""
        by_number = {str(form.number): form for form in self.forms}
        if before not in by_number or after not in by_number:
            return None
        old, new = by_number[before], by_number[after]
        return Comparison(old, new, difference(old.text, new.text))

    @property
    def last_change(self) -> list[Piece]:
        """What the last edit changed; empty when there was none."""
        if len(self.forms) < 2:
            return []
        return difference(self.forms[-2].text, self.forms[-1].text)


def history_of(draft: Draft) -> History:
    """Read in one query."""
    records = list(draft.history.select_related("history_user", "assigned_to").order_by("history_date", "history_id"))
    steps = [_step(record, before) for before, record in zip([None, *records], records, strict=False)]
    texts = [
        record
        for before, record in zip([None, *records], records, strict=False)
        if before is None or record.text != before.text
    ]
    forms = [
        Form(number, record.history_date, _who(record), record.text, number == len(texts))
        for number, record in enumerate(texts, 1)
    ]
    return History(steps[::-1], forms)


def _step(record: Any, before: Any) -> Step:
    pieces: list[Piece] = []
    if before is None:
        what = _("Written by the model and held for review")
    elif record.text != before.text:
        what, pieces = _("Edited"), difference(before.text, record.text)
    elif record.state != before.state:
        submitted = record.state == DraftState.WAITING
        what = _("Submitted again") if submitted else _STEP.get(record.state, DraftState(record.state).label)
    elif record.priority != before.priority:
        what = _("Priority: %(priority)s") % {"priority": Priority(record.priority).label}
    elif record.due_at != before.due_at:
        what = _("Due: %(when)s") % {"when": _day(record.due_at)} if record.due_at else _("No due date any more")
    elif record.assigned_to_id == before.assigned_to_id:
        what = _("Changed")
    elif record.assigned_to_id:
        what = _("Assigned to %(name)s") % {"name": record.assigned_to.name}
    else:
        what = _("Assigned to nobody")
    return Step(record.history_date, _who(record), str(what), record.history_change_reason or "", pieces)


def _who(record: Any) -> str:
    return record.history_user.name if record.history_user else _("The portal itself")


def _day(when: datetime) -> str:
    return date_format(timezone.localtime(when), "DATETIME_FORMAT")
