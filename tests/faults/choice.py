"""Which of all faults one run tries: a random few, the same for one seed, or every one of them.

INLOCK_FAULTS=all tries all. Otherwise the seed is another in each run; it stands in the name of every test it chose,
and INLOCK_FAULTS_SEED repeats what it chose.
"""

import os
import random
import zlib
from collections.abc import Sequence
from typing import TypeVar

T = TypeVar("T")

ALL = os.environ.get("INLOCK_FAULTS") == "all"


def seed() -> int:
    """The seed of this run. All processes of a run share its directory, whose name is random."""
    given = os.environ.get("INLOCK_FAULTS_SEED")
    return int(given) if given else zlib.crc32(os.environ["INLOCK_VAR"].encode()) % 100_000


def some_of(faults: Sequence[T], few: int) -> list[T]:
    """All faults, or `few` of them by the seed, in their order."""
    if ALL or few >= len(faults):
        return list(faults)
    chosen = set(random.Random(f"{seed()}").sample(range(len(faults)), few))
    return [fault for number, fault in enumerate(faults) if number in chosen]


def name(fault: object) -> str:
    """The name of a test of this fault, which says how to try it again."""
    return str(fault) if ALL else f"{fault}-seed{seed()}"
