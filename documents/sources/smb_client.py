"""A share of a server that speaks SMB 2 or 3, through our own door: every message is signed, or encrypted where asked.

smbprotocol speaks the protocol. What it does not do is done here: it is handed a connection to the address that was
checked, no answer may be larger than what was asked for, and none is waited for without end.
"""

import logging
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Any, Self

from smbprotocol.connection import Connection, Request
from smbprotocol.exceptions import (
    BadNetworkName,
    NoMoreFiles,
    NoSuchFile,
    ObjectNameNotFound,
    ObjectPathNotFound,
    SMBAuthenticationError,
    SMBException,
    SMBResponseException,
)
from smbprotocol.file_info import FileInformationClass
from smbprotocol.header import SMB2HeaderResponse
from smbprotocol.open import (
    CreateDisposition,
    CreateOptions,
    DirectoryAccessMask,
    FileAttributes,
    FilePipePrinterAccessMask,
    ImpersonationLevel,
    Open,
    QueryDirectoryFlags,
    ShareAccess,
)
from smbprotocol.session import Session
from smbprotocol.transport import Tcp
from smbprotocol.tree import TreeConnect
from spnego.exceptions import SpnegoError

from documents import fetch
from documents.exceptions import SourceFailed
from documents.sources.connector import STUMBLES

# They write the names of people and files, at every level.
for _name in ("smbprotocol", "spnego"):
    logging.getLogger(_name).setLevel(logging.CRITICAL + 1)

_ANSWER_SECONDS = 30
_LARGEST_ANSWER = 2 * 1024 * 1024
#: What servers of any age hand out at once.
_CHUNK = 64 * 1024
_EVERYONE = ShareAccess.FILE_SHARE_READ | ShareAccess.FILE_SHARE_WRITE | ShareAccess.FILE_SHARE_DELETE
_ABSENT = (ObjectNameNotFound, ObjectPathNotFound, NoSuchFile)


class About:
    """What a server tells of a thing: its name in its folder, what it is, how large and when it was written."""

    __slots__ = ("is_folder", "is_link", "name", "size", "written")

    def __init__(self, name: str, attributes: int, size: int, written: Any) -> None:
        self.name, self.size, self.written = name, size, written
        self.is_folder = bool(attributes & FileAttributes.FILE_ATTRIBUTE_DIRECTORY)
        self.is_link = bool(attributes & FileAttributes.FILE_ATTRIBUTE_REPARSE_POINT)


