"""Runs and their figures as pages and programs tell them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.utils.translation import gettext as _

from answers.evaluation.figures import CLOSED, MEANS, SHARES, Difference, Metric, value_of
from answers.evaluation.querysets import readable
from answers.models import CaseResult, EvaluationRun, RunState
from answers.states import AnswerStatus
from workspaces.models import User

_TONES = {
    RunState.WAITING: "run",
    RunState.WORKING: "run",
    RunState.DONE: "ok",
    RunState.STOPPED: "none",
    RunState.FAILED: "fail",
}


@dataclass(frozen=True, slots=True)
class Line:
    """A measure of a run: the bar's ends in percent (0 to 100) where it is a share, and the figures in words."""

    label: Any
    means: Any
    value: str
    between: str
    n: int
    bar: int | None
    low: int = 0
    width: int = 0


@dataclass(frozen=True, slots=True)
class Row:
    """One case of a run, beside the same case of another; words only for who may read them."""

    result: CaseResult
    question: str
    text: str
    outcome: Any
    right: bool | None
    cells: list[str]
    other: CaseResult | None = None
    other_text: str = ""
    other_outcome: Any = ""
    change: int = 0


def tone(run: EvaluationRun) -> str:
    """The colour token of a run's state."""
    return _TONES[RunState(run.state)]


def what_ran(run: EvaluationRun) -> str:
    """The model, space and template of a run, in a line."""
    parts = [_placeless(run.setup.get("model", "")), run.setup.get("space", {}).get("name", "")]
    if template := run.setup.get("template"):
        parts.append(f"{template['code']} {template['number']}")
    return " · ".join(part for part in parts if part)


def ran_with(run: EvaluationRun) -> list[tuple[Any, str]]:
    """Everything a run ran with, to do the same again; without the addresses of servers, which are the operator's."""
    setup = run.setup
    space, template, prompt = (setup.get(name) or {} for name in ("space", "template", "prompt"))
    around = setup.get("surroundings") or {}
    told = [
        (_("Model"), _placeless(setup.get("model", ""))),
        (_("Parameters"), _pairs(setup.get("parameters") or {})),
        (_("Embedding model"), _words(space.get("name"), space.get("fingerprint"), space.get("floor"))),
        (_("Template"), _words(template.get("code"), template.get("number"), template.get("sha256"))),
        (_("Prompt"), _words(prompt.get("version"), prompt.get("sha256"))),
        (_("Passages"), str(setup.get("passages", ""))),
        (_("Strictness"), str(setup.get("strictness", ""))),
        (_("Judge"), _placeless(setup.get("judge", ""))),
        (_("Reranker"), _placeless(setup.get("reranker", ""))),
        (_("Software"), _words(around.get("software"), f"Python {around.get('python', '')}")),
        (_("Libraries"), _pairs(around.get("libraries") or {})),
        (_("Revision of the index"), str(around.get("index_revision", ""))),
        (_("Questions"), run.cases_sha256),
        (_("Seed"), str(run.seed)),
    ]
    return [(label, value) for label, value in told if value]


def ran_otherwise(run: EvaluationRun, against: EvaluationRun) -> list[tuple[Any, str, str]]:
    """What differs in what two runs ran with: its name, and how it was with `against` and with `run`."""
    before, after = dict(ran_with(against)), dict(ran_with(run))
    labels = [label for label in {**before, **after} if label != _("Seed")]
    return [(one, before.get(one, "–"), after.get(one, "–")) for one in labels if before.get(one) != after.get(one)]


def lines(run: EvaluationRun) -> list[Line]:
    """Each measure that applies, in order."""
    return [_line(metric, run.figures[metric]) for metric in Metric if metric in run.figures]


def written(metric: str, value: float | None) -> str:
    """A value of a measure as people read it."""
    if value is None:
        return "–"
    if metric in SHARES:
        return f"{value * 100:.0f} %"
    if metric == Metric.COST:
        return f"{value:.4f} {settings.CURRENCY}"
    return f"{value:.2f} s"


