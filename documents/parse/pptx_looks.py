"""How the letters of a presentation look where nobody says it of themselves: by the shape, the layout, the master, the
theme and the deck, in this order.
"""

from collections.abc import Iterator
from functools import cached_property

from pptx.opc.constants import RELATIONSHIP_TYPE
from pptx.oxml import parse_xml
from pptx.oxml.xmlchemy import BaseOxmlElement
from pptx.shapes.base import BaseShape
from pptx.slide import Slide

A = "{http://schemas.openxmlformats.org/drawingml/2006/main}"
P = "{http://schemas.openxmlformats.org/presentationml/2006/main}"

_TITLES = frozenset({"title", "ctrTitle"})
_NOT_BODY = frozenset({"dt", "ftr", "hdr", "sldNum"})
#: What the theme calls its colours, where a master does not call them otherwise.
_USUAL = {"bg1": "lt1", "tx1": "dk1", "bg2": "lt2", "tx2": "dk2"}


class Looks:
    """Of the letters on one slide."""

    def __init__(self, slide: Slide) -> None:
        self.slide = slide
        self._above: dict[tuple[BaseOxmlElement, int], list[BaseOxmlElement]] = {}

    def colour(self, run: BaseOxmlElement, shape: BaseShape) -> str:
        """Six hexadecimal digits, or "" where it is not one plain colour."""
        for properties in self._said(run, shape):
            if any(fill.tag.startswith(A) and fill.tag.endswith("Fill") for fill in properties):
                return self.fill(properties)
        return self._of_theme("tx1")

    def size(self, run: BaseOxmlElement, shape: BaseShape) -> float:
        """In points."""
        sizes = (properties.get("sz", "") for properties in self._said(run, shape))
        return next((int(size) / 100 for size in sizes if size.isdecimal()), 18.0)

    def fill(self, around: BaseOxmlElement | None) -> str:
        """The plain colour that something is filled with, or ""."""
        fill = around.find(f"{A}solidFill") if around is not None else None
        return self.named(fill)

    def named(self, around: BaseOxmlElement | None) -> str:
        """The plain colour named in an element, or ""."""
        colour = next(iter(around), None) if around is not None else None
        # One that is changed, as darker by half, is another colour.
        if colour is None or len(colour):
            return ""
        if colour.tag == f"{A}schemeClr":
            return self._of_theme(colour.get("val", ""))
        return str(colour.get("lastClr" if colour.tag == f"{A}sysClr" else "val", ""))

    def _of_theme(self, name: str) -> str:
        slot = self._theme.find(f".//{A}clrScheme/{A}{self._names.get(name, name)}")
        colour = next(iter(slot), None) if slot is not None else None
        if colour is None:
            return {"lt1": "FFFFFF", "dk1": "000000"}.get(self._names.get(name, name), "")
        return str(colour.get("lastClr") or colour.get("val", ""))

    def _said(self, run: BaseOxmlElement, shape: BaseShape) -> Iterator[BaseOxmlElement]:
        """What is said of the run, from what is nearest to it outwards."""
        own = run.find(f"{A}rPr")
        if own is not None:
            yield own
        paragraph = run.getparent()
        about = paragraph.find(f"{A}pPr") if paragraph is not None else None
        level = about.get("lvl", "0") if about is not None else "0"
        key = shape.element, int(level) + 1 if level.isdecimal() else 1
        if key not in self._above:
            found = (style.find(f"{A}lvl{key[1]}pPr/{A}defRPr") for style in self._styles(shape))
            self._above[key] = [each for each in found if each is not None]
        yield from self._above[key]

    def _styles(self, shape: BaseShape) -> Iterator[BaseOxmlElement]:
        """The lists of styles by level that hold for a shape, the nearest first."""
        layout = self.slide.slide_layout
        master = layout.slide_master
        place = shape.element.find(f".//{P}nvPr/{P}ph")
        kind = "" if place is None else place.get("type", "body" if place.get("idx") else "obj")
        around = [shape.element]
        if place is not None:
            around += _places(layout.placeholders, "idx", place.get("idx", "0"))
            around += _places(master.placeholders, "type", "title" if kind in _TITLES else kind)[:1] or _places(
                master.placeholders, "type", "body"
            )
        yield from (style for each in around for style in each.iterfind(f".//{A}lstStyle"))
        name = "title" if kind in _TITLES else "other" if place is None or kind in _NOT_BODY else "body"
        yield from master.element.iterfind(f"{P}txStyles/{P}{name}Style")
        yield from self.slide.part.package.presentation_part._element.iterfind(f"{P}defaultTextStyle")

    @cached_property
    def _theme(self) -> BaseOxmlElement:
        try:
            part = self.slide.slide_layout.slide_master.part.part_related_by(RELATIONSHIP_TYPE.THEME)
        except KeyError:
            return parse_xml(f'<a:theme xmlns:a="{A[1:-1]}"/>')
        return parse_xml(part.blob)

    @cached_property
    def _names(self) -> dict[str, str]:
        """The theme's name of each name that is used on the slide."""
        layout = self.slide.slide_layout
        names = dict(_USUAL)
        for element in (layout.slide_master.element.find(f"{P}clrMap"), *map(_override, (layout, self.slide))):
            names |= dict(element.attrib) if element is not None else {}
        return names


def _override(layer: Slide) -> BaseOxmlElement | None:
    return layer.element.find(f"{P}clrMapOvr/{A}overrideClrMapping")


def _places(placeholders: object, name: str, value: str) -> list[BaseOxmlElement]:
    """The placeholders of a layout or master whose `name` is `value`."""
    found = []
    for each in placeholders:  # type: ignore[attr-defined]
        place = each.element.find(f".//{P}nvPr/{P}ph")
        usual = "0" if name == "idx" else "obj"
        if place is not None and place.get(name, usual) == value:
            found.append(each.element)
    return found
