"""What a reader is told about the sentences of an answer that do not stand whole on what they cite."""

from collections.abc import Sequence
from dataclasses import dataclass

from answers import grounding
from answers.citations import marks
from answers.models import Grounding
from answers.steps.state import Sentence


@dataclass(frozen=True, slots=True)
class Doubt:
    """One sentence, without its marks, and why it is doubted; `tone` is of the design system."""

    text: str
    verdict: str
    label: str
    tone: str
    reasons: tuple[str, ...]


_TONES = {Grounding.PARTLY: "wait", Grounding.UNSUPPORTED: "fail"}


def doubts(sentences: Sequence[Sentence]) -> list[Doubt]:
    """The sentences that are partly supported or unsupported, in reading order, in the language that is active."""
    return [
        Doubt(
            text=marks.take_out(sentence.text).text.strip(),
            verdict=sentence.verdict,
            label=str(Grounding(sentence.verdict).label),
            tone=_TONES[Grounding(sentence.verdict)],
            reasons=tuple(grounding.in_words(reason) for reason in sentence.reasons),
        )
        for sentence in sentences
        if sentence.verdict in _TONES
    ]
