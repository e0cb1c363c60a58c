"""What a Git pack would unpack to, told by its own headers before anything is kept in memory.

A pack of kilobytes may hold an object of gigabytes, or a delta that makes one. Each object is inflated piece by piece
and thrown away, and the sizes it and its deltas name are added up.
"""

import time
import zlib
from typing import BinaryIO

from documents.exceptions import SourceFailed

_MEGABYTE = 1024 * 1024
MOST_OBJECTS = 1_000_000
LARGEST_OBJECT = 200 * _MEGABYTE
LARGEST_TOTAL = 2048 * _MEGABYTE
_SECONDS = 120
_CHUNK = 64 * 1024
_OFS_DELTA, _REF_DELTA = 6, 7
_NAME = 20
#: Two sizes of a delta fit into so many bytes.
_DELTA_HEAD = 20


def require_modest(file: BinaryIO) -> None:
    """Return if the pack in `file` is none too large to unpack. Raises SourceFailed, and ValueError for no pack."""
    pack = _Pack(file)
    head = pack.take(12)
    if head[:4] != b"PACK":
        raise ValueError("no pack")
    count = int.from_bytes(head[8:], "big")
    if count > MOST_OBJECTS:
        raise SourceFailed("too_large", megabytes=LARGEST_TOTAL // _MEGABYTE)
    total, until = 0, time.monotonic() + _SECONDS
    for _number in range(count):
        total += pack.object_size(until)
        if total > LARGEST_TOTAL:
            raise SourceFailed("too_large", megabytes=LARGEST_TOTAL // _MEGABYTE)


class _Pack:
    """The bytes of a pack, read once from beginning to end."""

    def __init__(self, file: BinaryIO) -> None:
        self._file, self._waiting = file, b""

    def take(self, size: int) -> bytes:
        while len(self._waiting) < size:
            more = self._file.read(_CHUNK)
            if not more:
                raise ValueError("the pack ends too early")
            self._waiting += more
        taken, self._waiting = self._waiting[:size], self._waiting[size:]
        return taken

    def object_size(self, until: float) -> int:
        """The bytes that the next object takes unpacked, with what its delta makes."""
        byte = self.take(1)[0]
        kind, size, shift = byte >> 4 & 7, byte & 15, 4
        while byte & 128:
            byte = self.take(1)[0]
            size |= (byte & 127) << shift
            shift += 7
            _require_object(size if shift < 64 else LARGEST_OBJECT + 1)
        _require_object(size)
        if kind == _REF_DELTA:
            self.take(_NAME)
        elif kind == _OFS_DELTA:
            while self.take(1)[0] & 128:
                continue
        beginning = self._inflate(size, until)
        if kind in (_OFS_DELTA, _REF_DELTA):
            made = _made_by(beginning)
            _require_object(made)
            return size + made
        return size

    def _inflate(self, size: int, until: float) -> bytes:
        """Pass over the packed bytes of an object; the first of them unpacked."""
        inflate, beginning, done = zlib.decompressobj(), b"", 0
        chunk = self._waiting or self.take(1)
        self._waiting = b""
        while True:
            try:
                piece = inflate.decompress(chunk, _CHUNK)
            except zlib.error as error:
                raise ValueError("an object of the pack is damaged") from error
            beginning = (beginning + piece[:_DELTA_HEAD])[:_DELTA_HEAD]
            done += len(piece)
            if done > size:
                raise ValueError("an object of the pack is larger than it says")
            if inflate.eof:
                self._waiting = inflate.unused_data
                return beginning
            if time.monotonic() > until:
                raise SourceFailed("too_large", megabytes=LARGEST_TOTAL // _MEGABYTE)
            chunk = inflate.unconsumed_tail or self._file.read(_CHUNK)
            if not chunk and not piece:
                raise ValueError("the pack ends too early")


def _made_by(delta: bytes) -> int:
    """The size of what a delta makes, which it names second."""
    sizes, value, shift = [], 0, 0
    for byte in delta:
        value |= (byte & 127) << shift
        shift += 7
        if not byte & 128:
            sizes.append(value)
            value, shift = 0, 0
        if len(sizes) == 2:
            return sizes[1]
    raise ValueError("a delta without sizes")


def _require_object(size: int) -> None:
    if size > LARGEST_OBJECT:
        raise SourceFailed("too_large", megabytes=LARGEST_OBJECT // _MEGABYTE)
