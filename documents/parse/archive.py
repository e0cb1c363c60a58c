"""Guard what reads files that are ZIP archives (Office, OpenDocument, EPUB): look at every byte before it does.

They are archives of XML that strangers upload. Nothing is unpacked to disk,
sizes are checked before and while reading, and no part may define entities.
"""

import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO

from .ceilings import CEILINGS
from .failures import ParseFailed, damaged_when_it_raises
from .held import File
from .sniffing import OLE

MAX_ENTRIES = 5_000
MAX_RATIO = 100
# Small files may be squeezed as much as they like.
RATIO_FROM = 20 * 1024 * 1024

_SYMLINK = 0o120000
_ENCRYPTED = 0x1
_CHUNK = 256 * 1024
# A DOCTYPE in the encodings an XML part may have.
_DOCTYPES = tuple("<!DOCTYPE".encode(encoding) for encoding in ("ascii", "utf-16-le", "utf-16-be"))
_XML = (".xml", ".rels")
_TAIL = max(map(len, _DOCTYPES)) - 1


@contextmanager
def opened(path: File) -> Iterator[IO[bytes]]:
    """The file, once it is safe to hand to a library; what the library then raises is `damaged`.

    Raises ParseFailed: `encrypted`, `damaged` or `too_large`.
    """
    with path.open("rb") as file:
        _check(file)
        file.seek(0)
        with damaged_when_it_raises():
            yield file


def _check(file: IO[bytes]) -> None:
    try:
        archive = zipfile.ZipFile(file)
        _check_directory(archive.infolist())
        for entry in archive.infolist():
            _check_entry(archive, entry)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError) as error:
        file.seek(0)
        code = "encrypted" if file.read(len(OLE)) == OLE else "damaged"
        raise ParseFailed(code, detail="zip") from error


def _check_directory(entries: list[zipfile.ZipInfo]) -> None:
    if len(entries) > MAX_ENTRIES:
        raise ParseFailed("too_large", detail="entries")
    if any(entry.flag_bits & _ENCRYPTED for entry in entries):
        raise ParseFailed("encrypted")
    if len({entry.filename for entry in entries}) < len(entries):
        raise ParseFailed("damaged", detail="two entries of one name")
    if any(entry.external_attr >> 16 & 0o170000 == _SYMLINK for entry in entries):
        raise ParseFailed("damaged", detail="link")
    unpacked = sum(entry.file_size for entry in entries)
    packed = sum(entry.compress_size for entry in entries)
    if unpacked > CEILINGS.unpacked_bytes or (unpacked > RATIO_FROM and unpacked > MAX_RATIO * packed):
        raise ParseFailed("too_large", detail="unpacked")


def _check_entry(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> None:
    """Read to the end, where zipfile compares size and checksum with what the directory promised."""
    # Pictures and printer settings may well have a DOCTYPE. Should a relation call one of them a
    # document, lxml leaves its entities alone (both libraries ask for that), and expat bounds them.
    is_xml = entry.filename.lower().endswith(_XML)
    tail = b""
    with archive.open(entry) as part:
        while chunk := part.read(_CHUNK):
            window = tail + chunk
            if is_xml and any(doctype in window for doctype in _DOCTYPES):
                raise ParseFailed("damaged", detail="doctype")
            tail = window[-_TAIL:]
