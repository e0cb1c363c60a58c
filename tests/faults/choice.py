"""Which of all faults one run tries: a random few of each kind, the same for one seed, or every one of them.

INLOCK_FAULTS=all tries all, and so does naming one, or asking for some by -k. Otherwise the seed is another in each
run, and INLOCK_FAULTS_SEED repeats what it chose.
"""

import os
import random
import zlib
from collections.abc import Sequence
from fractions import Fraction
from typing import TypeVar

T = TypeVar("T")

#: How many of the tests of these modules a run tries; less than one is in so many of all runs.
FEW = {
    ("test_matrix.py",): Fraction(3),
    ("test_deliveries.py",): Fraction(1),
    ("test_sabotage.py",): Fraction(1, 2),
    ("test_parsers.py",): Fraction(1, 2),
    ("test_yesterday.py",): Fraction(1, 2),
    # Each wants the whole serving portal.
    ("test_kills.py", "test_disturbed.py"): Fraction(1, 6),
}


def all_of_them() -> bool:
    return os.environ.get("INLOCK_FAULTS") == "all"


def seed() -> int:
    """The seed of this run. All processes of a run share its directory, whose name is random."""
    given = os.environ.get("INLOCK_FAULTS_SEED")
    return int(given) if given else zlib.crc32(os.environ["INLOCK_VAR"].encode()) % 100_000


def some_of(faults: Sequence[T], few: Fraction, kind: str) -> list[T]:
    """A few of the faults of this kind by the seed, in their order."""
    chance = random.Random(f"{seed()} {kind}")
    count = min(len(faults), int(few) + (chance.random() < few % 1))
    chosen = set(chance.sample(range(len(faults)), count))
    return [fault for number, fault in enumerate(faults) if number in chosen]
