"""What a change has to reach: a limit for a measure, and how much worse than what is live it may be."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

from django.utils.translation import gettext as _

from answers.evaluation.figures import SHARES, Metric
from answers.exceptions import EvaluationError

#: Beyond these no threshold is meant seriously: seconds of an answer, cost of a question.
_MOST = 1_000_000.0


@dataclass(frozen=True, slots=True)
class Threshold:
    """One measure's limits. A share has to reach `limit`; seconds and cost must not pass it.

    `by_bound`: not the figure itself counts but the worse end of its interval. `worse_by`: how much worse than what is
    live it may be, 0 to 1; None where that is not asked. Of seconds and cost only the limit is asked.
    """

    metric: Metric
    limit: float | None = None
    by_bound: bool = False
    worse_by: float | None = None

    @property
    def is_share(self) -> bool:
        return self.metric in SHARES


#: What a gate asks for where its manager says nothing else.
DEFAULTS = (
    Threshold(Metric.RECALL, 0.7, False, 0.05),
    Threshold(Metric.PRECISION, 0.6, False, 0.05),
    Threshold(Metric.GROUNDING, 0.8, False, 0.05),
    Threshold(Metric.REFUSAL, 0.8, False, 0.05),
    Threshold(Metric.FACTS, 0.6, False, 0.05),
)


def as_data(thresholds: Iterable[Threshold]) -> list[dict[str, Any]]:
    """As a gate keeps them."""
    return [asdict(one) | {"metric": one.metric.value} for one in thresholds]


def from_data(stored: Iterable[dict[str, Any]]) -> list[Threshold]:
    """What `as_data` wrote."""
    return [Threshold(**{**one, "metric": Metric(one["metric"])}) for one in stored]


def checked(thresholds: Iterable[Threshold]) -> list[Threshold]:
    """The thresholds that ask for something. Raises EvaluationError for a limit that is none, or where none asks."""
    asked = [one for one in thresholds if one.limit is not None or one.worse_by is not None]
    for one in asked:
        most = 1.0 if one.is_share else _MOST
        if one.limit is not None and not 0 <= one.limit <= most:
            raise EvaluationError(_("“%(metric)s” cannot have this limit.") % {"metric": one.metric.label})
        if one.worse_by is not None and not (one.is_share and 0 <= one.worse_by <= 1):
            raise EvaluationError(_("“%(metric)s” cannot be compared like this.") % {"metric": one.metric.label})
    if not asked:
        raise EvaluationError(_("Say at least for one measure what a change has to reach."))
    return asked
