"""Find the characters of a PDF page that a reader of the page does not see.

Suspicion is cheap and looks at what draws the text: no ink, white ink, a tiny size, a place outside of the page. Only
where there is any, the page is drawn, and text is hidden where the drawing shows nothing: white on black is seen.
"""

import ctypes
from collections.abc import Callable, Iterator

import pypdfium2.raw as pdfium
from pypdfium2 import PdfPage, PdfTextPage

from . import pdf_calls
from .hidden import NEARLY_WHITE, TINY

Box = tuple[float, float, float, float]

_NO_INK = frozenset({pdfium.FPDF_TEXTRENDERMODE_INVISIBLE, pdfium.FPDF_TEXTRENDERMODE_CLIP})
# Forms may stand in forms, and a page may hold millions of strokes.
_MAX_DEPTH = 5
_MAX_OBJECTS = 200_000
# A scan: the text over it is what a program recognised in it, and is read like text.
_SCAN = 0.8
_MAX_PIXELS = 4_000_000
# Shades of grey between the lightest and the darkest point of what still looks like one colour.
_ONE_COLOUR = 12


def kinds_of_hidden(textpage: PdfTextPage, raw: str, boxes: Callable[..., list[Box]]) -> dict[int, str]:
    """pdfium's number of each character that is not seen, and the kind of it. `boxes` finds places on the page."""
    suspects = _Suspects(textpage.page)
    hidden = _off_page(textpage, raw)
    if not suspects.kinds:
        return hidden
    by_object: dict[int, list[int]] = {}
    text = pdf_calls.address(textpage)
    for number in range(len(raw)):
        drawn_by = pdf_calls.object_of_character(text, number)
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


class _Suspects:
    """The text objects of a page that may not be seen, by their addresses.

    A page has an object for each word, so this is where the time goes: as few calls as can be for each, and their
    answers written into the same few numbers.
    """

    def __init__(self, page: PdfPage) -> None:
        self.kinds: dict[int, str] = {}
        self.has_picture = False
        self._has_scan = False
        self._scan = _SCAN * max(1.0, page.get_width() * page.get_height())
        self._ink = (ctypes.c_uint * 4)()
        self._sides = (ctypes.c_float * 4)()
        self._ink_to, self._sides_to = pdf_calls.places(self._ink), pdf_calls.places(self._sides)
        for thing, mode, scale in _objects(pdf_calls.address(page)):
            self._look(thing, mode, scale)
        if self._has_scan:
            self.kinds = {address: kind for address, kind in self.kinds.items() if kind != "unseen"}

    def _look(self, thing: int, mode: int, scale: float) -> None:
        ink, sides = self._ink, self._sides
        if mode == pdfium.FPDF_TEXTRENDERMODE_UNKNOWN:
            self._look_at_picture(thing, scale)
        elif mode in _NO_INK:
            self.kinds[thing] = "unseen"
        # A dash is low as well: what the size says is asked of the few that are.
        elif (
            pdf_calls.bounds(thing, *self._sides_to)
            and (sides[3] - sides[1]) * scale < TINY
            and _size(thing) * scale < TINY
        ):
            self.kinds[thing] = "tiny"
        elif pdf_calls.fill_colour(thing, *self._ink_to) and (
            (ink[0] >= NEARLY_WHITE and min(ink[1], ink[2]) >= NEARLY_WHITE) or ink[3] < _ONE_COLOUR
        ):
            self.kinds[thing] = "white"

    def _look_at_picture(self, thing: int, scale: float) -> None:
        if pdf_calls.kind(thing) != pdfium.FPDF_PAGEOBJ_IMAGE:
            return
        self.has_picture = True
        if pdf_calls.bounds(thing, *self._sides_to):
            left, bottom, right, top = self._sides
            self._has_scan = self._has_scan or (right - left) * (top - bottom) * scale * scale > self._scan


def _objects(page: int) -> Iterator[tuple[int, int, float]]:
    """The objects of a page and of its forms, how the text of each is drawn (-1 for what is no text), and how much
    larger it is drawn than it says.
    """
    forms: list[tuple[int, float, int]] = []
    for index in range(min(pdf_calls.objects_in_page(page), _MAX_OBJECTS)):
        thing = pdf_calls.object_of_page(page, index)
        mode = pdf_calls.render_mode(thing)
        if mode == pdfium.FPDF_TEXTRENDERMODE_UNKNOWN and pdf_calls.kind(thing) == pdfium.FPDF_PAGEOBJ_FORM:
            forms.append((thing, _scale(thing), 1))
        else:
            yield thing, mode, 1.0
    seen = 0
    while forms:
        form, scale, depth = forms.pop()
        for index in range(min(max(0, pdf_calls.objects_in_form(form)), _MAX_OBJECTS - seen)):
            thing = pdf_calls.object_of_form(form, index)
            seen += 1
            mode = pdf_calls.render_mode(thing)
            if mode != pdfium.FPDF_TEXTRENDERMODE_UNKNOWN or pdf_calls.kind(thing) != pdfium.FPDF_PAGEOBJ_FORM:
                yield thing, mode, scale
            elif depth < _MAX_DEPTH:
                forms.append((thing, scale * _scale(thing), depth + 1))


def _off_page(textpage: PdfTextPage, raw: str) -> dict[int, str]:
    left, bottom, right, top = textpage.page.get_bbox()
    place = (ctypes.c_double * 2)()
    text, place_to = pdf_calls.address(textpage), pdf_calls.places(place)

    def is_outside(number: int) -> bool:
        pdf_calls.origin(text, number, *place_to)
        x, y = place
        return not (left - TINY <= x <= right + TINY and bottom - TINY <= y <= top + TINY)

    hidden: dict[int, str] = {}
    start = 0
    for line in raw.splitlines(keepends=True):
        words = line.strip()
        first = start + len(line) - len(line.lstrip())
        last = first + len(words) - 1
        # A line is drawn from one end to the other, so its ends tell.
        if words and (is_outside(first) or is_outside(last)):
            numbers = (number for number in range(first, last + 1) if not raw[number].isspace())
            hidden |= {number: "off_page" for number in numbers if is_outside(number)}
        start += len(line)
    return hidden


def _scale(thing: int) -> float:
    told = pdfium.FS_MATRIX()
    if not pdf_calls.matrix(thing, ctypes.addressof(told)):
        return 1.0
    return abs(told.a * told.d - told.b * told.c) ** 0.5


def _size(thing: int) -> float:
    size = ctypes.c_float()
    if not pdf_calls.font_size(thing, ctypes.addressof(size)):
        return 12.0
    return size.value * _scale(thing)


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
