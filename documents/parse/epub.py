"""EPUB: the chapters of a book in the order of its spine, each a web page."""

import posixpath
import zipfile
from collections.abc import Iterator
from urllib.parse import unquote

from lxml import etree

from . import archive, html, xml
from .ceilings import CEILINGS
from .failures import ParseFailed
from .held import File
from .model import Parsed, assemble
from .outline import Outline

_CONTAINER = "META-INF/container.xml"
_ENCRYPTION = "META-INF/encryption.xml"
_PAGES = frozenset({"application/xhtml+xml", "text/html", "application/x-dtbncx+xml"})
MAX_CHAPTERS = 2_000


def parse(path: File) -> Parsed:
    with archive.opened(path) as file, zipfile.ZipFile(file) as book:
        package_name = _package_name(book)
        package = xml.tree(book.read(package_name))
        outline = Outline()
        size = 0
        for chapter in _chapters(book, package, package_name):
            page = book.read(chapter)
            size += len(page)
            if size > 4 * CEILINGS.characters:
                raise ParseFailed("too_large", detail="chapters")
            html.read_into(outline, html.decoded(page))
        title = next((" ".join((each.text or "").split()) for each in package.iter("{*}title")), "")
    return assemble("epub", outline.parts(), title=title or outline.first_heading, hidden=outline.hidden)


def _package_name(book: zipfile.ZipFile) -> str:
    names = set(book.namelist())
    if _CONTAINER not in names:
        raise ParseFailed("wrong_type")
    for rootfile in xml.tree(book.read(_CONTAINER)).iter("{*}rootfile"):
        if (name := rootfile.get("full-path", "")) in names:
            return name
    raise ParseFailed("damaged", detail="package")


def _chapters(book: zipfile.ZipFile, package: etree._Element, package_name: str) -> Iterator[str]:
    """The names of the pages to read, in reading order. Raises ParseFailed."""
    names = set(book.namelist())
    sealed = _sealed(book) if _ENCRYPTION in names else set()
    folder = posixpath.dirname(package_name)
    items = {item.get("id"): item for item in package.iter("{*}item")}
    spine = [items.get(reference.get("idref")) for reference in package.iter("{*}itemref")]
    if len(spine) > MAX_CHAPTERS:
        raise ParseFailed("too_large", detail="chapters")
    for item in spine:
        if item is None or item.get("media-type") not in _PAGES or "nav" in item.get("properties", "").split():
            continue
        name = posixpath.normpath(posixpath.join(folder, unquote(item.get("href", "").partition("#")[0])))
        if name in sealed:
            raise ParseFailed("encrypted")
        if name in names:
            yield name


def _sealed(book: zipfile.ZipFile) -> set[str]:
    """Parts that only a reader with a key can open; fonts are usually among them, and of no matter here."""
    return {unquote(each.get("URI", "")) for each in xml.tree(book.read(_ENCRYPTION)).iter("{*}CipherReference")}
