"""Web pages: the visible main text under its headings, without menus and scripts."""

import re
from collections.abc import Iterator

from lxml import etree
from lxml import html as lxml_html

from . import tables
from .encodings import decode, read_bytes
from .failures import ParseFailed
from .held import File
from .hidden import weight
from .html_hidden import Styles
from .model import Parsed, assemble
from .outline import Outline

# Deeper than any page that a person wrote; below it text is no longer told apart by blocks.
MAX_DEPTH = 200


def _listed(words: str) -> frozenset[str]:
    return frozenset(words.split())


_SKIPPED = _listed("""
    script style noscript template svg math iframe object embed canvas audio video map head nav aside footer
    form button select option textarea input dialog
""")
_SKIPPED_ROLES = _listed("navigation banner contentinfo search complementary dialog")
_INLINE = _listed("""
    a abbr acronym b bdi bdo big cite code data del dfn em font i ins kbd label mark q s samp small span
    strong strike sub sup time tt u var wbr
""")
_HEADINGS = frozenset({"h1", "h2", "h3", "h4", "h5", "h6"})
_CHARSET = re.compile(rb"<meta[^>]{0,200}?charset=[\"']?([\w-]{2,20})", re.IGNORECASE)


def parse(path: File) -> Parsed:
    tree = tree_of(decoded(read_bytes(path)))
    if tree is None:
        raise ParseFailed("no_text")
    outline = Outline()
    styles = Styles(tree)
    reader = _Reader(outline, styles)
    reader.element(_main(tree, styles), 0)
    reader.flush()
    title = " ".join((tree.findtext(".//head/title") or "").split())
    return assemble("html", outline.parts(), title=title or outline.first_heading, hidden=outline.hidden)


def read_into(outline: Outline, page: str) -> None:
    """Add what a reader would see of a whole page to `outline`."""
    tree = tree_of(page)
    if tree is not None:
        reader = _Reader(outline, Styles(tree))
        body = tree.find("body")
        reader.element(tree if body is None else body, 0)
        reader.flush()


def decoded(data: bytes) -> str:
    """The source of a page, in the encoding that it declares where that is true."""
    declared = _CHARSET.search(data[:4096])
    if declared and not data.startswith((b"\xff\xfe", b"\xfe\xff", b"\xef\xbb\xbf")):
        try:
            return data.decode(declared.group(1).decode("ascii"))
        except (LookupError, UnicodeDecodeError):
            # A page that lies about its encoding is read like one that says nothing.
            return decode(data)
    return decode(data)


def tree_of(text: str) -> lxml_html.HtmlElement | None:
    """The page as elements; None for one with nothing on it. Raises ParseFailed(`damaged`)."""
    parser = lxml_html.HTMLParser(
        encoding="utf-8", remove_comments=True, remove_pis=True, no_network=True, huge_tree=True
    )
    try:
        tree = lxml_html.document_fromstring(text.encode("utf-8", errors="ignore"), parser=parser)
    except etree.ParserError:
        # lxml's name for a page with nothing on it.
        return None
    if any(entry.type == etree.ErrorTypes.ERR_RESOURCE_LIMIT for entry in parser.error_log):
        # libxml2 stops in the middle then, and what it read would pass for the whole.
        raise ParseFailed("damaged", detail="depth")
    return tree


def _main(tree: lxml_html.HtmlElement, styles: Styles) -> lxml_html.HtmlElement:
    for found in (tree.findall(".//main"), tree.findall(".//*[@role='main']"), tree.findall(".//article")):
        # One that is hidden would stand for the page that its reader sees.
        if len(found) == 1 and not any(
            styles.hides(around) or _is_furniture(around) for around in (found[0], *found[0].iterancestors())
        ):
            return found[0]
    body = tree.find("body")
    return tree if body is None else body


