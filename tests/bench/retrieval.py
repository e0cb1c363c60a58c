"""How well the product's own analyser, indexes and ranking find what judges found relevant, without the portal around.

    python -m tests.bench.retrieval DATA_DIR [--set scifact …] [--cache DIR] [--json]

Collections are folders of DATA_DIR: `corpus.jsonl {_id, title, text}`, `queries.jsonl {_id, text}`, `qrels.tsv`;
`progit` is a Serbian book in Cyrillic asked by its sections' titles in Latin, `filings` real reports in PDF with
questions and the pages that answer them. Documents are cut into passages as at ingestion and ranked by their best
one. The floors are the better of plain keywords and plain vectors, measured once on the same collections. Vectors
are computed anew, or kept in --cache.
"""

import argparse
import hashlib
import json
import math
import os
import sys
import tempfile
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

#: The better of BM25 alone and vectors alone: nDCG@10, and for filings the share of questions with an evidence
#: page among the first ten when whole pages are indexed and the right report is known.
FLOORS = {"scifact": 0.688, "cranfield": 0.397, "squad2": 0.864, "progit": 0.510, "filings": 0.37}
#: On SQuAD 2.0: share of answerable questions that must pass for evidence, and of foreign ones that may.
ANSWERABLE_PASS, FOREIGN_PASS = 0.95, 0.10


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path, metavar="DATA_DIR")
    parser.add_argument("--set", dest="sets", action="append", choices=list(FLOORS), help="all of them without it")
    parser.add_argument("--cache", type=Path, help="keep vectors in this directory for the next time")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "inlock.settings")
    figures: dict[str, dict[str, Any]] = {}
    with tempfile.TemporaryDirectory(prefix="inlock-bench-") as var:
        os.environ["INLOCK_VAR"] = tempfile.tempdir = var
        import django

        django.setup()
        for name in options.sets or FLOORS:
            figures[name] = MEASURES.get(name, judged)(options.data / name, options.cache)
            if name == "squad2":
                figures["refusal"] = refusal(options.data, options.cache)
    tempfile.tempdir = None
    holds = all(row["holds"] for row in figures.values())
    print(json.dumps(figures, indent=2) if options.json else "\n".join(map(line, figures.items())))
    return int(not holds)


class Shelf:
    """Texts cut into passages and indexed in memory and in a temporary keyword replica.

    `rows` are (document id, title, texts); a document's texts are its pages, or one whole text.
    """

    def __init__(self, rows: Iterable[tuple[str, str, Sequence[str]]], cache: Path | None) -> None:
        from documents.analysis import words
        from documents.framing import framed
        from documents.keywords import Replica
        from documents.scope import Candidate, OpenVersion

        self.place_of: list[tuple[str, int]] = []
        self.known: dict[str, Candidate] = {}
        texts: list[str] = []
        for document, title, pages in rows:
            version = OpenVersion(document, document, (title, ""), 0)
            spoken = language("\n".join(pages)[:20_000])
            for page, whole in enumerate(pages, start=1):
                for text in passages(whole):
                    self.known[str(len(texts))] = Candidate(version, language(text) or spoken)
                    self.place_of.append((document, page))
                    texts.append(framed(title, "", text))
        self.words = [words(text, self.known[str(number)].language or None) for number, text in enumerate(texts)]
        self.vectors = embedded(texts, cache)
        self.replica = Replica(Path(tempfile.mkdtemp(prefix="inlock-bench-")))
        self.replica.sync(1, {"all"}, lambda _: ((str(n), "all", held) for n, held in enumerate(self.words)))

    def search(self, query: str, vector: np.ndarray) -> tuple[list[str], Any]:
        """Passage ids, best first, and the evidence they make."""
        from documents.analysis import detect_language, query_words
        from documents.embeddings import default_space
        from documents.evidence import Evidence, coverage, means_something
        from documents.fusion import WIDTH
        from documents.ranking import rank

        space, spoken, asked = default_space(), detect_language(query), query_words(query)
        cosines = self.vectors @ vector
        top = np.argsort(-cosines)[:WIDTH]
        near = [(str(row), float(cosines[row])) for row in top]
        ranked = rank(query, space, spoken, near, self.replica.search(asked, WIDTH), self.known)
        meant = [cosine for id, cosine in near if means_something(space, spoken, self.known[id].language)]
        read_for = [self.words[int(id)] for id, _score in ranked[:5]]
        share = coverage(self.replica.weights(asked), asked, read_for)
        return [id for id, _score in ranked], Evidence(max(meant, default=None), share, space.floor)

    def documents(self, ids: list[str]) -> list[str]:
        """Each document once, by its best passage."""
        return list(dict.fromkeys(self.place_of[int(id)][0] for id in ids))

    def pages(self, ids: list[str]) -> list[tuple[str, int]]:
        """Each page once, by its best passage."""
        return list(dict.fromkeys(self.place_of[int(id)] for id in ids))


