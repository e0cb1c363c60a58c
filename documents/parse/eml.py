"""EML: a mail as it travelled, read by the standard library; what a sender claims about a part is never trusted."""

import email
import email.policy
import mimetypes
from collections.abc import Iterator
from datetime import datetime
from email.header import decode_header, make_header
from email.message import Message
from email.utils import parsedate_to_datetime
from pathlib import PurePath

from . import mail
from .encodings import decode, read_bytes
from .failures import ParseFailed, damaged_when_it_raises
from .held import File, Held
from .mail import Attachment, Letter
from .model import Parsed

MAX_HEADER = 10_000
# What only proves who wrote it.
_SEALS = frozenset({"application/pkcs7-signature", "application/x-pkcs7-signature", "application/pgp-signature"})
_SEALED = frozenset({"application/pkcs7-mime", "application/x-pkcs7-mime", "multipart/encrypted"})


def parse(path: File) -> Parsed:
    depth = path.depth if isinstance(path, Held) else 0
    if depth > mail.MAX_DEPTH:
        raise ParseFailed("too_deep")
    with damaged_when_it_raises():
        # The older policy: it reads the structure alone, in time that grows with the mail and no faster.
        letter = _letter(email.message_from_bytes(read_bytes(path), policy=email.policy.compat32))
    return mail.as_document("eml", letter, depth=depth)


def _letter(message: Message) -> Letter:
    bodies: dict[str, list[str]] = {"text/html": [], "text/plain": []}
    attachments: list[Attachment] = []
    for part in _leaves(message):
        kind = part.get_content_type()
        if kind in _SEALED:
            raise ParseFailed("encrypted")
        if kind in bodies and not _is_attachment(part):
            bodies[kind].append(_text(part))
        elif kind == "message/rfc822":
            attachments += _inner(part)
        elif kind not in _SEALS and not _is_drawn_in(part):
            attachments.append(Attachment(_name(part), _data(part)))
    return Letter(
        sender=_header(message, "From"),
        to=_header(message, "To"),
        copies=_header(message, "Cc"),
        date=_date(message),
        subject=_header(message, "Subject"),
        html="\n".join(bodies["text/html"]),
        plain="\n\n".join(bodies["text/plain"]),
        attachments=attachments,
    )


def _leaves(message: Message) -> Iterator[Message]:
    """The parts that hold something, in order. A message in the message is one of them."""
    waiting = [message]
    seen = 0
    while waiting:
        part = waiting.pop()
        seen += 1
        if seen > mail.MAX_PARTS:
            raise ParseFailed("too_large", detail="parts")
        if part.get_content_maintype() == "multipart" and part.is_multipart():
            waiting += reversed(part.get_payload())  # type: ignore[arg-type]
        else:
            yield part


def _inner(part: Message) -> list[Attachment]:
    inner = part.get_payload()
    if not isinstance(inner, list) or not inner:
        return []
    subject = " ".join(_header(inner[0], "Subject").split()).replace("/", "-")
    return [Attachment(f"{subject or 'message'}.eml", inner[0].as_bytes())]


def _is_attachment(part: Message) -> bool:
    return part.get_content_disposition() == "attachment" or bool(part.get_filename())


def _is_drawn_in(part: Message) -> bool:
    """A picture that the text shows, such as a logo."""
    return part.get_content_maintype() == "image" and part.get_content_disposition() != "attachment"


def _name(part: Message) -> str:
    name = _readable(part.get_filename() or "") or "attachment"
    if not PurePath(name).suffix:
        name += mimetypes.guess_extension(part.get_content_type()) or ""
    return name


def _data(part: Message) -> bytes:
    data = part.get_payload(decode=True)
    return data if isinstance(data, bytes) else b""


def _text(part: Message) -> str:
    data = _data(part)
    try:
        return data.decode(part.get_content_charset() or "utf-8")
    except (LookupError, UnicodeDecodeError):
        # A mail that lies about its encoding is read like one that says nothing.
        return decode(data)


def _header(message: Message, name: str) -> str:
    return _readable(str(message.get(name, "")))


def _readable(value: str) -> str:
    # Taking a header apart takes time that grows with the square of its length.
    value = value[:MAX_HEADER]
    try:
        return str(make_header(decode_header(value)))
    except (LookupError, ValueError):
        return value


def _date(message: Message) -> datetime | None:
    try:
        return parsedate_to_datetime(str(message.get("Date", "")))
    except ValueError:
        return None
