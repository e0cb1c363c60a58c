"""Find the characters of a PDF page that a reader of the page does not see.

Suspicion is cheap and looks at what draws the text: no ink, white ink, a tiny size, a place outside of the page. Only
where there is any, the page is drawn, and text is hidden where the drawing shows nothing: white on black is seen.
"""

import ctypes
from collections.abc import Callable, Iterator

import pypdfium2.raw as pdfium
from pypdfium2 import PdfPage, PdfTextPage

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
    for number in range(len(raw)):
        drawn_by = _address(pdfium.FPDFText_GetTextObject(textpage, number))
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
    """The text objects of a page that may not be seen.

    A page has an object for each word, so this is where the time goes: what is asked of every object stands in one
    place, and the answers are written into the same few numbers.
    """

    def __init__(self, page: PdfPage) -> None:
        self.kinds: dict[int, str] = {}
        self.has_picture = False
        scan = _SCAN * max(1.0, page.get_width() * page.get_height())
        has_scan = False
        ink = [ctypes.c_uint() for _ in range(4)]
        sides = [ctypes.c_float() for _ in range(4)]
        red, green, blue, alpha = ink
        left, bottom, right, top = sides
        ink_to, sides_to = [ctypes.byref(each) for each in ink], [ctypes.byref(each) for each in sides]
        for thing, kind, scale in _objects(page):
            if kind == pdfium.FPDF_PAGEOBJ_IMAGE:
                self.has_picture = True
                if pdfium.FPDFPageObj_GetBounds(thing, *sides_to):
                    area = (right.value - left.value) * (top.value - bottom.value)
                    has_scan = has_scan or area * scale * scale > scan
            if kind != pdfium.FPDF_PAGEOBJ_TEXT:
                continue
            if pdfium.FPDFTextObj_GetTextRenderMode(thing) in _NO_INK:
                self.kinds[_address(thing)] = "unseen"
                continue
            pdfium.FPDFPageObj_GetBounds(thing, *sides_to)
            # A dash is low as well: what the size says is asked of the few that are.
            if (top.value - bottom.value) * scale < TINY and _size(thing) * scale < TINY:
                self.kinds[_address(thing)] = "tiny"
            elif pdfium.FPDFPageObj_GetFillColor(thing, *ink_to) and (
                min(red.value, green.value, blue.value) >= NEARLY_WHITE or alpha.value < _ONE_COLOUR
            ):
                self.kinds[_address(thing)] = "white"
        if has_scan:
            self.kinds = {address: kind for address, kind in self.kinds.items() if kind != "unseen"}


def _objects(page: PdfPage) -> Iterator[tuple[pdfium.FPDF_PAGEOBJECT, int, float]]:
    """The objects of a page and of its forms, their types, and how much larger they are drawn than they say."""
    forms: list[tuple[pdfium.FPDF_PAGEOBJECT, float, int]] = []
    for index in range(min(pdfium.FPDFPage_CountObjects(page), _MAX_OBJECTS)):
        thing = pdfium.FPDFPage_GetObject(page, index)
        kind = pdfium.FPDFPageObj_GetType(thing)
        if kind == pdfium.FPDF_PAGEOBJ_FORM:
            forms.append((thing, _scale(thing), 1))
        else:
            yield thing, kind, 1.0
    seen = 0
    while forms:
        form, scale, depth = forms.pop()
        for index in range(min(max(0, pdfium.FPDFFormObj_CountObjects(form)), _MAX_OBJECTS - seen)):
            thing = pdfium.FPDFFormObj_GetObject(form, index)
            seen += 1
            kind = pdfium.FPDFPageObj_GetType(thing)
            if kind != pdfium.FPDF_PAGEOBJ_FORM:
                yield thing, kind, scale
            elif depth < _MAX_DEPTH:
                forms.append((thing, scale * _scale(thing), depth + 1))


def _off_page(textpage: PdfTextPage, raw: str) -> dict[int, str]:
    left, bottom, right, top = textpage.page.get_bbox()
    x, y = ctypes.c_double(), ctypes.c_double()

    def is_outside(number: int) -> bool:
        pdfium.FPDFText_GetCharOrigin(textpage, number, x, y)
        return not (left - TINY <= x.value <= right + TINY and bottom - TINY <= y.value <= top + TINY)

    hidden: dict[int, str] = {}
    start = 0
    for line in raw.splitlines(keepends=True):
        end = start + len(line)
        words = [number for number in range(start, end) if not raw[number].isspace()]
        # A line is drawn from one end to the other, so its ends tell.
        if words and (is_outside(words[0]) or is_outside(words[-1])):
            hidden |= {number: "off_page" for number in words if is_outside(number)}
        start = end
    return hidden


def _address(thing: pdfium.FPDF_PAGEOBJECT) -> int:
    return ctypes.cast(thing, ctypes.c_void_p).value or 0


def _scale(thing: pdfium.FPDF_PAGEOBJECT) -> float:
    matrix = pdfium.FS_MATRIX()
    if not pdfium.FPDFPageObj_GetMatrix(thing, matrix):
        return 1.0
    return abs(matrix.a * matrix.d - matrix.b * matrix.c) ** 0.5


def _size(thing: pdfium.FPDF_PAGEOBJECT) -> float:
    size = ctypes.c_float()
    if not pdfium.FPDFTextObj_GetFontSize(thing, size):
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
