"""The intervals are those of their sources: known values, edges, and how they behave."""

from math import comb

import pytest

from answers.evaluation import intervals


@pytest.mark.parametrize(
    ("right", "n", "low", "high"),
    # Wilson's interval as in Newcombe, Statistics in Medicine 17 (1998), table I: 81/263, 15/148, 0/20, 1/29.
    [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611), (1, 29, 0.0061, 0.1718)],
)
def test_a_share_has_the_interval_of_wilson(right: int, n: int, low: float, high: float) -> None:
    found = intervals.share([1.0] * right + [0.0] * (n - right))

    assert found is not None
    assert (found.low, found.high) == (pytest.approx(low, abs=1e-4), pytest.approx(high, abs=1e-4))


def test_nothing_measured_has_no_interval_and_one_value_says_little() -> None:
    assert intervals.share([]) is None
    assert intervals.quantile([], 0.5) is None
    assert intervals.mean([], seed=1) is None
    assert intervals.difference([]) is None
    one = intervals.quantile([2.0], 0.95)
    assert one is not None
    assert (one.value, one.low, one.high) == (2.0, None, None)


def test_a_median_lies_between_order_statistics() -> None:
    """For ten values the second and the ninth: Conover, table A3."""
    found = intervals.quantile([float(n) for n in range(1, 11)], 0.5)

    assert found is not None
    assert (found.value, found.low, found.high) == (5.0, 2.0, 9.0)


def test_a_difference_of_pairs_is_that_of_agresti_and_min_and_never_without_width() -> None:
    # Their example: of 1,600 pairs 150 changed one way and 86 the other; the adjusted interval is 0.021 to 0.059.
    pairs = [(0.0, 1.0)] * 150 + [(1.0, 0.0)] * 86 + [(1.0, 1.0)] * 794 + [(0.0, 0.0)] * 570
    found, same = intervals.difference(pairs), intervals.difference([(1.0, 1.0)] * 20)

    assert found is not None
    assert (found.low, found.high) == (pytest.approx(0.021, abs=1e-3), pytest.approx(0.059, abs=1e-3))
    assert same is not None
    assert same.low is not None
    assert same.low < 0.0 < (same.high or 0.0)


def test_chance_is_the_exact_test_of_mcnemar() -> None:
    assert intervals.by_chance(0, 0) == 1.0
    assert intervals.by_chance(8, 1) == pytest.approx(2 * (1 + comb(9, 1)) / 2**9)


def test_the_bootstrap_is_the_same_for_the_same_seed() -> None:
    values = [0.1, 0.4, 0.2, 0.9]

    assert intervals.mean(values, seed=7) == intervals.mean(values, seed=7)
