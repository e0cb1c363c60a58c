"""The figures of a run, and how two runs of the same questions differ."""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from django.db import models
from django.utils.translation import gettext_lazy as _

from answers.evaluation import intervals
from answers.evaluation.intervals import Interval
from answers.models import CaseResult


class Metric(models.TextChoices):
    """What is measured. Codes are permanent: runs and gates keep them."""

    RECALL = "recall", _("Recall")
    PRECISION = "precision", _("Citation precision")
    GROUNDING = "grounding", _("Grounding")
    REFUSAL = "refusal", _("Refused and answered rightly")
    FACTS = "facts", _("Key facts")
    MEDIAN = "p50", _("Seconds, half are faster")
    SLOWEST = "p95", _("Seconds, 95 of 100 are faster")
    COST = "cost", _("Cost per question")


MEANS: dict[str, Any] = {
    Metric.RECALL: _("Share of the expected places among the passages the model was given."),
    Metric.PRECISION: _("Share of the citations that stand in an expected place."),
    Metric.GROUNDING: _("Share of the sentences that their passages support."),
    Metric.REFUSAL: _("Share of the questions that were refused exactly where that was expected."),
    Metric.FACTS: _("Share of the expected facts that the answers say."),
    Metric.MEDIAN: _("From the question to the finished answer, without waiting in line."),
    Metric.SLOWEST: _("From the question to the finished answer, without waiting in line."),
    Metric.COST: _("By the tokens the server counted, at the prices of the model."),
}
#: From 0 to 1, and better the higher; of the others less is better.
SHARES = (Metric.RECALL, Metric.PRECISION, Metric.GROUNDING, Metric.REFUSAL, Metric.FACTS)
#: Cases that were not asked, or ended in a fault, by the outcome they have.
CLOSED = "closed"


def value_of(result: CaseResult, metric: str) -> float | None:
    """What one case came to by one measure; None where it does not apply."""
    if metric == Metric.REFUSAL:
        return None if result.refusal_right is None else float(result.refusal_right)
    if metric in (Metric.MEDIAN, Metric.SLOWEST):
        return result.seconds
    if metric == Metric.COST:
        return None if result.cost is None else float(result.cost)
    found: float | None = getattr(result, metric)
    return found


def figures_of(results: Sequence[CaseResult], *, seed: int) -> dict[str, Any]:
    """`{metric: {value, low, high, n}}` for each measure that applies, with counts of how the cases ended."""
    measured: dict[str, Callable[[list[float]], Interval | None]] = dict.fromkeys(SHARES, intervals.share)
    measured[Metric.MEDIAN] = lambda values: intervals.quantile(values, 0.5)
    measured[Metric.SLOWEST] = lambda values: intervals.quantile(values, 0.95)
    measured[Metric.COST] = lambda values: intervals.mean(values, seed=seed)
    figures: dict[str, Any] = {}
    for metric, measure in measured.items():
        values = [value for result in results if (value := value_of(result, metric)) is not None]
        found = measure(values)
        if found is not None:
            figures[str(metric)] = {
                name: round(part, 6) if isinstance(part, float) else part for name, part in asdict(found).items()
            }
    figures["counts"] = {
        "cases": len(results),
        "answered": sum(result.outcome == "answered" for result in results),
        "refused": sum(result.outcome == "refused_no_evidence" for result in results),
        "closed": sum(result.outcome == CLOSED for result in results),
        "faults": sum(is_fault(result) for result in results),
    }
    return figures


def is_fault(result: CaseResult) -> bool:
    """Whether the case came to neither an answer nor a refusal for want of evidence, though it was asked."""
    return result.outcome not in ("answered", "refused_no_evidence", CLOSED)


@dataclass(frozen=True, slots=True)
class Difference:
    """How one measure of the same questions differs from a first to a second run."""

    metric: Metric
    before: float
    after: float
    interval: Interval
    better: int
    worse: int

    @property
    def by_chance(self) -> float:
        """How often chance alone parts them as unevenly."""
        return intervals.by_chance(self.better, self.worse)


def differences(before: Sequence[CaseResult], after: Sequence[CaseResult]) -> list[Difference]:
    """How the shares differ, over the cases that both runs measured."""
    earlier = {result.case_id: result for result in before}
    found = []
    for metric in SHARES:
        pairs = [
            (old, new)
            for result in after
            if result.case_id in earlier
            and (old := value_of(earlier[result.case_id], metric)) is not None
            and (new := value_of(result, metric)) is not None
        ]
        parted = intervals.difference(pairs)
        if parted is None:
            continue
        count = len(pairs)
        found.append(
            Difference(
                metric,
                sum(old for old, _new in pairs) / count,
                sum(new for _old, new in pairs) / count,
                parted,
                sum(new > old for old, new in pairs),
                sum(new < old for old, new in pairs),
            )
        )
    return found
