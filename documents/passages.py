"""Cut a document into passages, the unit that is embedded, found and cited.

A passage is an exact range of the stored text, never crosses a page, slide,
sheet or headed section, and ends at the end of a sentence where it can.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import ceil

from documents.parse.model import NUMBERED, Section
from documents.sentences import Span, is_table_row, sentence_spans

# Languages without spaces, and lines without any, are counted in pieces of this length.
_WORD = re.compile(r"\S{1,25}")
# A last passage below this is not worth finding alone.
_TINY_WORDS = 15
_HEADING_WORDS = 12


@dataclass(frozen=True, slots=True)
class Piece:
    """A passage before it is stored: `text == parsed_text[start:end]`."""

    position: int  # from 0, through the whole document
    text: str
    start: int
    end: int
    page: int | None  # number of the page, slide or sheet; None where the text flows
    locator: str  # the label of its section
    heading: tuple[str, ...]


def split(parsed_text: str, sections: Sequence[Section], *, max_words: int = 180) -> list[Piece]:
    """The passages of a document in reading order, each of at most `max_words` words."""
    pieces: list[Piece] = []
    for section in sections:
        for start, end in _passages(parsed_text, section.start, section.end, max_words):
            piece = Piece(
                position=len(pieces),
                text=parsed_text[start:end],
                start=start,
                end=end,
                page=section.number if section.kind in NUMBERED else None,
                locator=section.label,
                heading=section.heading,
            )
            pieces.append(piece)
    return pieces


@dataclass(frozen=True, slots=True)
class _Unit:
    """A sentence, or a part of one that is too long for a passage."""

    start: int
    end: int
    words: int
    is_heading: bool


def _passages(text: str, start: int, end: int, max_words: int) -> Iterator[Span]:
    units = list(_units(text, start, end, max_words))
    total = sum(unit.words for unit in units)
    if not total:
        return
    # Even shares: filling each passage to the brim would leave a crumb at the end.
    share = ceil(total / ceil(total / max_words))
    groups: list[list[_Unit]] = [[]]
    for unit in units:
        filled = _words(groups[-1])
        if filled and (filled >= share or filled + unit.words > max_words):
            groups.append(_headings_at_end(groups[-1]))
            if _words(groups[-1]) + unit.words > max_words:
                groups.append([])
        groups[-1].append(unit)
    if len(groups) > 1 and _words(groups[-1]) < _TINY_WORDS and _words(groups[-2] + groups[-1]) <= max_words:
        crumb = groups.pop()
        groups[-1].extend(crumb)
    for group in groups:
        yield group[0].start, group[-1].end


def _words(units: Sequence[_Unit]) -> int:
    return sum(unit.words for unit in units)


def _headings_at_end(units: list[_Unit]) -> list[_Unit]:
    """Take the headings off the end of a passage: they belong to what follows."""
    keep = len(units)
    while keep > 1 and units[keep - 1].is_heading:
        keep -= 1
    taken = units[keep:]
    del units[keep:]
    return taken


def _units(text: str, start: int, end: int, max_words: int) -> Iterator[_Unit]:
    for first, last in sentence_spans(text[start:end]):
        words = [match.span() for match in _WORD.finditer(text, start + first, start + last)]
        heading = len(words) <= _HEADING_WORDS and _is_heading(text, start + first, start + last)
        for index in range(0, len(words), max_words):
            part = words[index : index + max_words]
            yield _Unit(part[0][0], part[-1][1], len(part), heading)


def _is_heading(text: str, start: int, end: int) -> bool:
    """Whether a sentence stands alone between blank lines and does not end like one."""
    alone = text[end : end + 2] == "\n\n" and (start == 0 or text[max(0, start - 2) : start].endswith("\n"))
    sentence = text[start:end]
    return alone and sentence[-1] not in ".!?;,…" and not is_table_row(sentence)
