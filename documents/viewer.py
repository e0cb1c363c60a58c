"""What the viewer shows of a version: one page of it at a time, and that page's text with the cited range marked.

Pure: works on the stored text and sections alone. Every piece of text it hands out is a slice of the stored text.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from documents.parse.model import NUMBERED
from documents.parse.tables import CELL_SEPARATOR
from documents.sentences import sentence_spans

#: Flowing text is shown in pieces of about this many characters, cut between sections.
LEAF_CHARACTERS = 20_000
#: A single page or sheet longer than this is shown around the cited place only.
SHOWN_CHARACTERS = 60_000

_BLANK_LINES = re.compile(r"\n[ \t]*\n\s*")
_INDENTED = re.compile(r"\n[ \t]")
_SHORT_LINE = 0.7

Range = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Leaf:
    """What is on the screen at once: a page, slide or sheet, or a run of headed sections."""

    number: int  # from 1; for pages, slides and sheets the number they have in the file
    kind: str
    label: str
    start: int
    end: int
    sections: tuple[Mapping[str, Any], ...]


@dataclass(frozen=True, slots=True)
class Span:
    """A run of characters that is wholly cited or not at all; the first cited one carries the anchor."""

    text: str
    cited: bool = False
    first: bool = False


@dataclass(slots=True)
class Block:
    """A heading (level from 2), a paragraph or a table; its rows hold cells, which hold spans.

    A heading has one row of one cell, a paragraph a row of one cell for each of its lines. `verbatim` lines keep
    their indentation, all others are wrapped anew where the page is narrower or wider than the original.
    """

    kind: str  # "heading", "paragraph", "table"
    rows: list[list[list[Span]]]
    columns: list[str] = field(default_factory=list)
    level: int = 0
    verbatim: bool = False


@dataclass(frozen=True, slots=True)
class Shown:
    """The text of a leaf, and how many of its characters before and after were left out."""

    blocks: list[Block]
    left_out: int


def leaves(sections: Sequence[Mapping[str, Any]], length: int) -> list[Leaf]:
    """The screens a version falls into, in order; never empty.

    `sections` are a version's stored sections and `length` that of its text.
    """
    if not sections:
        return [Leaf(1, "section", "", 0, length, ())]
    if sections[0]["kind"] in NUMBERED:
        return [Leaf(s["number"], s["kind"], s["label"], s["start"], s["end"], (s,)) for s in sections]
    return [_leaf(number, run) for number, run in enumerate(_runs(sections), 1)]


def leaf_at(found: Sequence[Leaf], position: int) -> Leaf:
    """The leaf that holds the character at `position`, or the last one before it."""
    before = [leaf for leaf in found if leaf.start <= position and leaf.end > leaf.start]
    return before[-1] if before else found[0]


def leaf_numbered(found: Sequence[Leaf], number: int) -> Leaf | None:
    """The leaf with this number, if there is one."""
    return next((leaf for leaf in found if leaf.number == number), None)


def neighbours(found: Sequence[Leaf], leaf: Leaf) -> tuple[Leaf | None, Leaf | None]:
    """The leaves before and after `leaf`."""
    place = found.index(leaf)
    return (found[place - 1] if place else None), (found[place + 1] if place + 1 < len(found) else None)


def shown(text: str, leaf: Leaf, cited: Range | None = None) -> Shown:
    """The leaf's text as blocks, with `cited` marked; around the cited place only when it is very long."""
    start, end = _window(text, leaf, cited)
    marker = _Marker(text, cited)
    blocks: list[Block] = []
    for section in leaf.sections or ({"heading": (), "start": leaf.start, "end": leaf.end},):
        low, high = max(section["start"], start), min(section["end"], end)
        if low < high:
            names = tuple(section["heading"]) if low == section["start"] else ()
            blocks += _blocks(text, low, high, names, marker)
    return Shown(blocks, (start - leaf.start) + (leaf.end - end))


def within(leaf: Leaf, cited: Range) -> Range | None:
    """The part of `cited` that lies on `leaf`, counted from the leaf's own start; None when there is none."""
    start, end = max(cited[0], leaf.start), min(cited[1], leaf.end)
    return (start - leaf.start, end - leaf.start) if start < end else None


# --- Screens ------------------------------------------------------------------------------------------------


def _runs(sections: Sequence[Mapping[str, Any]]) -> Iterator[list[Mapping[str, Any]]]:
    run: list[Mapping[str, Any]] = []
    for section in sections:
        if run and section["end"] - run[0]["start"] > LEAF_CHARACTERS:
            yield run
            run = []
        run.append(section)
    yield run


def _leaf(number: int, run: Sequence[Mapping[str, Any]]) -> Leaf:
    return Leaf(number, "section", run[0]["label"], run[0]["start"], run[-1]["end"], tuple(run))


