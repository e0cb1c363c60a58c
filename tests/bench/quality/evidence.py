"""Which questions find evidence at all: those a collection answers, near misses, and questions about something else."""

from statistics import mean

from tests.bench.quality.bench import Bench
from tests.bench.quality.sets import Figure

#: A share of the answerable questions that must pass, and of the foreign ones that may.
ANSWERABLE, FOREIGN = 0.95, 0.10


def measure(bench: Bench, name: str) -> list[Figure]:
    """The share of questions whose finds the product calls usable evidence, asked of SQuAD's paragraphs."""
    from documents.search import is_usable

    place = bench.corpus("squad2/corpus.jsonl")

    def passing(file: str) -> tuple[float, int]:
        texts = [row["text"] for row in bench.rows(file)]
        return mean(is_usable(place.search(text, 8)) for text in texts), len(texts)

    return [
        Figure(name, "answerable", "passes", *passing("squad2/queries.jsonl"), ANSWERABLE),
        Figure(name, "near miss", "passes", *passing("squad2/unanswerable.jsonl")),
        Figure(name, "foreign", "passes", *passing("cranfield/queries.jsonl"), FOREIGN, at_most=True),
    ]
