"""How questions are put together by meaning, over the mean cosine from which one joins a gap.

    python -m tests.bench.quality.gaps DATA [--json OUT]

Questions that their paragraph does not answer come one after the other, as they would in a workspace, with slips of
the pen and other wordings of some of them in between. Told for each cosine: how many gaps come of it, how large the
largest is, which share of the pairs in one gap are about one paragraph and about one article, and how many of the
questions that were asked twice in other words are found together.
"""

import argparse
import json
import random
from collections import defaultdict
from pathlib import Path
from typing import Any

import numpy as np

from tests.bench.quality.reuse import _rows, _set_up, said_otherwise

_COSINES = (0.5, 0.55, 0.6, 0.65, 0.7, 0.75, 0.8)
#: One question in so many is asked a second time.
_ASKED_TWICE = 5


def stream(data: Path) -> list[dict[str, Any]]:
    """`{text, doc, same}` in the order of asking; `same` is equal for those that ask the same."""
    rng = random.Random(11)
    asked = []
    for row in _rows(data / "squad2/unanswerable.jsonl"):
        one = {"text": row["text"], "doc": row["near_doc"], "same": row["_id"]}
        asked.append(one)
        if rng.randrange(_ASKED_TWICE) == 0:
            _kind, text = rng.choice(list(said_otherwise(row["text"], rng)))
            asked.append(one | {"text": text})
    rng.shuffle(asked)
    return asked


def grouped(vectors: np.ndarray, least: float) -> list[int]:
    """The gap of each question, as `answers.gaps.grouping` puts them one after the other."""
    from answers.gaps.grouping import best_of

    gaps: list[int] = []
    for row, vector in enumerate(vectors):
        found = best_of(gaps, (vectors[:row] @ vector).tolist(), least)
        gaps.append(len(set(gaps)) if found is None else found)
    return gaps


def measure(data: Path) -> list[dict[str, Any]]:
    """One row of figures for each cosine."""
    from documents.embeddings import default_space, embed_query

    asked, space = stream(data), default_space()
    vectors = np.array([embed_query(one["text"], space) for one in asked])
    return [{"cosine": least} | _figures(asked, grouped(vectors, least)) for least in _COSINES]


def _figures(asked: list[dict[str, Any]], gaps: list[int]) -> dict[str, Any]:
    members: dict[int, list[int]] = defaultdict(list)
    for at, gap in enumerate(gaps):
        members[gap].append(at)
    pairs = [(a, b) for found in members.values() for n, a in enumerate(found) for b in found[n + 1 :]]
    one_doc = sum(asked[a]["doc"] == asked[b]["doc"] for a, b in pairs)
    one_article = sum(asked[a]["doc"].split("-")[0] == asked[b]["doc"].split("-")[0] for a, b in pairs)
    twice: dict[str, list[int]] = defaultdict(list)
    for at, one in enumerate(asked):
        twice[one["same"]].append(gaps[at])
    again = [found for found in twice.values() if len(found) > 1]
    return {
        "questions": len(asked),
        "gaps": len(members),
        "largest": max(map(len, members.values())),
        "one_paragraph": round(one_doc / max(1, len(pairs)), 3),
        "one_article": round(one_article / max(1, len(pairs)), 3),
        "asked_twice_together": round(sum(len(set(found)) == 1 for found in again) / len(again), 3),
    }


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path, metavar="DATA")
    parser.add_argument("--json", type=Path, metavar="OUT")
    options = parser.parse_args(arguments)
    _set_up()
    rows = measure(options.data)
    for row in rows:
        print("  ".join(f"{name} {value}" for name, value in row.items()))
    if options.json:
        options.json.write_text(json.dumps(rows, indent=2) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
