"""Measure how much of each sentence its quotes contain: a figure for the reader, not a verdict.

The first form is plain: the share of the sentence's content words that stand in its quotes. It sees a word that is
not in the source; it does not see a "not" that is missing.
"""

from collections.abc import Sequence

from answers.steps.cite import split
from answers.steps.state import Outcome, Quote, Sentence, State
from documents import analysis


def ground(state: State) -> Outcome:
    """Fill in the sentences of the answer with what supports each."""
    state.sentences = measured(state.text, state.quotes)
    figures = [sentence.grounding for sentence in state.sentences if sentence.grounding is not None]
    return Outcome(detail={"sentences": len(state.sentences), "lowest": min(figures, default=None)})


def measured(text: str, quotes: Sequence[Quote]) -> list[Sentence]:
    """The sentences of `text`, each with its grounding in the quotes whose numbers it carries."""
    by_number = {quote.number: quote for quote in quotes}
    sentences = list(split(text))
    for sentence in sentences:
        cited = [by_number[number] for number in sentence.citations if number in by_number]
        sentence.grounding = _support(sentence.text, cited)
    return sentences


def _support(sentence: str, quotes: Sequence[Quote]) -> float | None:
    if not quotes:
        return 0.0
    language = analysis.detect_language(sentence)
    if language and any(quote.source.language not in {"", language} for quote in quotes):
        return None
    stemmed_as = quotes[0].source.language
    said = set(analysis.words(sentence, stemmed_as))
    # The marks are words to the analyser, and so is the number in them.
    said -= {str(quote.number) for quote in quotes}
    if not said:
        return None
    proven = {word for quote in quotes for word in analysis.words(quote.text, stemmed_as)}
    return round(len(said & proven) / len(said), 3)
