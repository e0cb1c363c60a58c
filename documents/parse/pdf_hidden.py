"""Find the characters of a PDF page that a reader of the page does not see.

Suspicion is cheap and looks at what draws the text: no ink, white ink, a tiny size, a place outside of the page. Only
where there is any, the page is drawn, and text is hidden where the drawing shows nothing: white on black is seen.
"""

import ctypes
import re
from collections import Counter
from collections.abc import Callable, Iterable
from itertools import compress, repeat
from math import sqrt
from operator import mul, or_, sub

import pypdfium2.raw as pdfium
from pypdfium2 import PdfPage, PdfTextPage

from . import pdf_calls
from .hidden import NEARLY_WHITE, TINY
from .pdf_calls import Pointer

Box = tuple[float, float, float, float]

_NO_INK = frozenset({pdfium.FPDF_TEXTRENDERMODE_INVISIBLE, pdfium.FPDF_TEXTRENDERMODE_CLIP})
_INK = frozenset(range(pdfium.FPDF_TEXTRENDERMODE_LAST)) - _NO_INK
_IS_NO_TEXT = pdfium.FPDF_TEXTRENDERMODE_UNKNOWN.__eq__
# Forms may stand in forms, and a page may hold millions of strokes.
_MAX_DEPTH = 5
_MAX_OBJECTS = 200_000
# A scan: the text over it is what a program recognised in it, and is read like text.
_SCAN = 0.8
_MAX_PIXELS = 4_000_000
# A logo or a seal is less of a page, and a frame around it fewer strokes.
_SOME = 0.1
_MANY_STROKES = 200
# Shades of grey between the lightest and the darkest point of what still looks like one colour.
_ONE_COLOUR = 12


def kinds_of_hidden(textpage: PdfTextPage, raw: str, boxes: Callable[..., list[Box]]) -> dict[int, str]:
    """pdfium's number of each character that is not seen, and the kind of it. `boxes` finds places on the page."""
    suspects = _Suspects(textpage.page)
    hidden = _off_page(textpage, raw)
    if not suspects.kinds:
        return hidden
    by_object: dict[int, list[int]] = {}
    drawers = map(pdf_calls.object_of_character, repeat(pdf_calls.pointer(textpage)), range(len(raw)))
    for number, drawn_by in enumerate(drawers):
        if drawn_by in suspects.kinds and number not in hidden:
            by_object.setdefault(drawn_by, []).append(number)
    drawing: _Drawing | None = None
    for drawn_by, numbers in by_object.items():
        kind = suspects.kinds[drawn_by]
        if kind != "tiny" and not (kind == "unseen" and not suspects.has_picture):
            drawing = drawing or _Drawing(textpage.page)
            if any(drawing.shows(box) for box in boxes(textpage, numbers)):
                continue
        hidden |= dict.fromkeys(numbers, kind)
    return hidden


def shows_something(page: PdfPage) -> bool:
    """Whether a page has a picture of some size on it, or strokes enough to be letters."""
    pointer = pdf_calls.pointer(page)
    count = min(pdf_calls.objects_in_page(pointer), _MAX_OBJECTS)
    things = list(map(pdf_calls.object_of_page, repeat(pointer, count), range(count)))
    kinds = Counter(map(pdf_calls.kind, things))
    if kinds[pdfium.FPDF_PAGEOBJ_FORM] or kinds[pdfium.FPDF_PAGEOBJ_PATH] > _MANY_STROKES:
        return True
    sides = pdf_calls.bounds.ask([thing for thing in things if pdf_calls.kind(thing) == pdfium.FPDF_PAGEOBJ_IMAGE])
    sizes = (sides[2::4], sides[0::4], sides[3::4], sides[1::4])
    covered = sum((right - left) * (top - bottom) for right, left, top, bottom in zip(*sizes, strict=True))
    return bool(covered > _SOME * page.get_width() * page.get_height())


