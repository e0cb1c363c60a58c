"""Find the headers and footers that a PDF repeats from page to page.

They would stand in the middle of what is read from one page to the next, and make every page look alike to a search.
The first page that has one keeps it, so nothing is lost; numbers of pages are lost, since a page knows its own.
"""

import re
from collections import defaultdict
from collections.abc import Sequence

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
    places: dict[tuple[bool, str], list[tuple[int, Span]]] = defaultdict(list)
    for index, page in enumerate(pages):
        for start, end, is_top in page.edges:
            places[is_top, _alike(page.text[start:end])].append((index, (start, end)))
    left_out: list[list[Span]] = [[] for _ in pages]
    for (_, line), found in places.items():
        among = [index for index, _ in found]
        if len(set(among)) < MIN_PAGES or len(set(among)) < MIN_SHARE * (among[-1] - among[0] + 1):
            continue
        for index, span in found:
            if index != among[0] or line == "#":
                left_out[index].append(span)
    return left_out


def _alike(line: str) -> str:
    """The line without what differs from page to page: its first and last number."""
    line = " ".join(line.casefold().split())
    if _ONLY_NUMBER.fullmatch(line):
        return "#"
    if not any(character.isalpha() for character in line):
        return line
    numbers = list(_NUMBER.finditer(line))
    for number in {each.span() for each in (numbers[:1] + numbers[-1:])}:
        line = line[: number[0]] + "#" * (number[1] - number[0]) + line[number[1] :]
    return re.sub("#+", "#", line)
