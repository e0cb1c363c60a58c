"""Tell white letters on a white slide from white letters on something that a presentation puts behind them."""

from collections.abc import Iterator

from pptx.oxml.xmlchemy import BaseOxmlElement
from pptx.shapes.base import BaseShape
from pptx.slide import Slide

from .hidden import is_white

A = "{http://schemas.openxmlformats.org/drawingml/2006/main}"
P = "{http://schemas.openxmlformats.org/presentationml/2006/main}"
#: What may carry a colour or a picture of its own.
_FILLS = tuple(f"{A}{name}" for name in ("solidFill", "gradFill", "pattFill", "blipFill", "grpFill"))
_PAPER = frozenset({"bg1", "lt1"})


def white_runs(slide: Slide, shape: BaseShape) -> Iterator[BaseOxmlElement]:
    """The runs of a shape on the slide whose letters are white, when nothing that is not white can lie behind them."""
    runs = [run for run in shape.element.iter(f"{A}r", f"{A}fld") if _is_white(run.find(f"{A}rPr"))]
    if runs and not _has_ground(slide, shape):
        yield from runs


def _is_white(around: BaseOxmlElement | None) -> bool:
    """Whether it is filled with white; what the theme calls paper is taken for white."""
    fill = around.find(f"{A}solidFill") if around is not None else None
    if fill is None:
        return False
    colour = next(iter(fill), None)
    # One that is changed, as darker by half, is another colour.
    if colour is None or len(colour):
        return False
    value = colour.get("val", "")
    return is_white(value) if colour.tag == f"{A}srgbClr" else colour.tag == f"{A}schemeClr" and value in _PAPER


def _has_ground(slide: Slide, shape: BaseShape) -> bool:
    if _fills(shape.element) or shape.element.getparent().tag != f"{P}spTree":
        return True
    layers = (slide, slide.slide_layout, slide.slide_layout.slide_master)
    for layer in layers:
        ground = layer.element.find(f"{P}cSld/{P}bg")
        if ground is not None:
            if not _is_white(ground.find(f"{P}bgPr")) and not _is_paper(ground.find(f"{P}bgRef")):
                return True
            break
    return any(
        _fills(other.element) and _overlap(shape, other)
        for layer in layers
        for other in layer.shapes
        if other.element is not shape.element
    )


def _is_paper(reference: BaseOxmlElement | None) -> bool:
    colour = next(iter(reference), None) if reference is not None else None
    return colour is not None and colour.get("val") in _PAPER


def _fills(element: BaseOxmlElement) -> bool:
    """Whether a shape may be filled with something that is not white. Pictures, groups, tables and drawings may."""
    if element.tag != f"{P}sp":
        return element.tag != f"{P}cxnSp"
    properties = element.find(f"{P}spPr")
    said = () if properties is None else properties
    fill = next((each for each in said if each.tag in {*_FILLS, f"{A}noFill"}), None)
    if fill is not None:
        return fill.tag != f"{A}noFill" and not _is_white(properties)
    reference = element.find(f"{P}style/{A}fillRef")
    return reference is not None and reference.get("idx") != "0"


def _overlap(one: BaseShape, other: BaseShape) -> bool:
    places = [(each.left, each.top, each.width, each.height) for each in (one, other)]
    if any(number is None for place in places for number in place):
        return True
    (left, top, width, height), (other_left, other_top, other_width, other_height) = places
    return (
        left < other_left + other_width
        and other_left < left + width
        and top < other_top + other_height
        and other_top < top + height
    )
