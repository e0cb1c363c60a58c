"""DOCX: paragraphs, lists, tables and footnotes under the headings of the document.

python-docx reads the file. What it has no words for (changes, content controls,
text boxes, footnotes) is brought into plain paragraphs first, on its own elements.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import docx
from docx.document import Document
from docx.enum.style import WD_STYLE_TYPE
from docx.opc.constants import RELATIONSHIP_TYPE
from docx.oxml import OxmlElement, parse_xml
from docx.oxml.ns import qn
from docx.oxml.simpletypes import ST_Merge
from docx.oxml.xmlchemy import BaseOxmlElement
from docx.styles.style import BaseStyle, ParagraphStyle
from docx.table import Table, _Cell
from docx.text.paragraph import Paragraph
from lxml import etree

from . import archive, ooxml, tables
from .docx_hidden import Unseen
from .docx_numbers import BULLET, Numbers
from .held import File
from .model import Parsed, assemble
from .outline import Outline


def _tags(words: str) -> tuple[str, ...]:
    return tuple(qn(f"w:{word}") for word in words.split())


# Deleted and moved text, and settings that would otherwise be left where wrappers are taken away.
_UNSEEN = _tags("del moveFrom sdtPr sdtEndPr customXmlPr smartTagPr")
# What may stand around paragraphs, cells and runs without meaning anything to a reader.
_WRAPPERS = _tags("sdt sdtContent customXml smartTag ins moveTo fldSimple dir bdo")
MAX_COLUMNS = 100
_BODY_TEXT = 9  # Word's outline level for "not a heading"
_HEADING = re.compile(r"heading ([1-9])", re.IGNORECASE)


def parse(path: File) -> Parsed:
    with archive.opened(path) as file:
        document = docx.Document(file)
        unseen = Unseen(document)
        _show_as_read(document.element, unseen)
        reader = _Reader(document, unseen)
        reader.read(document.iter_inner_content())
        title = ooxml.title(document.part.package) or reader.title or reader.outline.first_heading
        return assemble("docx", reader.outline.parts(), title=title, hidden=unseen.found)


def _show_as_read(root: BaseOxmlElement, unseen: Unseen) -> None:
    """Leave of the document what a reader sees, as plain paragraphs and runs."""
    ooxml.choose(root)
    etree.strip_elements(root, *_UNSEEN, with_tail=False)
    etree.strip_tags(root, *_WRAPPERS)
    unseen.take_out_of(root)
    for reference in root.iter(qn("w:footnoteReference")):
        mark = OxmlElement("w:t")
        mark.text = f"[{reference.get(qn('w:id'), '')}]"
        reference.addprevious(mark)


@dataclass(frozen=True, slots=True)
class _Look:
    """What a paragraph is; `level` is 0 for what is no heading."""

    level: int = 0
    is_title: bool = False
    #: The list it belongs to; "" or "0", Word's way of taking a paragraph out of its list, for none.
    list_number: str = ""
    list_level: int | None = None

    def over(self, element: BaseOxmlElement) -> "_Look":
        """This look with what a style or a paragraph based on it says on top."""
        # Word writes the English name whatever its language; the id is translated.
        name = element.xpath("string(w:name/@w:val)").lower()
        outline = element.xpath("string(w:pPr/w:outlineLvl/@w:val)")
        level = int(found[1]) if (found := _HEADING.fullmatch(name)) else self.level
        if outline.isdecimal():
            level = int(outline) + 1 if int(outline) < _BODY_TEXT else 0
        list_number = element.xpath("string(w:pPr/w:numPr/w:numId/@w:val)")
        list_level = element.xpath("string(w:pPr/w:numPr/w:ilvl/@w:val)")
        return _Look(
            level,
            self.is_title or name == "title",
            list_number or self.list_number,
            int(list_level) if list_level.isdecimal() else self.list_level,
        )


class _Reader:
    def __init__(self, document: Document, unseen: Unseen) -> None:
        self.outline = Outline()
        self.title = ""
        # Asked of each paragraph instead, the library would search all styles every time.
        self._looks = {style.style_id: _look(style) for style in document.styles if isinstance(style, ParagraphStyle)}
        default = document.styles.default(WD_STYLE_TYPE.PARAGRAPH)
        self._plain = _look(default) if isinstance(default, ParagraphStyle) else _Look()
        self._notes = _footnotes(document, unseen)
        self._numbers = Numbers(document)

    def read(self, blocks: Iterable[Paragraph | Table]) -> None:
        for block in blocks:
            if isinstance(block, Table):
                self._table(block)
                continue
            self._paragraph(block)
            # Text boxes hang on the paragraph that they float beside.
            for inner in block._p.xpath(".//w:txbxContent//w:p"):
                self._paragraph(Paragraph(inner, block))

    def _paragraph(self, paragraph: Paragraph) -> None:
        text = paragraph.text.strip()
        look = self._looks.get(paragraph._p.style or "", self._plain).over(paragraph._p)
        if look.is_title:
            self.title = self.title or text
        mark = self._mark(look, paragraph._p.style or "") if text else ""
        if look.level:
            self.outline.heading(look.level, f"{mark} {text}" if mark.strip(BULLET) else text)
        elif mark:
            self.outline.item(f"{mark} {text}")
        else:
            self.outline.block(text)
        for number in paragraph._p.xpath("./w:r/w:footnoteReference/@w:id"):
            if self._notes.get(number):
                self.outline.block(f"[{number}] {self._notes[number]}")

    def _mark(self, look: _Look, style: str) -> str:
        if look.list_number in {"", "0"}:
            return ""
        level = look.list_level
        return self._numbers.mark(look.list_number, self._numbers.level_of(style) if level is None else level)

    def _table(self, table: Table) -> None:
        rows = list(_rows(table))
        if any(len(row) > 1 for row in rows):
            self.outline.block(tables.as_text(rows))
            return
        # One column only places things: a frame around paragraphs.
        for cell in table._tbl.iter_tcs():
            self.read(_Cell(cell, table).iter_inner_content())


def _look(style: BaseStyle | None) -> _Look:
    lineage: dict[str, BaseStyle] = {}
    while isinstance(style, ParagraphStyle) and style.style_id not in lineage:
        lineage[style.style_id] = style
        style = style.base_style
    look = _Look()
    for ancestor in reversed(lineage.values()):
        look = look.over(ancestor.element)
    return look


def _rows(table: Table) -> Iterator[list[str]]:
    """Cell texts; a cell merged downwards is said in each of its rows.

    The library's own `row.cells` climbs all rows of a merged cell for each of them.
    """
    above: dict[int, str] = {}
    for tr in table._tbl.tr_lst:
        row: list[str] = []
        for tc in tr.tc_lst:
            continued = tc.vMerge == ST_Merge.CONTINUE
            text = " ".join(Paragraph(p, table).text.strip() for p in tc.iter(qn("w:p"))).strip()
            above[len(row)] = above.get(len(row), "") if continued else text
            row += [above[len(row)], *[""] * (min(tc.grid_span, MAX_COLUMNS) - 1)]
        yield row


def _footnotes(document: Document, unseen: Unseen) -> dict[str, str]:
    """Footnotes by their number, of which the library knows nothing; separators among them have no text."""
    try:
        part = document.part.part_related_by(RELATIONSHIP_TYPE.FOOTNOTES)
    except KeyError:
        return {}
    root = parse_xml(part.blob)
    _show_as_read(root, unseen)
    return {
        note.get(qn("w:id"), ""): " ".join(" ".join(Paragraph(p, document).text for p in note.iter(qn("w:p"))).split())
        for note in root.iter(qn("w:footnote"))
    }