def judged(folder: Path, cache: Path | None) -> dict[str, Any]:
    """nDCG@10 and recall@10 over the judged queries of one collection."""
    shelf = Shelf(((row["_id"], row.get("title") or "", [row["text"]]) for row in read(folder / "corpus.jsonl")), cache)
    return scores(shelf, read(folder / "queries.jsonl"), judgements(folder / "qrels.tsv"), FLOORS[folder.name], cache)


def across_scripts(folder: Path, cache: Path | None) -> dict[str, Any]:
    """The sections of a Serbian book in Cyrillic, without their titles, asked by these titles in Latin."""
    shelf = Shelf(((row["_id"], "", [row["text"]]) for row in read(folder / "sr_cyr.jsonl")), cache)
    queries = [{"_id": row["_id"], "text": row["title"]} for row in read(folder / "sr_lat.jsonl")]
    return scores(shelf, queries, {row["_id"]: {row["_id"]: 1} for row in queries}, FLOORS["progit"], cache)


def scores(
    shelf: Shelf, queries: list[dict[str, Any]], relevant: dict[str, dict[str, int]], floor: float, cache: Path | None
) -> dict[str, Any]:
    queries = [row for row in queries if row["_id"] in relevant]
    vectors = embedded([row["text"] for row in queries], cache)
    gains, recalls = [], []
    for row, vector in zip(queries, vectors, strict=True):
        found = shelf.documents(shelf.search(row["text"], vector)[0])[:10]
        wanted = {id for id, gain in relevant[row["_id"]].items() if gain > 0}
        gains.append(ndcg(found, relevant[row["_id"]]))
        recalls.append(len(wanted & set(found)) / len(wanted))
    score = float(np.mean(gains))
    return {
        "passages": len(shelf.place_of),
        "queries": len(queries),
        "ndcg_at_10": round(score, 4),
        "recall_at_10": round(float(np.mean(recalls)), 4),
        "floor": floor,
        "holds": score > floor,
    }


def reports(folder: Path, cache: Path | None) -> dict[str, Any]:
    """The share of questions with a page that answers them among the first one, five and ten pages."""
    from documents.parse import parse_file
    from documents.titles import title_from

    def rows() -> Iterator[tuple[str, str, list[str]]]:
        for file in sorted((folder / "pdfs").glob("*.pdf")):
            parsed = parse_file(file, file.name)
            pages = [""] * max(section.number for section in parsed.sections)
            for section in parsed.sections:
                pages[section.number - 1] = parsed.text[section.start : section.end]
            yield file.name, title_from(file.name), pages

    shelf = Shelf(rows(), cache)
    questions = read(folder / "questions.jsonl")
    vectors = embedded([row["text"] for row in questions], cache)
    first: list[float] = []
    for row, vector in zip(questions, vectors, strict=True):
        wanted = {(row["file"], page) for page in row["pages"]}
        found = shelf.pages(shelf.search(row["text"], vector)[0])
        first.append(next((place for place, page in enumerate(found, start=1) if page in wanted), math.inf))
    hits = {f"hit_at_{width}": round(float(np.mean([place <= width for place in first])), 4) for width in (1, 5, 10)}
    floor = FLOORS["filings"]
    return {"passages": len(shelf.place_of), "questions": len(questions), **hits, "floor": floor} | {
        "holds": hits["hit_at_10"] > floor
    }


