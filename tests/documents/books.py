"""OpenDocument texts and EPUB books, made from what their XML says."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.documents import samples

_ODF = " ".join(
    f'xmlns:{name}="urn:oasis:names:tc:opendocument:xmlns:{space}:1.0"'
    for name, space in {
        "office": "office",
        "text": "text",
        "table": "table",
        "style": "style",
        "draw": "drawing",
        "fo": "xsl-fo-compatible",
    }.items()
)


def odt(path: Path, body: str, *, styles: str = "", title: str = "", manifest: str = "<manifest/>") -> Path:
    """An OpenDocument text with this XML for its body, and for its automatic styles."""
    content = (
        f"<office:document-content {_ODF}><office:automatic-styles>{styles}</office:automatic-styles>"
        f"<office:body><office:text>{body}</office:text></office:body></office:document-content>"
    )
    meta = f'<m xmlns:dc="http://purl.org/dc/elements/1.1/"><dc:title>{title}</dc:title></m>'
    entries = {"mimetype": "application/vnd.oasis.opendocument.text", "content.xml": content, "meta.xml": meta}
    entries["META-INF/manifest.xml"] = manifest
    return samples.zipped(path, {name: text.encode() for name, text in entries.items()})


def epub(path: Path, chapters: Sequence[str], *, title: str = "", extra: Mapping[str, bytes] = {}) -> Path:
    """A book whose chapters are the bodies of web pages."""
    container = '<container><rootfiles><rootfile full-path="OEBPS/book.opf"/></rootfiles></container>'
    items = "".join(
        f'<item id="c{n}" href="c%20{n}.xhtml" media-type="application/xhtml+xml"/>' for n in range(len(chapters))
    )
    spine = "".join(f'<itemref idref="c{n}"/>' for n in range(len(chapters)))
    package = (
        '<!DOCTYPE package><package xmlns="http://www.idpf.org/2007/opf" xmlns:dc="http://purl.org/dc/elements/1.1/">'
        f"<metadata><dc:title>{title}</dc:title></metadata><manifest>{items}</manifest><spine>{spine}</spine></package>"
    )
    entries = {"mimetype": b"application/epub+zip", "META-INF/container.xml": container.encode()}
    entries["OEBPS/book.opf"] = package.encode()
    for number, chapter in enumerate(chapters):
        page = f'<?xml version="1.0" encoding="utf-8"?><!DOCTYPE html><html><body>{chapter}</body></html>'
        entries[f"OEBPS/c {number}.xhtml"] = page.encode()
    return samples.zipped(path, {**entries, **extra})
