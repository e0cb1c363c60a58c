"""The shape of a document after parsing: one text, and the sections it falls into."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType

from .ceilings import CEILINGS
from .failures import ParseFailed
from .hidden import in_characters
from .normalise import normalise

MAX_LABEL = 200
SEPARATOR = "\n\n"

# Kinds that exist in the file even when they hold no text, so that "page 7" stays page 7.
NUMBERED = frozenset({"page", "slide", "sheet"})


@dataclass(frozen=True, slots=True)
class Section:
    """One page, slide, sheet or headed section: `Parsed.text[start:end]`."""

    kind: str  # "page", "slide", "sheet" or "section"
    number: int  # from 1
    label: str  # what a reader would call it: "3", "Budget 2026", "Leave › Parental leave"
    heading: tuple[str, ...]  # the headings above it, outermost first
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Parsed:
    """What a parser found. Citations point into `text`, which never changes."""

    text: str
    sections: tuple[Section, ...]  # in reading order, never overlapping
    title: str  # from metadata or the first heading; "" when there is none
    page_count: int  # pages, slides or sheets; sections where the text flows
    format: str
    #: Characters that the file holds and a reader would not see, by kind (`hidden.KINDS`); no part of `text`.
    hidden: Mapping[str, int] = field(default_factory=dict)
    #: Attachments that are no part of `text`: (name, code of the failure).
    unread: tuple[tuple[str, str], ...] = ()
    #: Lines that the file repeats from page to page, left out of `text` where they stand again.
    repeated: int = 0
    #: Pages that show something and hold no text, as from a scanner, among others that hold some; by number.
    textless: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Part:
    """A section before its text is normalised and placed."""

    kind: str
    number: int
    label: str
    heading: tuple[str, ...]
    text: str


def assemble(
    format: str,
    parts: Iterable[Part],
    *,
    title: str = "",
    hidden: Mapping[str, int] = MappingProxyType({}),
    unread: Sequence[tuple[str, str]] = (),
) -> Parsed:
    """Normalise the parts and join them with blank lines; `hidden` is read after the last part was.

    Raises ParseFailed: `too_large` beyond the ceiling of characters, `no_text` when no
    letter or digit is left.
    """
    texts: list[str] = []
    sections: list[Section] = []
    position = 0
    invisible: Counter[str] = Counter()
    for part in parts:
        invisible.update(in_characters(part.text))
        text = normalise(part.text)
        if not text and part.kind not in NUMBERED:
            continue
        end = position + len(text)
        sections.append(
            Section(
                kind=part.kind,
                number=part.number,
                label=short(part.label),
                heading=tuple(short(heading) for heading in part.heading),
                start=position,
                end=end,
            )
        )
        if text:
            texts.append(text)
            position = end + len(SEPARATOR)
        if position > CEILINGS.characters:
            raise ParseFailed("too_large", detail="characters")
    whole = SEPARATOR.join(texts)
    if not holds_words(whole):
        raise ParseFailed("no_text")
    # An empty page after the last text would start behind the separator that is not there.
    sections = [_within(section, len(whole)) for section in sections]
    return Parsed(
        text=whole,
        sections=tuple(sections),
        title=short(title),
        page_count=len(sections),
        format=format,
        hidden=dict(invisible + Counter(hidden)),
        unread=tuple((short(name), code) for name, code in unread),
    )


def holds_words(text: str) -> bool:
    """Whether there is anything in it to search for."""
    return any(map(str.isalnum, text))


def short(label: str) -> str:
    """A label on one line, cut where it would no longer be one."""
    line = " ".join(normalise(label).split())
    return line if len(line) <= MAX_LABEL else line[: MAX_LABEL - 1].rstrip() + "…"


def _within(section: Section, length: int) -> Section:
    if section.end <= length:
        return section
    return Section(section.kind, section.number, section.label, section.heading, length, length)
