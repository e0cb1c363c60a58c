"""The figures of a whole answer, for lists, release rules and the provenance."""

from collections.abc import Sequence

from answers.models import Grounding
from answers.steps.state import Sentence, Summary


def summarise(sentences: Sequence[Sentence]) -> Summary:
    """The figures of sentences that were checked."""
    verdicts = [sentence.verdict for sentence in sentences]
    # A swapped number leaves every other word in place: what contradicts its source rests on nothing of it.
    figures = [
        0.0 if sentence.verdict == Grounding.UNSUPPORTED else sentence.grounding
        for sentence in sentences
        if sentence.grounding is not None
    ]
    return Summary(
        sentences=len(sentences),
        partly=verdicts.count(Grounding.PARTLY),
        unsupported=verdicts.count(Grounding.UNSUPPORTED),
        lowest=min(figures, default=None),
    )
