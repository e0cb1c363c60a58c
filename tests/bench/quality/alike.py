"""Questions taken for one question, and questions put into one gap, at the thresholds the product uses."""

from tests.bench.quality import gaps, reuse
from tests.bench.quality.bench import Bench
from tests.bench.quality.sets import Figure

#: The least share of a gap's pairs that are about one article, and of questions asked twice that meet in one gap.
ONE_ARTICLE, ASKED_TWICE = 0.9, 0.9


def measure(bench: Bench, name: str) -> list[Figure]:
    """The figures of the threshold in force; the modules print all of them."""
    return _reuse(bench, name) if name == "reuse" else _gaps(bench, name)


def _reuse(bench: Bench, name: str) -> list[Figure]:
    from answers.reuse.near import LEAST_COSINE

    rows = reuse.measure(bench.data)
    ours = next(row for row in rows if row["way"] == "with guards" and row["cosine"] == LEAST_COSINE)
    false = [
        Figure(
            name,
            "words and vectors",
            f"taken for one: {kind}",
            share,
            ours["count"].get(kind, 0),
            reuse.MOST_FALSE,
            at_most=True,
        )
        for kind, share in ours["false"].items()
    ]
    found = [
        Figure(name, "words and vectors", f"found: {kind}", share, ours["count"][kind])
        for kind, share in ours["found"].items()
    ]
    return false + found


def _gaps(bench: Bench, name: str) -> list[Figure]:
    from answers.gaps.grouping import LEAST_COSINE

    ours = next(row for row in gaps.measure(bench.data) if row["cosine"] == LEAST_COSINE)
    count = ours["questions"]
    return [
        Figure(name, "vectors", "gaps", ours["gaps"], count),
        Figure(name, "vectors", "pairs about one paragraph", ours["one_paragraph"], count),
        Figure(name, "vectors", "pairs about one article", ours["one_article"], count, ONE_ARTICLE),
        Figure(name, "vectors", "asked twice, found together", ours["asked_twice_together"], count, ASKED_TWICE),
    ]
