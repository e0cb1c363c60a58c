"""PPTX: slide by slide, with the speaker's notes after what is on the slide; read by python-pptx."""

from collections import Counter
from collections.abc import Iterable, Iterator

import pptx
from pptx.enum.shapes import PP_PLACEHOLDER
from pptx.oxml import parse_xml
from pptx.oxml.xmlchemy import BaseOxmlElement
from pptx.shapes.base import BaseShape
from pptx.slide import Slide

from . import archive, ooxml, tables
from .ceilings import CEILINGS
from .failures import ParseFailed
from .held import File
from .hidden import TINY, weight
from .model import Parsed, Part, assemble
from .pptx_looks import A, Looks, P
from .pptx_white import white_runs

R = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}"
DGM = "{http://schemas.openxmlformats.org/drawingml/2006/diagram}"

_TITLES = frozenset({PP_PLACEHOLDER.TITLE, PP_PLACEHOLDER.CENTER_TITLE})
# The same on every slide.
_FURNITURE = frozenset({PP_PLACEHOLDER.DATE, PP_PLACEHOLDER.FOOTER, PP_PLACEHOLDER.HEADER, PP_PLACEHOLDER.SLIDE_NUMBER})
_POINTS = frozenset({PP_PLACEHOLDER.OBJECT, PP_PLACEHOLDER.BODY})


def parse(path: File) -> Parsed:
    with archive.opened(path) as file:
        deck = pptx.Presentation(file)
        if len(deck.slides) > CEILINGS.pages:
            raise ParseFailed("too_large", detail="slides")
        reader = _Reader(deck.slide_width or 0, deck.slide_height or 0)
        parts = [reader.slide(slide, number) for number, slide in enumerate(deck.slides, 1)]
        first = next((part.heading[0] for part in parts if part.heading), "")
        return assemble("pptx", parts, title=ooxml.title(deck.part.package) or first, hidden=reader.hidden)


class _Reader:
    """Reads slides of one size, and counts what is on them and not seen."""

    def __init__(self, width: int, height: int) -> None:
        self.width = width
        self.height = height
        self.hidden: Counter[str] = Counter()

    def slide(self, slide: Slide, number: int) -> Part:
        ooxml.choose(slide.element)
        if slide.element.get("show") in {"0", "false"}:
            # Nobody sees a hidden slide, but the ones after it keep their numbers.
            self.hidden["unseen"] += _weight(slide.element)
            return Part("slide", number, str(number), (), "")
        looks = Looks(slide)
        shapes = [shape for shape in _flat(slide.shapes) if self._is_seen(shape, looks)]
        title = " ".join(" ".join(_text(shape).split()) for shape in shapes if _role(shape) in _TITLES)
        blocks = [title, *(_text(shape) for shape in shapes if _role(shape) not in _TITLES | _FURNITURE)]
        if slide.has_notes_slide and (notes := slide.notes_slide.notes_placeholder):
            blocks.append(_text(notes))
        text = "\n\n".join(block for block in blocks if block.strip())
        return Part("slide", number, str(number), (title,) if title else (), text)

    def _is_seen(self, shape: BaseShape, looks: Looks) -> bool:
        """Takes the tiny and the white words out of a shape that is seen."""
        kind = ""
        if any(names.get("hidden") in {"1", "true"} for names in shape.element.iter("{*}cNvPr")):
            kind = "unseen"
        elif self._is_outside(shape):
            kind = "off_page"
        if kind:
            self.hidden[kind] += _weight(shape.element)
            return False
        for run in list(shape.element.iter(f"{A}r", f"{A}fld")):
            if looks.size(run, shape) < TINY:
                self.hidden["tiny"] += _weight(run)
                run.getparent().remove(run)
        for run in list(white_runs(looks, shape)):
            self.hidden["white"] += _weight(run)
            run.getparent().remove(run)
        return True

    def _is_outside(self, shape: BaseShape) -> bool:
        # What is in a group is placed in the group's own measure.
        if shape.element.getparent().tag != f"{P}spTree" or not self.width:
            return False
        left, top, width, height = shape.left, shape.top, shape.width, shape.height
        if left is None or top is None or width is None or height is None:
            return False
        return left >= self.width or top >= self.height or left + width <= 0 or top + height <= 0


def _weight(element: BaseOxmlElement) -> int:
    return sum(weight(text.text or "") for text in element.iter(f"{A}t"))


def _flat(shapes: Iterable[BaseShape]) -> Iterator[BaseShape]:
    """The shapes in order, those of groups in place of the groups."""
    for shape in shapes:
        yield from _flat(shape.shapes) if hasattr(shape, "shapes") else [shape]


def _role(shape: BaseShape) -> PP_PLACEHOLDER | None:
    return shape.placeholder_format.type if shape.is_placeholder else None


def _text(shape: BaseShape) -> str:
    """The text of a shape; several paragraphs of a placeholder are the points of a list."""
    if shape.has_table:
        return tables.as_text([[cell.text for cell in row.cells] for row in shape.table.rows])
    if not shape.has_text_frame:
        return "\n".join(_diagram(shape))
    points = [(point.level, text) for point in shape.text_frame.paragraphs if (text := point.text.strip())]
    if _role(shape) in _POINTS and len(points) > 1:
        return "\n".join(f"{'  ' * level}• {text}" for level, text in points)
    return "\n\n".join(text for _, text in points)


def _diagram(shape: BaseShape) -> Iterator[str]:
    """The lines of a SmartArt drawing, of which the library knows only the frame."""
    for frame in shape.element.iter(f"{DGM}relIds"):
        data = parse_xml(shape.part.related_part(frame.get(f"{R}dm", "")).blob)
        for paragraph in data.iter(f"{A}p"):
            line = "".join(text.text or "" for text in paragraph.iter(f"{A}t")).strip()
            if line:
                yield f"• {line}"
