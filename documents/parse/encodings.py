"""Decode the bytes of a text file whose encoding nobody wrote down."""

import re

from .ceilings import CEILINGS
from .failures import ParseFailed
from .held import File

_BOMS = ((b"\xef\xbb\xbf", "utf-8"), (b"\xff\xfe", "utf-16-le"), (b"\xfe\xff", "utf-16-be"))
_HIGH_RUN = re.compile(rb"[\x80-\xff]{2,}")
_HIGH = re.compile(rb"[\x80-\xff]")


def read_text(path: File) -> str:
    """The text of a file in UTF-8, UTF-16 with its mark, or a Windows code page of the Balkans."""
    return decode(read_bytes(path))


def read_bytes(path: File) -> bytes:
    """Raises ParseFailed(`too_large`) before reading what could not be kept."""
    if path.stat().st_size > 4 * CEILINGS.characters:
        raise ParseFailed("too_large", detail="bytes")
    return path.read_bytes()


def decode(data: bytes) -> str:
    for bom, name in _BOMS:
        if data.startswith(bom):
            return data[len(bom) :].decode(name, errors="replace")
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return data.decode(_code_page(data), errors="replace")


def _code_page(data: bytes) -> str:
    """Windows-1251 when the high bytes come in words, as Cyrillic does; else Windows-1250."""
    high = len(_HIGH.findall(data))
    in_runs = sum(len(run) for run in _HIGH_RUN.findall(data))
    return "cp1251" if in_runs > 0.7 * high else "cp1250"
