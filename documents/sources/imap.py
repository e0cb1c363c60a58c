"""A folder of a mailbox over IMAP and TLS: each message is a document, read with what is attached to it.

The folder is opened read-only, so no message is marked as seen. Messages never change; a new numbering of the folder by
its server looks as if all were gone and new, which waits for a person like any other large removal.
"""

import imaplib
import re
import ssl
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from email import policy
from email.parser import BytesHeaderParser
from types import TracebackType
from typing import Any, BinaryIO

from django.conf import settings
from django.utils.translation import gettext_lazy as _

from documents import fetch
from documents.exceptions import SourceFailed
from documents.sources.connector import MOST_ENTRIES, Connector, Entry, Field, Listing
from workspaces.models import Workspace

_TIMEOUT = 30.0
_MESSAGE_SECONDS = 180.0
#: A mailbox that takes longer is left, and goes on with the next sync.
_SESSION_SECONDS = 3600.0
#: As much of a message's head as is looked at for its title: the parser takes time that grows with its square.
_LONGEST_HEADER = 2000
_LONGEST_LINE = 1_000_000
_BATCH = 200
_ABOUT = "(UID RFC822.SIZE BODY.PEEK[HEADER.FIELDS (SUBJECT)])"
_UID = re.compile(rb"\bUID (\d+)")
_SIZE = re.compile(rb"\bRFC822\.SIZE (\d+)")


