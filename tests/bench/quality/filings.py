"""Real reports in PDF, asked about by company and year: is a page that answers among the first ones?"""

import math
from statistics import mean

from tests.bench.quality.bench import Bench
from tests.bench.quality.judged import WAYS
from tests.bench.quality.sets import Figure

#: Whole pages by BM25: without, and with the right file known.
FLOORS = {5: 0.24, 10: 0.37}
PASSAGES = 60


def measure(bench: Bench, name: str) -> list[Figure]:
    """The share of questions with a page of evidence among the first one, five and ten pages."""
    place = bench.folder(name, bench.data / name / "pdfs")
    questions = bench.rows(f"{name}/questions.jsonl")
    figures = []
    for way in WAYS:
        first = []
        for row in questions:
            wanted = {(row["file"], page) for page in row["pages"]}
            hits = place.search(row["text"], PASSAGES, way).hits
            pages = dict.fromkeys((hit.document.path, hit.page) for hit in hits)
            first.append(next((rank for rank, page in enumerate(pages, start=1) if page in wanted), math.inf))
        for width in (1, 5, 10):
            floor = FLOORS.get(width) if way == "hybrid" else None
            value = mean(rank <= width for rank in first)
            figures.append(Figure(name, way, f"page hit@{width}", value, len(questions), floor))
    return figures
