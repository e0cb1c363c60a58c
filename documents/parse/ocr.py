"""Recognise the words of a picture with Tesseract, where the machine has it.

Its library is used and not its program: a process that reads untrusted files may start none and write no file.
"""

import ctypes
from collections.abc import Callable, Iterator
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
#: Of the lines of its table, those about a word: their level, and the columns that hold its box and the word.
_WORD, _BOX, _TEXT = "5", slice(6, 10), 11

#: A word, and where it stands: left, top, right, bottom.
Word = tuple[str, int, int, int, int]


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

    def text(self, picture: Picture) -> str:
        """The words of a picture, a line each, a blank line between paragraphs."""
        return self._read(picture, lambda: self._library.TessBaseAPIGetUTF8Text(self._handle))

    def words(self, picture: Picture) -> Iterator[Word]:
        """The same words, each with the box around it."""
        for line in self._read(picture, lambda: self._library.TessBaseAPIGetTsvText(self._handle, 0)).splitlines():
            columns = line.split("\t")
            if columns[0] == _WORD and len(columns) > _TEXT:
                left, top, width, height = map(int, columns[_BOX])
                yield columns[_TEXT], left, top, left + width, top + height

    def _read(self, picture: Picture, ask: Callable[[], int]) -> str:
        library, handle = self._library, self._handle
        library.TessBaseAPISetImage(handle, picture.grey, picture.width, picture.height, 1, picture.stride)
        library.TessBaseAPISetSourceResolution(handle, picture.dots_per_inch)
        found = ask()
        if not found:
            return ""
        try:
            return (ctypes.string_at(found)[:_MAX_TEXT]).decode("utf-8", errors="replace")
        finally:
            library.TessDeleteText(found)
            library.TessBaseAPIClear(handle)


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
