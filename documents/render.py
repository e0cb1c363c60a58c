"""Draw a page of a PDF, or a frame of a picture, as an image, with ranges of its stored text marked.

Runs in the parser child; everyone else calls `documents.sandbox.render_page`.
"""

import io
import re
from bisect import bisect_left
from collections.abc import Sequence
from itertools import zip_longest
from pathlib import Path

import pypdfium2
import pypdfium2.raw as pdfium
from PIL import Image, ImageChops, ImageDraw, UnidentifiedImageError

from documents.parse.failures import ParseFailed
from documents.parse.pdf import open_document
from documents.parse.pdf_text import Box, PageText, boxes, numbers_of, read_page

# A poster at full scale would take gigabytes; it is drawn smaller instead.
MAX_PIXELS = 12_000_000
MAX_PICTURE = 50_000_000

Colour = tuple[int, int, int]
Rectangle = tuple[int, int, int, int]

#: Of each colour on one page; whatever comes after them is not marked.
MOST_MARKS = 2_000
#: Lines of slides that are looked for on one page, each in all of it.
_MOST_LINES = 200

# Multiplied with the page, so that the words stay readable under the mark.
MARK = (255, 226, 89)
FOUND = (150, 214, 255)


def draw(
    path: Path,
    *,
    page: int,
    highlight: Sequence[Sequence[int]],
    found: Sequence[Sequence[int]],
    page_text: str,
    scale: float,
    kind: str,
    places: Sequence[Sequence[float]] = (),
) -> bytes:
    """The PNG, or b"" when `page_text` is not the text of this page and marks were asked for.

    `kind` is "pdf"; "slides" for a PDF made from slides, on which the marked words are looked for, line by line; or
    "picture". A picture has no text of its own to mark, and a scan in a PDF neither: `places` say where words stand.
    Raises ParseFailed: `encrypted`, `damaged`, `too_large`, or `unsupported` when there is no such page.
    """
    if kind == "picture":
        if (highlight or found) and not places:
            return b""
        frame = _frame(path, page)
        return _png(_mark(frame, _on_places(places, highlight, found, frame.size)))
    document = open_document(path)
    if not 1 <= page <= len(document):
        raise ParseFailed("unsupported", detail="no such page")
    leaf = document[page - 1]
    marked: list[tuple[Box, Colour]] = []
    if (highlight or found) and not places:
        textpage = leaf.get_textpage()
        leaf_text = read_page(textpage)
        numbers = numbers_of(leaf_text, page_text) if kind == "pdf" else None
        if kind == "pdf" and numbers is None:
            return b""
        slide = _Slide(leaf_text, page_text)
        for ranges, colour in ((highlight, MARK), (found, FOUND)):
            spans = [(start, end) for start, end in ranges[:MOST_MARKS]]
            stretches = slide.places(spans) if numbers is None else [numbers[start:end] for start, end in spans]
            for stretch in stretches[:MOST_MARKS]:
                marked += [(box, colour) for box in boxes(textpage, stretch)]
    width, height = leaf.get_size()
    scale = min(scale, (MAX_PIXELS / max(1.0, width * height)) ** 0.5)
    image = leaf.render(scale=scale).to_pil().convert("RGB")
    rectangles = [(_on_image(leaf, box, image.size), colour) for box, colour in marked]
    return _png(_mark(image, [*rectangles, *_on_places(places, highlight, found, image.size)]))


