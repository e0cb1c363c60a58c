"""Tell white letters on a white slide from white letters on something that a presentation puts behind them."""

from collections.abc import Iterator

from pptx.oxml.xmlchemy import BaseOxmlElement
from pptx.shapes.base import BaseShape

from .hidden import is_white
from .pptx_looks import A, Looks, P

#: What may carry a colour or a picture of its own.
_FILLS = tuple(f"{A}{name}" for name in ("solidFill", "gradFill", "pattFill", "blipFill", "grpFill"))


def white_runs(looks: Looks, shape: BaseShape) -> Iterator[BaseOxmlElement]:
    """The runs of a shape on the slide whose letters are white, when nothing that is not white can lie behind them."""
    runs = [run for run in shape.element.iter(f"{A}r", f"{A}fld") if is_white(looks.colour(run, shape))]
    if runs and not _has_ground(looks, shape):
        yield from runs


def _has_ground(looks: Looks, shape: BaseShape) -> bool:
    slide = looks.slide
    if _fills(looks, shape.element) or shape.element.getparent().tag != f"{P}spTree":
        return True
    layers = (slide, slide.slide_layout, slide.slide_layout.slide_master)
    for layer in layers:
        ground = layer.element.find(f"{P}cSld/{P}bg")
        if ground is not None:
            if not is_white(looks.fill(ground.find(f"{P}bgPr")) or looks.named(ground.find(f"{P}bgRef"))):
                return True
            break
    return any(
        _fills(looks, other.element) and _overlap(shape, other)
        for layer in layers
        for other in layer.shapes
        if other.element is not shape.element
    )


def _fills(looks: Looks, element: BaseOxmlElement) -> bool:
    """Whether a shape may be filled with something that is not white. Pictures, groups, tables and drawings may."""
    if element.tag != f"{P}sp":
        return element.tag != f"{P}cxnSp"
    properties = element.find(f"{P}spPr")
    said = () if properties is None else properties
    fill = next((each for each in said if each.tag in {*_FILLS, f"{A}noFill"}), None)
    if fill is not None:
        return fill.tag != f"{A}noFill" and not is_white(looks.fill(properties))
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
