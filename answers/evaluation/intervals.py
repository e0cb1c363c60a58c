"""How much a figure says, given how few questions it rests on: intervals at 95 %.

Shares: the score interval of E. B. Wilson, "Probable inference, the law of succession, and statistical inference",
Journal of the American Statistical Association 22 (1927). It is taken for means of values between 0 and 1 as well,
whose variance is at most that of a share with the same mean, so that it is wide enough for them.

Quantiles: order statistics by the binomial distribution, W. J. Conover, "Practical Nonparametric Statistics", 3.2.
Other means: the bootstrap's percentiles, B. Efron, "Bootstrap methods", Annals of Statistics 7 (1979), with a seed.

Differences of the same questions in two runs: A. Agresti and Y. Min, "Simple improved confidence intervals for
comparing matched proportions", Statistics in Medicine 24 (2005), half a pair added to each cell, here with shares in
place of counts. How often chance parts them as unevenly: Q. McNemar, Psychometrika 12 (1947), in its exact form.
"""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil, comb, sqrt
from statistics import NormalDist, fmean

CONFIDENCE = 0.95
_Z = NormalDist().inv_cdf((1 + CONFIDENCE) / 2)
_RESAMPLES = 1000


@dataclass(frozen=True, slots=True)
class Interval:
    """A figure over `n` values, with the least and the most it may really be; None where that cannot be said."""

    value: float
    low: float | None
    high: float | None
    n: int


def share(values: Sequence[float]) -> Interval | None:
    """The mean of values from 0 to 1, after Wilson; None of no values."""
    n = len(values)
    if not n:
        return None
    mean = fmean(values)
    middle = (mean + _Z**2 / (2 * n)) / (1 + _Z**2 / n)
    half = _Z / (1 + _Z**2 / n) * sqrt(mean * (1 - mean) / n + _Z**2 / (4 * n**2))
    return Interval(mean, max(0.0, middle - half), min(1.0, middle + half), n)


def quantile(values: Sequence[float], q: float) -> Interval | None:
    """The value below which the share `q` lies (nearest rank), between two order statistics; None of no values.

    An end of the interval is None where so few values allow none.
    """
    n = len(values)
    if not n:
        return None
    ordered = sorted(values)
    tail = (1 - CONFIDENCE) / 2
    # The largest rank that the quantile undercuts, and the smallest that it exceeds, with so little chance each.
    cumulative, low, high = 0.0, 0, n + 1
    for below in range(n + 1):
        if cumulative + (mass := comb(n, below) * q**below * (1 - q) ** (n - below)) <= tail:
            low = below + 1
        if high > n and cumulative + mass >= 1 - tail:
            high = below + 1
        cumulative += mass
    return Interval(
        ordered[max(1, ceil(q * n)) - 1],
        ordered[low - 1] if 1 <= low <= n else None,
        ordered[high - 1] if high <= n else None,
        n,
    )


def mean(values: Sequence[float], *, seed: int) -> Interval | None:
    """The mean of any values, between the bootstrap's percentiles; None of no values, no interval of a single one."""
    n = len(values)
    if not n:
        return None
    if n == 1:
        return Interval(values[0], None, None, 1)
    draw = random.Random(seed)  # noqa: S311  # so that a run can be repeated, not so that nobody can guess it
    means = sorted(fmean(draw.choices(values, k=n)) for _ in range(_RESAMPLES))
    edge = round(_RESAMPLES * (1 - CONFIDENCE) / 2)
    return Interval(fmean(values), means[edge], means[-edge - 1], n)


def difference(pairs: Sequence[tuple[float, float]]) -> Interval | None:
    """How much higher the second of each pair of values from 0 to 1 is, after Agresti and Min; None of no pairs."""
    n = len(pairs)
    if not n:
        return None
    parted = [after - before for before, after in pairs]
    middle = sum(parted) / (n + 2)
    variance = (sum(one**2 for one in parted) + 1) / (n + 2) - middle**2
    half = _Z * sqrt(variance / (n + 2))
    return Interval(fmean(parted), max(-1.0, middle - half), min(1.0, middle + half), n)


def by_chance(better: int, worse: int) -> float:
    """How often chance alone parts as many questions at least so unevenly: McNemar's test, exact and two-sided."""
    parted, less = better + worse, min(better, worse)
    return min(1.0, float(2 * sum(comb(parted, count) for count in range(less + 1)) / 2**parted))
