"""What cosines of the optional embedding model mean, beside those of the default one.

    python -m tests.bench.quality.spaces DATA

needs no engine: SQuAD's paragraphs are cut and embedded with both models, and asked the questions they answer and
others about aerodynamics. Floor and scale are such that the mean nearness of both kinds of question is that of the
default model. Then a Serbian book is asked in English, and it is told what each strictness refuses, by meaning alone.
"""

import argparse
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

#: Every sixth of SQuAD's questions and every second of the others: more changes the third digit.
_ASKED = {"good": ("squad2/queries.jsonl", 6), "elsewhere": ("cranfield/queries.jsonl", 2)}
_BOOKS = {"cyrl": "progit/sr_cyr.jsonl", "latn": "progit/sr_lat.jsonl"}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path, metavar="DATA")
    data = parser.parse_args().data
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "inlock.settings")
    import django

    django.setup()
    from documents.embeddings import built_in
    from tests.bench.quality.bench import Bench

    bench = Bench(data.resolve())
    usual, other = built_in()
    asked = {kind: [row["text"] for row in bench.rows(file)[::step]] for kind, (file, step) in _ASKED.items()}
    paragraphs = _passages(bench.rows("squad2/corpus.jsonl"))
    means = {
        space.name: [float(_nearest(texts, paragraphs, space).mean()) for texts in asked.values()]
        for space in (usual, other)
    }
    (good, elsewhere), (new_good, new_elsewhere) = means.values()
    scale = (good - elsewhere) / (new_good - new_elsewhere)
    print(f"{other.name}: floor {new_good - (good - usual.floor) / scale:.3f}, scale {scale:.2f}; in use:", end=" ")
    print(f"{other.floor}, {other.scale}")
    for script, file in _BOOKS.items():
        book = _passages(bench.rows(file))
        english = [row["text"] for row in bench.rows("progit/questions_en.jsonl")]
        print(f"English of Serbian, {script}")
        _refusals(other, {"good": english, "SQuAD's": asked["good"], "aerodynamics": asked["elsewhere"]}, book)


def _passages(rows: Sequence[dict[str, Any]]) -> list[str]:
    from documents.parse import Section
    from documents.passages import split

    found = []
    for row in rows:
        title = row.get("title", "").strip()
        text = "\n\n".join(part for part in (title, row["text"].strip()) if part)
        pieces = split(text, [Section("section", 1, "", (), 0, len(text))])
        found += [f"{title}\n{piece.text}".strip() for piece in pieces]
    return found


def _nearest(questions: Sequence[str], passages: Sequence[str], space: Any) -> np.ndarray:
    """The cosine of each question with the nearest passage."""
    from documents.embeddings import embed_passages, embed_query

    asked = np.stack([embed_query(text, space) for text in questions])
    return (asked @ embed_passages(passages, space).T).max(axis=1)


def _refusals(space: Any, asked: dict[str, list[str]], passages: Sequence[str]) -> None:
    from answers.checks.answerability import LEAST_CHANCE, Signs

    found = {kind: _nearest(texts, passages, space) for kind, texts in asked.items()}
    for strictness, least in LEAST_CHANCE.items():
        shares = []
        for kind, cosines in found.items():
            chances = [Signs((cosine - space.floor) * space.scale, None).chance for cosine in cosines]
            shares.append(f"{kind} answered {np.mean([chance >= least for chance in chances]):.3f}")
        print(f"  {strictness}: {', '.join(shares)}")


if __name__ == "__main__":
    main()