def _window(text: str, leaf: Leaf, cited: Range | None) -> Range:
    if leaf.end - leaf.start <= SHOWN_CHARACTERS:
        return leaf.start, leaf.end
    centre = cited[0] if cited and within(leaf, cited) else leaf.start
    start = max(leaf.start, min(centre - SHOWN_CHARACTERS // 2, leaf.end - SHOWN_CHARACTERS))
    end = start + SHOWN_CHARACTERS
    # Whole lines, where there are lines.
    if start > leaf.start:
        start = max(start, text.find("\n", start, centre) + 1)
    if end < leaf.end:
        end = max(text.rfind("\n", centre, end), end - LEAF_CHARACTERS)
    return start, end


# --- Text ---------------------------------------------------------------------------------------------------


class _Marker:
    """Cuts ranges of the text into spans at the ends of the cited range, and anchors the first cited one."""

    def __init__(self, text: str, cited: Range | None) -> None:
        self.text = text
        self.cited = cited
        self.anchored = False

    def spans(self, start: int, end: int) -> list[Span]:
        low, high = self.cited or (end, end)
        low, high = min(max(low, start), end), min(max(high, start), end)
        if low >= high:
            return [Span(self.text[start:end])]
        spans = [
            Span(self.text[start:low]),
            Span(self.text[low:high], cited=True, first=not self.anchored),
            Span(self.text[high:end]),
        ]
        self.anchored = True
        return [span for span in spans if span.text]


def _blocks(text: str, start: int, end: int, headings: tuple[str, ...], marker: _Marker) -> Iterator[Block]:
    leading = True
    width = _width(text, start, end)
    for low, high in _pieces(text, start, end):
        piece = text[low:high]
        # A section's text begins with the headings that are new in it.
        leading = leading and piece in headings
        if leading:
            yield Block("heading", [[marker.spans(low, high)]], level=min(headings.index(piece) + 2, 6))
        elif _is_table(piece):
            yield _table(text, low, high, marker)
        else:
            verbatim = _INDENTED.search(piece) is not None
            lines = _lines(text, low, high) if verbatim else _sentence_lines(text, low, high, width)
            yield Block("paragraph", [[marker.spans(*line)] for line in lines], verbatim=verbatim)


def _pieces(text: str, start: int, end: int) -> Iterator[Range]:
    """The ranges between blank lines."""
    for gap in _BLANK_LINES.finditer(text, start, end):
        if gap.start() > start:
            yield start, gap.start()
        start = gap.end()
    if start < end:
        yield start, end


def _sentence_lines(text: str, start: int, end: int, width: int) -> Iterator[Range]:
    """Lines that were ended on purpose: with a sentence or heading, or well before `width`. Others only wrapped."""
    ends = {start + high for _low, high in sentence_spans(text[start:end])}
    begin = None
    for low, high in _lines(text, start, end):
        begin = low if begin is None else begin
        if high in ends or high - low < width * _SHORT_LINE:
            yield begin, high
            begin = None
    if begin is not None:
        yield begin, end


def _width(text: str, start: int, end: int) -> int:
    """How long the lines get where they are full, leaving out the odd one that is longer."""
    lengths = sorted(high - low for low, high in _lines(text, start, end))
    return lengths[len(lengths) * 9 // 10] if lengths else 0


def _is_table(piece: str) -> bool:
    lines = piece.split("\n")
    return len(lines) > 1 and sum(CELL_SEPARATOR in line for line in lines) * 3 >= len(lines) * 2


def _table(text: str, start: int, end: int, marker: _Marker) -> Block:
    """Rows of cells; where rows name their columns ("Role: Manager | Limit: 5,000"), the names move to the head."""
    lines = [_cells(text, low, high) for low, high in _lines(text, start, end)]
    columns, first = _columns(text, lines)
    rows = []
    for place, line in enumerate(lines):
        # The line of names becomes the head, unless the citation lies on it.
        if columns and place == first - 1 and not _touches(marker.cited, line):
            continue
        cells = _under(text, columns, line) if columns and place >= first else line
        rows.append([marker.spans(*cell) if cell else [] for cell in cells])
    return Block("table", rows, columns)


def _lines(text: str, start: int, end: int) -> Iterator[Range]:
    while start < end:
        stop = text.find("\n", start, end)
        stop = end if stop < 0 else stop
        if stop > start:
            yield start, stop
        start = stop + 1


def _cells(text: str, start: int, end: int) -> list[Range]:
    cells = []
    while (bar := text.find(CELL_SEPARATOR, start, end)) >= 0:
        cells.append((start, bar))
        start = bar + len(CELL_SEPARATOR)
    return [*cells, (start, end)]


def _columns(text: str, lines: Sequence[Sequence[Range]]) -> tuple[list[str], int]:
    """The names of the columns and the first line under them; ([], 0) when the rows do not name any."""
    for place, (line, following) in enumerate(pairwise(lines[:4])):
        names = [text[low:high] for low, high in line]
        if len(names) > 1 and all(any(_named(text, cell, name) for name in names) for cell in following):
            return names, place + 1
    # Later groups of rows have no line of names of their own.
    first = [text[low:high].partition(": ") for low, high in lines[0]]
    names = [name for name, colon, _ in first]
    if all(colon for _, colon, _ in first) and all(_named(text, line[0], names[0]) for line in lines):
        return names, 0
    return [], 0


def _named(text: str, cell: Range, name: str) -> bool:
    return text.startswith(f"{name}: ", *cell) or text[slice(*cell)] == name


def _under(text: str, columns: Sequence[str], line: Sequence[Range]) -> list[Range | None]:
    placed: list[Range | None] = [None] * len(columns)
    for cell in line:
        for column, name in enumerate(columns):
            if placed[column] is None and _named(text, cell, name):
                skipped = len(name) + 2 if text.startswith(f"{name}: ", *cell) else 0
                placed[column] = (cell[0] + skipped, cell[1])
                break
        else:
            placed.append(cell)
    return placed


def _touches(cited: Range | None, line: Sequence[Range]) -> bool:
    return cited is not None and cited[0] < line[-1][1] and cited[1] > line[0][0]
