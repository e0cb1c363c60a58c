"""Count every call to a model's server: set aside the most it can come to, then what it was.

The rows of what was spent are locked one after the other in the order of their keys, so that calls which come at once
pass a budget one by one. What a dead worker set aside is given back by the sweep.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils import timezone

from answers.governing.amounts import Amount
from answers.models import ModelEndpoint, Period, Purpose, Spend, Usage, UsageState

#: How much longer than its endpoint allows a call may take before it counts as dead.
_GRACE = timedelta(seconds=60)
_NOTHING = Amount(0, 0, None)


class PeriodsMissing(Exception):
    """The first call of a day: `open_periods` makes its rows."""


@dataclass(frozen=True, slots=True)
class Whose:
    """Whom a call counts for, and on which day of the installation's calendar."""

    workspace: UUID | None
    person: UUID | int | None
    day: date

    def rows(self) -> list[tuple[Any, Any, str, date]]:
        """The keys of the rows it counts in: workspace, person, period, first day."""
        month = self.day.replace(day=1)
        found = [(None, None, Period.DAY, self.day), (None, None, Period.MONTH, month)]
        if self.person is not None:
            found.append((None, self.person, Period.DAY, self.day))
        if self.workspace is not None:
            found += [
                (self.workspace, None, Period.DAY, self.day),
                (self.workspace, None, Period.MONTH, month),
            ]
            if self.person is not None:
                found.append((self.workspace, self.person, Period.DAY, self.day))
        return found


@dataclass(frozen=True, slots=True)
class Reservation:
    """What is set aside for one call, and where."""

    usage: UUID
    whose: Whose
    most: Amount


def today() -> date:
    """The day on the installation's calendar, whatever the reader's clock says."""
    return timezone.localdate(timezone=timezone.get_default_timezone())


def lock(whose: Whose) -> list[Spend]:
    """The rows that a call counts in, locked to the end of the transaction. Raises PeriodsMissing."""
    wanted = whose.rows()
    rows = list(Spend.objects.filter(_any_of(wanted)).order_by("pk").select_for_update(no_key=True))
    if len(rows) < len(wanted):
        raise PeriodsMissing
    return rows


def seen(whose: Whose) -> list[Spend]:
    """The rows that a call counts in as they are now, unlocked; of a period without a call one that says nothing."""
    rows = {_key(row): row for row in Spend.objects.filter(_any_of(whose.rows()))}
    return [rows.get(key) or _empty(key) for key in whose.rows()]


def open_periods(whose: Whose) -> None:
    """Make the rows that are not there yet; outside of the transaction that locks them."""
    Spend.objects.bulk_create(map(_empty, whose.rows()), ignore_conflicts=True)


def reserve(
    spends: Collection[Spend],
    whose: Whose,
    most: Amount,
    *,
    label: str,
    seconds: float,
    purpose: Purpose,
    endpoint: ModelEndpoint | None = None,
    answer: UUID | None = None,
) -> Reservation:
    """Set aside `most` in the locked rows, with the row of the call, which takes `seconds` at most.

    `endpoint` is None for servers of vectors and of order, which are known by their `label` alone.
    """
    _add(spends, tokens=most.tokens, cost=most.cost or Decimal(0))
    usage = Usage.objects.create(
        workspace_id=whose.workspace,
        person_id=whose.person,
        endpoint=endpoint,
        endpoint_label=label,
        purpose=purpose,
        answer_id=answer,
        day=whose.day,
        input_tokens=most.input,
        output_tokens=most.output,
        cost=most.cost,
        currency=settings.CURRENCY,
        open_until=Now() + timedelta(seconds=seconds) + _GRACE,
    )
    return Reservation(usage.pk, whose, most)


def count(whose: Whose, was: Amount, *, endpoint: ModelEndpoint, label: str, purpose: Purpose, seconds: float) -> None:
    """Count what came to be known only when it was over, in the caller's transaction. Raises PeriodsMissing."""
    _add(lock(whose), tokens=was.tokens, cost=was.cost or Decimal(0))
    Usage.objects.create(
        workspace_id=whose.workspace,
        person_id=whose.person,
        endpoint=endpoint,
        endpoint_label=label,
        purpose=purpose,
        day=whose.day,
        input_tokens=was.input,
        output_tokens=was.output,
        cost=was.cost,
        currency=settings.CURRENCY,
        is_estimated=False,
        state=UsageState.SETTLED,
        open_until=Now(),
        seconds=round(seconds, 3),
    )


@transaction.atomic
def settle(reserved: Reservation, was: Amount, *, estimated: bool, seconds: float) -> None:
    """Count what the call came to instead of the most it could; also where the sweep gave that back meanwhile."""
    counted = {
        "state": UsageState.SETTLED,
        "input_tokens": was.input,
        "output_tokens": was.output,
        "cost": was.cost,
        "is_estimated": estimated,
        "seconds": round(seconds, 3),
    }
    call = Usage.objects.filter(pk=reserved.usage)
    before = reserved.most
    if not call.filter(state=UsageState.OPEN).update(**counted):
        before = _NOTHING
        if not call.filter(state=UsageState.RELEASED).update(**counted):
            return
    _change(reserved.whose, before, was)


def release_dead() -> int:
    """Give back what calls set aside whose worker died, and say how many there were."""
    dead = Usage.objects.filter(state=UsageState.OPEN, open_until__lt=Now()).order_by("pk")
    return sum(_release(pk) for pk in list(dead.values_list("pk", flat=True)))


@transaction.atomic
def _release(pk: UUID) -> bool:
    found = Usage.objects.select_for_update(no_key=True).filter(pk=pk, state=UsageState.OPEN, open_until__lt=Now())
    call = found.first()
    if call is None:
        return False
    most = Amount(call.input_tokens, call.output_tokens, call.cost)
    call.state, call.input_tokens, call.output_tokens = UsageState.RELEASED, 0, 0
    call.cost = None if call.cost is None else Decimal(0)
    call.save(update_fields=["state", "input_tokens", "output_tokens", "cost"])
    _change(Whose(call.workspace_id, call.person_id, call.day), most, _NOTHING)
    return True


def _change(whose: Whose, before: Amount, after: Amount) -> None:
    cost = (after.cost or Decimal(0)) - (before.cost or Decimal(0))
    _add(lock(whose), tokens=after.tokens - before.tokens, cost=cost)


def _add(spends: Iterable[Spend], *, tokens: int, cost: Decimal) -> None:
    rows = Spend.objects.filter(pk__in=[row.pk for row in spends])
    rows.update(tokens=F("tokens") + tokens, cost=F("cost") + cost)


def _key(row: Spend) -> tuple[Any, Any, str, date]:
    return row.workspace_id, row.person_id, row.period, row.since


def _empty(key: tuple[Any, Any, str, date]) -> Spend:
    workspace, person, period, since = key
    return Spend(workspace_id=workspace, person_id=person, period=period, since=since)


def _any_of(wanted: Iterable[tuple[Any, Any, str, date]]) -> Q:
    found = Q()
    for workspace, person, period, since in wanted:
        found |= Q(workspace=workspace, person=person, period=period, since=since)
    return found
