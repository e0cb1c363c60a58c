"""Read the text of a PDF page so that every character knows its place on the page.

pdfium numbers the characters of a page. `read_page` keeps that number beside
each character; `boxes` goes back from a range of stored text to rectangles.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import combinations, pairwise
from statistics import median

import pypdfium2.raw as pdfium
from pypdfium2 import PdfTextPage

from . import pdf_calls
from .normalise import normalise_mapped
from .pdf_hidden import kinds_of_hidden

# What pdfium puts where a line ends in a hyphen, in its two spellings.
HYPHEN_MARKS = "\x02\ufffe"
# A step down this much larger than the usual one is a new paragraph.
PARAGRAPH_STEP = 1.3
# Headers and footers stand within this share of the page's height from its edge, in so many lines at most.
EDGE = 0.09
EDGE_LINES = 3

_LINE = r"[^\s\x00].*"

Box = tuple[float, float, float, float]  # left, bottom, right, top, in points


@dataclass(frozen=True, slots=True)
class PageText:
    """The raw text of a page, with a blank line between paragraphs.

    `numbers[i]` is pdfium's number of `text[i]`; `breaks` are the places of
    hyphens at line ends, which may or may not belong to the word; `edges` are
    the ranges of lines near the top (True) and the bottom of the page, which
    may or may not be the same on every page. Where a character is hidden from
    the reader, `text` has a NUL, and `hidden` counts it by kind.
    """

    text: str
    numbers: list[int]
    breaks: list[int]
    edges: list[tuple[int, int, bool]] = field(default_factory=list)
    hidden: dict[str, int] = field(default_factory=dict)


def read_page(textpage: PdfTextPage) -> PageText:
    raw = _characters(textpage)
    hidden = kinds_of_hidden(textpage, raw, boxes)
    if hidden:
        kinds = Counter(hidden[number] for number in hidden if not raw[number].isspace())
        raw = "".join("\x00" if number in hidden else each for number, each in enumerate(raw))
    pieces: list[str] = []
    numbers: list[int] = []
    done = 0
    lines = [match.start() for match in re.finditer(_LINE, raw)]
    _, baselines = pdf_calls.origins(pdf_calls.pointer(textpage), lines)
    for start in _paragraph_starts(lines, baselines):
        pieces += (raw[done:start], "\n")
        numbers += [*range(done, start), max(0, start - 1)]
        done = start
    text = "".join([*pieces, raw[done:]])
    numbers += range(done, len(raw))
    breaks = [match.start() for match in re.finditer(f"[{HYPHEN_MARKS}]", text)]
    return PageText(
        text=re.sub(f"[{HYPHEN_MARKS}]", "-", text),
        numbers=numbers,
        breaks=breaks,
        edges=_edges(textpage, text, baselines),
        hidden=kinds if hidden else {},
    )


def without_lines(page: PageText, spans: Iterable[tuple[int, int]]) -> PageText:
    """The page with NULs in the place of some of its text."""
    text = page.text
    for start, end in spans:
        text = text[:start] + "\x00" * (end - start) + text[end:]
    return replace(page, text=text)


def without(page: PageText, dropped: Sequence[int]) -> str:
    """The raw text without the hyphens at `dropped` places."""
    pieces = []
    done = 0
    for place in dropped:
        pieces.append(page.text[done:place])
        done = place + 1
    return "".join([*pieces, page.text[done:]])


def numbers_of(page: PageText, stored: str) -> list[int] | None:
    """pdfium's number for each character of `stored`, the normalised text of this page.

    None when `stored` is not the text of this page.
    """
    for left_out in lines_that_repeat(page):
        numbers = _aligned(without_lines(page, left_out), stored)
        if numbers is not None:
            return numbers
    return None


def lines_that_repeat(page: PageText) -> Iterator[tuple[tuple[int, int], ...]]:
    """The ranges that may be left out of the page, the fewest first.

    Which lines repeat is known from the whole document only; of one page any of its edges may be missing.
    """
    spans = [(start, end) for start, end, _ in page.edges]
    for count in range(len(spans) + 1):
        yield from combinations(spans, count)


def _aligned(page: PageText, stored: str) -> list[int] | None:
    text, origin = normalise_mapped(page.text)
    optional = set(page.breaks)
    numbers: list[int] = []
    for character, place in zip(text, origin, strict=True):
        expected = stored[len(numbers)] if len(numbers) < len(stored) else ""
        if character != expected and place in optional:
            continue
        if character != expected:
            return None
        numbers.append(page.numbers[place])
    return numbers if len(numbers) == len(stored) else None


def boxes(textpage: PdfTextPage, numbers: Iterable[int]) -> list[Box]:
    """Rectangles around these characters, one a line, in the page's own coordinates."""
    merged: list[Box] = []
    for number in sorted(set(numbers)):
        box = _loose_box(textpage, number)
        if box is None:
            continue
        if merged and _same_line(merged[-1], box):
            last = merged[-1]
            merged[-1] = (
                min(last[0], box[0]),
                min(last[1], box[1]),
                max(last[2], box[2]),
                max(last[3], box[3]),
            )
        else:
            merged.append(box)
    return merged


def _characters(textpage: PdfTextPage) -> str:
    """One character for each of pdfium's numbers."""
    count = textpage.count_chars()
    if count <= 0:
        return ""
    text: str = textpage.get_text_range(0, count)
    if len(text) == count:
        return text
    # pdfium leaves characters out of the text that its fonts do not name; ask one by one.
    codes = (pdfium.FPDFText_GetUnicode(textpage, number) for number in range(count))
    return "".join(chr(code) if 0 < code <= 0x10FFFF else "\x00" for code in codes)


def _paragraph_starts(lines: Sequence[int], baselines: Sequence[float]) -> list[int]:
    steps = [above - below for above, below in pairwise(baselines)]
    usual = median([step for step in steps if step > 1] or [0])
    if not usual:
        return []
    # A step up is a new column, or a header that the file stores last.
    return [
        start for start, step in zip(lines[1:], steps, strict=True) if step > PARAGRAPH_STEP * usual or step < -usual
    ]


def _edges(textpage: PdfTextPage, text: str, baselines: Sequence[float]) -> list[tuple[int, int, bool]]:
    page = textpage.page
    if page.get_rotation() % 180:
        return []
    _, bottom, _, top = page.get_bbox()
    share = EDGE * (top - bottom)
    lines = [(match.start(), match.end(), y) for match, y in zip(re.finditer(_LINE, text), baselines, strict=True)]
    above = sorted((line for line in lines if line[2] > top - share), key=lambda line: -line[2])[:EDGE_LINES]
    below = sorted((line for line in lines if line[2] < bottom + share), key=lambda line: line[2])[:EDGE_LINES]
    found = [(start, end, True) for start, end, _ in above] + [(start, end, False) for start, end, _ in below]
    return sorted(found)


def _loose_box(textpage: PdfTextPage, number: int) -> Box | None:
    rectangle = pdfium.FS_RECTF()
    if not pdfium.FPDFText_GetLooseCharBox(textpage, number, rectangle):
        return None
    box = (rectangle.left, rectangle.bottom, rectangle.right, rectangle.top)
    return box if box[2] > box[0] and box[3] > box[1] else None


def _same_line(one: Box, other: Box) -> bool:
    middle = (other[1] + other[3]) / 2
    near = other[0] - one[2] < 6 * (other[3] - other[1]) and other[2] > one[0]
    return near and one[1] < middle < one[3]
