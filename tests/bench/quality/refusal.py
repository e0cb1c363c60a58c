"""Is it known when an answer is missing? Questions with one, near misses, and questions about other things.

    python -m tests.bench.quality.refusal DATA [--keep DIR]

fits the coefficients of `answers.checks.answerability` anew, tests them on the fifths they were not fitted on, and
prints the curve: at each chance, the share of good questions refused and of the others answered.
"""

import argparse
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from tests.bench.installation import installation
from tests.bench.quality.bench import Bench
from tests.bench.quality.sets import Figure

#: The best that the cosine of the nearest passage alone reaches.
FLOORS = {"near miss": 0.62, "elsewhere": 0.99}
FILES = {
    "good": "squad2/queries.jsonl",
    "near miss": "squad2/unanswerable.jsonl",
    "elsewhere": "cranfield/queries.jsonl",
}
#: Questions of a kind in the benchmark; the calibration takes all.
SAMPLE = 400
_SIGNS = {
    "both": ("nearness", "covered", "nowhere", "unnamed", "uncounted", "denied", "opposed"),
    "words": ("covered", "nowhere", "unnamed", "uncounted", "denied", "opposed"),
    "meaning": ("nearness",),
}
_FOLDS, _BLOCK, _RIDGE = 5, 50, 0.5
#: Beside a weight of one for all good questions together: what the others weigh together.
_WEIGHT = {"good": 1.0, "near miss": 0.8, "elsewhere": 0.2}


def measure(bench: Bench, name: str) -> list[Figure]:
    """AUC of the chance, with words and meaning and with each alone; and what each strictness lets pass."""
    from answers.checks.answerability import LEAST_CHANCE

    signs = read_signs(bench, SAMPLE)
    figures: list[Figure] = []
    for way in _SIGNS:
        chances = {kind: [_only(each, way).chance for each in found] for kind, found in signs.items()}
        for kind, floor in FLOORS.items():
            value = auc(chances["good"], chances[kind])
            figures.append(
                Figure(name, way, f"AUC, {kind}", value, len(chances[kind]), floor if way == "both" else None)
            )
        for strictness, least in LEAST_CHANCE.items():
            for kind, found in chances.items():
                share = float(np.mean([chance >= least for chance in found]))
                figures.append(Figure(name, f"{way}, {strictness}", f"answered, {kind}", share, len(found)))
    return figures


def read_signs(bench: Bench, most: int | None = None) -> dict[str, list[Any]]:
    """The signs of evenly drawn questions of each kind."""
    from answers.checks.answerability import signs_of

    place = bench.corpus("squad2/corpus.jsonl")
    found: dict[str, list[Any]] = {}
    for kind, file in FILES.items():
        rows = bench.rows(file)
        drawn = rows[:: max(1, len(rows) // most)][:most] if most else rows
        found[kind] = [signs_of(place.workspace, place.search(row["text"], 8)) for row in drawn]
    return found


def auc(good: Sequence[float], others: Sequence[float]) -> float:
    """How often a good question has the better chance than another one; ties count half."""
    ranks = np.asarray([*good, *others], dtype=float)
    _values, inverse, counts = np.unique(ranks, return_inverse=True, return_counts=True)
    middle = (np.cumsum(counts) - (counts - 1) / 2)[inverse]
    return float((middle[: len(good)].sum() - len(good) * (len(good) + 1) / 2) / len(good) / len(others))


def fit(signs: np.ndarray, good: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """The coefficients of a logistic regression by Newton's method, the constant first."""
    rows = np.c_[np.ones(len(signs)), signs]
    factors = np.zeros(rows.shape[1])
    ridge = _RIDGE * np.diag([1e-9, *np.ones(signs.shape[1])])
    for _round in range(50):
        chance = 1 / (1 + np.exp(-rows @ factors))
        slope = rows.T @ (weights * (chance - good)) + ridge @ factors
        curvature = (rows * (weights * chance * (1 - chance))[:, None]).T @ rows + ridge
        factors -= np.linalg.solve(curvature, slope)
    return factors


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path, metavar="DATA")
    parser.add_argument("--keep", type=Path, metavar="DIR")
    options = parser.parse_args()
    with installation(options.keep):
        signs = read_signs(Bench(options.data.resolve()))
    for way, names in _SIGNS.items():
        _calibrate(way, names, signs)


def _calibrate(way: str, names: Sequence[str], signs: dict[str, list[Any]]) -> None:
    kinds = np.array([kind for kind, found in signs.items() for _each in found])
    rows = np.array([[getattr(each, name) or 0.0 for name in names] for found in signs.values() for each in found])
    good = (kinds == "good").astype(float)
    weights = np.array([_WEIGHT[kind] * len(signs["good"]) / len(signs[kind]) for kind in kinds])
    # Questions about one paragraph stand together and stay together.
    fold = np.arange(len(kinds)) // _BLOCK % _FOLDS
    unseen = np.zeros(len(kinds))
    for number in range(_FOLDS):
        factors = fit(rows[fold != number], good[fold != number], weights[fold != number])
        unseen[fold == number] = factors[0] + rows[fold == number] @ factors[1:]
    chance = 100 / (1 + np.exp(-unseen))
    of = {kind: chance[kinds == kind] for kind in signs}
    factors = fit(rows, good, weights)
    print(way, {name: round(float(factor), 2) for name, factor in zip(("one", *names), factors, strict=True)})
    print("  AUC", {kind: round(auc(of["good"], of[kind]), 3) for kind in FLOORS})
    print("  chance  good refused  near miss answered  elsewhere answered")
    for least in range(10, 65, 5):
        shares = [np.mean(of["good"] < least), np.mean(of["near miss"] >= least), np.mean(of["elsewhere"] >= least)]
        print(f"  {least:6d}  {shares[0]:12.3f}  {shares[1]:18.3f}  {shares[2]:18.3f}")


def _only(signs: Any, way: str) -> Any:
    """The signs as if nothing but words, or nothing but meaning, could be compared."""
    if way == "words":
        return replace(signs, nearness=None)
    return replace(signs, covered=None) if way == "meaning" else signs


if __name__ == "__main__":
    main()
