"""DOCX: paragraphs, lists, tables and footnotes under the headings of the document."""

from collections.abc import Iterator
from pathlib import Path

from lxml.etree import _Element as Element

from . import tables
from .docx_styles import Numbering, Styles
from .failures import ParseFailed
from .model import Parsed, assemble
from .ooxml import Package
from .outline import Outline

W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
MC = "{http://schemas.openxmlformats.org/markup-compatibility/2006}"
# Deleted and moved text, the code of fields, and what older programs would show instead.
_SKIPPED = frozenset(
    f"{W}{name}"
    for name in ("del", "moveFrom", "instrText", "delText", "pPr", "rPr", "sectPr", "tblPr", "tcPr", "trPr")
) | {f"{MC}Fallback"}
# What may stand around paragraphs and tables without meaning anything to a reader.
_WRAPPERS = frozenset(f"{W}{name}" for name in ("sdt", "sdtContent", "customXml", "ins", "moveTo", "smartTag"))


def parse(path: Path) -> Parsed:
    package = Package(path)
    main = package.main()
    body = package.xml(main).find(f"{W}body")
    if body is None:
        raise ParseFailed("damaged", detail="no body")
    parts = {kind: target for kind, target in package.related(main).values() if target in package}
    reader = _Reader(package, parts)
    reader.read(body)
    title = package.title() or reader.title or reader.outline.first_heading
    return assemble("docx", reader.outline.parts(), title=title)


class _Reader:
    def __init__(self, package: Package, parts: dict[str, str]) -> None:
        self.outline = Outline()
        self.title = ""
        self.styles = Styles(package.xml(parts["styles"]) if "styles" in parts else None)
        self.numbering = Numbering(package.xml(parts["numbering"]) if "numbering" in parts else None)
        self.notes = _notes(package.xml(parts["footnotes"])) if "footnotes" in parts else {}

    def read(self, container: Element) -> None:
        for node in container:
            if node.tag == f"{W}p":
                self._paragraph(node)
            elif node.tag == f"{W}tbl":
                self._table(node)
            elif node.tag in _WRAPPERS:
                self.read(node)

    def _paragraph(self, node: Element) -> None:
        text = paragraph_text(node).strip()
        style = self.styles.of(node)
        number = self.numbering.next_mark(style) if text else ""
        line = f"{number} {text}" if number else text
        if style.is_title:
            self.title = self.title or text
        if style.level is not None and text:
            self.outline.heading(style.level + 1, line)
        elif number:
            self.outline.item(line)
        else:
            self.outline.block(line)
        for reference in node.iter(f"{W}footnoteReference"):
            identity = reference.get(f"{W}id", "")
            self.outline.block(f"[{identity}] {self.notes[identity]}" if self.notes.get(identity) else "")
        for box in _boxes(node):
            self.read(box)

    def _table(self, node: Element) -> None:
        rows = list(_rows(node))
        if all(len(row) < 2 for row in rows):
            # One column only places things: a frame around paragraphs.
            for cell in _cells_of(node):
                self.read(cell)
            return
        self.outline.block(tables.as_text(rows))


def paragraph_text(node: Element) -> str:
    """The visible text of a paragraph, without the text boxes that hang on it."""
    return "".join(_text(node))


def _text(node: Element) -> Iterator[str]:
    for child in node:
        tag = child.tag
        if tag in _SKIPPED or tag == f"{W}txbxContent":
            continue
        if tag == f"{W}t":
            yield child.text or ""
        elif tag in {f"{W}tab", f"{W}ptab"}:
            yield " "
        elif tag in {f"{W}br", f"{W}cr"}:
            yield "\n"
        elif tag == f"{W}noBreakHyphen":
            yield "-"
        elif tag == f"{W}footnoteReference":
            yield f"[{child.get(f'{W}id', '')}]"
        elif tag == f"{W}r" and child.find(f"{W}rPr/{W}vanish") is not None:
            continue
        elif tag != f"{W}p":
            yield from _text(child)


def _boxes(node: Element) -> Iterator[Element]:
    for box in node.iter(f"{W}txbxContent"):
        if not any(above.tag == f"{MC}Fallback" for above in box.iterancestors()):
            yield box


def _notes(root: Element) -> dict[str, str]:
    """Footnotes by their number; the separators among them have no text."""
    return {
        note.get(f"{W}id", ""): " ".join(" ".join(paragraph_text(p) for p in note.iter(f"{W}p")).split())
        for note in root.iter(f"{W}footnote")
    }


def _rows(table: Element) -> Iterator[list[str]]:
    """Cell texts; a cell merged downwards is said in each of its rows."""
    above: dict[int, str] = {}
    for tr in table.iterchildren(f"{W}tr"):
        row: list[str] = []
        for cell in tr.iter(f"{W}tc"):
            if next(cell.iterancestors(f"{W}tr")) is not tr:
                continue
            column = len(row)
            merge = cell.find(f"{W}tcPr/{W}vMerge")
            text = " ".join(paragraph_text(p).strip() for p in cell.iter(f"{W}p")).strip()
            if merge is not None and merge.get(f"{W}val", "continue") == "continue":
                text = above.get(column, "")
            above[column] = text
            span = cell.find(f"{W}tcPr/{W}gridSpan")
            row += [text, *[""] * (_count(span) - 1)]
        yield row


def _cells_of(table: Element) -> Iterator[Element]:
    for tr in table.iterchildren(f"{W}tr"):
        yield from tr.iterchildren(f"{W}tc")


def _count(span: Element | None) -> int:
    value = span.get(f"{W}val", "1") if span is not None else "1"
    return min(int(value), 100) if value.isdecimal() and int(value) else 1
