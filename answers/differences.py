"""What changed between two forms of a text, word by word, for a person to read."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import SequenceMatcher

#: A citation mark, a run of letters or digits, a run of white space, or one other character.
_TOKEN = re.compile(r"\[\d+\]|\w+|\s+|.", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of text. `kind` is same, removed or added."""

    kind: str
    text: str


def difference(before: str, after: str) -> list[Piece]:
    """Pieces in reading order: same and removed ones spell `before`, same and added ones spell `after`."""
    return list(_pieces(_TOKEN.findall(before), _TOKEN.findall(after)))


def _pieces(before: list[str], after: list[str]) -> Iterator[Piece]:
    # Without autojunk off, words that are frequent in a long text would never be matched.
    for tag, start, end, new_start, new_end in SequenceMatcher(None, before, after, autojunk=False).get_opcodes():
        if tag == "equal":
            yield Piece("same", "".join(before[start:end]))
            continue
        if end > start:
            yield Piece("removed", "".join(before[start:end]))
        if new_end > new_start:
            yield Piece("added", "".join(after[new_start:new_end]))
