"""The built-in model on the questions of SQuAD: does what it quotes hold the answer, and how much does it quote?"""

from statistics import mean

from tests.bench.quality.bench import Bench
from tests.bench.quality.sets import Figure

#: Questions, evenly drawn, and passages each is given.
SAMPLE, PASSAGES = 300, 8
#: The share of quoted texts that held the answer when sentences were first chosen so.
FLOOR = 0.80


def measure(bench: Bench, name: str) -> list[Figure]:
    """Whether the first sentence, and all of the quoted ones, hold a reference answer; and sentences and words."""
    place = bench.corpus("squad2/corpus.jsonl")
    rows = bench.rows("squad2/answers.jsonl")
    rows = rows[:: max(1, len(rows) // SAMPLE)][:SAMPLE]
    figures = {"evidence": [], "answer": [], "first sentence": [], "sentences": [], "words": []}  # type: ignore[var-annotated]
    for row in rows:
        hits = place.search(row["text"], PASSAGES).hits
        quoted = quoted_for(row["text"], hits)
        references = [plain(answer) for answer in row["answers"]]
        figures["evidence"].append(any(answer in plain(hit.passage.text) for hit in hits for answer in references))
        figures["answer"].append(any(answer in plain(" ".join(quoted)) for answer in references))
        figures["first sentence"].append(any(answer in plain(quoted[0]) for answer in references) if quoted else False)
        figures["sentences"].append(len(quoted))
        figures["words"].append(len(" ".join(quoted).split()))
    return [
        Figure(name, "built-in", label, mean(found), len(rows), FLOOR if label == "answer" else None)
        for label, found in figures.items()
    ]


def quoted_for(question: str, hits: object) -> list[str]:
    """The sentences that the built-in model quotes, the best first where it says so."""
    from types import SimpleNamespace

    from answers.extractive import choose

    evidence = [
        SimpleNamespace(
            number=hit.rank,
            text=hit.passage.text,
            title=hit.document.title,
            locator=hit.locator,
            language=hit.passage.language,
        )
        for hit in hits  # type: ignore[attr-defined]
    ]
    return [sentence for _number, sentence in choose(question, evidence)]


def plain(text: str) -> str:
    """Without differences of case and spacing."""
    return " ".join(text.casefold().split())
