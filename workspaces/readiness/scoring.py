"""How results become figures: a check that passed counts whole, a doubtful one half, a blocker nothing."""

from collections import Counter
from collections.abc import Iterable, Sequence

from workspaces.models import Outcome, ReadinessResult

_WORTH = {Outcome.PASS: 2, Outcome.WARN: 1, Outcome.BLOCK: 0}


def overall(results: Iterable[ReadinessResult]) -> int:
    """0 to 100 over every check that applies; 0 where none does."""
    worth = [_WORTH[Outcome(one.outcome)] for one in results if one.outcome != Outcome.NONE]
    return 100 * sum(worth) // (2 * len(worth)) if worth else 0


def by_area(results: Sequence[ReadinessResult]) -> dict[str, int]:
    """The same for each area that has a check which applies."""
    areas = dict.fromkeys(one.area for one in results if one.outcome != Outcome.NONE)
    return {area: overall(one for one in results if one.area == area) for area in areas}


def counts(results: Iterable[ReadinessResult]) -> dict[str, int]:
    """How many of each outcome, all four named."""
    found = Counter(one.outcome for one in results)
    return {outcome.value: found[outcome.value] for outcome in Outcome}
