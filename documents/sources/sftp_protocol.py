"""The few requests of SFTP (version 3) that reading takes, over any stream of bytes."""

import struct
from collections import deque
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass
from typing import Protocol

_LARGEST_PACKET = 1024 * 1024
#: Blocks asked for ahead of those that came, so that a far server is not waited for at each of them.
_AHEAD = 16
_BLOCK = 32 * 1024

_INIT, _VERSION, _OPEN, _CLOSE, _READ, _LSTAT, _FSTAT, _OPENDIR, _READDIR = 1, 2, 3, 4, 5, 7, 8, 11, 12
_STATUS, _HANDLE, _DATA, _NAME, _ATTRS = 101, 102, 103, 104, 105
_END_OF_FILE = 1
_SIZE, _OWNER, _MODE, _TIMES = 1, 2, 4, 8


class Stream(Protocol):
    """What the requests go over."""

    def send(self, data: bytes) -> None: ...

    def receive(self, size: int) -> bytes: ...


class Status(Exception):
    """The server says no to one request; `code` is the protocol's."""

    def __init__(self, code: int) -> None:
        super().__init__(f"status {code}")
        self.code = code


@dataclass(frozen=True, slots=True)
class About:
    """What a server tells of a file; None where it tells nothing."""

    size: int | None = None
    mode: int | None = None
    modified: int | None = None


class SftpClient:
    """One conversation. Methods raise Status, and ValueError or struct.error where the server does not make sense."""

    def __init__(self, stream: Stream) -> None:
        self._stream = stream
        self._number = 0
        self._waiting: dict[int, tuple[int, bytes]] = {}
        self._send(_INIT, struct.pack("!L", 3))
        kind, _body = self._packet()
        if kind != _VERSION:
            raise ValueError("no version")

    def list_folder(
        self, path: bytes, *, heard: Callable[[], None] = lambda: None
    ) -> Generator[tuple[bytes, About], None, None]:
        """What is in a folder, by name, as it is told: `.` and `..` are among it. `heard` is called at each answer."""
        handle = self._handle(_OPENDIR, _string(path))
        try:
            while True:
                kind, body = self._answer(self._ask(_READDIR, _string(handle)))
                if kind == _STATUS and _code(body) == _END_OF_FILE:
                    return
                heard()
                yield from _names(_expected(_NAME, kind, body))
        finally:
            self._answer(self._ask(_CLOSE, _string(handle)))

    def about(self, path: bytes) -> About:
        """What is at `path`; a link is told of as such."""
        return _attributes(self._expect(_ATTRS, _LSTAT, _string(path)))[0]

    def read(self, path: bytes) -> Iterator[bytes | About]:
        """What the opened file is, then its content in pieces, and what it is at the end."""
        handle = self._handle(_OPEN, _string(path) + struct.pack("!LL", 1, 0))
        try:
            yield _attributes(self._expect(_ATTRS, _FSTAT, _string(handle)))[0]
            yield from self._content(handle)
            yield _attributes(self._expect(_ATTRS, _FSTAT, _string(handle)))[0]
        finally:
            self._answer(self._ask(_CLOSE, _string(handle)))

    def _content(self, handle: bytes) -> Iterator[bytes]:
        """The blocks of a file in order; a server may send less of one than was asked for."""
        asked: deque[int] = deque()
        behind = start = 0
        try:
            while True:
                while len(asked) < _AHEAD:
                    asked.append(self._ask_block(handle, behind, _BLOCK))
                    behind += _BLOCK
                want = _BLOCK
                while want:
                    # The one that is answered now, or the rest of it.
                    number = asked.popleft() if want == _BLOCK else self._ask_block(handle, start, want)
                    kind, body = self._answer(number)
                    if kind == _STATUS and _code(body) == _END_OF_FILE:
                        return
                    data = _taken(_expected(_DATA, kind, body))[0]
                    if not 0 < len(data) <= want:
                        raise ValueError("a block of no size")
                    yield data
                    start, want = start + len(data), want - len(data)
        finally:
            for number in asked:
                self._answer(number)

    def _ask_block(self, handle: bytes, offset: int, size: int) -> int:
        return self._ask(_READ, _string(handle) + struct.pack("!QL", offset, size))

    def _handle(self, kind: int, data: bytes) -> bytes:
        return _taken(self._expect(_HANDLE, kind, data))[0]

    def _expect(self, wanted: int, kind: int, data: bytes) -> bytes:
        return _expected(wanted, *self._answer(self._ask(kind, data)))

    def _ask(self, kind: int, data: bytes) -> int:
        self._number += 1
        self._send(kind, struct.pack("!L", self._number) + data)
        return self._number

    def _answer(self, number: int) -> tuple[int, bytes]:
        """The answer to a request; those to others that come first are kept."""
        while number not in self._waiting:
            if len(self._waiting) > _AHEAD:
                raise ValueError("answers to nothing")
            kind, body = self._packet()
            self._waiting[struct.unpack("!L", body[:4])[0]] = kind, body[4:]
        return self._waiting.pop(number)

    def _send(self, kind: int, data: bytes) -> None:
        self._stream.send(struct.pack("!LB", len(data) + 1, kind) + data)

    def _packet(self) -> tuple[int, bytes]:
        (length,) = struct.unpack("!L", self._stream.receive(4))
        if not 0 < length <= _LARGEST_PACKET:
            raise ValueError("a packet of no size")
        body = self._stream.receive(length)
        return body[0], body[1:]


def _expected(wanted: int, kind: int, body: bytes) -> bytes:
    if kind == _STATUS:
        raise Status(_code(body))
    if kind != wanted:
        raise ValueError("another answer than was asked for")
    return body


def _code(body: bytes) -> int:
    return int(struct.unpack("!L", body[:4])[0])


def _string(data: bytes) -> bytes:
    return struct.pack("!L", len(data)) + data


def _taken(body: bytes) -> tuple[bytes, bytes]:
    """The string at the beginning, and what follows it."""
    (length,) = struct.unpack("!L", body[:4])
    if length > len(body) - 4:
        raise ValueError("a string that goes on behind its end")
    return body[4 : 4 + length], body[4 + length :]


def _names(body: bytes) -> Iterator[tuple[bytes, About]]:
    (count,) = struct.unpack("!L", body[:4])
    body = body[4:]
    if not count:
        raise ValueError("an answer without a name")
    for _number in range(count):
        name, body = _taken(body)
        _long, body = _taken(body)
        about, body = _attributes(body)
        yield name, about


def _attributes(body: bytes) -> tuple[About, bytes]:
    flags, body = struct.unpack("!L", body[:4])[0], body[4:]
    size = mode = modified = None
    if flags & _SIZE:
        size, body = struct.unpack("!Q", body[:8])[0], body[8:]
    if flags & _OWNER:
        body = body[8:]
    if flags & _MODE:
        mode, body = struct.unpack("!L", body[:4])[0], body[4:]
    if flags & _TIMES:
        modified, body = struct.unpack("!LL", body[:8])[1], body[8:]
    if flags & 0x80000000:
        count, body = struct.unpack("!L", body[:4])[0], body[4:]
        for _number in range(count):
            _name, body = _taken(body)
            _value, body = _taken(body)
    return About(size, mode, modified), body
