"""ODT (OpenDocument text): paragraphs, lists, tables and notes under the headings of the document."""

import re
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

from lxml import etree

from . import archive, hidden, tables, xml
from .failures import ParseFailed
from .held import File
from .model import Parsed, assemble
from .outline import Outline

_SPACES = {
    "dc": "http://purl.org/dc/elements/1.1/",
    "draw": "urn:oasis:names:tc:opendocument:xmlns:drawing:1.0",
    "fo": "urn:oasis:names:tc:opendocument:xmlns:xsl-fo-compatible:1.0",
    "manifest": "urn:oasis:names:tc:opendocument:xmlns:manifest:1.0",
    "office": "urn:oasis:names:tc:opendocument:xmlns:office:1.0",
    "style": "urn:oasis:names:tc:opendocument:xmlns:style:1.0",
    "svg": "urn:oasis:names:tc:opendocument:xmlns:svg-compatible:1.0",
    "table": "urn:oasis:names:tc:opendocument:xmlns:table:1.0",
    "text": "urn:oasis:names:tc:opendocument:xmlns:text:1.0",
}
MAX_REPEATED = 100
# Lists, tables and text boxes inside each other; deeper than any that a person made.
MAX_DEPTH = 100


@cache
def _tag(name: str) -> str:
    space, _, word = name.partition(":")
    return f"{{{_SPACES[space]}}}{word}"


def _tags(names: str) -> frozenset[str]:
    return frozenset(map(_tag, names.split()))


# Changes that were taken back, what makes an index, comments of reviewers, and names of pictures.
_UNSHOWN = _tags(
    "text:tracked-changes text:sequence-decls text:variable-decls text:user-field-decls office:annotation "
    "office:annotation-end office:forms text:table-of-content-source text:index-title-template svg:title svg:desc "
    "text:alphabetical-index-mark text:toc-mark"
)
_BREAKS = {
    _tag("text:tab"): "\t",
    _tag("text:line-break"): "\n",
    _tag("text:s"): " ",
    _tag("text:note-citation"): " ",
    _tag("text:note-body"): " ",
}
_HIDDEN = _tags("text:hidden-text text:hidden-paragraph")
_CELLS = _tags("table:table-cell table:covered-table-cell")
_LENGTH = re.compile(r"([\d.]+)(pt|in|cm|mm|px)")
_POINTS = {"pt": 1.0, "in": 72.0, "cm": 28.35, "mm": 2.835, "px": 0.75}


def parse(path: File) -> Parsed:
    with archive.opened(path) as file, zipfile.ZipFile(file) as parts:
        _require_open(parts)
        document = xml.tree(parts.read("content.xml"))
        names = set(parts.namelist())
        styles = _Styles()
        for name in ("styles.xml", "content.xml"):
            if name in names:
                styles.learn(document if name == "content.xml" else xml.tree(parts.read(name)))
        title = ""
        if "meta.xml" in names:
            title = xml.tree(parts.read("meta.xml")).findtext(f".//{_tag('dc:title')}") or ""
        body = document.find(f".//{_tag('office:text')}")
        if body is None:
            raise ParseFailed("wrong_type")
        reader = _Reader(styles)
        reader.blocks(body, 0)
    outline = reader.outline
    return assemble(
        "odt", outline.parts(), title=title.strip() or reader.title or outline.first_heading, hidden=outline.hidden
    )


def _require_open(parts: zipfile.ZipFile) -> None:
    manifest = "META-INF/manifest.xml"
    if manifest in parts.namelist() and b"encryption-data" in parts.read(manifest):
        raise ParseFailed("encrypted")


@dataclass(frozen=True, slots=True)
class _Look:
    """What a style says of text, with what it is based on."""

    unseen: bool = False
    white: bool = False
    tiny: bool = False
    is_title: bool = False

    @property
    def kind(self) -> str:
        return "unseen" if self.unseen else "tiny" if self.tiny else "white" if self.white else ""


class _Styles:
    def __init__(self) -> None:
        self._elements: dict[str, etree._Element] = {}
        self._numbered: dict[str, dict[int, bool]] = {}
        self._looks: dict[str, _Look] = {}

    def learn(self, root: etree._Element) -> None:
        for style in root.iter(_tag("style:style")):
            self._elements[style.get(_tag("style:name"), "")] = style
        for style in root.iter(_tag("text:list-style")):
            levels = self._numbered.setdefault(style.get(_tag("style:name"), ""), {})
            for level in style:
                number = level.get(_tag("text:level"), "1")
                levels[int(number) if number.isdecimal() else 1] = level.tag == _tag(
                    "text:list-level-style-number"
                ) and bool(level.get(_tag("style:num-format")))

    def is_numbered(self, list_style: str, level: int) -> bool:
        return self._numbered.get(list_style, {}).get(level, False)

    def look(self, name: str) -> _Look:
        if name not in self._looks:
            # Known before its parent is asked, which may be the style itself.
            self._looks[name] = _Look()
            self._looks[name] = self._read(name)
        return self._looks[name]

    def _read(self, name: str) -> _Look:
        style = self._elements.get(name)
        if style is None:
            return _Look(is_title=name == "Title")
        parent = style.get(_tag("style:parent-style-name"), "")
        above = self.look(parent) if parent else _Look()
        is_title = above.is_title or name == "Title"
        text = style.find(_tag("style:text-properties"))
        paragraph = style.find(_tag("style:paragraph-properties"))
        if text is None:
            return _Look(above.unseen, above.white, above.tiny, is_title)
        display, colour, size = (text.get(_tag(each)) for each in ("text:display", "fo:color", "fo:font-size"))
        grounds = [each.get(_tag("fo:background-color")) for each in (text, paragraph) if each is not None]
        shaded = any(ground not in {None, "transparent", "#ffffff"} for ground in grounds)
        return _Look(
            unseen=display == "none" if display else above.unseen,
            white=not shaded and (hidden.is_white(colour.removeprefix("#")) if colour else above.white),
            tiny=_points(size) < hidden.TINY if size else above.tiny,
            is_title=is_title,
        )


