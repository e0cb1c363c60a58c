"""Find words in a version's text as a reader would: whatever the case, script, diacritics and line breaks.

Pure. Both sides are folded as for the keyword search, so that "odmor" finds "одмор"; what is found is told as ranges
of the text as it is stored.
"""

import re
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate

from documents.analysis import fold
from documents.viewer.leaves import Range

#: Places told of one search; there may be more.
MOST = 2_000
#: The text is folded in blocks of about this many characters, cut between words.
_BLOCK = 8_192


@dataclass(frozen=True, slots=True)
class Found:
    """The places in reading order, none overlapping another; `more` when the text holds further ones."""

    places: list[Range]
    more: bool = False


def find(text: str, wanted: str) -> Found:
    """Where `wanted` stands in `text`, words parted by any white space, inside of longer words too."""
    words = fold(wanted).split()
    if not words:
        return Found([])
    folded = _Folded(text)
    pattern = re.compile(r"\s+".join(map(re.escape, words)))
    places: list[Range] = []
    for match in pattern.finditer(folded.text):
        if len(places) == MOST:
            return Found(places, more=True)
        start, end = folded.range_of(match.start(), match.end())
        # A character that folds into several may end one match and begin the next.
        if not places or start >= places[-1][1]:
            places.append((start, end))
    return Found(places)


class _Folded:
    """A folded text that knows where each of its characters comes from."""

    def __init__(self, text: str) -> None:
        self.blocks = [_Block(text[start:end], start) for start, end in _cut(text)]
        self.text = "".join(block.folded for block in self.blocks)
        self.starts = list(accumulate((len(block.folded) for block in self.blocks), initial=0))

    def range_of(self, start: int, end: int) -> Range:
        """The range of the text that folds into characters `start` to `end`."""
        first, last = self._block_at(start), self._block_at(end - 1)
        low = self.blocks[first].place(start - self.starts[first])
        return low, self.blocks[last].place(end - 1 - self.starts[last]) + 1

    def _block_at(self, place: int) -> int:
        # Blocks that fold into nothing begin where the next one does; bisect_right finds the last of them.
        return bisect_right(self.starts, place) - 1


class _Block:
    def __init__(self, text: str, start: int) -> None:
        self.raw, self.start = text, start
        self.folded = fold(text)

    def place(self, folded: int) -> int:
        """Where in the whole text the folded character at `folded` comes from."""
        if self._ends is None:
            return self.start + folded
        return self.start + min(bisect_right(self._ends, folded), len(self.raw) - 1)

    @cached_property
    def _ends(self) -> list[int] | None:
        """Where the folding of each character ends; None where each folds into one."""
        if self.raw.isascii():
            return None
        return list(accumulate(len(fold(character)) for character in self.raw))


def _cut(text: str) -> Iterator[Range]:
    start = 0
    while len(text) - start > _BLOCK:
        most = start + _BLOCK
        end = max(text.rfind("\n", start, most), text.rfind(" ", start, most)) + 1
        end = end if end > start else most
        yield start, end
        start = end
    yield start, len(text)