def rows(run: EvaluationRun, *, to: User, against: EvaluationRun | None = None) -> list[Row]:
    """The cases of a run in order, beside those of another."""
    results = list(run.results.select_related("case"))
    others = {one.case_id: one for one in against.results.select_related("case")} if against else {}
    told = readable(to, [*results, *others.values()])
    cases = readable(to, [result.case for result in results])
    return [_row(result, others.get(result.case_id), told, cases) for result in results]


def difference_lines(found: Sequence[Difference]) -> list[dict[str, Any]]:
    """How two runs differ, in words."""
    return [
        {
            "label": one.metric.label,
            "before": written(one.metric, one.before),
            "after": written(one.metric, one.after),
            "parted": _points(one.interval.value),
            "between": _between(_points(one.interval.low), _points(one.interval.high)),
            "better": one.better,
            "worse": one.worse,
            "chance": round(one.by_chance * 100),
            "n": one.interval.n,
        }
        for one in found
    ]


def as_document(run: EvaluationRun) -> dict[str, Any]:
    """For programs; the names are stable, and there are no words of questions or answers."""
    return {
        "id": run.pk,
        "workspace": run.workspace.slug,
        "question_set": run.question_set.name,
        "version": run.set_version,
        "cases_sha256": run.cases_sha256,
        "state": run.state,
        "problem": run.problem,
        "as": run.started_by.get_username(),
        "figures": run.figures,
        "setup": run.setup,
        "cases": [
            {
                "id": result.case.code,
                "outcome": result.outcome,
                "recall": result.recall,
                "precision": result.precision,
                "grounding": result.grounding,
                "facts": result.facts,
                "refusal_right": result.refusal_right,
                "seconds": result.seconds,
            }
            for result in run.results.select_related("case")
        ],
    }


def _line(metric: Metric, figure: dict[str, Any]) -> Line:
    low, high = figure["low"], figure["high"]
    between = _between(written(metric, low), written(metric, high)) if low is not None and high is not None else ""
    if metric not in SHARES:
        return Line(metric.label, MEANS[metric], written(metric, figure["value"]), between, figure["n"], None)
    start, end = round(low * 100), round(high * 100)
    return Line(
        metric.label,
        MEANS[metric],
        written(metric, figure["value"]),
        between,
        figure["n"],
        round(figure["value"] * 100),
        start,
        max(1, end - start),
    )


def _placeless(label: str) -> str:
    return label.partition(" at ")[0]


def _words(*parts: Any) -> str:
    return " · ".join(str(part) for part in parts if part not in (None, ""))


def _pairs(values: dict[str, Any]) -> str:
    return " · ".join(f"{name} {value}" for name, value in sorted(values.items()))


def _between(low: str, high: str) -> str:
    return _("%(low)s to %(high)s") % {"low": low, "high": high}


def _points(value: float | None) -> str:
    # A minus, and nothing that may be parted at the end of a line.
    return "–" if value is None else f"{value * 100:+.0f}\xa0%".replace("-", "−")


def _row(result: CaseResult, other: CaseResult | None, told: frozenset[Any], cases: frozenset[Any]) -> Row:
    is_open = result.case_id in cases
    change = 0
    if other is not None and result.refusal_right is not None and other.refusal_right is not None:
        pairs = [(value_of(other, metric), value_of(result, metric)) for metric in SHARES]
        parted = [new - old for old, new in pairs if old is not None and new is not None]
        change = (sum(parted) > 0) - (sum(parted) < 0)
    return Row(
        result,
        result.case.question if is_open else "",
        result.text if is_open and result.pk in told else "",
        _outcome(result),
        result.refusal_right,
        [
            written(metric, value_of(result, metric))
            for metric in (Metric.RECALL, Metric.PRECISION, Metric.GROUNDING, Metric.FACTS)
        ],
        other,
        other.text if other is not None and is_open and other.pk in told else "",
        _outcome(other) if other else "",
        change,
    )


def _outcome(result: CaseResult) -> Any:
    if result.outcome == CLOSED:
        return _("Not asked: closed to who started it")
    if result.outcome == AnswerStatus.ANSWERED:
        return _("Answered")
    return AnswerStatus(result.outcome).label
