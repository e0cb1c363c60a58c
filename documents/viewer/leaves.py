"""The screens a version falls into: a page, slide, sheet or run of headed sections, none too long for one response.

Pure: works on the stored text and sections alone, and cuts in the same places every time.
"""

import re
from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from documents.parse.model import NUMBERED

#: What is longer than one screen is cut into pieces of at most this many characters.
SCREEN = 20_000

_ROWS = re.compile(r"(\d+)–(\d+)")

Range = tuple[int, int]
Section = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Leaf:
    """What is on the screen at once. A page, slide or sheet of more than one screen has several parts."""

    number: int  # from 1; for pages, slides and sheets the number they have in the file
    kind: str
    label: str
    start: int
    end: int
    sections: tuple[Section, ...]
    part: int = 1
    parts: int = 1


def leaves(sections: Sequence[Section], text: str) -> list[Leaf]:
    """The screens of `text`, in order; never empty. `sections` are the version's stored ones."""
    if not sections:
        sections = [{"kind": "section", "number": 1, "label": "", "heading": (), "start": 0, "end": len(text)}]
    if sections[0]["kind"] in NUMBERED:
        return [leaf for section in sections for leaf in _parts(section, text)]
    return [_screen(number, run, place) for number, (run, place) in enumerate(_runs(sections, text), 1)]


def leaf_at(found: Sequence[Leaf], position: int) -> Leaf:
    """The leaf that holds the character at `position`, or the last one before it."""
    before = [leaf for leaf in found if leaf.start <= position and leaf.end > leaf.start]
    return before[-1] if before else found[0]


def leaf_numbered(found: Sequence[Leaf], number: int, part: int = 1) -> Leaf | None:
    """The leaf with this number, if there is one."""
    return next((leaf for leaf in found if leaf.number == number and leaf.part == part), None)


def whole_range(found: Sequence[Leaf], number: int) -> Range:
    """From where to where the page, slide or sheet with this number stands, all of its parts together."""
    parts = [leaf for leaf in found if leaf.number == number]
    return parts[0].start, parts[-1].end


def neighbours(found: Sequence[Leaf], leaf: Leaf) -> tuple[Leaf | None, Leaf | None]:
    """The leaves before and after `leaf`."""
    place = found.index(leaf)
    return (found[place - 1] if place else None), (found[place + 1] if place + 1 < len(found) else None)


def within(whole: Range, cited: Range) -> Range | None:
    """The part of `cited` that lies in `whole`, counted from the start of `whole`; None when there is none."""
    start, end = max(cited[0], whole[0]), min(cited[1], whole[1])
    return (start - whole[0], end - whole[0]) if start < end else None


def section_at(sections: Sequence[Section], position: int) -> Section | None:
    """The section that holds the character at `position`, or the last one that begins before it."""
    place = bisect_right(sections, position, key=lambda section: section["start"])
    return sections[place - 1] if place else None


def _parts(section: Section, text: str) -> list[Leaf]:
    cuts = list(_cut(text, section["start"], section["end"]))
    return [
        Leaf(section["number"], section["kind"], section["label"], start, end, (section,), part, len(cuts))
        for part, (start, end) in enumerate(cuts, 1)
    ]


def _runs(sections: Sequence[Section], text: str) -> Iterator[tuple[list[Section], Range]]:
    """Sections that fit on one screen together, or a piece of one that does not fit alone."""
    run: list[Section] = []
    for section in sections:
        if run and section["end"] - run[0]["start"] > SCREEN:
            yield run, (run[0]["start"], run[-1]["end"])
            run = []
        if section["end"] - section["start"] > SCREEN:
            *full, rest = _cut(text, section["start"], section["end"])
            yield from (([section], each) for each in full)
            yield [section], rest
        else:
            run.append(section)
    if run:
        yield run, (run[0]["start"], run[-1]["end"])


def _screen(number: int, run: Sequence[Section], place: Range) -> Leaf:
    return Leaf(number, "section", _label(run), *place, tuple(run))


def _label(run: Sequence[Section]) -> str:
    """The first section's label; of groups of rows, from the first row to the last."""
    first, last = _ROWS.fullmatch(run[0]["label"]), _ROWS.fullmatch(run[-1]["label"])
    return f"{first[1]}–{last[2]}" if first and last else run[0]["label"]


def _cut(text: str, start: int, end: int) -> Iterator[Range]:
    """Pieces of at most SCREEN characters, cut after a paragraph if possible, else after a line or a word."""
    while end - start > SCREEN:
        middle, most = start + SCREEN // 2, start + SCREEN
        places = (text.rfind(mark, middle, most) + len(mark) for mark in ("\n\n", "\n", " "))
        cut = next((place for place in places if place > middle), most)
        yield start, cut
        start = cut
    yield start, end
