"""Sentences of real paragraphs, left as they are or spoilt in one way each: what does the check see?

The paragraphs are read from the data at run time and nothing of them is kept. A sentence is spoilt by another number,
by a denial more or less, by a name from elsewhere, by a sentence of another paragraph (invented), or by citing another
paragraph than its own. Untouched sentences are told in other words where that can be done by rule.
"""

import random
import re
import time
from collections.abc import Iterator, Sequence
from typing import Any

from tests.bench.quality.bench import Bench
from tests.bench.quality.sets import Figure

#: Sentences of each kind, drawn with this seed.
SAMPLE, SEED = 300, 5
_NUMBER = re.compile(r"(?<![\w.,-])\d+(?:,\d{3})*(?![\w,.-]*\d)")
_NAME = re.compile(r"(?<=[a-z,] )[A-Z][a-z]{3,}\b")
_VERB = re.compile(r"\b(is|was|are|were|has|had|can|could|will|would|did|does)\b(?! not)")
_DENIED = re.compile(r"\b(is|was|are|were|has|had|can|could|will|would|did|does) not\b ?")
#: Said in other words without a change of meaning.
_SAME = tuple(
    (re.compile(pattern, re.IGNORECASE), other)
    for pattern, other in (
        (r"\bis\b", "is, as it is said,"),
        (r"\bwas\b", "had been"),
        (r"\bhowever,? ", ""),
        (r"\bmany\b", "a number of"),
        (r"\bbecause\b", "since"),
        (r"\balso\b ?", ""),
        (r"\bused\b", "employed"),
        (r"\bsuch as\b", "for example"),
        (r"\bin order to\b", "to"),
    )
)

#: The least precision and recall of each kind, and the most false alarms: what was reached when this was written.
FLOORS = {"number": 0.9, "negation": 0.8, "name": 0.85, "invented": 0.95, "citation": 0.95, "swapped": 0.85}
MOST_FALSE_ALARMS = 0.05


class Pool:
    """The paragraphs, as (text, sentences), with the names that stand in them."""

    def __init__(self, texts: Sequence[str]) -> None:
        from documents.sentences import sentence_spans

        self.texts = texts
        self.sentences = [
            (number, text[start:end])
            for number, text in enumerate(texts)
            for start, end in sentence_spans(text)
            if len(text[start:end].split()) >= 8
        ]
        self.names = sorted({name for text in texts for name in _NAME.findall(text)})


def measure(bench: Bench, name: str) -> list[Figure]:
    """Recall of each kind, precision with as many untouched sentences, and the share of false alarms."""
    from answers.models import Grounding

    pool = Pool([row["text"] for row in bench.rows("squad2/corpus.jsonl")])
    figures: list[Figure] = []
    alarms = {}
    for kind, make in {"verbatim": _verbatim, "reworded": _reworded}.items():
        began = time.process_time()
        verdicts = list(_checked(pool, make))
        spent = (time.process_time() - began) * 1000 / len(verdicts)
        figures.append(Figure(name, "untouched", f"processor ms a sentence, {kind}", spent, len(verdicts)))
        alarms[kind] = sum(verdict == Grounding.UNSUPPORTED for verdict in verdicts) / len(verdicts)
        figures.append(
            Figure(
                name, "untouched", f"false alarms, {kind}", alarms[kind], len(verdicts), MOST_FALSE_ALARMS, at_most=True
            )
        )
        doubted = sum(verdict == Grounding.PARTLY for verdict in verdicts) / len(verdicts)
        figures.append(Figure(name, "untouched", f"doubted, {kind}", doubted, len(verdicts)))
    for kind, make in KINDS.items():
        verdicts = list(_checked(pool, make))
        caught = sum(verdict != Grounding.SUPPORTED for verdict in verdicts) / len(verdicts)
        against = sum(verdict == Grounding.UNSUPPORTED for verdict in verdicts) / len(verdicts)
        false = alarms["reworded"]
        precision = against / (against + false) if against + false else 0.0
        figures += [
            Figure(name, kind, "recall", caught, len(verdicts), FLOORS[kind]),
            Figure(name, kind, "unsupported", against, len(verdicts)),
            Figure(name, kind, "precision", precision, len(verdicts), 0.9),
        ]
    return figures


