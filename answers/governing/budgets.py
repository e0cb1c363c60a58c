"""What may be spent on models: set by who manages a workspace or the installation, and shown with what was spent."""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import Q
from django.utils.formats import number_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from answers.exceptions import BudgetError
from answers.governing import ledger
from answers.governing.limits import LIMITS, span_of
from answers.models import Budget, Period, Spend
from audit.events import EventType
from audit.record import record
from workspaces import access
from workspaces.models import User, Workspace
from workspaces.roles import Action, PlatformAction

#: What people are told before they ask, where nothing is left.
_IS_SPENT = {
    "workspace day": gettext_noop("This workspace's budget for models is spent for today."),
    "workspace month": gettext_noop("This workspace's budget for models is spent for this month."),
    "workspace person_day": gettext_noop("Your own budget for models here is spent for today."),
    "installation day": gettext_noop("The installation's budget for models is spent for today."),
    "installation month": gettext_noop("The installation's budget for models is spent for this month."),
    "installation person_day": gettext_noop("Your own budget for models is spent for today."),
}
_CALLED = {"day": gettext_noop("Today"), "month": gettext_noop("This month"), "person_day": gettext_noop("You, today")}


@dataclass(frozen=True, slots=True)
class Meter:
    """One limit and how much of it is used, for a bar on a page; `share` is 0 to 1."""

    label: str
    used: Decimal
    limit: Decimal
    unit: str

    @property
    def share(self) -> float:
        return min(1.0, float(self.used / self.limit)) if self.limit else 1.0

    @property
    def percent(self) -> int:
        return round(100 * self.share)

    @property
    def is_spent(self) -> bool:
        return self.used >= self.limit

    @property
    def used_text(self) -> str:
        return in_figures(self.used)

    @property
    def limit_text(self) -> str:
        return in_figures(self.limit)


@dataclass(frozen=True, slots=True)
class Spent:
    """What a period came to so far; `cost` is "" while nothing that has a price was asked."""

    tokens: int
    text: str
    cost: str


# --- Set and shown ------------------------------------------------------------------------------------------


def of(workspace: Workspace | None) -> Budget:
    """The budget of a workspace, or of the installation; one without limits where nobody set any."""
    return Budget.objects.filter(workspace=workspace).first() or Budget(workspace=workspace)


@transaction.atomic
def change(workspace: Workspace | None, *, by: User, **limits: Any) -> Budget:
    """Set all limits of a workspace, or of the installation; None is no limit. They count for the next call.

    Raises Hidden or Forbidden as access does, and BudgetError for a limit that is none.
    """
    if workspace is None:
        access.require(by, PlatformAction.MANAGE_ENDPOINTS, None)
    else:
        access.require(by, Action.MANAGE, workspace)
    if any(value is not None and value < 0 for value in limits.values()):
        raise BudgetError(_("A limit cannot be below nothing."))
    Budget.objects.bulk_create([Budget(workspace=workspace)], ignore_conflicts=True)
    budget = Budget.objects.select_for_update(no_key=True).get(workspace=workspace)
    before = _told(budget)
    for name in LIMITS:
        setattr(budget, name, limits.get(name))
    after = _told(budget)
    if before == after:
        return budget
    budget.save(update_fields=LIMITS)
    record(EventType.BUDGET_CHANGED, on=workspace or budget, workspace=workspace, by=by, before=before, after=after)
    return budget


def standing(workspace: Workspace | None) -> list[Meter]:
    """How much of each limit of a workspace, or of the installation, is used or set aside now."""
    budget = of(workspace)
    found = {span_of(spend): spend for spend in _spent(workspace, None)}
    return [meter for span in ("day", "month") for meter in _meters(budget, span, found.get(span))]


def standing_of(workspace: Workspace, person: User) -> list[Meter]:
    """How much of their own limits of today a person used here."""
    found = [spend for spend in _spent(workspace, person) if spend.person_id == person.pk]
    return _meters(of(workspace), "person_day", found[0] if found else None)


def spent(workspace: Workspace | None) -> dict[str, Spent]:
    """What this day and this month came to so far, by "day" and "month"."""
    found = {span_of(spend): spend for spend in _spent(workspace, None)}
    return {span: _told_spent(found.get(span)) for span in ("day", "month")}


def is_spent(workspace: Workspace, by: User) -> str:
    """A sentence for whoever asks here where a budget is spent; "" while none is."""
    by_place = {budget.workspace_id: budget for budget in Budget.objects.filter(_here(workspace))}
    if not by_place:
        return ""
    for spend in Spend.objects.filter(_now(), _here(workspace), Q(person=None) | Q(person=by)).order_by("pk"):
        budget = by_place.get(spend.workspace_id)
        if budget is not None and any(meter.is_spent for meter in _meters(budget, span_of(spend), spend)):
            return _(_IS_SPENT[f"{'workspace' if spend.workspace_id else 'installation'} {span_of(spend)}"])
    return ""


def _meters(budget: Budget, span: str, spend: Spend | None) -> list[Meter]:
    tokens, cost = getattr(budget, f"{span}_tokens"), getattr(budget, f"{span}_cost")
    used_tokens, used_cost = (spend.tokens, spend.cost) if spend else (0, Decimal(0))
    label = _(_CALLED[span])
    found = []
    if tokens is not None:
        found.append(Meter(label, Decimal(used_tokens), Decimal(tokens), _("tokens")))
    if cost is not None:
        found.append(Meter(label, used_cost, cost, settings.CURRENCY))
    return found


def _told_spent(spend: Spend | None) -> Spent:
    tokens, cost = (spend.tokens, spend.cost) if spend else (0, Decimal(0))
    return Spent(tokens, in_figures(Decimal(tokens)), f"{in_figures(cost)} {settings.CURRENCY}" if cost else "")


def in_figures(value: Decimal) -> str:
    """A count as it is, money to the hundredth, and less than that to where it begins."""
    if value == value.to_integral_value():
        return number_format(value.to_integral_value(), 0, force_grouping=True)
    return number_format(value, 2 if value >= Decimal("0.01") else 6, force_grouping=True)


def _spent(workspace: Workspace | None, person: User | None) -> Iterable[Spend]:
    return list(Spend.objects.filter(_now(), workspace=workspace, person=person))


def _here(workspace: Workspace) -> Q:
    return Q(workspace=workspace) | Q(workspace=None)


def _now() -> Q:
    day = ledger.today()
    return Q(period=Period.DAY, since=day) | Q(period=Period.MONTH, since=day.replace(day=1))


def _told(budget: Budget) -> dict[str, str | None]:
    return {name: None if (value := getattr(budget, name)) is None else str(value) for name in LIMITS}
