"""Figures that stand in the source, but there belong to something else: swapped sums, another row of a table."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from answers.grounding import figures
from answers.grounding.dates import Date
from answers.grounding.numerals import Number
from documents import analysis
from documents.analysis import fold
from documents.sentences import is_table_row, sentence_spans

#: Words on each side of a figure that say what it counts.
_WINDOW = 3
#: So many more of these words has another figure of the source to share, before its place is believed to be meant.
_MARGIN = 2
#: Words without meaning of their own that tell figures apart.
_DIRECTIONS = frozenset(
    {"under", "over", "above", "below", "before", "after", "until", "from", "less", "more", "least", "most"}
    | {"do", "od", "preko", "ispod", "pre", "posle"}
)
_WORD = re.compile(r"[^\W\d_]+")
_CELL = re.compile(r"\s*(?:\||\t)\s*")
#: A full stop in front of a small letter makes an ordinal: "član 12. stav".
_STOP = re.compile(r"[;:!?]\s|\.\s(?![^\W\d_A-ZČĆŠŽĐЂЖЈЉЊЋЏА-Я])|\n")

Figure = Number | Date


@dataclass(frozen=True, slots=True)
class _Placed:
    figure: Figure
    before: frozenset[str]
    after: frozenset[str]

    def shared(self, other: "_Placed") -> int:
        return len(self.before & other.before) + len(self.after & other.after)


def moved(claim: str, source: str, language: str) -> str:
    """A figure of `claim` that belongs to something else in `source`, as it is written; "" where there is none."""
    return _of_another_row(claim, source, language) or _of_another_place(claim, source, language)


def _of_another_place(claim: str, source: str, language: str) -> str:
    mine, theirs = _placed(claim, language), _placed(source, language)
    for one in mine:
        own = [other for other in theirs if _agree(one.figure, other.figure)]
        others = [other for other in theirs if other not in own and _comparable(one.figure, other.figure)]
        if not own or not others:
            continue
        best = max(one.shared(other) for other in own)
        # Told elsewhere in the claim too, the other figure keeps its place.
        if max(one.shared(other) for other in others) >= best + _MARGIN:
            return one.figure.text
    return ""


def _placed(text: str, language: str) -> list[_Placed]:
    read = figures.read(text, only_claimed=True)
    found: list[Figure] = sorted([*read.numbers, *read.dates], key=lambda figure: figure.span)
    placed = []
    for number, figure in enumerate(found):
        first = found[number - 1].span[1] if number else 0
        last = found[number + 1].span[0] if number + 1 < len(found) else len(text)
        before = _STOP.split(text[first : figure.span[0]])[-1]
        after = _STOP.split(text[figure.span[1] : last])[0]
        placed.append(
            _Placed(
                figure,
                frozenset(_telling(before, language)[-_WINDOW:]),
                frozenset(_telling(after, language)[:_WINDOW]),
            )
        )
    return placed


def _telling(text: str, language: str) -> list[str]:
    found: list[str] = []
    for match in _WORD.finditer(text):
        folded = fold(match.group())
        found += [folded] if folded in _DIRECTIONS else analysis.words(match.group(), language)
    return found


def _agree(one: Figure, other: Figure) -> bool:
    if isinstance(one, Date) and isinstance(other, Date):
        return one.agrees([other], [])
    return (
        isinstance(one, Number) and isinstance(other, Number) and (one.agrees([other]) or one.is_same_amount([other]))
    )


def _comparable(one: Figure, other: Figure) -> bool:
    if isinstance(one, Number) and isinstance(other, Number):
        return not one.unit or not other.unit or one.kind == other.kind
    return isinstance(one, Date) and isinstance(other, Date)


# --- Tables -----------------------------------------------------------------------------------------------------


def _of_another_row(claim: str, source: str, language: str) -> str:
    """A figure of the claim that the table has only in rows of which the claim does not speak."""
    rows = [source[start:end] for start, end in sentence_spans(source) if is_table_row(source[start:end])]
    said = set(analysis.words(claim, language))
    labels = [frozenset(analysis.words(_CELL.split(row.strip(" |"))[0], language)) for row in rows]
    meant = [row for row, label in zip(rows, labels, strict=True) if label and label <= said]
    if not meant or len(meant) == len(rows):
        return ""
    in_meant = figures.read("\n".join(meant)).numbers
    elsewhere = figures.read(_without_rows(source, rows)).numbers
    in_others = figures.read("\n".join(row for row in rows if row not in meant)).numbers
    for number in figures.read(claim, only_claimed=True).numbers:
        if number.agrees(in_others) and not number.agrees(in_meant) and not number.agrees(elsewhere):
            return number.text
    return ""


def _without_rows(source: str, rows: Sequence[str]) -> str:
    for row in rows:
        source = source.replace(row, "")
    return source
