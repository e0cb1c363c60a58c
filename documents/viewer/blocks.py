"""What the viewer shows of a screen of text: headings, paragraphs and tables, with the cited range and what was found
in it marked.

Pure: works on the stored text and sections alone. Every piece of text it hands out is a slice of the stored text; only
names above it come from the sections.
"""

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from documents.parse.tables import CELL_SEPARATOR
from documents.sentences import sentence_spans
from documents.viewer.leaves import Leaf, Range

_BLANK_LINES = re.compile(r"\n[ \t]*\n\s*")
_INDENTED = re.compile(r"\n[ \t]")
_SHORT_LINE = 0.7
#: A longer paragraph is compared sentence by sentence.
_LONG_PARAGRAPH = 3_000


@dataclass(frozen=True, slots=True)
class Span:
    """A run of characters that are marked alike; the first cited and the first chosen one carry an anchor."""

    text: str
    cited: bool = False
    #: Part of something that was looked for, and of the one place among them that was chosen.
    found: bool = False
    chosen: bool = False
    first: bool = False


@dataclass(slots=True)
class Block:
    """A heading (level from 2), a paragraph or a table; its rows hold cells, which hold spans.

    A heading has one row of one cell, a paragraph a row of one cell for each of its lines. `verbatim` lines keep
    their indentation, all others are wrapped anew where the page is narrower or wider than the original.
    A name is no part of the text: it stands above what belongs to it, and is its one column.
    """

    kind: str  # "name", "heading", "paragraph", "table"
    rows: list[list[list[Span]]]
    columns: list[str] = field(default_factory=list)
    level: int = 0
    verbatim: bool = False


def shown(
    text: str, leaf: Leaf, cited: Range | None = None, found: Sequence[Range] = (), chosen: Range | None = None
) -> list[Block]:
    """The leaf's text as blocks, with `cited` marked, and the places `found` (in order), `chosen` among them."""
    marker = _Marker(text, cited, found, chosen)
    blocks: list[Block] = []
    above = ""
    for section in leaf.sections:
        low, high = max(section["start"], leaf.start), min(section["end"], leaf.end)
        if low < high:
            names = tuple(section["heading"]) if low == section["start"] else ()
            if names and names[0] != above and not text.startswith(names[0], low):
                # The name of an attachment, or of the chapter that began before this screen.
                blocks.append(Block("name", [], [names[0]]))
            above = names[0] if names else above
            blocks += _blocks(text, low, high, names, marker)
    return blocks


def paragraphs(text: str) -> Iterator[Range]:
    """Where its paragraphs stand; rows of tables, lines of code and sentences of very long paragraphs one by one."""
    for low, high in _pieces(text, 0, len(text)):
        piece = text[low:high]
        if _is_table(piece) or _INDENTED.search(piece):
            yield from _lines(text, low, high)
        elif len(piece) > _LONG_PARAGRAPH:
            yield from ((low + start, low + end) for start, end in sentence_spans(piece))
        else:
            yield low, high


# --- Text ---------------------------------------------------------------------------------------------------


class _Marker:
    """Cuts ranges of the text into spans where a marked range begins or ends, and anchors the first ones."""

    def __init__(self, text: str, cited: Range | None, found: Sequence[Range], chosen: Range | None) -> None:
        self.text = text
        self.cited = cited
        self.found = found
        self.chosen = chosen
        self.starts = [low for low, _high in found]
        self.anchored: set[str] = set()

    def touches(self, start: int, end: int) -> bool:
        """Whether something marked lies in a range."""
        cited = self.cited is not None and self.cited[0] < end and self.cited[1] > start
        return cited or bool(self._found_in(start, end))

    def finds(self, start: int, end: int) -> bool:
        """Whether something that was looked for lies in a range."""
        return bool(self._found_in(start, end))

    def spans(self, start: int, end: int) -> list[Span]:
        found = self._found_in(start, end)
        marked = [*found, *([self.cited] if self.cited else [])]
        ends = {start, end} | {min(max(place, start), end) for pair in marked for place in pair}
        return [self._span(low, high, found) for low, high in pairwise(sorted(ends))]

    def _span(self, low: int, high: int, found: Sequence[Range]) -> Span:
        cited = self.cited is not None and self.cited[0] <= low < self.cited[1]
        hit = next((pair for pair in found if pair[0] <= low < pair[1]), None)
        chosen = hit is not None and hit == self.chosen
        kind = "chosen" if chosen else "cited" if cited else ""
        first = bool(kind) and kind not in self.anchored
        self.anchored.add(kind)
        return Span(self.text[low:high], cited, hit is not None, chosen, first)

    def _found_in(self, start: int, end: int) -> Sequence[Range]:
        first = bisect_right(self.starts, start)
        # The one before may reach into the range.
        first -= bool(first and self.found[first - 1][1] > start)
        return self.found[first : bisect_left(self.starts, end)]


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
        if columns and place == first - 1 and not marker.touches(line[0][0], line[-1][1]):
            continue
        cells = _under(text, columns, line, marker) if columns and place >= first else line
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


def _under(text: str, columns: Sequence[str], line: Sequence[Range], marker: _Marker) -> list[Range | None]:
    placed: list[Range | None] = [None] * len(columns)
    for cell in line:
        for column, name in enumerate(columns):
            if placed[column] is None and _named(text, cell, name):
                skipped = len(name) + 2 if text.startswith(f"{name}: ", *cell) else 0
                # A name that was looked for is found in every row, so it is shown in every row.
                skipped = 0 if marker.finds(cell[0], cell[0] + skipped) else skipped
                placed[column] = (cell[0] + skipped, cell[1])
                break
        else:
            placed.append(cell)
    return placed
