"""Whether what a call can come to at most fits into what is left of every budget it counts in."""

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any

from django.db.models import CharField, F
from django.db.models.functions import Cast, JSONObject
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from answers.exceptions import ModelRefused
from answers.governing.amounts import Amount
from answers.models import Period, Spend
from answers.states import AnswerStatus

LIMITS = ("day_tokens", "day_cost", "month_tokens", "month_cost", "person_day_tokens", "person_day_cost")

#: Whose budget, and for how long: what is said when it does not cover a call.
_SPENT = {
    "workspace day": gettext_noop("What is left of this workspace's budget for models today does not cover this."),
    "workspace month": gettext_noop(
        "What is left of this workspace's budget for models this month does not cover this."
    ),
    "workspace person_day": gettext_noop("What is left of your own budget for models here today does not cover this."),
    "installation day": gettext_noop("What is left of the installation's budget for models today does not cover this."),
    "installation month": gettext_noop(
        "What is left of the installation's budget for models this month does not cover this."
    ),
    "installation person_day": gettext_noop("What is left of your own budget for models today does not cover this."),
}


def as_json() -> JSONObject:
    """A budget's row as `require` takes it; money as text, because JSON knows no exact numbers."""
    return JSONObject(workspace="workspace_id", **{name: Cast(F(name), CharField()) for name in LIMITS})


def require(spends: Iterable[Spend], limits: Sequence[Mapping[str, Any]], most: Amount, name: str) -> None:
    """Return if `most` fits into what is left of every budget; `name` is the model's. Raises ModelRefused.

    The rows of `spends` are locked.
    """
    by_place = {found["workspace"]: found for found in limits}
    for spend in spends:
        budget = by_place.get(None if spend.workspace_id is None else str(spend.workspace_id))
        if budget is None:
            continue
        span = span_of(spend)
        tokens, cost = budget[f"{span}_tokens"], budget[f"{span}_cost"]
        if cost is not None and most.cost is None:
            raise _refused(
                _("The model “%(name)s” has no price, so a budget in money cannot hold it.") % {"name": name}
            )
        is_over = tokens is not None and spend.tokens + most.tokens > int(tokens)
        if cost is not None and most.cost is not None:
            is_over = is_over or spend.cost + most.cost > Decimal(cost)
        if is_over:
            raise _refused(sentence_of(spend))


def sentence_of(spend: Spend) -> str:
    """What is said where the budget that this row counts for does not cover a call."""
    place = "workspace" if spend.workspace_id else "installation"
    return _(_SPENT[f"{place} {span_of(spend)}"])


def span_of(spend: Spend) -> str:
    """The limits that this row counts for, by the beginning of their names."""
    if spend.person_id is not None:
        return "person_day"
    return "day" if spend.period == Period.DAY else "month"


def _refused(sentence: str) -> ModelRefused:
    return ModelRefused(AnswerStatus.REFUSED_BUDGET, "budget", sentence)