class Share:
    """A share, from `with` on. Every method raises SourceFailed."""

    def __init__(self, *, host: str, port: int, share: str, user: str, secret: str, encrypted: bool) -> None:
        self._host, self._name = host, share
        self._user, self._secret, self._encrypted = user, secret, encrypted
        self._connection = _Connection(host, port)
        self._tree: TreeConnect | None = None

    def __enter__(self) -> Self:
        with self._in_words():
            self._connection.connect(timeout=_ANSWER_SECONDS)
            if self._encrypted and not self._connection.supports_encryption:
                raise SourceFailed("no_encryption", host=self._host)
        session = Session(self._connection, self._user, self._secret, require_encryption=self._encrypted)
        with self._in_words(refused="secret_refused"):
            session.connect()
        with self._in_words():
            self._tree = TreeConnect(session, rf"\\{self._host}\{self._name}")
            self._tree.connect()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._tree = None
        # The server ends what a connection held; a farewell would wait for one that does not answer.
        self._connection.disconnect(close=False)

    def folder(self, path: str) -> Iterator[About]:
        """What is in a folder, the folder itself and the one above it left out."""
        flags: int = QueryDirectoryFlags.SMB2_RESTART_SCANS
        with self._opened(path, is_folder=True) as opened:
            while True:
                try:
                    with self._in_words(passing=(NoMoreFiles,)):
                        rows = opened.query_directory(
                            "*", FileInformationClass.FILE_ID_BOTH_DIRECTORY_INFORMATION, flags=flags, max_output=_CHUNK
                        )
                        found = [_about(row) for row in rows]
                except NoMoreFiles:
                    return
                yield from (one for one in found if one.name not in (".", ".."))
                flags = 0

    @contextmanager
    def file(self, path: str) -> Iterator[tuple[About, Iterator[bytes]]]:
        """What is told of a file once it is open, and its bytes in pieces."""
        with self._opened(path, is_folder=False) as opened:
            yield self._told(opened), self._pieces(opened)

    def about(self, path: str) -> About:
        """What is told of a file."""
        with self._opened(path, is_folder=False) as opened:
            return self._told(opened)

    def _told(self, opened: Open) -> About:
        return About("", int(opened.file_attributes), int(opened.end_of_file), opened.last_write_time)

    def _pieces(self, opened: Open) -> Iterator[bytes]:
        size, at = int(opened.end_of_file), 0
        while at < size:
            with self._in_words():
                piece = opened.read(at, min(_CHUNK, size - at))
            if not piece:
                return
            at += len(piece)
            yield piece

    @contextmanager
    def _opened(self, path: str, *, is_folder: bool) -> Iterator[Open]:
        """A thing of the share, for reading; nobody else is kept from anything, and no link is followed."""
        mask, kind = (
            (DirectoryAccessMask, CreateOptions.FILE_DIRECTORY_FILE)
            if is_folder
            else (FilePipePrinterAccessMask, CreateOptions.FILE_NON_DIRECTORY_FILE)
        )
        reading = mask.FILE_LIST_DIRECTORY if is_folder else mask.FILE_READ_DATA
        with self._in_words():
            if self._tree is None:
                raise SourceFailed("unreachable", host=self._host)
            opened = Open(self._tree, path.replace("/", "\\"))
            opened.create(
                ImpersonationLevel.Identification,
                reading | mask.FILE_READ_ATTRIBUTES,
                FileAttributes.FILE_ATTRIBUTE_NORMAL,
                _EVERYONE,
                CreateDisposition.FILE_OPEN,
                kind | CreateOptions.FILE_OPEN_REPARSE_POINT,
            )
        try:
            yield opened
        finally:
            # After a connection that failed there is nothing to close.
            if self._connection.is_sound:
                with self._in_words():
                    opened.close()

    @contextmanager
    def _in_words(
        self, *, refused: str = "unreadable", passing: tuple[type[BaseException], ...] = ()
    ) -> Iterator[None]:
        """What the server answers, as a failure of ours; a refusal with no word of its own is `refused`."""
        try:
            yield
        except passing:
            raise
        except _ABSENT as error:
            raise SourceFailed("missing") from error
        except BadNetworkName as error:
            raise SourceFailed("share_missing", host=self._host, name=self._name) from error
        except (SMBAuthenticationError, SpnegoError) as error:
            raise SourceFailed("secret_refused") from error
        except SMBResponseException as error:
            raise SourceFailed(refused, host=self._host) from error
        except (SMBException, *STUMBLES) as error:
            if isinstance(error.__cause__, SourceFailed):
                raise error.__cause__ from error
            raise SourceFailed("not_understood", host=self._host) from error
        except OSError as error:
            raise SourceFailed("unreachable", host=self._host) from error


def _about(row: Any) -> About:
    return About(
        row["file_name"].get_value().decode("utf-16-le", errors="surrogatepass"),
        int(row["file_attributes"].get_value()),
        int(row["end_of_file"].get_value()),
        row["last_write_time"].get_value(),
    )


class _Wire(Tcp):  # type: ignore[misc]
    """The library's transport over a connection of ours."""

    def connect(self) -> None:
        self._sock = fetch.connect(self.server, self.port)
        self._sock.settimeout(None)
        self.connected = True

    def _recv(self, length: int, timeout: float) -> tuple[bytes | None, float]:
        if length > _LARGEST_ANSWER:
            raise SourceFailed("not_understood", host=self.server)
        found: tuple[bytes | None, float] = super()._recv(length, timeout)
        return found


class _Connection(Connection):  # type: ignore[misc]
    """The library's connection over our transport, which waits for no answer without end and follows no link."""

    def __init__(self, host: str, port: int) -> None:
        self._wire = _Wire(host, port)
        super().__init__(uuid.uuid4(), host, port, require_signing=True)

    @property
    def transport(self) -> _Wire:
        return self._wire

    @transport.setter
    def transport(self, _other: object) -> None:
        """The library would make one of its own, which asks nobody where it may go."""

    @property
    def is_sound(self) -> bool:
        return self._wire.connected and self._t_exc is None

    def receive(
        self, request: Request, wait: bool = True, timeout: int | None = None, resolve_symlinks: bool = True
    ) -> SMB2HeaderResponse:
        try:
            return super().receive(request, wait, timeout or _ANSWER_SECONDS, False)
        except SMBResponseException:
            raise
        except SMBException as error:
            if not self.is_sound or request.response_event.is_set():
                raise
            self.disconnect(close=False)
            raise SourceFailed("too_slow", host=self._wire.server) from error
