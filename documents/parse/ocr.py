"""Recognise the words of a picture with Tesseract, where the machine has it.

Its library is used and not its program: a process that reads untrusted files may start none and write no file.
"""

import ctypes
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from .failures import ParseFailed

LIBRARIES = (
    "libtesseract.so.5",
    "libtesseract.so.4",
    "libtesseract.5.dylib",
    "/opt/homebrew/lib/libtesseract.5.dylib",
    "/usr/local/lib/libtesseract.5.dylib",
)
#: The languages that are used where their packs are installed.
LANGUAGES = ("eng", "srp", "srp_latn")

_MAX_TEXT = 2_000_000
#: Of the rows of its table, those about a word: their level, and the columns that tell its line, its box and the word.
_WORD, _LINE, _BOX, _TEXT = "5", slice(2, 5), slice(6, 10), 11

#: A word, and where it stands: left, top, right, bottom.
Word = tuple[str, int, int, int, int]


@dataclass(frozen=True, slots=True)
class Line:
    """A line of what was recognised: `text[start:end]`, nothing where it is not known; its words with their boxes."""

    start: int
    end: int
    words: list[Word]

    @property
    def bottom(self) -> int:
        """The lowest pixel of its words, counted from above."""
        return max(bottom for *_, bottom in self.words)


@dataclass(frozen=True, slots=True)
class Recognised:
    """The text of a picture, a line each, a blank line between paragraphs; and its lines from the first to the last."""

    text: str
    lines: list[Line]


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture in shades of grey, a byte each."""

    grey: bytes
    width: int
    height: int
    stride: int
    dots_per_inch: int


def languages() -> tuple[str, ...]:
    """Those of our languages that an Engine would read here, without loading them all. Raises as Engine does.

    They are 60 MB, which whoever only asks has no use for.
    """
    library = _loaded()
    handle = library.TessBaseAPICreate()
    try:
        return _found(library, handle)
    finally:
        library.TessBaseAPIDelete(handle)


class Engine:
    """Tesseract with all of our languages that it has. Raises ParseFailed(`scanned`) where there is none."""

    def __init__(self) -> None:
        self._library = _loaded()
        self._handle = self._library.TessBaseAPICreate()
        self.languages = _found(self._library, self._handle)
        if len(self.languages) > 1 and not _begins(self._library, self._handle, "+".join(self.languages)):
            raise ParseFailed("scanned", detail="languages")

    def read(self, picture: Picture) -> Recognised:
        """The words of a picture, and where they stand."""
        library, handle = self._library, self._handle
        library.TessBaseAPISetImage(handle, picture.grey, picture.width, picture.height, 1, picture.stride)
        library.TessBaseAPISetSourceResolution(handle, picture.dots_per_inch)
        try:
            text = self._said(library.TessBaseAPIGetUTF8Text(handle))
            # What was recognised for the text is kept until it is cleared.
            table = self._said(library.TessBaseAPIGetTsvText(handle, 0))
        finally:
            library.TessBaseAPIClear(handle)
        return Recognised(text, _lines(text, table))

    def _said(self, found: int | None) -> str:
        if not found:
            return ""
        try:
            return (ctypes.string_at(found)[:_MAX_TEXT]).decode("utf-8", errors="replace")
        finally:
            self._library.TessDeleteText(found)


def _lines(text: str, table: str) -> list[Line]:
    """The lines of `text` by the table about its words."""
    rows: dict[tuple[str, ...], list[Word]] = {}
    for row in table.splitlines():
        columns = row.split("\t")
        if columns[0] == _WORD and len(columns) > _TEXT and columns[_TEXT].strip():
            left, top, width, height = map(int, columns[_BOX])
            box = left, top, left + width, top + height
            rows.setdefault(tuple(columns[_LINE]), []).append((columns[_TEXT], *box))
    lines: list[Line] = []
    behind = 0
    for words in rows.values():
        line = " ".join(word for word, *_ in words)
        start = text.find(line, behind)
        start, behind = (start, start + len(line)) if start >= 0 else (behind, behind)
        lines.append(Line(start, behind, words))
    return lines


def _found(library: ctypes.CDLL, handle: int) -> tuple[str, ...]:
    """The first of our languages that begins, and those whose packs lie beside it."""
    first = next((each for each in LANGUAGES if _begins(library, handle, each)), None)
    if first is None:
        raise ParseFailed("scanned", detail="no language")
    packs = Path((library.TessBaseAPIGetDatapath(handle) or b"").decode())
    return tuple(each for each in LANGUAGES if each == first or (packs / f"{each}.traineddata").is_file())


def _begins(library: ctypes.CDLL, handle: int, languages: str) -> bool:
    return bool(library.TessBaseAPIInit3(handle, None, languages.encode()) == 0)


def _loaded(load: Callable[[str], ctypes.CDLL] = ctypes.CDLL) -> ctypes.CDLL:
    for name in LIBRARIES:
        with suppress(OSError):
            return _with_signatures(load(name))
    raise ParseFailed("scanned", detail="no tesseract")


def _with_signatures(library: ctypes.CDLL) -> ctypes.CDLL:
    pointer, number = ctypes.c_void_p, ctypes.c_int
    signatures = {
        "TessBaseAPICreate": (pointer, []),
        "TessBaseAPIDelete": (None, [pointer]),
        "TessBaseAPIInit3": (number, [pointer, ctypes.c_char_p, ctypes.c_char_p]),
        "TessBaseAPIGetDatapath": (ctypes.c_char_p, [pointer]),
        "TessBaseAPISetImage": (None, [pointer, ctypes.c_char_p, number, number, number, number]),
        "TessBaseAPISetSourceResolution": (None, [pointer, number]),
        "TessBaseAPIGetUTF8Text": (pointer, [pointer]),
        "TessBaseAPIGetTsvText": (pointer, [pointer, number]),
        "TessDeleteText": (None, [pointer]),
        "TessBaseAPIClear": (None, [pointer]),
    }
    for name, (result, arguments) in signatures.items():
        function = getattr(library, name)
        function.restype, function.argtypes = result, arguments
    return library
