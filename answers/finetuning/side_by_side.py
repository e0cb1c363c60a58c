"""A comparison as its page shows it: each measure on three sides, with bars, and how two differ from the first."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext_lazy as _

from answers.evaluation import figures
from answers.evaluation import page as runs_page
from answers.evaluation.figures import MEANS, SHARES, Metric
from answers.finetuning import comparing
from answers.models import CaseResult, ComparisonSide, EvaluationRun, TuningComparison

_TELLS = {
    ComparisonSide.RETRIEVAL: _("The model of the endpoint where it was trained, given passages of the documents."),
    ComparisonSide.TUNED: _("The trained model, given the question and nothing else: it can cite nothing."),
    ComparisonSide.HYBRID: _("The trained model, given passages of the documents."),
}


@dataclass(frozen=True, slots=True)
class Side:
    """One of the three: how many questions were asked, of how many, and how it ended if it did not end well."""

    code: str
    label: Any
    tells: Any
    done: int
    most: int
    problem: str
    results: Sequence[CaseResult]
    seed: int


@dataclass(frozen=True, slots=True)
class Cell:
    """A measure of one side in words, and its bar: percent of a share, else of the longest bar of the row."""

    side: Side
    value: str
    between: str
    n: int
    bar: int


@dataclass(frozen=True, slots=True)
class Row:
    """One measure of all three."""

    label: Any
    means: Any
    cells: list[Cell]


def sides(comparison: TuningComparison) -> list[Side]:
    """Retrieval, the trained model alone, and both."""
    run = comparison.retrieval_run
    alone = comparing.results_of(comparison)
    most, seed = (run.case_count, run.seed) if run else (len(alone), 0)
    return [
        _of_run(ComparisonSide.RETRIEVAL, run),
        Side(
            ComparisonSide.TUNED.value,
            ComparisonSide.TUNED.label,
            _TELLS[ComparisonSide.TUNED],
            len(alone),
            most,
            comparison.problem,
            alone,
            seed,
        ),
        _of_run(ComparisonSide.HYBRID, comparison.hybrid_run),
    ]


def is_under_way(comparison: TuningComparison) -> bool:
    """Whether something of it is still asked."""
    asked = (comparison.retrieval_run, comparison.hybrid_run)
    return comparison.ended_at is None or any(run is not None and run.is_open for run in asked)


def rows(found: Sequence[Side]) -> list[Row]:
    """Each measure that any side has."""
    measured = [figures.figures_of(_with_decimals(side.results), seed=side.seed) for side in found]
    return [_row(metric, found, measured) for metric in Metric if any(metric in one for one in measured)]


def differences(found: Sequence[Side]) -> list[dict[str, Any]]:
    """How the second and the third differ from the first, over the questions that both were asked."""
    first, *others = found
    told = []
    for other in others:
        parted = figures.differences(_with_decimals(first.results), _with_decimals(other.results))
        told.append({"side": other, "lines": runs_page.difference_lines(parted)})
    return [one for one in told if one["lines"]]


# --- Inside -------------------------------------------------------------------------------------------------


def _of_run(side: ComparisonSide, run: EvaluationRun | None) -> Side:
    results = list(run.results.all()) if run else []
    problem, most, seed = (run.problem, run.case_count, run.seed) if run else ("", 0, 0)
    return Side(side.value, side.label, _TELLS[side], len(results), most, problem, results, seed)


def _with_decimals(results: Sequence[CaseResult]) -> Sequence[CaseResult]:
    # What was kept as JSON is text where a row has a decimal.
    for result in results:
        if isinstance(result.cost, str):
            result.cost = Decimal(result.cost)
    return results


def _row(metric: Metric, found: Sequence[Side], measured: Sequence[dict[str, Any]]) -> Row:
    values = [one[metric]["value"] if metric in one else None for one in measured]
    longest = 1.0 if metric in SHARES else max((value for value in values if value is not None), default=0.0)
    cells = [_cell(metric, side, one.get(metric), longest) for side, one in zip(found, measured, strict=True)]
    return Row(metric.label, MEANS[metric], cells)


def _cell(metric: Metric, side: Side, figure: dict[str, Any] | None, longest: float) -> Cell:
    if figure is None:
        return Cell(side, "–", "", 0, 0)
    low, high = figure["low"], figure["high"]
    between = ""
    if low is not None and high is not None:
        between = f"{runs_page.written(metric, low)} – {runs_page.written(metric, high)}"
    bar = round(100 * figure["value"] / longest) if longest else 0
    return Cell(side, runs_page.written(metric, figure["value"]), between, figure["n"], bar)
