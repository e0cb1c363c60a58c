"""When two questions count as one: false matches and finds, over the cosine from which questions are compared.

    python -m tests.bench.quality.reuse DATA [--json OUT]

Near misses are questions about the same paragraph that have other answers, and questions changed in one thing that
matters: a number, a name, a negation, the question word, a word for its opposite. True pairs are questions with slips
of the pen, other capitals and punctuation, and words of politeness around them; and, as the hardest, what people
wrote themselves about one paragraph with the very same answer, which is often the same question in other words.
"""

import argparse
import json
import random
import re
from collections import defaultdict
from collections.abc import Callable, Iterator
from itertools import combinations
from pathlib import Path
from typing import Any

Pair = tuple[str, str]

#: A near-miss pair may be taken for one question so often.
MOST_FALSE = 0.005
_COSINES = (0.0, 0.6, 0.7, 0.75, 0.8, 0.85, 0.9, 0.95)
_OPPOSITES = {
    "first": "second", "largest": "smallest", "most": "least", "before": "after", "maximum": "minimum",
    "more": "less", "highest": "lowest", "north": "south", "begin": "end", "began": "ended", "first.": "last",
    "oldest": "newest", "above": "below", "increase": "decrease", "east": "west", "with": "without",
}  # fmt: skip
_ASKING = {"who": "when", "when": "where", "where": "who", "what": "why", "how": "why"}


def changed(text: str, others: list[str], rng: random.Random) -> Iterator[tuple[str, str]]:
    """`(kind, question)` for each thing that matters which can be changed in `text`."""
    words = text.split()
    for at, word in enumerate(words):
        bare = word.strip("?,.").lower()
        if bare in _OPPOSITES:
            yield "opposite", " ".join([*words[:at], _OPPOSITES[bare], *words[at + 1 :]])
        if bare.isdigit():
            yield "number", " ".join([*words[:at], word.replace(bare, str(int(bare) + 1)), *words[at + 1 :]])
        if at and word[:1].isupper() and others:
            yield "name", " ".join([*words[:at], rng.choice(others), *words[at + 1 :]])
        if bare in {"is", "are", "was", "were", "did", "does", "do", "can"}:
            yield "negation", " ".join([*words[: at + 1], "not", *words[at + 1 :]])
    if words and words[0].lower() in _ASKING:
        yield "question word", " ".join([_ASKING[words[0].lower()].capitalize(), *words[1:]])


def said_otherwise(text: str, rng: random.Random) -> Iterator[tuple[str, str]]:
    """`(kind, question)` that asks the same as `text`."""
    yield "capitals and punctuation", text.lower().rstrip("?").rstrip()
    yield "politeness", f"Could you please tell me: {text[0].lower()}{text[1:]}"
    if shortened := re.sub(r"^(What|Who|Where|When|How) is\b", r"\1's", text):
        yield "shortened", shortened
    if slipped := _slip(text, rng):
        yield "a slip of the pen", slipped


def _slip(text: str, rng: random.Random) -> str:
    long = list(re.finditer(r"\b[a-z]{6,}\b", text))
    if not long:
        return ""
    word = rng.choice(long)
    at = rng.randrange(word.start() + 2, word.end() - 1)
    way = rng.randrange(3)
    if way == 0:
        return text[:at] + text[at + 1 :]
    if way == 1:
        return text[:at] + text[at] + text[at:]
    return text[: at - 1] + text[at] + text[at - 1] + text[at + 1 :]


def pairs(data: Path) -> tuple[dict[str, list[Pair]], dict[str, list[Pair]]]:
    """Near misses and true pairs, by kind."""
    rng = random.Random(7)
    rows = _rows(data / "squad2/answers.jsonl")
    near: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for row in rows:
        near[row["doc"]].append(row)
    for row in _rows(data / "squad2/unanswerable.jsonl"):
        near[row["near_doc"]].append(row)
    misses: dict[str, list[Pair]] = defaultdict(list)
    same: dict[str, list[Pair]] = defaultdict(list)
    names = sorted({word for row in rows for word in row["text"].strip("?").split()[1:] if word[:1].isupper()})
    for together in near.values():
        for one, other in combinations(together, 2):
            kind, into = _relation(one, other)
            if into is not None:
                (misses if into == "miss" else same)[kind].append((one["text"], other["text"]))
    for row in rows:
        for kind, text in changed(row["text"], names, rng):
            if text.lower() != row["text"].lower():
                misses[kind].append((row["text"], text))
        for kind, text in said_otherwise(row["text"], rng):
            if text != row["text"]:
                same[kind].append((row["text"], text))
    return misses, same


