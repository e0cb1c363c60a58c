"""Tie each claim to the exact place it stands on, and drop every citation that is not real.

A citation counts when its number was given to the model and the source holds something the sentence says. Its quote
is cut out of the source by position, so it is equal to the stored text by construction; a model's own quotation
must be in the source letter by letter.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from answers.citations import marks
from answers.exceptions import Ended
from answers.states import AnswerStatus
from answers.steps.state import Outcome, Quote, Sentence, Source, State
from documents import analysis
from documents.sentences import sentence_spans

#: A source whose best sentences hold less of the claim's words than this does not support it.
LEAST_SUPPORT = 0.2
#: A second source sentence joins the quote when it adds this share of the claim's words.
_WORTH_ADDING = 0.2
#: Fewer words between quotation marks are a term, not a quotation.
_QUOTATION_WORDS = 3

#: An item's own sign is no part of what it says.
_BULLET = re.compile(r"\A[-*•–]\s+")
_QUOTATION = re.compile(r"[\"“„«‹”]([^\"“”„«»‹›]{8,}?)[\"”“»›]")

Span = tuple[int, int]


@dataclass(slots=True)
class _Claim:
    """A sentence of the unmarked text and the marks it carries."""

    start: int
    end: int
    marks: list[marks.Mark]


def cite(state: State) -> Outcome:
    """Ends the answer when no citation is left: a text that nothing proves is not shown."""
    unmarked = marks.take_out(state.written)
    sources = {source.number: source for source in state.sources}
    numbers: dict[tuple[int, int, int], int] = {}
    kept: list[tuple[int, int]] = []
    for claim in _claims(unmarked):
        text = unmarked.text[claim.start : claim.end]
        seen: set[int] = set()
        for mark in claim.marks:
            source = sources.get(mark.number)
            span = locate(text, source) if source else None
            if source is None or span is None:
                state.dropped += 1
                continue
            citation = numbers.setdefault((mark.number, *span), len(numbers) + 1)
            if citation not in seen:
                kept.append((mark.position, citation))
                seen.add(citation)
    if not kept:
        raise Ended(AnswerStatus.FAILED_MODEL_UNCITED, dropped=state.dropped)
    state.quotes = [Quote(n, sources[number], start, end) for (number, start, end), n in numbers.items()]
    state.text = marks.put_in(unmarked.text, kept)
    state.sentences = list(split(state.text))
    return Outcome(detail={"citations": len(state.quotes), "dropped": state.dropped})


def split(text: str) -> Iterator[Sentence]:
    """The sentences of a text of ours, each with the marks that belong to it."""
    unmarked = marks.take_out(text)
    for claim in _claims(unmarked):
        start, end = unmarked.place(claim.start), unmarked.place(claim.end)
        yield Sentence(text[start:end], start, end, list(dict.fromkeys(mark.number for mark in claim.marks)))


def locate(claim: str, source: Source) -> Span | None:
    """Where in `source.text` the claim stands, or None when it stands nowhere in it."""
    claim = _BULLET.sub("", claim)
    if verbatim := _find(claim, source.text):
        return verbatim
    quotations = [q for q in _QUOTATION.findall(claim) if len(q.split()) >= _QUOTATION_WORDS]
    if quotations:
        places = [_find(quotation.strip(" .,;:…"), source.text) for quotation in quotations]
        return None if None in places else places[0]
    language = analysis.detect_language(claim)
    if language and source.language and language != source.language:
        # Words cannot be compared across languages: the whole passage is what there is to show.
        return 0, len(source.text)
    return _best_sentences(claim, source)


def _best_sentences(claim: str, source: Source) -> Span | None:
    said = set(analysis.words(claim, source.language))
    if not said:
        return None
    spans = sentence_spans(source.text)
    shares = [_share(said, source.text[start:end], source.language) for start, end in spans]
    if not shares:
        return None
    best = max(range(len(spans)), key=lambda i: shares[i])
    start, end = spans[best]
    share = shares[best]
    for neighbour in (best - 1, best + 1):
        if 0 <= neighbour < len(spans):
            wide = min(start, spans[neighbour][0]), max(end, spans[neighbour][1])
            if _share(said, source.text[slice(*wide)], source.language) - share >= _WORTH_ADDING:
                start, end = wide
                share = _share(said, source.text[start:end], source.language)
    return (start, end) if share >= LEAST_SUPPORT else None


def _share(said: set[str], text: str, language: str) -> float:
    return len(said.intersection(analysis.words(text, language))) / len(said)


def _find(quotation: str, text: str) -> Span | None:
    """Where `quotation` stands in `text`, letter by letter; a line may break where a space is."""
    words = quotation.split()
    if not words:
        return None
    match = re.search(r"\s+".join(map(re.escape, words)), text)
    return match.span() if match else None


def _claims(unmarked: marks.Unmarked) -> list[_Claim]:
    """The sentences, each with the marks inside it or right after it."""
    claims = [_Claim(start, end, []) for start, end in sentence_spans(unmarked.text)]
    for mark in unmarked.marks:
        before = [claim for claim in claims if claim.start < mark.position] or claims[:1]
        if before:
            before[-1].marks.append(mark)
    return claims
