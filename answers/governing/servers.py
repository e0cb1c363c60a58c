"""The model policy for servers of vectors and of order: asked on every call, and counted in the same ledger.

Registers itself with the door they are asked through. Inside a transaction, which may be undone and would keep every
other call waiting for the rows of the budget, a call is decided on, and counted once that transaction is over,
whichever way it ended: readiness checks make some.
"""

import threading
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.contrib.postgres.expressions import ArraySubquery
from django.db import connection, transaction
from django.db.models import Q
from django.utils.translation import gettext as _

from answers.exceptions import ModelRefused
from answers.governing import ledger, limits
from answers.governing.amounts import Amount
from answers.models import Budget, Purpose
from answers.states import AnswerStatus
from audit.events import EventType
from audit.record import record
from documents import outgoing
from documents.models import Document, EmbeddingEndpoint
from documents.outgoing import Account, Leaving, NotSent
from workspaces.classification import Classification
from workspaces.models import User, Workspace
from workspaces.readiness import registry

_MILLION = 1_000_000
_SMALLEST = Decimal("0.00000001")


def admit(leaving: Leaving) -> "_Reserved":
    """What is set aside for the call. Raises NotSent, after the entry that says so."""
    person = leaving.account.person
    whose = ledger.Whose(leaving.account.workspace, person.pk if person else None, ledger.today())
    try:
        if connection.in_atomic_block:
            return _Reserved(_looked_at(leaving, whose), None, leaving, whose)
        count_owed()
        try:
            return _reserve(leaving, whose)
        except ledger.PeriodsMissing:
            ledger.open_periods(whose)
            return _reserve(leaving, whose)
    except ModelRefused as refused:
        _note(leaving, refused)
        # A budget begins anew; nothing else changes by itself.
        raise NotSent(refused.detail, passes=refused.code == "budget") from refused


outgoing.keepers.append(admit)


def count_owed() -> None:
    """Count the calls of this thread that were made inside transactions, once there is none any more."""
    while _owed.calls and not connection.in_atomic_block:
        call, whose = _owed.calls[0], _owed.calls[0].whose
        # Both may have been made in what was undone.
        if whose.workspace and not Workspace.objects.filter(pk=whose.workspace).exists():
            whose = replace(whose, workspace=None)
        if whose.person and not User.objects.filter(pk=whose.person).exists():
            whose = replace(whose, person=None)
        try:
            _count(call, whose)
        except ledger.PeriodsMissing:
            ledger.open_periods(whose)
            _count(call, whose)
        del _owed.calls[0]


registry.afterwards.append(count_owed)


class _Reserved:
    """What was set aside, at the price of that moment; inside a transaction nothing was."""

    def __init__(
        self, endpoint: Any, reserved: ledger.Reservation | None, leaving: Leaving, whose: ledger.Whose
    ) -> None:
        self._endpoint, self._reserved = endpoint, reserved
        self._leaving, self._whose = leaving, whose

    def settle(self, tokens: int, *, estimated: bool, seconds: float) -> None:
        was = _amount(self._endpoint, tokens)
        if self._reserved is not None:
            ledger.settle(self._reserved, was, estimated=estimated, seconds=seconds)
            return
        label, purpose = _label(self._endpoint), _purpose(self._leaving)
        _owed.calls.append(_Call(self._whose, label, purpose, was, estimated, seconds))
        # Where the transaction is undone instead, whoever undid it says so, and else the next call counts this one.
        transaction.on_commit(count_owed, robust=True)


# --- Inside -------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Call:
    """A call that was made and is not counted yet."""

    whose: ledger.Whose
    label: str
    purpose: Purpose
    was: Amount
    is_estimated: bool
    seconds: float


class _Owed(threading.local):
    def __init__(self) -> None:
        self.calls: list[_Call] = []


_owed = _Owed()


@transaction.atomic(durable=True)
def _count(call: _Call, whose: ledger.Whose) -> None:
    spends = ledger.lock(whose)
    reserved = ledger.reserve(spends, whose, call.was, label=call.label, seconds=call.seconds, purpose=call.purpose)
    ledger.settle(reserved, call.was, estimated=call.is_estimated, seconds=call.seconds)


def _label(endpoint: Any) -> str:
    return f"{endpoint.name}: {endpoint.model} at {endpoint.base_url}"[:300]


def _purpose(leaving: Leaving) -> Purpose:
    return Purpose.TEST if leaving.account.is_ours else Purpose(leaving.purpose)


@transaction.atomic(durable=True)
def _reserve(leaving: Leaving, whose: ledger.Whose) -> _Reserved:
    spends = ledger.lock(whose)
    current = _required(leaving)
    most = _amount(current, leaving.size)
    if not leaving.account.is_ours:
        limits.require(spends, current.budgets, most, current.name)
    reserved = ledger.reserve(
        spends,
        whose,
        most,
        label=_label(current),
        seconds=leaving.seconds,
        purpose=_purpose(leaving),
    )
    return _Reserved(current, reserved, leaving, whose)


def _looked_at(leaving: Leaving, whose: ledger.Whose) -> Any:
    current = _required(leaving)
    if not leaving.account.is_ours:
        limits.require(ledger.seen(whose), current.budgets, _amount(current, leaving.size), current.name)
    return current


def _required(leaving: Leaving) -> Any:
    """The endpoint as it is now, with the budgets, if the text may go there. Raises ModelRefused."""
    account = leaving.account
    texts = Document.objects.filter(pk__in=account.documents).order_by()
    budgets = Budget.objects.filter(Q(workspace=account.workspace) | Q(workspace=None)).order_by()
    found = type(leaving.endpoint)._default_manager.filter(pk=leaving.endpoint.pk)
    current = found.annotate(
        levels=ArraySubquery(texts.values("classification")),
        budgets=ArraySubquery(budgets.values(one=limits.as_json())),
    ).first()
    if current is None:
        named = {"name": leaving.endpoint.name}
        raise _refused("state", _("The model “%(name)s” is not connected any more.") % named)
    _require_state(current, account)
    _require_ceiling(current)
    return current


def _require_state(current: Any, account: Account) -> None:
    if not (current.may_be_tried if account.is_ours else current.usable):
        raise _refused("state", _("The model “%(name)s” is not in use.") % {"name": current.name})


def _require_ceiling(current: Any) -> None:
    ceiling = Classification(current.ceiling).rank
    if any(Classification(level).rank > ceiling for level in current.levels or []):
        said = _("What this rests on is classified higher than the model “%(name)s” may read.")
        raise _refused("classification", said % {"name": current.name})


def _amount(endpoint: Any, tokens: int) -> Amount:
    """So many tokens read at its price, where that is in the installation's own currency."""
    is_foreign = isinstance(endpoint, EmbeddingEndpoint) and endpoint.currency != settings.CURRENCY
    if endpoint.price is None or is_foreign:
        return Amount(tokens, 0, None)
    return Amount(tokens, 0, (tokens * endpoint.price / _MILLION).quantize(_SMALLEST))


def _refused(code: str, sentence: str) -> ModelRefused:
    return ModelRefused(AnswerStatus.REFUSED_MODEL_POLICY, code, sentence)


@transaction.atomic
def _note(leaving: Leaving, refused: ModelRefused) -> None:
    record(
        EventType.MODEL_REFUSED,
        on=leaving.endpoint,
        workspace=leaving.account.workspace,
        by=leaving.account.person,
        purpose=leaving.purpose,
        why=refused.code,
        answer=None,
        documents=len(leaving.account.documents),
    )