class ImapConnector(Connector):
    kind = "imap"
    label = _("Mailbox")
    purpose = _("The messages in one folder of a mailbox, with their attachments, over IMAP.")
    fields = (
        Field("host", _("Server"), _("As in imap.example; always encrypted."), most=250),
        Field("port", _("Port"), kind="number", default=993),
        Field("username", _("User name"), most=250),
        Field("folder", _("Folder"), default="INBOX", most=250),
    )
    secret_label = _("Password")
    secret_help = _("Better one made for this alone.")

    def __init__(self, options: Mapping[str, Any], **given: Any) -> None:
        super().__init__(options, **given)
        self._session: _Pinned | None = None

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._session is not None:
            with suppress(imaplib.IMAP4.error, OSError):
                self._session.logout()

    @classmethod
    def check(cls, options: Mapping[str, Any], workspace: Workspace) -> None:
        fetch.require_allowed_host(str(options["host"]), int(options["port"]))
        for name in ("username", "folder"):
            if not (str(options[name]).isprintable() and str(options[name]).isascii()):
                raise SourceFailed("settings_bad", field=name)

    @classmethod
    def destination(cls, options: Mapping[str, Any]) -> str:
        return f"{options['host']}:{options['port']} {options['username']} {options['folder']}"

    def test(self) -> None:
        self._open()

    def list(self, *, most: int = MOST_ENTRIES) -> Listing:
        listing = Listing()
        validity = self._open()
        numbers = self._said(lambda session: session.uid("SEARCH", "ALL"))[0].split()
        if len(numbers) > most:
            listing.cut()
            numbers = numbers[:most]
        for start in range(0, len(numbers), _BATCH):
            batch = b",".join(numbers[start : start + _BATCH]).decode("ascii", "replace")
            for part in self._said(lambda session, batch=batch: session.uid("FETCH", batch, _ABOUT)):
                if isinstance(part, tuple):
                    self._add(listing, validity, part)
            self.beat()
        if len(listing.entries) != len(numbers):
            listing.cut()
        return listing

    @contextmanager
    def fetch(self, entry: Entry) -> Iterator[BinaryIO]:
        limit = settings.MAX_UPLOAD_BYTES
        if (entry.size or 0) > limit:
            raise SourceFailed("too_large", megabytes=limit // 1024**2)
        number = entry.key.rpartition("-")[2]
        parts = self._said(lambda session: session.uid("FETCH", number, "(BODY.PEEK[])"))
        message = next((part[1] for part in parts if isinstance(part, tuple)), None)
        if message is None:
            raise SourceFailed("missing")
        with tempfile.TemporaryFile() as file:
            file.write(message)
            file.seek(0)
            yield file

    def _add(self, listing: Listing, validity: str, part: tuple[bytes, bytes]) -> None:
        about, header = part
        number, size = _UID.search(about), _SIZE.search(about)
        if number is None:
            return
        key = f"{validity}-{int(number[1])}"
        subject = str(BytesHeaderParser(policy=policy.default).parsebytes(header[:_LONGEST_HEADER]).get("subject", ""))
        title = " ".join("".join(letter if letter.isprintable() else " " for letter in subject).split())
        folder = str(self.options["folder"]).replace("/", ".")
        length = int(size[1]) if size is not None else None
        listing.entries.append(Entry(key, f"{folder}/{key}.eml", key, length, title=title))

    def _open(self) -> str:
        """Sign in and open the folder; the number of its numbering."""
        if self._session is None:
            self._session = self._connect()
        folder = str(self.options["folder"]).replace("\\", "\\\\").replace('"', '\\"')
        self._said(lambda session: session.select(f'"{folder}"', readonly=True))
        validity = self._session.response("UIDVALIDITY")[1]
        return validity[0].decode("ascii", "replace") if validity and validity[0] else "0"

    def _connect(self) -> "_Pinned":
        host = str(self.options["host"])
        try:
            session = _Pinned(host, int(self.options["port"]), timeout=_TIMEOUT)
        except (imaplib.IMAP4.error, OSError) as error:
            raise SourceFailed("unreachable", host=host) from error
        try:
            session.login(str(self.options["username"]), self.secret)
        except UnicodeEncodeError as error:
            raise SourceFailed("secret_letters") from error
        except imaplib.IMAP4.error as error:
            raise SourceFailed("secret_refused") from error
        return session

    def _said(self, ask: Callable[[imaplib.IMAP4], tuple[str, Any]]) -> Any:
        """What the server answers, or a failure in our words."""
        host = str(self.options["host"])
        if self._session is None:
            raise SourceFailed("unreachable", host=host)
        if time.monotonic() > self._session.until:
            raise SourceFailed("too_slow", host=host)
        try:
            outcome, parts = ask(self._session)
        except (imaplib.IMAP4.error, OSError) as error:
            raise SourceFailed("unreachable", host=host) from error
        if outcome != "OK":
            raise SourceFailed("not_understood", host=host)
        return [part for part in parts if part is not None]


class _Pinned(imaplib.IMAP4):
    """Connects to the address that was checked, encrypts before a word is said, and reads no more than an upload."""

    until = 0.0

    def _create_socket(self, timeout: float | None) -> ssl.SSLSocket:
        self.until = time.monotonic() + _SESSION_SECONDS
        plain = fetch.connect(self.host, self.port)
        plain.settimeout(timeout)
        return ssl.create_default_context().wrap_socket(plain, server_hostname=self.host)

    def readline(self) -> bytes:
        """A line, read so that a server which sends it letter by letter is left when the session is over."""
        line = b""
        while not line.endswith(b"\n") and (waiting := self.file.peek(1)):
            line += self.file.read(len(waiting[: waiting.find(b"\n") + 1] or waiting))
            if len(line) > _LONGEST_LINE:
                raise SourceFailed("not_understood", host=self.host)
            if time.monotonic() > self.until:
                raise SourceFailed("too_slow", host=self.host)
        return line

    def read(self, size: int) -> bytes:
        if size > settings.MAX_UPLOAD_BYTES:
            raise SourceFailed("too_large", megabytes=settings.MAX_UPLOAD_BYTES // 1024**2)
        until, pieces, left = min(self.until, time.monotonic() + _MESSAGE_SECONDS), [], size
        while left and (piece := self.file.read1(min(left, 1024 * 1024))):
            pieces.append(piece)
            left -= len(piece)
            if time.monotonic() > until:
                raise SourceFailed("too_slow", host=self.host)
        return b"".join(pieces)
