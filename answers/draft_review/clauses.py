"""Split a draft into its clauses: numbered provisions, articles, headed parts and paragraphs. Pure.

English and Serbian, both scripts. Every character but white space lies in exactly one clause, so that whatever is
found has a place.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

#: A longer clause is taken paragraph by paragraph; shorter unnumbered paragraphs are taken together.
LONGEST, SHORTEST = 2_500, 120
_MOST_LABEL = 120
_HEADING_WORDS = 14

_MARKDOWN = re.compile(r"#{1,6}\s+(?P<title>\S.*)")
_NAMED = re.compile(
    r"(?:article|section|clause|schedule|annex|appendix|chapter|part|recital"
    r"|član|članak|odeljak|odjeljak|tačka|prilog|aneks|glava|poglavlje|deo|dio"
    r"|члан|чланак|одељак|одјељак|тачка|прилог|анекс|глава|поглавље|део|дио)"
    r"\s+(?:\d{1,3}[a-zа-ш]?|[ivxlc]{1,6}|[A-ZА-Ш])(?=[\s.:)–—-]|$)",
    re.IGNORECASE,
)
_NUMBERED = re.compile(r"(?P<number>\d{1,3}(?P<more>(?:\.\d{1,3}){0,4}))(?P<mark>[.)])?\s+(?P<after>\S)")
_OPENS = re.compile(r"\d{1,3}(?:[.)]\s|\.\d)|[#§(]")
_SIGN = re.compile(r"§+\s*\d{1,4}[a-z]?")
_ENDS = re.compile(r"[.;:!?…)\]”’\"]$")
_PARAGRAPH = re.compile(r"\n[ \t]*\n\s*")


@dataclass(frozen=True, slots=True)
class Part:
    """`text[start:end]`, without white space at its ends. `label` is its number, or the heading it stands under."""

    label: str
    start: int
    end: int


@dataclass(slots=True)
class _Line:
    start: int
    end: int
    text: str
    after_blank: bool
    #: The last line before that holds something, and the next; "" where there is none.
    previous: str
    following: str = ""
    before_blank: bool = True


def split(text: str) -> list[Part]:
    """The clauses of `text` in order; a heading belongs to the first clause below it."""
    parts: list[Part] = []
    heading, begun = "", None
    for start, end, label, is_heading in _stretches(text):
        if is_heading:
            heading = label
            begun = start if begun is None else begun
            continue
        first = start if begun is None else begun
        parts += _sized(text, first, end, label or heading)
        begun = None
    if begun is not None:
        parts.append(_part(text, begun, len(text), heading))
    return _joined(text, parts)


def _stretches(text: str) -> Iterator[tuple[int, int, str, bool]]:
    """(start, end, label, whether it is a heading alone) for each stretch that begins where a clause may begin."""
    begun: tuple[int, str] | None = None
    last = 0
    numbered = False
    for line in _lines(text):
        label, is_heading, opens = _read(line, numbered)
        if not opens:
            if begun is None:
                begun = (line.start, "")
            last = line.end
            continue
        if begun is not None:
            yield begun[0], last, begun[1], False
            begun = None
        if is_heading:
            numbered = False
            yield line.start, line.end, label, True
        else:
            numbered = bool(label)
            begun = (line.start, label)
        last = line.end
    if begun is not None:
        yield begun[0], last, begun[1], False


def _lines(text: str) -> list[_Line]:
    lines: list[_Line] = []
    at, blank = 0, True
    for raw in text.splitlines(keepends=True):
        stripped = raw.strip()
        if stripped:
            start = at + len(raw) - len(raw.lstrip())
            lines.append(_Line(start, start + len(stripped), stripped, blank, lines[-1].text if lines else ""))
        blank = not stripped
        at += len(raw)
    for line, following in pairwise(lines):
        line.following, line.before_blank = following.text, following.after_blank
    return lines


def _read(line: _Line, numbered: bool) -> tuple[str, bool, bool]:
    """The label of a line, whether it is a heading alone, and whether a clause begins with it."""
    if found := _MARKDOWN.match(line.text):
        return found["title"][:_MOST_LABEL], True, True
    label = _number_of(line)
    is_short = len(line.text.split()) <= _HEADING_WORDS and not _ENDS.search(line.text)
    if label:
        stands_alone = line.before_blank or line.following[:1].isupper() or bool(_OPENS.match(line.following))
        return (line.text[:_MOST_LABEL], True, True) if is_short and stands_alone else (label, False, True)
    if line.after_blank and is_short and line.text[:1].isupper() and not line.text.endswith(","):
        return line.text[:_MOST_LABEL], True, True
    # Below a number, paragraphs belong to it until the next one.
    return "", False, line.after_blank and not numbered


def _number_of(line: _Line) -> str:
    """What the line is numbered with, or ""; a figure that a line break put first is none."""
    if found := _NAMED.match(line.text):
        rest = line.text[found.end() :]
        # "Section 4 applies" in the middle of a paragraph names a section and begins none.
        is_broken = not line.after_blank and not _ENDS.search(line.previous)
        return "" if is_broken or re.match(r"\s+[a-zа-ш]", rest) else found.group()
    if found := _SIGN.match(line.text):
        return found.group()
    found = _NUMBERED.match(line.text)
    if not found or not (found["mark"] or found["more"]):
        return ""
    if not (found["after"].isupper() or found["after"] in '"“„«(') and not found["more"]:
        return ""
    is_broken = not line.after_blank and bool(line.previous) and not _ENDS.search(line.previous)
    return "" if is_broken and len(line.previous.split()) > _HEADING_WORDS else found["number"]


def _sized(text: str, start: int, end: int, label: str) -> Iterator[Part]:
    """The stretch as one clause, or paragraph by paragraph where it is long."""
    if end - start <= LONGEST:
        yield _part(text, start, end, label)
        return
    begun = start
    for gap in _PARAGRAPH.finditer(text, start, end):
        if gap.start() - begun >= SHORTEST:
            yield _part(text, begun, gap.start(), label)
            begun = gap.end()
    yield _part(text, begun, end, label)


def _joined(text: str, parts: list[Part]) -> list[Part]:
    """Neighbouring paragraphs of one label that are too short to say anything alone, together."""
    joined: list[Part] = []
    for part in parts:
        before = joined[-1] if joined else None
        is_short = before is not None and before.end - before.start < SHORTEST and before.label == part.label
        if before is not None and is_short and part.end - before.start <= LONGEST:
            joined[-1] = _part(text, before.start, part.end, before.label)
        else:
            joined.append(part)
    return joined


def _part(text: str, start: int, end: int, label: str) -> Part:
    held = text[start:end]
    start += len(held) - len(held.lstrip())
    end -= len(held) - len(held.rstrip())
    return Part(" ".join(label.split())[:_MOST_LABEL], start, end)
