"""PDF: the text layer, page by page."""

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType

import pypdfium2

from . import pdf_furniture
from .ceilings import CEILINGS
from .failures import ParseFailed
from .held import File, Held
from .model import Parsed, Part, assemble, holds_words
from .pdf_hidden import shows_something
from .pdf_text import PageText, read_page, without, without_lines

_WORD = re.compile(r"[^\W\d_]+")
_LEFT = re.compile(r"[^\W\d_]+$")
_RIGHT = re.compile(r"[^\W\d_]+")
# Titles that programs write and nobody meant: file names, and "Microsoft Word - draft 3".
_NO_TITLE = re.compile(r"(?i)^(untitled.*|microsoft \w+ - .*|.*\.(docx?|pdf|indd|xlsx?|pptx?|tmp)|[\d\W]*)$")


def parse(path: File, recognised: Mapping[int, PageText] = MappingProxyType({})) -> Parsed:
    """`recognised` is what was found on pages without text, by the number of the page."""
    document = open_document(path)
    try:
        pages, textless = _pages(document)
        title = _title(document)
    finally:
        document.close()
    hidden = sum((Counter(page.hidden) for page in pages), Counter())
    for number, page in recognised.items():
        if page.text:
            pages[number - 1] = page
    still = tuple(number for number in textless if not holds_words(pages[number - 1].text))
    left_out = pdf_furniture.repeated(pages)
    pages = [without_lines(page, spans) for page, spans in zip(pages, left_out, strict=True)]
    words = _words(pages)
    parts = (
        Part("page", number, str(number), (), without(page, _dropped(page, words)))
        for number, page in enumerate(pages, 1)
    )
    try:
        parsed = assemble("pdf", parts, title=title, hidden=hidden)
    except ParseFailed as failure:
        if failure.code == "no_text":
            raise ParseFailed("scanned") from failure
        raise
    return replace(parsed, repeated=sum(map(len, left_out)), textless=still)


def open_document(path: File) -> pypdfium2.PdfDocument:
    """Raises ParseFailed: `encrypted`, `damaged` or `too_large`."""
    try:
        document = pypdfium2.PdfDocument(path.data if isinstance(path, Held) else path)
        count = len(document)
    except pypdfium2.PdfiumError as error:
        code = "encrypted" if "password" in str(error).lower() else "damaged"
        raise ParseFailed(code) from error
    if count == 0:
        raise ParseFailed("damaged", detail="no pages")
    if count > CEILINGS.pages:
        raise ParseFailed("too_large", detail="pages")
    return document


def _pages(document: pypdfium2.PdfDocument) -> tuple[list[PageText], list[int]]:
    """What each page says, and the numbers of those that show something and say nothing."""
    pages: list[PageText] = []
    textless: list[int] = []
    characters = 0
    for index in range(len(document)):
        try:
            page = document[index]
            textpage = page.get_textpage()
        except pypdfium2.PdfiumError as error:
            raise ParseFailed("damaged", detail=f"page {index + 1}") from error
        pages.append(read_page(textpage))
        if not holds_words(pages[-1].text) and shows_something(page):
            textless.append(index + 1)
        # Closed one by one: a document that keeps its pages open grows with their number.
        textpage.close()
        page.close()
        characters += len(pages[-1].text)
        if characters > CEILINGS.characters:
            raise ParseFailed("too_large", detail="characters")
    return pages, textless


def _title(document: pypdfium2.PdfDocument) -> str:
    title: str = document.get_metadata_value("Title").strip()
    return "" if _NO_TITLE.match(title) else title


def _words(pages: list[PageText]) -> Counter[str]:
    """How often each word stands in the document, the halves of broken words left out."""
    words: Counter[str] = Counter()
    if not any(page.breaks for page in pages):
        return words
    for page in pages:
        words.update(match.lower() for match in _WORD.findall(page.text))
        for place in page.breaks:
            words.subtract(half.lower() for half in _halves(page, place))
    return words


def _halves(page: PageText, place: int) -> list[str]:
    left = _LEFT.search(page.text, max(0, place - 40), place)
    right = _RIGHT.match(page.text, place + 1)
    return [half.group() for half in (left, right) if half]


def _dropped(page: PageText, words: Counter[str]) -> list[int]:
    """The hyphens that only broke a word at the end of a line.

    A word that stands whole elsewhere in the document was broken; so was one
    whose halves both stand nowhere. "long-term" keeps its hyphen.
    """
    dropped = []
    for place in page.breaks:
        halves = _halves(page, place)
        if len(halves) < 2 or not halves[1].islower():
            continue
        left, right = (half.lower() for half in halves)
        if words[left + right] > 0 or (words[left] <= 0 and words[right] <= 0):
            dropped.append(place)
    return dropped
