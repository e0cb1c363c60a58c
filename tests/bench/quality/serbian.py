"""A Serbian book in both scripts, asked in the other script and in English; and English sentences asked in Serbian."""

from collections.abc import Mapping
from typing import Any

from tests.bench.quality.bench import Bench
from tests.bench.quality.judged import compared
from tests.bench.quality.sets import Figure

SCRIPTS = {"cyrl": "sr_cyr", "latn": "sr_lat"}
#: Keywords folded and cut to five letters; for English questions MiniLM's vectors, as recall@10.
FLOORS: dict[str, Any] = {"serbian-words": (0.510, None), "english-to-serbian": {"cyrl": 0.23, "latn": 0.27}}


def measure(bench: Bench, name: str) -> list[Figure]:
    """Titles in one script for text in the other; English sentences for their sections; or titles for the sentences."""
    if name == "serbian-words":
        return _across_scripts(bench, name)
    return _to_serbian(bench, name) if name == "english-to-serbian" else _to_english(bench, name)


def _across_scripts(bench: Bench, name: str) -> list[Figure]:
    """Sections without their titles, asked by these titles in the other script."""
    figures = []
    for script, other in (("cyrl", "latn"), ("latn", "cyrl")):
        texts = {row["_id"]: row["text"] for row in bench.rows(f"progit/{SCRIPTS[script]}.jsonl")}
        asked = {row["_id"]: row["title"] for row in bench.rows(f"progit/{SCRIPTS[other]}.jsonl")}
        figures += _each_itself(bench, f"{name}-{script}", texts, asked, FLOORS["serbian-words"])
    return figures


def _to_serbian(bench: Bench, name: str) -> list[Figure]:
    """The first sentence of each section in English, asked of the book in Serbian."""
    asked = {row["_id"]: row["text"] for row in bench.rows("progit/questions_en.jsonl")}
    figures = []
    for script, file in SCRIPTS.items():
        texts = {row["_id"]: f"{row['title']}\n\n{row['text']}" for row in bench.rows(f"progit/{file}.jsonl")}
        figures += _each_itself(bench, f"{name}-{script}", texts, asked, (None, FLOORS["english-to-serbian"][script]))
    return figures


def _to_english(bench: Bench, name: str) -> list[Figure]:
    """Serbian titles, asked of the English sentences that begin their sections."""
    texts = {row["_id"]: row["text"] for row in bench.rows("progit/questions_en.jsonl")}
    figures = []
    for script, file in SCRIPTS.items():
        asked = {row["_id"]: row["title"] for row in bench.rows(f"progit/{file}.jsonl")}
        figures += _each_itself(bench, f"{name}-{script}", texts, asked, (None, None))
    return figures


def _each_itself(
    bench: Bench,
    name: str,
    texts: Mapping[str, str],
    asked: Mapping[str, str],
    floors: tuple[float | None, float | None],
) -> list[Figure]:
    """Figures for questions that are each to find the text of their own id."""
    # Files get numbers for names: what an id says about its section is not to help.
    number = {id: f"{place:04}" for place, id in enumerate(texts)}
    place = bench.place(name, {f"{number[id]}.txt": text for id, text in texts.items()})
    queries = {number[id]: text for id, text in asked.items()}
    return compared(name, place, queries, {id: {id: 1} for id in queries}, floors)
