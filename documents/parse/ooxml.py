"""Guard the libraries that read Office files (DOCX, PPTX, XLSX): look at every byte before they do.

The files are ZIP archives of XML that strangers upload. Nothing is unpacked to disk,
sizes are checked before and while reading, and no part may define entities.
"""

import traceback
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from lxml import etree

from .failures import ParseFailed
from .sniffing import OLE

MAX_ENTRIES = 5_000
MAX_UNPACKED = 500 * 1024 * 1024
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
_MC = "{http://schemas.openxmlformats.org/markup-compatibility/2006}"
_PROPERTIES = "http://schemas.openxmlformats.org/package/2006/relationships/metadata/core-properties"


@contextmanager
def opened(path: Path) -> Iterator[IO[bytes]]:
    """The file, once it is safe to hand to a library; what the library then raises is `damaged`.

    Raises ParseFailed: `encrypted`, `damaged` or `too_large`.
    """
    with path.open("rb") as file:
        _check(file)
        file.seek(0)
        try:
            yield file
        except (ParseFailed, MemoryError):
            raise
        except Exception as error:
            # The libraries promise no exceptions of their own: a part that is missing or strange
            # comes as a KeyError, AttributeError or RecursionError from deep inside. The message
            # may quote the file, the place does not.
            place = traceback.extract_tb(error.__traceback__)[-1]
            detail = f"{type(error).__name__} at {Path(place.filename).name}:{place.lineno}"
            raise ParseFailed("damaged", detail=detail) from error


def title(package: Any) -> str:
    """The title in the properties of a package of python-docx or python-pptx, or "".

    Asked for it, they make one up for a file without properties: "Word Document".
    """
    try:
        package.part_related_by(_PROPERTIES)
    except KeyError:
        return ""
    return str(package.core_properties.title).strip()


def choose(root: etree._Element) -> None:
    """Keep the newer of two forms of the same content; the libraries see neither where both are given."""
    etree.strip_elements(root, f"{_MC}Fallback", with_tail=False)
    etree.strip_tags(root, f"{_MC}AlternateContent", f"{_MC}Choice")


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
    if unpacked > MAX_UNPACKED or (unpacked > RATIO_FROM and unpacked > MAX_RATIO * packed):
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
