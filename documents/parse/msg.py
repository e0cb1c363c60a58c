"""MSG: a mail as Outlook saves it, a small file system (OLE) of properties; olefile opens it."""

import struct
from datetime import UTC, datetime, timedelta

import olefile

from . import html, mail, rtf
from .encodings import decode
from .failures import ParseFailed, damaged_when_it_raises
from .held import File, Held
from .mail import Attachment, Letter
from .model import Parsed

# Properties by their numbers in Microsoft's list (MS-OXPROPS).
_SUBJECT, _BODY, _HTML, _RTF = "0037", "1000", "1013", "1009"
_SENDER_NAME, _SENDER_ADDRESS, _SENDER_SMTP = "0C1A", "0C1F", "5D01"
_TO, _COPIES = "0E04", "0E03"
_DATA, _LONG_NAME, _SHORT_NAME, _SHOWN_NAME = "3701", "3707", "3704", "3001"
_SENT, _DELIVERED, _CODE_PAGE = 0x0039, 0x0E06, 0x3FFD
_UNICODE, _STRING, _BINARY, _STORAGE = "001F", "001E", "0102", "000D"
_PROPERTIES = "__properties_version1.0"
_ATTACHMENT = "__attach_version1.0_"
_BEFORE_NOTHING = datetime(1601, 1, 1, tzinfo=UTC)

Place = tuple[str, ...]


def parse(path: File) -> Parsed:
    depth = path.depth if isinstance(path, Held) else 0
    with damaged_when_it_raises(), path.open("rb") as file, olefile.OleFileIO(file) as ole:
        found = _Message(ole, (), depth)
        if not found.is_one:
            raise ParseFailed("wrong_type")
        letter = found.letter()
    return mail.as_document("msg", letter, depth=depth)


class _Message:
    """A message in the file: the whole of it, or one that is attached, with its own properties."""

    def __init__(self, ole: olefile.OleFileIO, place: Place, depth: int) -> None:
        self.ole = ole
        self.place = place
        self.depth = depth
        self.fixed = _fixed(self._stream(_PROPERTIES), header=24 if place else 32)
        self.code_page = f"cp{self.fixed.get(_CODE_PAGE, 1252) & 0xFFFFFFFF}"

    @property
    def is_one(self) -> bool:
        return self.ole.exists([*self.place, _PROPERTIES])

    def letter(self) -> Letter:
        sender, address = self.text(_SENDER_NAME), self.text(_SENDER_SMTP) or self.text(_SENDER_ADDRESS)
        page, plain = self._html(), self.text(_BODY)
        if not page and not plain.strip():
            plain = rtf.letter(self._stream(f"__substg1.0_{_RTF}{_BINARY}"))
        return Letter(
            sender=f"{sender} <{address}>" if address and address != sender else sender,
            to=self.text(_TO),
            copies=self.text(_COPIES),
            date=_date(self.fixed.get(_SENT) or self.fixed.get(_DELIVERED) or 0),
            subject=self.text(_SUBJECT),
            html=page,
            plain=plain,
            attachments=self.attachments(),
        )

    def attachments(self) -> list[Attachment]:
        level = len(self.place)
        entries = {
            entry[level]
            for entry in self.ole.listdir(streams=True, storages=True)
            if len(entry) > level and tuple(entry[:level]) == self.place and entry[level].startswith(_ATTACHMENT)
        }
        if len(entries) > mail.MAX_PARTS:
            raise ParseFailed("too_large", detail="attachments")
        return [self._attachment((*self.place, entry)) for entry in sorted(entries)]

    def text(self, number: str, inside: Place = ()) -> str:
        """A property that is text, or ""."""
        if wide := self._stream(f"__substg1.0_{number}{_UNICODE}", inside):
            return wide.decode("utf-16-le", errors="replace").rstrip("\x00")
        narrow = self._stream(f"__substg1.0_{number}{_STRING}", inside)
        try:
            return narrow.decode(self.code_page).rstrip("\x00")
        except (LookupError, UnicodeDecodeError):
            return decode(narrow).rstrip("\x00")

    def _html(self) -> str:
        if data := self._stream(f"__substg1.0_{_HTML}{_BINARY}"):
            return html.decoded(data)
        return self.text(_HTML)

    def _attachment(self, place: Place) -> Attachment:
        inside = place[len(self.place) :]
        name = next(filter(None, (self.text(each, inside) for each in (_LONG_NAME, _SHORT_NAME, _SHOWN_NAME))), "")
        embedded = (*place, f"__substg1.0_{_DATA}{_STORAGE}")
        if self.ole.exists([*embedded, _PROPERTIES]):
            message = _Message(self.ole, embedded, self.depth + 1)
            # Not looked into below the depth that is read, where it is named as unread.
            letter = message.letter() if message.depth <= mail.MAX_DEPTH else Letter()
            return Attachment(name or letter.subject or "message", b"", letter)
        return Attachment(name or "attachment", self._stream(f"__substg1.0_{_DATA}{_BINARY}", inside))

    def _stream(self, name: str, inside: Place = ()) -> bytes:
        path = [*self.place, *inside, name]
        if not self.ole.exists(path):
            return b""
        data: bytes = self.ole.openstream(path).read()
        return data


def _fixed(stream: bytes, *, header: int) -> dict[int, int]:
    """The properties of fixed size, by number."""
    values = {}
    for start in range(header, len(stream) - 15, 16):
        _, number, _, value = struct.unpack_from("<HHIQ", stream, start)
        values[number] = value
    return values


def _date(ticks: int) -> datetime | None:
    """From tenths of microseconds since 1601."""
    try:
        return _BEFORE_NOTHING + timedelta(microseconds=ticks // 10) if ticks else None
    except OverflowError:
        return None
