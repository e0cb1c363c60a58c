"""Draw a page of a PDF as an image, with ranges of its stored text marked.

Runs in the parser child; everyone else calls `documents.sandbox.render_page`.
"""

import io
from collections.abc import Sequence
from pathlib import Path

import pypdfium2
import pypdfium2.raw as pdfium
from PIL import Image, ImageChops, ImageDraw

from documents.parse.failures import ParseFailed
from documents.parse.pdf import open_document
from documents.parse.pdf_text import Box, boxes, numbers_of, read_page

# A poster at full scale would take gigabytes; it is drawn smaller instead.
MAX_PIXELS = 12_000_000
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
) -> bytes:
    """The PNG, or b"" when `page_text` is not the text of this page and marks were asked for.

    Raises ParseFailed: `encrypted`, `damaged`, or `unsupported` when there is no such page.
    """
    document = open_document(path)
    if not 1 <= page <= len(document):
        raise ParseFailed("unsupported", detail="no such page")
    leaf = document[page - 1]
    marked: list[tuple[Box, tuple[int, int, int]]] = []
    if highlight or found:
        textpage = leaf.get_textpage()
        numbers = numbers_of(read_page(textpage), page_text)
        if numbers is None:
            return b""
        for ranges, colour in ((highlight, MARK), (found, FOUND)):
            for start, end in ranges:
                marked += [(box, colour) for box in boxes(textpage, numbers[start:end])]
    width, height = leaf.get_size()
    scale = min(scale, (MAX_PIXELS / max(1.0, width * height)) ** 0.5)
    image = leaf.render(scale=scale).to_pil().convert("RGB")
    if marked:
        image = _mark(image, [(_on_image(leaf, box, image.size), colour) for box, colour in marked])
    out = io.BytesIO()
    image.save(out, "PNG", compress_level=3)
    return out.getvalue()


def _mark(image: Image.Image, rectangles: list[tuple[tuple[int, int, int, int], tuple[int, int, int]]]) -> Image.Image:
    layer = Image.new("RGB", image.size, "white")
    drawing = ImageDraw.Draw(layer)
    for (left, top, right, bottom), colour in rectangles:
        drawing.rectangle((left - 2, top - 1, right + 2, bottom + 1), fill=colour)
    return ImageChops.multiply(image, layer)


def _on_image(leaf: pypdfium2.PdfPage, box: Box, size: tuple[int, int]) -> tuple[int, int, int, int]:
    """pdfium's own arithmetic, which knows the rotation and the crop of the page."""
    corners = []
    for x, y in ((box[0], box[1]), (box[2], box[3])):
        left, top = pdfium.c_int(), pdfium.c_int()
        pdfium.FPDF_PageToDevice(leaf, 0, 0, *size, 0, x, y, left, top)
        corners.append((left.value, top.value))
    (x1, y1), (x2, y2) = corners
    return min(x1, x2), min(y1, y2), max(x1, x2), max(y1, y2)
