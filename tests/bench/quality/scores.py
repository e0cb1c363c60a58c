"""What is made of a ranking and of what judges found relevant."""

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path


def judgements(file: Path) -> dict[str, dict[str, int]]:
    """For each query the documents judged for it, with their grade."""
    found: dict[str, dict[str, int]] = defaultdict(dict)
    for row in file.read_text(encoding="utf-8").splitlines()[1:]:
        query, document, gain = row.split("\t")
        found[query][document] = int(gain)
    return found


def ndcg(found: Sequence[str], relevant: Mapping[str, int]) -> float:
    """Of the first ten, with gains of 2^grade − 1."""
    gain = sum((2 ** relevant.get(id, 0) - 1) / math.log2(place + 2) for place, id in enumerate(found[:10]))
    best = sorted(relevant.values(), reverse=True)[:10]
    ideal = sum((2**grade - 1) / math.log2(place + 2) for place, grade in enumerate(best))
    return gain / ideal if ideal else 0.0


def recall(found: Sequence[str], relevant: Mapping[str, int]) -> float:
    """The share of what is relevant that stands among the first ten."""
    wanted = {id for id, grade in relevant.items() if grade > 0}
    return len(wanted.intersection(found[:10])) / len(wanted) if wanted else 0.0
