"""Find the headers and footers that a PDF or a scan repeats from page to page.

They would stand in the middle of what is read from one page to the next, and make every page look alike to a search.
A line repeats when it is the same, or when one number in it counts the pages and all else is the same; any other
number stays. The first page that has the line keeps it, except a page's number alone, since a page knows its own.
"""

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence

from .pdf_text import PageText

# Seen fewer times, a line may just happen to stand twice.
MIN_PAGES = 3
# Left and right pages often have a header each.
MIN_SHARE = 0.4
_NUMBER = re.compile(r"(?<![\d.,])\d{1,4}(?![\d.,]*\d)")
_ONLY_NUMBER = re.compile(r"\W*\d{1,4}(\s*/\s*\d{1,4})?\W*")

Span = tuple[int, int]


def repeated(pages: Sequence[PageText]) -> list[list[Span]]:
    """For each page the ranges of its text to leave out; all are among its `edges`."""
    places: dict[tuple[bool, str, int | None], list[tuple[int, Span]]] = defaultdict(list)
    for index, page in enumerate(pages):
        for start, end, is_top in page.edges:
            for line, ahead in _alike(page.text[start:end], index, len(pages)):
                places[is_top, line, ahead].append((index, (start, end)))
    left_out: list[set[Span]] = [set() for _ in pages]
    for (_, line, _), found in places.items():
        among = [index for index, _ in found]
        if len(set(among)) < MIN_PAGES or len(set(among)) < MIN_SHARE * (among[-1] - among[0] + 1):
            continue
        for index, span in found:
            if index != among[0] or not any(character.isalpha() for character in line):
                left_out[index].add(span)
    return [sorted(spans) for spans in left_out]


def _alike(line: str, index: int, count: int) -> Iterator[tuple[str, int | None]]:
    """The ways in which the line may repeat: as it is, or with one of its numbers so far ahead of the page's index.

    Only a number that a page of this document can have is believed to count its pages.
    """
    line = " ".join(line.split())
    if any(character.isalpha() for character in line):
        yield line, None
    elif not _ONLY_NUMBER.fullmatch(line):
        return
    for number in _NUMBER.finditer(line):
        if 0 < int(number[0]) <= count:
            yield f"{line[: number.start()]}\x00{line[number.end() :]}", int(number[0]) - index
