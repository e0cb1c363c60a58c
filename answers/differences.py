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
    pieces: list[Piece] = []
    removed = added = ""
    for is_same, old, new in _runs(_TOKEN.findall(before), _TOKEN.findall(after)):
        if not is_same or ((removed or added) and old.isspace()):
            # A blank between two changed words belongs to the change: one stroke, not two.
            removed, added = removed + old, added + new
            continue
        pieces += _changed(removed, added)
        pieces.append(Piece("same", old))
        removed = added = ""
    return pieces + _changed(removed, added)


def _runs(before: list[str], after: list[str]) -> Iterator[tuple[bool, str, str]]:
    # Without autojunk off, words that are frequent in a long text would never be matched.
    for tag, start, end, new_start, new_end in SequenceMatcher(None, before, after, autojunk=False).get_opcodes():
        yield tag == "equal", "".join(before[start:end]), "".join(after[new_start:new_end])


def _changed(removed: str, added: str) -> list[Piece]:
    """The change without the blank both sides end on, which is put after it."""
    if not (removed or added):
        return []
    kept = min(len(removed) - len(removed.rstrip()), len(added) - len(added.rstrip()))
    blank = removed[len(removed) - kept :]
    if kept and not added.endswith(blank):
        kept, blank = 0, ""
    sides = (("removed", removed), ("added", added), ("same", blank))
    texts = [(kind, text if kind == "same" else text[: len(text) - kept]) for kind, text in sides]
    return [Piece(kind, text) for kind, text in texts if text]
