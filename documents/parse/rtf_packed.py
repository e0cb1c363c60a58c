"""Unpack the RTF in which Outlook stores bodies (MS-OXRTFCP)."""

import struct

_PACKED, _PLAIN = b"LZFu", b"MELA"
# Where the dictionary begins, as the format lays down.
_START = (
    b"{\\rtf1\\ansi\\mac\\deff0\\deftab720{\\fonttbl;}{\\f0\\fnil \\froman \\fswiss \\fmodern \\fscript "
    b"\\fdecor MS Sans SerifSymbolArialTimes New RomanCourier{\\colortbl\\red0\\green0\\blue0\r\n\\par "
    b"\\pard\\plain\\f0\\fs20\\b\\i\\u\\tab\\tx"
)
_WINDOW = 4096
MAX_UNPACKED = 20_000_000


def unpacked(data: bytes) -> bytes:
    """The RTF; b"" for what is none. A stream that ends too early gives what it held."""
    if len(data) < 16:
        return b""
    _, size, kind, _ = struct.unpack_from("<II4sI", data)
    if kind == _PLAIN:
        return data[16 : 16 + size]
    return _expanded(data[16:], min(size, MAX_UNPACKED)) if kind == _PACKED else b""


def _expanded(data: bytes, size: int) -> bytes:
    window = bytearray(_START.ljust(_WINDOW, b" "))
    write = len(_START)
    out = bytearray()
    place = 0
    while place < len(data) and len(out) < size:
        control = data[place]
        place += 1
        for bit in range(8):
            if place >= len(data):
                break
            if not control >> bit & 1:
                out.append(data[place])
                window[write] = data[place]
                write = (write + 1) % _WINDOW
                place += 1
                continue
            if place + 1 >= len(data):
                return bytes(out)
            reference = data[place] << 8 | data[place + 1]
            place += 2
            offset, length = reference >> 4, (reference & 15) + 2
            if offset == write:
                return bytes(out[:size])
            for step in range(length):
                byte = window[(offset + step) % _WINDOW]
                out.append(byte)
                window[write] = byte
                write = (write + 1) % _WINDOW
    return bytes(out[:size])