def refusal(data: Path, cache: Path | None) -> dict[str, Any]:
    """How many questions find usable evidence in SQuAD's paragraphs: its own, near misses, and Cranfield's."""
    rows = read(data / "squad2" / "corpus.jsonl")
    shelf = Shelf(((row["_id"], row.get("title") or "", [row["text"]]) for row in rows), cache)

    def passing(file: Path) -> float:
        texts = [row["text"] for row in read(file)]
        vectors = embedded(texts, cache)
        usable = [shelf.search(text, vector)[1].usable for text, vector in zip(texts, vectors, strict=True)]
        return round(float(np.mean(usable)), 4)

    answerable = passing(data / "squad2" / "queries.jsonl")
    foreign = passing(data / "cranfield" / "queries.jsonl")
    return {
        "answerable_pass": answerable,
        "near_miss_pass": passing(data / "squad2" / "unanswerable.jsonl"),
        "foreign_pass": foreign,
        "holds": answerable >= ANSWERABLE_PASS and foreign <= FOREIGN_PASS,
    }


def passages(text: str) -> list[str]:
    """`text` cut as ingestion cuts the one section of a plain text."""
    from documents.parse.model import Section
    from documents.passages import split

    section = Section(kind="section", number=1, label="", heading=(), start=0, end=len(text))
    return [piece.text for piece in split(text, [section])]


def language(text: str) -> str:
    from documents.analysis import detect_language

    return detect_language(text)


def embedded(texts: list[str], cache: Path | None) -> np.ndarray:
    """Vectors of `texts`, from the cache where it has exactly these."""
    from documents.embeddings import default_space, embed_passages

    if cache is None:
        return embed_passages(texts, default_space())
    digest = hashlib.sha256("\0".join([default_space().fingerprint, *texts]).encode()).hexdigest()[:24]
    file = cache / f"{digest}.npy"
    if not file.exists():
        cache.mkdir(parents=True, exist_ok=True)
        np.save(file, embed_passages(texts, default_space()))
    return np.load(file)


def read(file: Path) -> list[dict[str, Any]]:
    return [json.loads(row) for row in file.read_text(encoding="utf-8").splitlines() if row.strip()]


def judgements(file: Path) -> dict[str, dict[str, int]]:
    found: dict[str, dict[str, int]] = defaultdict(dict)
    for row in file.read_text(encoding="utf-8").splitlines()[1:]:
        query, document, gain = row.split("\t")
        found[query][document] = int(gain)
    return found


def ndcg(found: list[str], relevant: dict[str, int]) -> float:
    """Of the first ten, with gains of 2^grade − 1."""
    gain = sum((2 ** relevant.get(id, 0) - 1) / math.log2(place + 2) for place, id in enumerate(found[:10]))
    best = sorted(relevant.values(), reverse=True)[:10]
    ideal = sum((2**grade - 1) / math.log2(place + 2) for place, grade in enumerate(best))
    return gain / ideal if ideal else 0.0


def line(named: tuple[str, dict[str, Any]]) -> str:
    name, row = named
    figures = "  ".join(f"{key} {value}" for key, value in row.items() if key != "holds")
    return f"{name:10} {figures}  {'ok' if row['holds'] else 'BELOW'}"


MEASURES = {"progit": across_scripts, "filings": reports}

if __name__ == "__main__":
    sys.exit(main())
