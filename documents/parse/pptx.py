"""PPTX: slide by slide, with the speaker's notes after what is on the slide."""

from collections.abc import Iterator
from pathlib import Path

from lxml.etree import _Element as Element

from . import tables
from .failures import ParseFailed
from .model import MAX_PAGES, Parsed, Part, assemble
from .ooxml import Package

A = "{http://schemas.openxmlformats.org/drawingml/2006/main}"
P = "{http://schemas.openxmlformats.org/presentationml/2006/main}"
R = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}"
DGM = "{http://schemas.openxmlformats.org/drawingml/2006/diagram}"

_TITLES = frozenset({"title", "ctrTitle"})
# Date, footer and slide number: the same on every slide.
_FURNITURE = frozenset({"dt", "ftr", "sldNum", "hdr", "sldImg"})


def parse(path: Path) -> Parsed:
    package = Package(path)
    main = package.main()
    related = package.related(main)
    order = [slide.get(f"{R}id", "") for slide in package.xml(main).iter(f"{P}sldId")]
    if len(order) > MAX_PAGES:
        raise ParseFailed("too_large", detail="slides")
    slides = [related[identity][1] for identity in order if identity in related]
    parts = [_slide(package, name, number) for number, name in enumerate(slides, 1)]
    first = next((part.heading[0] for part in parts if part.heading), "")
    return assemble("pptx", parts, title=package.title() or first)


def _slide(package: Package, name: str, number: int) -> Part:
    root = package.xml(name)
    if root.get("show") in {"0", "false"}:
        # Nobody sees a hidden slide, but the ones after it keep their numbers.
        return Part("slide", number, str(number), (), "")
    titles = [" ".join(_frame(shape).split()) for shape in root.iter(f"{P}sp") if _role(shape) in _TITLES]
    title = " ".join(filter(None, titles))
    blocks = [title, *_blocks(package, name, root)]
    for kind, target in package.related(name).values():
        if kind == "notesSlide" and target in package:
            blocks += _notes(package.xml(target))
    text = "\n\n".join(block for block in blocks if block.strip())
    return Part("slide", number, str(number), (title,) if title else (), text)


def _blocks(package: Package, name: str, root: Element) -> Iterator[str]:
    """The texts of a slide in the order of its shapes, the title left out."""
    for shape in root.iter(f"{P}sp", f"{A}tbl", f"{DGM}relIds"):
        if shape.tag == f"{A}tbl":
            yield tables.as_text(list(_rows(shape)))
        elif shape.tag == f"{DGM}relIds":
            yield from _diagram(package, name, shape)
        elif _role(shape) not in _TITLES | _FURNITURE:
            yield _frame(shape)


def _notes(root: Element) -> Iterator[str]:
    for shape in root.iter(f"{P}sp"):
        if _role(shape) not in _FURNITURE:
            yield _frame(shape)


def _diagram(package: Package, name: str, reference: Element) -> Iterator[str]:
    _, target = package.related(name).get(reference.get(f"{R}dm", ""), ("", ""))
    if target in package:
        lines = (_paragraph(node) for node in package.xml(target).iter(f"{A}p"))
        yield "\n".join(f"• {line}" for line in lines if line)


def _role(shape: Element) -> str:
    """The kind of placeholder a shape is, or "" for a shape of the author's own."""
    holder = shape.find(f"{P}nvSpPr/{P}nvPr/{P}ph")
    return "" if holder is None else holder.get("type", "obj")


def _frame(shape: Element) -> str:
    """The text of a shape; several paragraphs of a placeholder are the points of a list."""
    paragraphs = [(node, _paragraph(node)) for node in shape.iterfind(f"{P}txBody/{A}p")]
    paragraphs = [(node, text) for node, text in paragraphs if text]
    is_list = _role(shape) in {"obj", "body"} and len(paragraphs) > 1
    lines = [f"{'  ' * _level(node)}• {text}" if is_list else text for node, text in paragraphs]
    return ("\n" if is_list else "\n\n").join(lines)


def _paragraph(node: Element) -> str:
    pieces = []
    for child in node.iter(f"{A}t", f"{A}br"):
        pieces.append("\n" if child.tag == f"{A}br" else child.text or "")
    return "".join(pieces).strip()


def _level(paragraph: Element) -> int:
    properties = paragraph.find(f"{A}pPr")
    level = properties.get("lvl", "0") if properties is not None else "0"
    return min(int(level), 8) if level.isdecimal() else 0


def _rows(table: Element) -> Iterator[list[str]]:
    for row in table.iterchildren(f"{A}tr"):
        yield [" ".join(_paragraph(node) for node in cell.iter(f"{A}p")) for cell in row.iterchildren(f"{A}tc")]