class _Slide:
    """Finds on a slide the lines that its stored text holds: in another order there, and broken elsewhere."""

    def __init__(self, page: PageText, stored: str) -> None:
        self.page, self.stored = page, stored
        self._known: dict[str, tuple[list[int], list[tuple[int, int]]]] = {}

    def places(self, spans: Sequence[tuple[int, int]]) -> list[list[int]]:
        """pdfium's numbers of the characters of each line in these ranges of the stored text, each place once."""
        found: dict[tuple[int, int], None] = {}
        everywhere = set()
        for start, end in spans:
            for match in re.finditer(r"\S(?:.*\S)?", self.stored[start:end]):
                line = match.group()
                stored, shown = self._of(line)
                number = bisect_left(stored, start + match.start())
                if len(stored) == len(shown) and start + match.start() in stored[number : number + 1]:
                    found[shown[number]] = None
                elif line not in everywhere:
                    # The page holds it another number of times than the stored text: which one is meant is not known.
                    everywhere.add(line)
                    found |= dict.fromkeys(shown)
        return [self.page.numbers[start:end] for start, end in found]

    def _of(self, line: str) -> tuple[list[int], list[tuple[int, int]]]:
        """Where a line begins in the stored text, and where it stands on the page; nowhere after too many others."""
        if line not in self._known:
            if len(self._known) >= _MOST_LINES:
                return [], []
            pattern = re.compile(r"\s+".join(map(re.escape, line.split())))
            stored = [match.start() for match in pattern.finditer(self.stored)]
            self._known[line] = stored, [match.span() for match in pattern.finditer(self.page.text)]
        return self._known[line]


def _frame(path: Path, page: int) -> Image.Image:
    try:
        with Image.open(path, formats=("PNG", "JPEG", "TIFF", "WEBP")) as picture:
            if page > getattr(picture, "n_frames", 1):
                raise ParseFailed("unsupported", detail="no such frame")
            picture.seek(page - 1)
            if picture.width * picture.height > MAX_PICTURE:
                raise ParseFailed("too_large", detail="pixels")
            frame = picture.convert("RGB")
    except (UnidentifiedImageError, Image.DecompressionBombError, OSError, SyntaxError, ValueError) as error:
        raise ParseFailed("damaged", detail="picture") from error
    share = (MAX_PIXELS / (frame.width * frame.height)) ** 0.5
    return frame if share >= 1 else frame.resize((int(frame.width * share), int(frame.height * share)))


def _png(image: Image.Image) -> bytes:
    out = io.BytesIO()
    image.save(out, "PNG", compress_level=3)
    return out.getvalue()


def _on_places(
    places: Sequence[Sequence[float]],
    highlight: Sequence[Sequence[int]],
    found: Sequence[Sequence[int]],
    size: tuple[int, int],
) -> list[tuple[Rectangle, Colour]]:
    """The boxes of the words that lie in the ranges, or partly."""
    width, height = size
    marked: list[tuple[Rectangle, Colour]] = []
    for ranges, colour in ((highlight, MARK), (found, FOUND)):
        for stretch in ranges[:MOST_MARKS]:
            words = [place for place in places if place[0] < stretch[1] and place[1] > stretch[0]]
            for (_start, _end, left, top, right, bottom), following in zip_longest(words, words[1:]):
                if following and _goes_on(right, top, bottom, following):
                    right = following[2]
                box = round(left * width), round(top * height), round(right * width), round(bottom * height)
                marked.append((box, colour))
    return marked


def _goes_on(right: float, top: float, bottom: float, following: Sequence[float]) -> bool:
    """Whether the following word stands behind this one on its line, so that the gap is marked too."""
    common = min(bottom, following[5]) - max(top, following[3])
    return following[2] >= right and common > 0.5 * min(bottom - top, following[5] - following[3])


def _mark(image: Image.Image, rectangles: list[tuple[Rectangle, Colour]]) -> Image.Image:
    if not rectangles:
        return image
    layer = Image.new("RGB", image.size, "white")
    drawing = ImageDraw.Draw(layer)
    for (left, top, right, bottom), colour in rectangles:
        drawing.rectangle((left - 2, top - 1, right + 2, bottom + 1), fill=colour)
    return ImageChops.multiply(image, layer)


def _on_image(leaf: pypdfium2.PdfPage, box: Box, size: tuple[int, int]) -> Rectangle:
    """pdfium's own arithmetic, which knows the rotation and the crop of the page."""
    corners = []
    for x, y in ((box[0], box[1]), (box[2], box[3])):
        left, top = pdfium.c_int(), pdfium.c_int()
        pdfium.FPDF_PageToDevice(leaf, 0, 0, *size, 0, x, y, left, top)
        corners.append((left.value, top.value))
    (x1, y1), (x2, y2) = corners
    return min(x1, x2), min(y1, y2), max(x1, x2), max(y1, y2)