def _checked(pool: Pool, make: Any) -> Iterator[str]:
    """The verdicts for up to SAMPLE sentences of a kind."""
    from answers.grounding.sentence import Place, weigh_sentence
    from documents.analysis import detect_language

    draw = random.Random(SEED)
    order = list(range(len(pool.sentences)))
    draw.shuffle(order)
    made = 0
    for place in order:
        number, sentence = pool.sentences[place]
        found = make(number, sentence, pool, draw)
        if found is None:
            continue
        cited, claim = found
        text = pool.texts[cited]
        quote = _quote(claim, text)
        yield weigh_sentence(claim, [Place(quote, text, "", detect_language(text))], spoken="en").verdict
        made += 1
        if made == SAMPLE:
            return


def _quote(claim: str, text: str) -> str:
    """What the citing step would cut out of the paragraph for the claim; all of it where it finds nothing."""
    from answers.steps.cite import locate

    class Whole:
        language = "en"

        def __init__(self) -> None:
            self.text = text

    span = locate(claim, Whole())  # type: ignore[arg-type]
    return text[slice(*span)] if span else text


def _verbatim(number: int, sentence: str, _pool: Pool, _draw: random.Random) -> tuple[int, str]:
    return number, sentence


def _reworded(number: int, sentence: str, _pool: Pool, _draw: random.Random) -> tuple[int, str] | None:
    claim = sentence
    for pattern, other in _SAME:
        claim = pattern.sub(other, claim, count=1)
    words = claim.split(", ")
    if len(words) == 2 and len(words[0].split()) > 3:
        claim = f"{words[1][:1].upper()}{words[1][1:].rstrip('.')}, {words[0][:1].lower()}{words[0][1:]}."
    return None if claim == sentence else (number, claim)


def _other_number(number: int, sentence: str, pool: Pool, draw: random.Random) -> tuple[int, str] | None:
    found = list(_NUMBER.finditer(sentence))
    if not found:
        return None
    match = draw.choice(found)
    value = int(match.group().replace(",", ""))
    other = value + draw.choice([-7, -3, 2, 5, 10]) if value > 10 else value + draw.choice([1, 2, 3])
    return number, f"{sentence[: match.start()]}{other}{sentence[match.end() :]}"


def _denied(number: int, sentence: str, pool: Pool, draw: random.Random) -> tuple[int, str] | None:
    if match := _DENIED.search(sentence):
        return number, f"{sentence[: match.start()]}{match[1]} {sentence[match.end() :]}"
    if match := _VERB.search(sentence):
        return number, f"{sentence[: match.end()]} not{sentence[match.end() :]}"
    return None


def _other_name(number: int, sentence: str, pool: Pool, draw: random.Random) -> tuple[int, str] | None:
    found = list(_NAME.finditer(sentence))
    elsewhere = [name for name in draw.sample(pool.names, 20) if name not in pool.texts[number]]
    if not found or not elsewhere:
        return None
    match = draw.choice(found)
    return number, f"{sentence[: match.start()]}{elsewhere[0]}{sentence[match.end() :]}"


def _invented(number: int, sentence: str, pool: Pool, draw: random.Random) -> tuple[int, str]:
    """A sentence about the same subject: of the next paragraph, which is of the same article as a rule."""
    other = (number + 1) % len(pool.texts)
    return other, sentence


def _wrong_citation(number: int, sentence: str, pool: Pool, draw: random.Random) -> tuple[int, str]:
    other = draw.randrange(len(pool.texts) - 1)
    return other + (other >= number), sentence


def _swapped(number: int, sentence: str, _pool: Pool, _draw: random.Random) -> tuple[int, str] | None:
    """Two of the sentence's own numbers, each in the place of the other."""
    found = list(_NUMBER.finditer(sentence))[:2]
    if len(found) < 2 or found[0].group() == found[1].group():
        return None
    (first, one), (second, other) = ((match.span(), match.group()) for match in found)
    claim = sentence[: first[0]] + other + sentence[first[1] : second[0]] + one + sentence[second[1] :]
    return number, claim


KINDS = {
    "number": _other_number,
    "negation": _denied,
    "name": _other_name,
    "invented": _invented,
    "citation": _wrong_citation,
    "swapped": _swapped,
}
