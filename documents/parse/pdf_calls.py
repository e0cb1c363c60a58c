"""The calls of pdfium that are made for every object and every line of a page, many at a time.

The bindings make and check a typed pointer for each argument and let other threads in around each call; for calls as
short as these that takes several times as long as the call. Here pointers are passed as they came, and many things are
asked the same in one go, without a line of Python for a single one.
"""

import ctypes
from array import array
from collections import deque
from collections.abc import Callable, Iterable, Sequence

import pypdfium2.raw as pdfium
from pypdfium2 import PdfPage, PdfTextPage

#: So many things are asked before the answers are read.
_AT_ONCE = 1024


class Pointer(ctypes.c_void_p):
    """To a page, its text or an object on it. `value` is the address."""


def _call(function: object, result: type = ctypes.c_int) -> Callable[..., int]:
    return ctypes.PYFUNCTYPE(result)(ctypes.cast(function, ctypes.c_void_p).value)  # type: ignore[arg-type]


def pointer(thing: PdfPage | PdfTextPage) -> Pointer:
    """What the calls here take for a page or its text."""
    return Pointer(ctypes.cast(thing.raw, ctypes.c_void_p).value)


object_of_page: Callable[..., Pointer] = _call(pdfium.FPDFPage_GetObject, Pointer)  # type: ignore[assignment]
object_of_form: Callable[..., Pointer] = _call(pdfium.FPDFFormObj_GetObject, Pointer)  # type: ignore[assignment]
#: The address of the object that draws a character.
object_of_character = _call(pdfium.FPDFText_GetTextObject, ctypes.c_void_p)
objects_in_page = _call(pdfium.FPDFPage_CountObjects)
objects_in_form = _call(pdfium.FPDFFormObj_CountObjects)
#: One of FPDF_PAGEOBJ_*.
kind = _call(pdfium.FPDFPageObj_GetType)
#: One of FPDF_TEXTRENDERMODE_*; -1 for what is no text.
render_mode = _call(pdfium.FPDFTextObj_GetTextRenderMode)


class Question:
    """A call that writes its answer of several numbers to pointers; the last of them gets all numbers that are left."""

    def __init__(self, function: object, answer: type, unknown: Sequence[float], pointers: int) -> None:
        self._call = _call(function)
        self._width = len(unknown)
        code = {ctypes.c_uint: "I", ctypes.c_float: "f", ctypes.c_double: "d"}[answer]
        self._unknown = array(code, tuple(unknown) * _AT_ONCE)
        self._numbers = array(code, self._unknown)
        memory = (answer * len(self._numbers)).from_buffer(self._numbers)
        size = ctypes.sizeof(answer)
        self._places = [
            [ctypes.byref(memory, size * (self._width * thing + n)) for thing in range(_AT_ONCE)]
            for n in range(pointers)
        ]

    def ask(self, things: Sequence[Pointer], *about: Iterable[int]) -> array:
        """The numbers for each of `things`, one after the other; those of `unknown` where there is no answer."""
        numbers = self._unknown[:0]
        for start in range(0, len(things), _AT_ONCE):
            some = things[start : start + _AT_ONCE]
            self._numbers[:] = self._unknown
            deque(map(self._call, some, *about, *self._places), maxlen=0)
            numbers += self._numbers[: len(some) * self._width]
        return numbers


bounds = Question(pdfium.FPDFPageObj_GetBounds, ctypes.c_float, (0, 0, 0, 0), 4)
fill_colour = Question(pdfium.FPDFPageObj_GetFillColor, ctypes.c_uint, (0, 0, 0, 255), 4)
matrix = Question(pdfium.FPDFPageObj_GetMatrix, ctypes.c_float, (1, 0, 0, 1, 0, 0), 1)
font_size = Question(pdfium.FPDFTextObj_GetFontSize, ctypes.c_float, (12,), 1)
_origin = Question(pdfium.FPDFText_GetCharOrigin, ctypes.c_double, (0, 0), 2)


def origins(text: Pointer, characters: Sequence[int]) -> tuple[Sequence[float], Sequence[float]]:
    """Where these characters begin, across and up, in points."""
    places = array("d")
    for start in range(0, len(characters), _AT_ONCE):
        some = characters[start : start + _AT_ONCE]
        places += _origin.ask([text] * len(some), some)
    return places[0::2], places[1::2]