def _points(size: str) -> float:
    found = _LENGTH.fullmatch(size)
    return float(found[1]) * _POINTS[found[2]] if found and found[1].count(".") < 2 else 12.0


class _Reader:
    def __init__(self, styles: _Styles) -> None:
        self.outline = Outline()
        self.title = ""
        self.styles = styles
        self._shapes: list[etree._Element] = []

    def blocks(self, node: etree._Element, depth: int, list_style: str = "", level: int = 0) -> None:
        if depth > MAX_DEPTH:
            raise ParseFailed("damaged", detail="depth")
        for child in node:
            if not isinstance(child.tag, str) or child.tag in _UNSHOWN:
                continue
            if child.tag == _tag("text:h"):
                number = child.get(_tag("text:outline-level"), "1")
                self.outline.heading(int(number) if number.isdecimal() else 1, self._words(child))
            elif child.tag == _tag("text:p"):
                self._paragraph(child)
            elif child.tag == _tag("text:list"):
                self._list(child, depth, child.get(_tag("text:style-name"), list_style), level + 1)
            elif child.tag == _tag("text:list-item"):
                self.outline.begin_item()
                self.blocks(child, depth + 1, list_style, level)
            elif child.tag == _tag("table:table"):
                self.outline.block(tables.as_text(list(self._rows(child))))
            elif _is_hidden_section(child):
                self.outline.hidden["unseen"] += hidden.weight("".join(child.itertext()))
            else:
                self.blocks(child, depth + 1, list_style, level)
            # Text boxes hang on the paragraph that they float beside.
            while self._shapes:
                self.blocks(self._shapes.pop(0), depth + 1)

    def _paragraph(self, node: etree._Element) -> None:
        text = self._words(node).strip()
        if text and not self.title and self.styles.look(node.get(_tag("text:style-name"), "")).is_title:
            self.title = " ".join(text.split())
        if text:
            self.outline.say(text)

    def _list(self, node: etree._Element, depth: int, style: str, level: int) -> None:
        self.outline.open_list(1 if self.styles.is_numbered(style, level) else None)
        self.blocks(node, depth + 1, style, level)
        self.outline.close_list()

    def _words(self, node: etree._Element) -> str:
        return "".join(self._pieces(node, self.styles.look(node.get(_tag("text:style-name"), ""))))

    def _pieces(self, node: etree._Element, look: _Look) -> Iterator[str]:
        """The visible text below a paragraph; what floats beside it waits in `_shapes`."""
        # A walk of our own and no recursion: spans may stand in spans without end.
        waiting: list[tuple[etree._Element | str, _Look]] = [(node, look)]
        while waiting:
            part, look = waiting.pop()
            if isinstance(part, str):
                if look.kind:
                    self.outline.hidden[look.kind] += hidden.weight(part)
                else:
                    yield re.sub(r"[ \t\r\n]+", " ", part)
                continue
            if part is not node:
                waiting += [(part.tail, look)] if part.tail else []
                if not isinstance(part.tag, str) or part.tag in _UNSHOWN:
                    continue
                if part.tag == _tag("draw:text-box"):
                    self._shapes.append(part)
                    continue
                yield _BREAKS.get(part.tag, "")
                look = self._inner_look(part, look)
            inner: list[tuple[etree._Element | str, _Look]] = [(part.text, look)] if part.text else []
            inner += [(child, look) for child in part]
            waiting += reversed(inner)

    def _inner_look(self, part: etree._Element, around: _Look) -> _Look:
        if part.tag in _HIDDEN:
            return _Look(unseen=True)
        name = part.get(_tag("text:style-name"))
        if part.tag != _tag("text:span") or not name:
            return around
        own = self.styles.look(name)
        return own if own.kind or not around.unseen else around

    def _rows(self, table: etree._Element) -> Iterator[list[str]]:
        columns = [each for column in table.iter(_tag("table:table-column")) for each in _repeated(column, "columns")]
        closed = {place for place, column in enumerate(columns) if _is_collapsed(column)}
        for row in table.iter(_tag("table:table-row")):
            if _is_collapsed(row):
                self.outline.hidden["unseen"] += hidden.weight("".join(row.itertext()))
                continue
            cells: list[str] = []
            for cell in row:
                if cell.tag not in _CELLS:
                    continue
                if len(cells) in closed:
                    self.outline.hidden["unseen"] += hidden.weight("".join(cell.itertext()))
                    cells += [""] * len(_repeated(cell, "columns"))
                    continue
                blocks = [self._words(each) for each in cell.iter(_tag("text:p"), _tag("text:h"))]
                text = " ".join(" ".join(blocks).split())
                cells += [text] * len(_repeated(cell, "columns"))
            yield cells


def _repeated(node: etree._Element, what: str) -> list[etree._Element]:
    """The element as often as it says that it stands there."""
    times = node.get(_tag(f"table:number-{what}-repeated"), "1")
    # A sheet repeats its last cell to the edge of the paper.
    return [node] * (min(int(times), MAX_REPEATED) if times.isdecimal() else 1)


def _is_collapsed(node: etree._Element) -> bool:
    return node.get(_tag("table:visibility"), "visible") != "visible"


def _is_hidden_section(node: etree._Element) -> bool:
    if node.tag != _tag("text:section"):
        return False
    display = node.get(_tag("text:display"), "true")
    return display == "none" or (display == "condition" and node.get(_tag("text:is-hidden")) == "true")
