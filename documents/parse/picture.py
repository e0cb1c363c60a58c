"""Pictures and scans: what a program recognises in them. `parse` only says that there is nothing else to read.

Recognising takes a hundred times as long as reading, so it is asked for by itself, with limits of its own.
"""

import resource
import time
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import pypdfium2
from PIL import Image, ImageSequence, UnidentifiedImageError

from . import pdf, pdf_furniture
from .ceilings import CEILINGS
from .failures import ParseFailed
from .held import File
from .model import Parsed, Part, assemble
from .ocr import Engine, Picture, Recognised
from .pdf import open_document
from .pdf_text import EDGE, EDGE_LINES, PageText, without_lines

MAX_PIXELS = 50_000_000
DOTS_PER_INCH = 200
#: A page as large as a poster is recognised at fewer dots.
_PAGE_PIXELS = 12_000_000
_POINTS_PER_INCH = 72
#: Of the processor time that reading a file may take, what recognising some of its pages may.
_SHARE = 0.8


def parse(path: File) -> Parsed:
    """Raises ParseFailed: `scanned`, or what is wrong with the file."""
    for _ in _frames(path):
        break
    raise ParseFailed("scanned")


def recognise(path: Path, ending: str) -> Parsed:
    """The pages of a scan, or the frames of a picture, as far as words are found. Raises ParseFailed."""
    engine = Engine()
    pages: list[PageText] = []
    characters = 0
    for picture in pictures(path, ending):
        pages.append(as_page(engine.read(picture), picture.height))
        characters += len(pages[-1].text)
        if characters > CEILINGS.characters:
            raise ParseFailed("too_large", detail="characters")
    left_out = pdf_furniture.repeated(pages)
    texts = (without_lines(page, spans).text for page, spans in zip(pages, left_out, strict=True))
    parts = (Part("page", number, str(number), (), text) for number, text in enumerate(texts, 1))
    return replace(assemble(ending, parts), repeated=sum(map(len, left_out)))


def complete(path: Path, pages: Sequence[int]) -> Parsed:
    """A PDF with what is recognised on those of its pages that hold no text, as far as the time goes.

    Raises ParseFailed.
    """
    engine = Engine()
    most, _ = resource.getrlimit(resource.RLIMIT_CPU)
    recognised: dict[int, PageText] = {}
    for number, picture in zip(pages, pictures(path, "pdf", pages), strict=True):
        recognised[number] = as_page(engine.read(picture), picture.height)
        if most != resource.RLIM_INFINITY and time.process_time() > _SHARE * most:
            break
    return pdf.parse(path, recognised)


def as_page(recognised: Recognised, height: int) -> PageText:
    """What was recognised in a picture `height` pixels high, with the lines at its edges, which may repeat."""
    lines = sorted(recognised.lines, key=lambda line: line.bottom)
    above = [line for line in lines if line.bottom < EDGE * height][:EDGE_LINES]
    below = [line for line in lines if line.bottom > (1 - EDGE) * height][-EDGE_LINES:]
    edges = [(line.start, line.end, True) for line in above] + [(line.start, line.end, False) for line in below]
    return PageText(recognised.text, numbers=[], breaks=[], edges=sorted(edges))


def pictures(path: Path, ending: str, pages: Sequence[int] = ()) -> Iterator[Picture]:
    """What text recognition is shown, page by page: of all, or of those with these numbers. Raises ParseFailed."""
    return _of_pdf(path, pages) if ending == "pdf" else _of_picture(path, pages)


def _of_pdf(path: Path, pages: Sequence[int]) -> Iterator[Picture]:
    document = open_document(path)
    for number in pages or range(1, len(document) + 1):
        try:
            page = document[number - 1]
            width, height = page.get_size()
            scale = min(DOTS_PER_INCH / _POINTS_PER_INCH, (_PAGE_PIXELS / max(1.0, width * height)) ** 0.5)
            drawn = page.render(scale=scale, grayscale=True)
        except pypdfium2.PdfiumError as error:
            raise ParseFailed("damaged", detail=f"page {number}") from error
        dots = round(scale * _POINTS_PER_INCH)
        yield Picture(bytes(drawn.buffer), drawn.width, drawn.height, drawn.stride, dots)
        drawn.close()
        page.close()


def _of_picture(path: Path, pages: Sequence[int]) -> Iterator[Picture]:
    for number, frame in enumerate(_frames(path), 1):
        if not pages or number in pages:
            grey = frame.convert("L")
            yield Picture(grey.tobytes(), *grey.size, stride=grey.width, dots_per_inch=DOTS_PER_INCH)


def _frames(path: File) -> Iterator[Image.Image]:
    """The pictures of a file, whose sizes are known before any is unpacked. Raises ParseFailed."""
    with warnings.catch_warnings(), path.open("rb") as file:
        warnings.simplefilter("ignore", Image.DecompressionBombWarning)
        try:
            with Image.open(file, formats=("PNG", "JPEG", "TIFF", "WEBP")) as picture:
                if getattr(picture, "n_frames", 1) > CEILINGS.pages:
                    raise ParseFailed("too_large", detail="frames")
                for frame in ImageSequence.Iterator(picture):
                    if frame.width * frame.height > MAX_PIXELS:
                        raise ParseFailed("too_large", detail="pixels")
                    yield frame
        except Image.DecompressionBombError as error:
            raise ParseFailed("too_large", detail="pixels") from error
        except (UnidentifiedImageError, OSError, SyntaxError, ValueError) as error:
            raise ParseFailed("damaged", detail="picture") from error