class _Reader:
    """Walks the page; inline text gathers until a block begins or ends."""

    def __init__(self, outline: Outline, styles: Styles) -> None:
        self.outline = outline
        self.styles = styles
        self.inline: list[str] = []

    def element(self, node: lxml_html.HtmlElement, depth: int) -> None:
        tag = node.tag
        if not isinstance(tag, str) or self._is_hidden(node):
            return
        if depth > MAX_DEPTH:
            self.inline += self._visible(node)
        elif tag in _INLINE:
            self._inside(node, depth)
        elif tag == "br":
            self.inline.append("\n")
        elif tag in _HEADINGS:
            self.flush()
            self.outline.heading(int(tag[1]), self._inline_text(node))
        elif tag == "pre":
            self.flush()
            self.outline.block("".join(self._visible(node)).strip(" "))
        elif tag == "table" and not _is_layout(node):
            self.flush()
            self.outline.block(tables.as_text(list(self._rows(node))))
        elif tag in {"ul", "ol"}:
            self._list(node, tag, depth)
        else:
            self.flush()
            if tag == "li" and self.outline.is_in_list:
                self.outline.begin_item()
            self._inside(node, depth)
            self.flush()

    def flush(self) -> None:
        lines = (" ".join(line.split()) for line in "".join(self.inline).split("\n"))
        text = "\n".join(line for line in lines if line)
        self.inline = []
        if text:
            self.outline.say(text)

    def _inside(self, node: lxml_html.HtmlElement, depth: int) -> None:
        self.inline.append(_spaced(node.text))
        for child in node:
            self.element(child, depth + 1)
            self.inline.append(_spaced(child.tail))

    def _list(self, node: lxml_html.HtmlElement, tag: str, depth: int) -> None:
        self.flush()
        self.outline.open_list(None if tag == "ul" else _start(node))
        self._inside(node, depth)
        self.flush()
        self.outline.close_list()

    def _inline_text(self, node: lxml_html.HtmlElement) -> str:
        """The visible text below a heading or a cell, on one line."""
        return " ".join("".join(self._visible(node)).split())

    def _visible(self, node: lxml_html.HtmlElement) -> Iterator[str]:
        """The visible text at any depth; words of two blocks do not grow together."""
        walker = etree.iterwalk(node, events=("start", "end"))
        for event, element in walker:
            if element.tag not in _INLINE:
                yield " "
            if event == "end":
                yield (element.tail or "") if element is not node else ""
            elif self._is_hidden(element):
                walker.skip_subtree()
            else:
                yield element.text or ""

    def _seen_rows(self, table: lxml_html.HtmlElement) -> Iterator[lxml_html.HtmlElement]:
        walker = etree.iterwalk(table, events=("start",))
        for _, element in walker:
            if element is table or not isinstance(element.tag, str):
                continue
            if element.tag in {"td", "th"} or self._is_hidden(element):
                walker.skip_subtree()
            elif element.tag == "tr":
                yield element

    def _rows(self, table: lxml_html.HtmlElement) -> Iterator[list[str]]:
        """The cells row by row; a cell over several rows is said in each, over several columns once."""
        open_cells: dict[int, tuple[int, str]] = {}
        for tr in self._seen_rows(table):
            row: dict[int, str] = {}
            for column in list(open_cells):
                left, text = open_cells.pop(column)
                row[column] = text
                if left > 1:
                    open_cells[column] = (left - 1, text)
            column = 0
            for cell in tr:
                if cell.tag not in {"td", "th"}:
                    continue
                while column in row:
                    column += 1
                row[column] = self._inline_text(cell)
                if (rows := _span(cell, "rowspan")) > 1:
                    open_cells[column] = (rows - 1, row[column])
                column += _span(cell, "colspan")
            yield [row.get(index, "") for index in range(max(row, default=-1) + 1)]

    def _is_hidden(self, node: lxml_html.HtmlElement) -> bool:
        """Whether a reader does not see the element, or sees it on every page of the site."""
        if _is_furniture(node):
            return True
        kind = self.styles.hides(node)
        if kind:
            words = (text for text in node.itertext() if text)
            self.outline.hidden[kind] += sum(map(weight, words))
        return bool(kind)


def _is_furniture(node: lxml_html.HtmlElement) -> bool:
    if node.tag in _SKIPPED or node.get("aria-hidden") == "true" or node.get("role") in _SKIPPED_ROLES:
        return True
    return node.tag == "header" and not any(
        above.tag in {"main", "article", "section"} for above in node.iterancestors()
    )


def _spaced(text: str | None) -> str:
    """White space of the source, where a line end means no more than a space."""
    return re.sub(r"\s+", " ", text) if text else ""


def _is_layout(table: lxml_html.HtmlElement) -> bool:
    """A table that only places things, as old pages and e-mails do."""
    if table.get("role") == "presentation" or table.find(".//table") is not None:
        return True
    return all(len(row) < 2 for row in table.iter("tr"))


def _start(node: lxml_html.HtmlElement) -> int:
    value = node.get("start", "1")
    return int(value) if value.isdecimal() and len(value) < 10 else 1


def _span(cell: lxml_html.HtmlElement, name: str) -> int:
    value = cell.get(name, "1")
    return min(int(value), 100) if value.isdecimal() and int(value) else 1