def _relation(one: dict[str, Any], other: dict[str, Any]) -> tuple[str, str | None]:
    if one["text"].casefold() == other["text"].casefold():
        return "", None
    answers = [{answer.casefold() for answer in row.get("answers", [])} for row in (one, other)]
    if answers[0] & answers[1]:
        return "the same answer, in people's words", "same"
    if all(answers) and any(a in b or b in a for a in answers[0] for b in answers[1]):
        return "", None  # cannot be told
    if not any(answers):
        return "", None  # two that have no answer may ask for the same missing thing
    return "the same paragraph", "miss"


def _rows(file: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]


def measure(data: Path) -> list[dict[str, Any]]:
    """For each cosine: how many near misses and true pairs are taken for one question, with and without the guards."""
    from answers.reuse.near import same_question
    from documents.embeddings import default_space, embed_query

    misses, same = pairs(data)
    space, known = default_space(), {}

    def cosine(pair: Pair) -> float:
        for text in pair:
            if text not in known:
                known[text] = embed_query(text, space)
        return float(known[pair[0]] @ known[pair[1]])

    def judged(kinds: dict[str, list[Pair]]) -> dict[str, list[tuple[float, bool]]]:
        return {kind: [(cosine(pair), same_question(*pair)) for pair in found] for kind, found in kinds.items()}

    wrong, right = judged(misses), judged(same)
    return [
        {"way": way, "cosine": least} | _shares(wrong, right, least, is_one)
        for way, is_one in (("vectors alone", lambda one: True), ("with guards", lambda one: one[1]))
        for least in _COSINES
    ]


def _shares(
    wrong: dict[str, list[tuple[float, bool]]],
    right: dict[str, list[tuple[float, bool]]],
    least: float,
    is_one: Callable[[tuple[float, bool]], bool],
) -> dict[str, Any]:
    def share(found: list[tuple[float, bool]]) -> float:
        return sum(one[0] >= least and is_one(one) for one in found) / len(found)

    everything = [one for found in wrong.values() for one in found]
    return {
        "false": {kind: round(share(found), 4) for kind, found in wrong.items()} | {"all": round(share(everything), 5)},
        "found": {kind: round(share(found), 4) for kind, found in right.items()},
        "count": {kind: len(found) for kind, found in (wrong | right).items()},
    }


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path, metavar="DATA")
    parser.add_argument("--json", type=Path, metavar="OUT")
    options = parser.parse_args(arguments)
    _set_up()
    rows = measure(options.data)
    print("pairs:", ", ".join(f"{count} {kind}" for kind, count in rows[0]["count"].items()))
    for row in rows:
        false = "  ".join(f"{kind} {share:.2%}" for kind, share in row["false"].items())
        found = "  ".join(f"{kind} {share:.1%}" for kind, share in row["found"].items())
        print(f"{row['way']}, cosine ≥ {row['cosine']:.2f}\n   taken for one: {false}\n   found: {found}")
    if options.json:
        options.json.write_text(json.dumps(rows, indent=2) + "\n", encoding="utf-8")
    from answers.reuse.near import LEAST_COSINE

    ours = next(row for row in rows if row["way"] == "with guards" and row["cosine"] == LEAST_COSINE)
    return int(ours["false"]["all"] > MOST_FALSE or ours["false"]["the same paragraph"] > MOST_FALSE)


def _set_up() -> None:
    import os

    import django

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "inlock.settings")
    django.setup()


if __name__ == "__main__":
    raise SystemExit(main())
