"""What changed between two forms of a text: which of its lines, and word by word within them.

Pure, and bounded whatever the texts hold: lines are matched in time that grows little faster than their number,
and stretches that would take long word by word, alone or together, are shown as one whole for another.
"""

import re
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

#: A citation mark, a run of letters or digits, a run of white space, or one other character.
_TOKEN = re.compile(r"\[\d+\]|\w+|\s+|.", re.DOTALL)
#: The most that two stretches may hold to be compared one by one: each, and, with others of the same page, in pairs of
#: the same. So many pairs may take some seconds.
_MOST_TOKENS = 4_000
_MOST_PAIRS = 150_000
#: Each look for lines that stand once reads what lies between those of the look before.
_DEEPEST = 24

#: Where two sequences differ: from and to in the one, from and to in the other.
Gap = tuple[int, int, int, int]


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of text. `kind` is same, removed or added."""

    kind: str
    text: str


@dataclass(slots=True)
class Room:
    """What may still be compared one by one; what is too large for it is shown as one whole for another."""

    pairs: int = _MOST_PAIRS

    def takes(self, old: Sequence[str], new: Sequence[str]) -> bool:
        """Whether comparing them ends soon, which uses it up: it takes a step for each pair of the same, many times."""
        if max(len(old), len(new)) > _MOST_TOKENS:
            return False
        counts, new_counts = Counter(old), Counter(new)
        pairs = sum(count * new_counts[each] for each, count in counts.items() if not each.isspace())
        if pairs > self.pairs:
            return False
        self.pairs -= pairs
        return True


def difference(before: str, after: str, room: Room | None = None) -> list[Piece]:
    """Pieces in reading order: same and removed ones spell `before`, same and added ones spell `after`.

    Several that are shown together share a `room`.
    """
    old, new = _TOKEN.findall(before), _TOKEN.findall(after)
    if not (room or Room()).takes(old, new):
        return [piece for piece in (Piece("removed", before), Piece("added", after)) if piece.text]
    pieces: list[Piece] = []
    removed = added = ""
    for is_same, was, now in _runs(old, new):
        if not is_same or ((removed or added) and was.isspace()):
            # A blank between two changed words belongs to the change: one stroke, not two.
            removed, added = removed + was, added + now
            continue
        pieces += _changed(removed, added)
        pieces.append(Piece("same", was))
        removed = added = ""
    return pieces + _changed(removed, added)


def gaps(before: Sequence[str], after: Sequence[str]) -> list[Gap]:
    """Where two sequences of lines differ, in order; what lies between two gaps is the same in both.

    Lines that stand once in either are matched first, in the longest row that keeps their order, and the rest
    between them: a line that moved is a removed and an added one.
    """
    found: list[Gap] = []
    room = Room()
    waiting = [(0, (0, len(before), 0, len(after)))]
    while waiting:
        depth, whole = waiting.pop()
        gap = _trimmed(before, after, whole)
        if gap[0] == gap[1] and gap[2] == gap[3]:
            continue
        inner = _between_anchors(before, after, gap) if depth < _DEEPEST else []
        if inner:
            waiting += [(depth + 1, each) for each in inner]
        else:
            found += _small_gaps(before, after, gap, room)
    return sorted(found)


def _trimmed(before: Sequence[str], after: Sequence[str], gap: Gap) -> Gap:
    """Without what both sides begin and end with."""
    low, high, new_low, new_high = gap
    while low < high and new_low < new_high and before[low] == after[new_low]:
        low, new_low = low + 1, new_low + 1
    while low < high and new_low < new_high and before[high - 1] == after[new_high - 1]:
        high, new_high = high - 1, new_high - 1
    return low, high, new_low, new_high


def _between_anchors(before: Sequence[str], after: Sequence[str], gap: Gap) -> list[Gap]:
    """What lies between the lines that stand once on either side; empty when there are no such lines."""
    low, high, new_low, new_high = gap
    once, new_once = _places(before, low, high), _places(after, new_low, new_high)
    pairs = [(place, new_once[line]) for line, place in once.items() if line in new_once]
    anchors = _rising(sorted(pairs))
    if not anchors:
        return []
    inner = []
    for place, new_place in [*anchors, (high, new_high)]:
        inner.append((low, place, new_low, new_place))
        low, new_low = place + 1, new_place + 1
    return inner


def _places(lines: Sequence[str], low: int, high: int) -> dict[str, int]:
    """The lines that stand once, with their places."""
    counts = Counter(lines[low:high])
    return {lines[place]: place for place in range(low, high) if counts[lines[place]] == 1}


def _rising(pairs: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """The longest row of pairs, given in the order of their first halves, whose second halves rise too."""
    tails: list[int] = []
    ends: list[int] = []
    before: list[int] = []
    for number, (_place, new_place) in enumerate(pairs):
        length = bisect_left(tails, new_place)
        before.append(ends[length - 1] if length else -1)
        if length == len(tails):
            tails.append(new_place)
            ends.append(number)
        else:
            tails[length], ends[length] = new_place, number
    row = []
    number = ends[-1] if ends else -1
    while number >= 0:
        row.append(pairs[number])
        number = before[number]
    return row[::-1]


def _small_gaps(before: Sequence[str], after: Sequence[str], gap: Gap, room: Room) -> Iterator[Gap]:
    low, high, new_low, new_high = gap
    old, new = before[low:high], after[new_low:new_high]
    if not room.takes(old, new):
        yield low, high, new_low, new_high
        return
    for tag, start, end, new_start, new_end in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if tag != "equal":
            yield low + start, low + end, new_low + new_start, new_low + new_end


def _runs(before: list[str], after: list[str]) -> Iterator[tuple[bool, str, str]]:
    # Blanks match beside words only: between all others they would be most of the work. Without autojunk off, words
    # that are frequent in a long text would never be matched.
    matcher = SequenceMatcher(str.isspace, before, after, autojunk=False)
    for tag, start, end, new_start, new_end in matcher.get_opcodes():
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
