"""Where on a scanned page the words stand that were recognised there: what its stored text was made of, once more.

Runs in the parser child; everyone else calls `documents.sandbox.word_places`.
"""

from collections.abc import Iterable
from pathlib import Path

from . import picture
from .failures import ParseFailed
from .model import holds_words
from .normalise import normalise
from .ocr import Engine, Recognised, Word
from .pdf import open_document
from .pdf_text import lines_that_repeat, read_page, without_lines

#: A word of the stored text: its range, and its box in shares of the page's width and height.
Place = tuple[int, int, float, float, float, float]

#: With fewer of the stored letters found again, it is another text.
_ENOUGH = 0.8
#: How far behind the last word the next one is looked for.
_AHEAD = 400


def word_places(path: Path, *, page: int, ending: str, page_text: str) -> list[Place]:
    """The words of `page_text`, which is the stored text of this page, that are recognised on it in this order.

    Nothing where another text is recognised there, or the page has a text of its own. Raises ParseFailed: `scanned`
    without an engine, or what is wrong with the file.
    """
    if ending == "pdf" and _says_something(path, page):
        return []
    engine = Engine()
    shown = next(picture.pictures(path, ending, [page]), None)
    if shown is None:
        raise ParseFailed("unsupported", detail="no such page")
    words = _kept(engine.read(shown), page_text, shown.height)
    return found_again(words, page_text, shown.width, shown.height)


def _says_something(path: Path, page: int) -> bool:
    document = open_document(path)
    if not 1 <= page <= len(document):
        raise ParseFailed("unsupported", detail="no such page")
    return holds_words(read_page(document[page - 1].get_textpage()).text)


def _kept(recognised: Recognised, stored: str, height: int) -> list[Word]:
    """The words of the page without those of the headers and footers that `stored` does not have."""
    page = picture.as_page(recognised, height)
    kept = (left for left in lines_that_repeat(page) if normalise(without_lines(page, left).text) == stored)
    left_out = next(kept, ())
    return [word for line in recognised.lines if (line.start, line.end) not in left_out for word in line.words]


def found_again(words: Iterable[Word], text: str, width: int, height: int) -> list[Place]:
    """The words that stand in `text`, one behind the other."""
    places: list[Place] = []
    behind = 0
    for said, left, top, right, bottom in words:
        word = normalise(said)
        start = text.find(word, behind, behind + _AHEAD + len(word)) if word else -1
        if start >= 0:
            behind = start + len(word)
            places.append((start, behind, left / width, top / height, right / width, bottom / height))
    letters = sum(not letter.isspace() for letter in text)
    return places if sum(end - start for start, end, *_box in places) >= _ENOUGH * letters else []
