"""Collections with judgements: a document is found by its best passage."""

from statistics import mean

from tests.bench.quality.bench import Bench, Place
from tests.bench.quality.scores import judgements, ndcg, recall
from tests.bench.quality.sets import Figure

#: The better of plain BM25 and plain vectors, measured once on the same collection: nDCG@10, recall@10.
FLOORS: dict[str, tuple[float, float | None]] = {
    "scifact": (0.688, None),
    "cranfield": (0.397, None),
    "squad2": (0.864, 0.950),
}
WAYS = ("keywords", "vectors", "hybrid")


def measure(bench: Bench, name: str) -> list[Figure]:
    """nDCG@10 and recall@10 of the first ten documents, for both legs alone and for what the product does."""
    queries = {row["_id"]: row["text"] for row in bench.rows(f"{name}/queries.jsonl")}
    relevant = judgements(bench.data / name / "qrels.tsv")
    return compared(name, bench.corpus(f"{name}/corpus.jsonl"), queries, relevant, FLOORS[name])


def compared(
    name: str,
    place: Place,
    queries: dict[str, str],
    relevant: dict[str, dict[str, int]],
    floors: tuple[float | None, float | None],
) -> list[Figure]:
    """Figures for each way to search; the product's own way is to beat the floors and the better of its legs."""
    asked = [id for id in queries if any(grade > 0 for grade in relevant.get(id, {}).values())]
    figures: list[Figure] = []
    for way in WAYS:
        found = {id: place.documents(queries[id], way) for id in asked}
        for measured, label, floor in ((ndcg, "nDCG@10", floors[0]), (recall, "recall@10", floors[1])):
            value = mean(measured(found[id], relevant[id]) for id in asked)
            figures.append(Figure(name, way, label, value, len(asked), floor if way == "hybrid" else None))
    return figures
