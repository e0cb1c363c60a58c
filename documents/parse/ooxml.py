"""Open Office files (DOCX, PPTX, XLSX) without trusting them.

They are ZIP archives of XML. Nothing is unpacked to disk, names are only keys,
sizes are checked before and while reading, and no XML part may define entities.
"""

import posixpath
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from lxml import etree
from lxml.etree import _Element as Element

from .failures import ParseFailed
from .sniffing import OLE

MAX_ENTRIES = 5_000
MAX_UNPACKED = 500 * 1024 * 1024
MAX_RATIO = 100
# Small files may be squeezed as much as they like.
RATIO_FROM = 20 * 1024 * 1024

_SYMLINK = 0o120000
_ENCRYPTED = 0x1
_UNREADABLE = (zipfile.BadZipFile, zlib.error, EOFError)
_RELATIONSHIP = "{http://schemas.openxmlformats.org/package/2006/relationships}Relationship"
_CORE_TITLE = "{http://purl.org/dc/elements/1.1/}title"
# A DOCTYPE in the encodings an XML part may have.
_DOCTYPES = (b"<!DOCTYPE", "<!DOCTYPE".encode("utf-16-le"), "<!DOCTYPE".encode("utf-16-be"))


class Package:
    """The parts of one file, by name."""

    def __init__(self, path: Path) -> None:
        """Raises ParseFailed: `encrypted`, `damaged` or `too_large`."""
        try:
            self._zip = zipfile.ZipFile(path)
        except zipfile.BadZipFile as error:
            code = "encrypted" if path.read_bytes()[: len(OLE)] == OLE else "damaged"
            raise ParseFailed(code) from error
        _check(self._zip.infolist())
        self._names = set(self._zip.namelist())

    def __contains__(self, name: str) -> bool:
        return name in self._names

    def xml(self, name: str) -> Element:
        """The root of a part. Raises ParseFailed(`damaged`)."""
        data = self._read(name)
        if any(doctype in data for doctype in _DOCTYPES):
            raise ParseFailed("damaged", detail="doctype")
        try:
            root = etree.fromstring(data, parser=_parser())
        except etree.XMLSyntaxError as error:
            raise ParseFailed("damaged", detail="xml") from error
        if root.getroottree().docinfo.doctype:
            raise ParseFailed("damaged", detail="doctype")
        return root

    def stream(self, name: str, tag: str) -> Iterator[Element]:
        """The elements called `tag` of a large part, one at a time; each is emptied after use."""
        with self._open(name) as file:
            try:
                yield from _emptied(etree.iterparse(_Guarded(file), tag=tag, resolve_entities=False, no_network=True))
            except (etree.XMLSyntaxError, *_UNREADABLE) as error:
                raise ParseFailed("damaged", detail="xml") from error

    def related(self, name: str) -> dict[str, tuple[str, str]]:
        """The relationships of a part: id → (last word of the kind, name of the other part)."""
        folder, file = posixpath.split(name)
        rels = f"{folder}/_rels/{file}.rels".lstrip("/")
        if rels not in self:
            return {}
        found = {}
        for relation in self.xml(rels).iter(_RELATIONSHIP):
            if relation.get("TargetMode") == "External":
                continue
            target = posixpath.normpath(posixpath.join("/", folder, relation.get("Target", ""))).lstrip("/")
            found[relation.get("Id", "")] = (relation.get("Type", "").rpartition("/")[2], target)
        return found

    def main(self) -> str:
        """The name of the part that everything hangs on. Raises ParseFailed(`damaged`)."""
        for kind, target in self.related("").values():
            if kind == "officeDocument" and target in self:
                return target
        raise ParseFailed("damaged", detail="no main part")

    def title(self) -> str:
        """The title in the document's properties, or ""."""
        for kind, target in self.related("").values():
            if kind == "core-properties" and target in self:
                return (self.xml(target).findtext(f".//{_CORE_TITLE}") or "").strip()
        return ""

    def _read(self, name: str) -> bytes:
        with self._open(name) as file:
            try:
                data = file.read(MAX_UNPACKED + 1)
            except _UNREADABLE as error:
                raise ParseFailed("damaged", detail="zip") from error
        if len(data) > MAX_UNPACKED:
            raise ParseFailed("too_large", detail="unpacked")
        return data

    def _open(self, name: str) -> IO[bytes]:
        try:
            return self._zip.open(name)
        except (KeyError, NotImplementedError, zipfile.BadZipFile) as error:
            raise ParseFailed("damaged", detail="zip") from error


class _Guarded:
    """A file that refuses a DOCTYPE and more than MAX_UNPACKED bytes while it is read."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._size = 0
        self._tail = b""

    def read(self, size: int = -1) -> bytes:
        data = self._file.read(size)
        self._size += len(data)
        if self._size > MAX_UNPACKED:
            raise ParseFailed("too_large", detail="unpacked")
        if any(doctype in self._tail + data for doctype in _DOCTYPES):
            raise ParseFailed("damaged", detail="doctype")
        self._tail = data[-32:]
        return data


def _check(entries: list[zipfile.ZipInfo]) -> None:
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


def _parser() -> etree.XMLParser:
    return etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, remove_comments=True, remove_pis=True
    )


def _emptied(events: Iterator[tuple[str, Element]]) -> Iterator[Element]:
    for _, element in events:
        yield element
        element.clear()
        # Emptied elements stay children of their parent, and a million of them add up.
        while element.getprevious() is not None:
            del element.getparent()[0]
