"""The draft with what its owner accepted, and the pieces a page or a file shows it in. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Protocol


class Change(Protocol):
    """What a finding says of the draft's text."""

    @property
    def start(self) -> int: ...
    @property
    def end(self) -> int: ...


@dataclass(frozen=True, slots=True)
class Edit:
    """`text[start:end]` becomes `to`."""

    start: int
    end: int
    to: str


@dataclass(slots=True)
class Piece:
    """A stretch of the draft, with whatever lies on it: changes by their place in what was given."""

    start: int
    end: int
    text: str
    on: list[int] = field(default_factory=list)


def overlaps(one: Change, other: Change) -> bool:
    """Whether both cannot be applied: they share characters. Two insertions at one place can."""
    return one.start < other.end and other.start < one.end


def apply(text: str, edits: Iterable[Edit]) -> str:
    """The text with every edit made; none may overlap another. Raises ValueError when two do."""
    parts: list[str] = []
    at = 0
    for edit in sorted(edits, key=lambda edit: (edit.start, edit.end)):
        if edit.start < at:
            raise ValueError("Two edits overlap.")
        parts += [text[at : edit.start], edit.to]
        at = edit.end
    return "".join([*parts, text[at:]])


def pieces(text: str, changes: Sequence[Change]) -> list[Piece]:
    """The whole text in order, cut wherever a change begins or ends; one of no length has a piece of its own."""
    cuts = sorted({0, len(text), *(one.start for one in changes), *(one.end for one in changes)})
    empty: dict[int, list[int]] = {}
    for place, one in enumerate(changes):
        if one.start == one.end:
            empty.setdefault(one.start, []).append(place)
    found: list[Piece] = []
    for number, start in enumerate(cuts):
        if start in empty:
            found.append(Piece(start, start, "", empty[start]))
        if number + 1 < len(cuts):
            end = cuts[number + 1]
            on = [place for place, one in enumerate(changes) if one.start <= start and end <= one.end]
            found.append(Piece(start, end, text[start:end], on))
    return found
