"""Sentences that speak of the same thing and say something else of it: another number, day or the opposite. Pure."""

import re
from dataclasses import dataclass
from difflib import SequenceMatcher
from functools import cached_property

from answers.grounding import figures, polarity
from answers.grounding.figures import Number
from documents import analysis
from documents.sentences import sentence_spans

#: Of the shorter sentence's words, so many stand in the other: then both speak of the same thing.
SAME_SUBJECT = 0.6
_FEWEST_WORDS = 3
#: How alike two wordings are that one is a variant of the other; the same words in the same order are no variant.
VARIANT, SAME_WORDING = 0.62, 0.985
_FEWEST_FOR_VARIANT = 6
#: What may stand between a number and what it counts, and that.
_FOLLOWING = re.compile(r"\s[^\W\d_]+(?:\s[^\W\d_]+)?")


@dataclass(frozen=True)
class Statement:
    """One sentence, where it stands in the text it was taken from, and what it is compared by."""

    text: str
    start: int
    language: str

    @property
    def end(self) -> int:
        return self.start + len(self.text)

    @cached_property
    def words(self) -> list[str]:
        """Its content words, without figures."""
        return analysis.words(figures.without(self.text), self.language)

    @cached_property
    def figures(self) -> figures.Figures:
        return figures.read(self.text, only_claimed=True)

    @cached_property
    def measures(self) -> dict[str, list[Number]]:
        """Its numbers by what they count."""
        found: dict[str, list[Number]] = {}
        for number in self.figures.numbers:
            if unit := _unit_of(number, self.text, self.language):
                found.setdefault(unit, []).append(number)
        return found


@dataclass(frozen=True, slots=True)
class Clash:
    """Where two statements differ: ranges within each of them, both figures."""

    mine: tuple[int, int]
    theirs: tuple[int, int]
    kind: str  # "number" or "date"


def statements(text: str, *, offset: int = 0, language: str | None = None) -> list[Statement]:
    """The sentences of `text`; places count from `offset`."""
    spoken = analysis.detect_language(text) if language is None else language
    return [Statement(text[start:end], offset + start, spoken) for start, end in sentence_spans(text)]


def same_subject(one: Statement, other: Statement) -> bool:
    """Whether both speak of the same thing, by their words and in one language."""
    mine, theirs = set(one.words), set(other.words)
    fewer = min(len(mine), len(theirs))
    if fewer < _FEWEST_WORDS or one.language != other.language:
        return False
    common = len(mine & theirs)
    return common >= _FEWEST_WORDS and common / fewer >= SAME_SUBJECT


def clash(one: Statement, other: Statement) -> Clash | None:
    """The figure of `one` that `other` contradicts, if both speak of the same thing; None where they agree.

    Only figures of one unit are held against each other, and only where each side has one of it: of several, nobody
    can tell which belongs to what.
    """
    if not same_subject(one, other):
        return None
    for unit, here in one.measures.items():
        there = other.measures.get(unit, [])
        if len(here) == len(there) == 1 and not here[0].agrees(there):
            return Clash(here[0].span, there[0].span, "number")
    mine, theirs = one.figures, other.figures
    if len(mine.dates) == len(theirs.dates) == 1 and not mine.dates[0].agrees(theirs.dates, theirs.numbers):
        return Clash(mine.dates[0].span, theirs.dates[0].span, "date")
    return None


def is_opposite(one: Statement, other: Statement) -> bool:
    """Whether one denies, forbids or limits the other way round what the other says."""
    if not same_subject(one, other):
        return False
    return polarity.denial_differs(one.text, other.text, one.language) or bool(polarity.opposite(one.text, other.text))


def is_variant(one: Statement, other: Statement) -> bool:
    """Whether `one` reads like `other` in other words."""
    mine, theirs = _tokens(one), _tokens(other)
    if min(len(mine), len(theirs)) < _FEWEST_FOR_VARIANT or one.language != other.language:
        return False
    matcher = SequenceMatcher(None, mine, theirs, autojunk=False)
    return matcher.quick_ratio() >= VARIANT and VARIANT <= matcher.ratio() < SAME_WORDING


def likeness(one: Statement, other: Statement) -> float:
    """How much the wordings have in common, 0 to 1."""
    return SequenceMatcher(None, _tokens(one), _tokens(other), autojunk=False).ratio()


def one_line(text: str) -> str:
    """`text` without the ends of its lines, which say nothing of its wording."""
    return " ".join(text.split())


def _tokens(statement: Statement) -> list[str]:
    return [analysis.fold(word) for word in statement.text.split()]


def _unit_of(number: Number, text: str, language: str) -> str:
    """Its unit, or the words that follow in its place, as in "20 working days"; "" where nothing tells."""
    if number.unit or not any(number.span):
        return number.unit
    following = _FOLLOWING.match(text, number.span[1])
    return " ".join(analysis.words(following.group(), language)) if following else ""
