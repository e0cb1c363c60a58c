"""A mail as a document: who wrote what to whom, what they wrote, and what is attached.

`eml` and `msg` read the two formats into a Letter. An attachment of a known format is read as if it had been
uploaded, and its sections follow those of the letter under its name.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from . import html, parse_file
from .failures import ParseFailed
from .held import Held
from .model import NUMBERED, Parsed, Part, assemble
from .outline import PATH_SEPARATOR, Outline

MAX_PARTS = 200
MAX_DEPTH = 8
# What is read by other programs, with limits of their own.
_ALONE = frozenset({"scanned", "old_office"})


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file that came with a letter, under the name that its sender gave it; or a letter that is no file."""

    name: str
    data: bytes
    letter: "Letter | None" = None


@dataclass(frozen=True, slots=True)
class Letter:
    """What both formats hold. Of two forms of the body the one that a reader sees is the HTML."""

    sender: str = ""
    to: str = ""
    copies: str = ""
    date: datetime | None = None
    subject: str = ""
    html: str = ""
    plain: str = ""
    attachments: Sequence[Attachment] = field(default_factory=tuple)


def as_document(format: str, letter: Letter, *, depth: int) -> Parsed:
    """The letter and what is attached to it; `depth` messages stand around it.

    Raises ParseFailed: `too_deep`, `too_large` or `no_text`.
    """
    if depth > MAX_DEPTH:
        raise ParseFailed("too_deep")
    if len(letter.attachments) > MAX_PARTS:
        raise ParseFailed("too_large", detail="attachments")
    attached = _Attached(depth)
    outline = _written(letter)
    parts = outline.parts()
    parts += attached.parts(letter.attachments, first=len(parts) + 1)
    hidden = outline.hidden + attached.hidden
    return assemble(format, parts, title=letter.subject, hidden=hidden, unread=attached.unread)


def _written(letter: Letter) -> Outline:
    outline = Outline()
    # Above every heading that the letter itself may have.
    outline.heading(0, letter.subject)
    date = letter.date.strftime("%Y-%m-%d %H:%M %z") if letter.date else ""
    for name, value in (("From", letter.sender), ("To", letter.to), ("Cc", letter.copies), ("Date", date)):
        outline.item(f"{name}: {' '.join(value.split())}" if value.strip() else "")
    if letter.html.strip():
        html.read_into(outline, letter.html)
    else:
        outline.block(letter.plain)
    return outline


class _Attached:
    """Reads attachments one after the other; one that cannot be read is named, and the others are read."""

    def __init__(self, depth: int) -> None:
        self.depth = depth
        self.hidden: Counter[str] = Counter()
        self.unread: list[tuple[str, str]] = []

    def parts(self, attachments: Sequence[Attachment], *, first: int) -> list[Part]:
        parts: list[Part] = []
        for attachment in attachments:
            try:
                parsed = self._read(attachment)
            except ParseFailed as failure:
                self.unread.append((attachment.name, "alone" if failure.code in _ALONE else failure.code))
                continue
            parts += _parts_of(attachment.name, parsed, first + len(parts))
            self.hidden.update(parsed.hidden)
            self.unread += [(f"{attachment.name}{PATH_SEPARATOR}{name}", code) for name, code in parsed.unread]
            self.unread += [(f"{attachment.name}{PATH_SEPARATOR}{page}", "alone") for page in parsed.textless]
        return parts

    def _read(self, attachment: Attachment) -> Parsed:
        if attachment.letter is not None:
            return as_document("msg", attachment.letter, depth=self.depth + 1)
        return parse_file(Held(attachment.data, self.depth + 1), attachment.name)


def _parts_of(name: str, parsed: Parsed, first: int) -> Iterator[Part]:
    for number, section in enumerate(parsed.sections, first):
        heading = (name, *section.heading)
        # The page of an attachment is no page of the mail.
        label = PATH_SEPARATOR.join((name, section.label) if section.kind in NUMBERED else heading)
        yield Part("section", number, label, heading, parsed.text[section.start : section.end])