class _Suspects:
    """The text objects of a page that may not be seen, by their addresses.

    A page has an object for each word or even letter, so this is where the time goes: each question is put to all of
    them at once, and only where some answer is suspicious they are looked at one by one.
    """

    def __init__(self, page: PdfPage) -> None:
        self.kinds: dict[int, str] = {}
        self.has_picture = False
        self._has_scan = False
        self._scan = _SCAN * max(1.0, page.get_width() * page.get_height())
        self._look_at_all(pdf_calls.pointer(page))
        if self._has_scan:
            self.kinds = {address: kind for address, kind in self.kinds.items() if kind != "unseen"}

    def _look_at_all(self, page: Pointer) -> None:
        """The objects of the page and of its forms; what a form says is drawn as much larger as the form is."""
        count = min(pdf_calls.objects_in_page(page), _MAX_OBJECTS)
        forms = self._look(list(map(pdf_calls.object_of_page, repeat(page, count), range(count))), 1.0)
        waiting = [(form, larger, 1) for form, larger in forms]
        seen = 0
        while waiting:
            form, scale, depth = waiting.pop()
            count = min(max(0, pdf_calls.objects_in_form(form)), _MAX_OBJECTS - seen)
            seen += count
            forms = self._look(list(map(pdf_calls.object_of_form, repeat(form, count), range(count))), scale)
            if depth < _MAX_DEPTH:
                waiting += [(form, scale * larger, depth + 1) for form, larger in forms]

    def _look(self, things: list[Pointer], scale: float) -> list[tuple[Pointer, float]]:
        """Note the suspects among `things`; the forms among them, and how much larger each draws."""
        modes = list(map(pdf_calls.render_mode, things))
        drawn = set(modes)
        forms: list[Pointer] = []
        if pdfium.FPDF_TEXTRENDERMODE_UNKNOWN in drawn:
            others = list(compress(things, map(_IS_NO_TEXT, modes)))
            kinds = list(map(pdf_calls.kind, others))
            forms = [thing for thing, kind in zip(others, kinds, strict=True) if kind == pdfium.FPDF_PAGEOBJ_FORM]
            pictures = [thing for thing, kind in zip(others, kinds, strict=True) if kind == pdfium.FPDF_PAGEOBJ_IMAGE]
            self._look_at_pictures(pictures, scale)
        if not _NO_INK.isdisjoint(drawn):
            self._note("unseen", compress(things, map(_NO_INK.__contains__, modes)))
        if drawn - _INK:
            things = list(compress(things, map(_INK.__contains__, modes)))
        self._look_at_colours(things)
        self._look_at_sizes(things, scale)
        return list(zip(forms, map(sqrt, _enlarged(forms)), strict=True))

    def _look_at_colours(self, things: list[Pointer]) -> None:
        ink = pdf_calls.fill_colour.ask(things)
        reds, covers = ink[0::4], ink[3::4]
        if max(reds, default=0) < NEARLY_WHITE and min(covers, default=255) >= _ONE_COLOUR:
            return
        odd = map(or_, map(NEARLY_WHITE.__le__, reds), map(_ONE_COLOUR.__gt__, covers))
        looks = compress(zip(things, reds, ink[1::4], ink[2::4], covers, strict=True), odd)
        self._note("white", (thing for thing, *rgb, cover in looks if cover < _ONE_COLOUR or min(rgb) >= NEARLY_WHITE))

    def _look_at_sizes(self, things: list[Pointer], scale: float) -> None:
        sides = pdf_calls.bounds.ask(things)
        heights = map(sub, sides[3::4], sides[1::4])
        # A dash is low as well: what the size says is asked of those that are.
        low = list(compress(things, map(TINY.__gt__, map(mul, heights, repeat(scale)))))
        sizes = zip(low, pdf_calls.font_size.ask(low), _enlarged(low), strict=True)
        self._note("tiny", (thing for thing, size, larger in sizes if size * sqrt(larger) * scale < TINY))

    def _look_at_pictures(self, things: list[Pointer], scale: float) -> None:
        self.has_picture = self.has_picture or bool(things)
        sides = pdf_calls.bounds.ask(things)
        for left, bottom, right, top in zip(*(sides[side::4] for side in range(4)), strict=True):
            self._has_scan = self._has_scan or (right - left) * (top - bottom) * scale * scale > self._scan

    def _note(self, kind: str, things: Iterable[Pointer]) -> None:
        self.kinds |= {thing.value or 0: kind for thing in things}


def _enlarged(things: list[Pointer]) -> list[float]:
    """How much larger each object draws an area."""
    matrix = pdf_calls.matrix.ask(things)
    return [abs(a * d - b * c) for a, b, c, d in zip(*(matrix[n::6] for n in range(4)), strict=True)]


def _off_page(textpage: PdfTextPage, raw: str) -> dict[int, str]:
    left, bottom, right, top = textpage.page.get_bbox()
    text = pdf_calls.pointer(textpage)

    def outside(numbers: list[int]) -> list[bool]:
        return [
            not (left - TINY <= x <= right + TINY and bottom - TINY <= y <= top + TINY)
            for x, y in zip(*pdf_calls.origins(text, numbers), strict=True)
        ]

    lines = [match.span() for match in re.finditer(r"\S(?:.*\S)?", raw)]
    hidden: dict[int, str] = {}
    # A line is drawn from one end to the other, so its ends tell.
    begun, ended = outside([start for start, _ in lines]), outside([end - 1 for _, end in lines])
    for (start, end), begins_outside, ends_outside in zip(lines, begun, ended, strict=True):
        if begins_outside or ends_outside:
            numbers = [number for number in range(start, end) if not raw[number].isspace()]
            hidden |= {number: "off_page" for number, is_so in zip(numbers, outside(numbers), strict=True) if is_so}
    return hidden


class _Drawing:
    """The page in shades of grey, about a point to the pixel."""

    def __init__(self, page: PdfPage) -> None:
        self.page = page
        width, height = page.get_size()
        scale = min(1.5, (_MAX_PIXELS / max(1.0, width * height)) ** 0.5)
        bitmap = page.render(scale=scale, grayscale=True)
        self.width, self.height, self.stride = bitmap.width, bitmap.height, bitmap.stride
        self.pixels = bytes(bitmap.buffer)

    def shows(self, box: Box) -> bool:
        """Whether anything can be told apart within the box."""
        corners = []
        for across, up in ((box[0], box[1]), (box[2], box[3])):
            x, y = ctypes.c_int(), ctypes.c_int()
            pdfium.FPDF_PageToDevice(self.page, 0, 0, self.width, self.height, 0, across, up, x, y)
            corners.append((x.value, y.value))
        (x1, y1), (x2, y2) = corners
        left, right = max(0, min(x1, x2)), min(self.width, max(x1, x2) + 1)
        above, below = max(0, min(y1, y2)), min(self.height, max(y1, y2) + 1)
        lightest, darkest = 0, 255
        for row in range(above, below):
            line = self.pixels[row * self.stride + left : row * self.stride + right]
            if line:
                lightest, darkest = max(lightest, *line[:1], max(line)), min(darkest, min(line))
        return lightest - darkest > _ONE_COLOUR
