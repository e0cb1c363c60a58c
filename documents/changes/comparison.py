"""Two versions of a document as one text to read: what was removed, added and reworded, folded where nothing changed.

Spacing and line breaks do not count. Pure: works on stored texts and sections alone.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from documents.changes.differences import Gap, Piece, Room, difference, gaps
from documents.viewer import blocks as viewer
from documents.viewer.leaves import section_at

#: Of each version; longer ones are not compared on a page.
MOST_CHARACTERS = 3_000_000
#: Changes on one page.
PER_PAGE = 40
#: Of one change, on either side.
MOST_SHOWN = 12_000
#: Unchanged paragraphs stay to be unfolded up to this length in all; of longer stretches their number is told.
FOLDED = 4_000
#: The share of the shorter side's words that stands on the other, too.
_ALIKE = 0.5
#: Of unchanged words inside of a change, before and after what is left out.
_AROUND = 240


@dataclass(frozen=True, slots=True)
class Text:
    """A version's text as it was read."""

    text: str
    sections: Sequence[Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Side:
    """Where a change stands in one of the versions: the range, and the section that holds its beginning."""

    start: int
    end: int
    section: Mapping[str, Any] | None


@dataclass(frozen=True, slots=True)
class Change:
    """One stretch that differs. `kind` is added, removed or changed; a side without text has no place."""

    number: int  # from 1
    kind: str
    pieces: list[Piece]  # same, removed, added, and folded: words of either that are not shown
    before: Side | None
    after: Side | None
    left_out: int  # characters of both sides that are not shown


@dataclass(frozen=True, slots=True)
class Unchanged:
    """Paragraphs that are the same in both. `texts` is empty where there are too many to hold ready."""

    count: int
    texts: list[str]


@dataclass(frozen=True, slots=True)
class Comparison:
    """A page of what differs, in reading order, with all changes counted."""

    rows: list[Change | Unchanged]
    total: int
    page: int
    pages: int


def compare(before: Text, after: Text, *, page: int = 1) -> Comparison:
    """Page `page` (from 1; the last one where there are fewer) of what differs between two texts.

    Neither may be longer than MOST_CHARACTERS.
    """
    old, new = _Paragraphs(before), _Paragraphs(after)
    found = gaps(old.keys, new.keys)
    pages = max(1, -(-len(found) // PER_PAGE))
    page = min(max(1, page), pages)
    first = (page - 1) * PER_PAGE
    shown = found[first : first + PER_PAGE]
    done = found[first - 1][3] if first else 0
    rows: list[Change | Unchanged] = []
    room = Room()
    for number, gap in enumerate(shown, first + 1):
        rows += _unchanged(new, done, gap[2])
        rows.append(_change(number, old, new, gap, room))
        done = gap[3]
    following = found[first + PER_PAGE][2] if first + PER_PAGE < len(found) else len(new.keys)
    rows += _unchanged(new, done, following)
    return Comparison(rows, len(found), page, pages)


class _Paragraphs:
    """The paragraphs of a text with their places; two are the same when their keys are."""

    def __init__(self, whole: Text) -> None:
        self.whole = whole
        self.ranges = list(viewer.paragraphs(whole.text))
        self.keys = [" ".join(whole.text[start:end].split()) for start, end in self.ranges]

    def side(self, first: int, last: int) -> Side | None:
        """Where the paragraphs from `first` to before `last` stand; None when there are none."""
        if first == last:
            return None
        start, end = self.ranges[first][0], self.ranges[last - 1][1]
        return Side(start, end, section_at(self.whole.sections, start))

    def text(self, first: int, last: int) -> str:
        return "\n".join(self.keys[first:last])


def _unchanged(paragraphs: _Paragraphs, first: int, last: int) -> Iterator[Unchanged]:
    if first == last:
        return
    texts = paragraphs.keys[first:last]
    yield Unchanged(last - first, texts if sum(map(len, texts)) <= FOLDED else [])


def _change(number: int, old: _Paragraphs, new: _Paragraphs, gap: Gap, room: Room) -> Change:
    low, high, new_low, new_high = gap
    removed, added = old.text(low, high), new.text(new_low, new_high)
    kind = "changed" if removed and added else "removed" if removed else "added"
    pieces = list(_folded(_pieces(removed, added, room)))
    shown, left_out = [], 0
    room = {"removed": MOST_SHOWN, "added": MOST_SHOWN, "same": MOST_SHOWN, "folded": 1}
    for piece in pieces:
        kept = piece.text[: room[piece.kind]]
        left_out += len(piece.text) - len(kept)
        room[piece.kind] -= len(kept)
        if kept or piece.kind == "folded":
            shown.append(Piece(piece.kind, kept))
    return Change(number, kind, shown, old.side(low, high), new.side(new_low, new_high), left_out)


def _pieces(removed: str, added: str, room: Room) -> list[Piece]:
    """Word by word where one was made from the other; two texts that are not alike stand one below the other."""
    words, new_words = Counter(removed.split()), Counter(added.split())
    shared = (words & new_words).total()
    if shared and shared >= _ALIKE * min(words.total(), new_words.total()):
        # Where a paragraph begins is no change of its words.
        blank = {"removed": "", "added": "same"}
        pieces = [
            Piece(blank.get(piece.kind, piece.kind), piece.text) if piece.text.isspace() else piece
            for piece in difference(removed, added, room)
        ]
        return [piece for piece in pieces if piece.kind]
    between = [Piece("same", "\n")] if removed and added else []
    return [piece for piece in (Piece("removed", removed), *between, Piece("added", added)) if piece.text]


def _folded(pieces: Sequence[Piece]) -> Iterator[Piece]:
    """The pieces, with long stretches of the same in the middle of a change shortened to their ends."""
    for piece in pieces:
        if piece.kind != "same" or len(piece.text) <= 3 * _AROUND:
            yield piece
            continue
        head = piece.text[:_AROUND].rpartition(" ")[0]
        tail = piece.text[-_AROUND:].partition(" ")[2]
        yield Piece("same", head)
        yield Piece("folded", "")
        yield Piece("same", tail)
