"""Find the citation marks in a text, take them out, and put others in.

Ours are written `[3]`. Models also write `[1, 2]`, `【3】`, `[^3]`, `[source 3]`, and ids they were never given.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass

MARK = re.compile(r"\[(\d{1,3})\]")

_ID = r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|(?:doc|document|passage|chunk|id)[\s:#_-]*[\w.-]*\d[\w.-]*"
# Four figures in brackets are a year, as in "[2019] EWCA Civ 1".
_CITING = re.compile(
    rf"[ \t]*[\[【]\s*(?:\^|(?:source|src|ref|izvor|извор)s?[\s:#_-]*)?"
    rf"(?:(?P<numbers>\d{{1,3}}(?:\s*[,;]\s*\d{{1,3}})*)|(?P<id>{_ID}))(?:†[^\]】]*)?\s*[\]】]",
    re.IGNORECASE,
)
#: Stands for an id that no source has.
NO_SOURCE = 0


@dataclass(frozen=True, slots=True)
class Mark:
    """One citation mark: where it stood in the unmarked text, and how many characters it took there."""

    position: int
    #: NO_SOURCE for an invented id.
    number: int
    width: int


@dataclass(frozen=True, slots=True)
class Unmarked:
    """A text without its marks, and the marks in order."""

    text: str
    marks: tuple[Mark, ...]

    def place(self, position: int) -> int:
        """Where `position` of the unmarked text is in the marked one, behind any marks that stand there."""
        return position + sum(mark.width for mark in self.marks if mark.position <= position)


def take_out(text: str) -> Unmarked:
    """Separate a text from its citation marks and the blanks before them."""
    kept: list[str] = []
    marks: list[Mark] = []
    length, after = 0, 0
    for match in _CITING.finditer(text):
        kept.append(text[after : match.start()])
        length += match.start() - after
        after = match.end()
        found = re.findall(r"\d+", match["numbers"]) if match["numbers"] else [NO_SOURCE]
        for order, number in enumerate(found):
            marks.append(Mark(length, int(number), 0 if order else len(match.group())))
    return Unmarked("".join([*kept, text[after:]]), tuple(marks))


def put_in(text: str, marks: Iterable[tuple[int, int]]) -> str:
    """`text` with ` [n]` written at each (position, n), positions rising."""
    parts: list[str] = []
    written, last = 0, -1
    for position, number in marks:
        parts.append(text[written:position])
        parts.append(f"[{number}]" if position == last else f" [{number}]")
        written = last = position
    return "".join([*parts, text[written:]])


def numbers(text: str) -> list[int]:
    """The numbers of the marks in a text of ours, in reading order, doubles kept."""
    return [int(number) for number in MARK.findall(text)]
