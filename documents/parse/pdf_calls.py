"""The calls of pdfium that are made for every object and every line of a page, with plain numbers for pointers.

The bindings make an object of Python's for each pointer, and let other threads in around each call; for calls as short
as these that takes several times as long as the call.
"""

import ctypes
from collections.abc import Callable

import pypdfium2.raw as pdfium
from pypdfium2 import PdfPage, PdfTextPage

_POINTER, _NUMBER = ctypes.c_void_p, ctypes.c_int


def _plain(function: object, result: type, *arguments: type) -> Callable[..., int]:
    place = ctypes.cast(function, ctypes.c_void_p).value  # type: ignore[arg-type]
    return ctypes.PYFUNCTYPE(result, *arguments)(place)  # type: ignore[arg-type]


def address(thing: PdfPage | PdfTextPage) -> int:
    """What the calls here take for a page or its text."""
    return ctypes.cast(thing.raw, _POINTER).value or 0


object_of_page = _plain(pdfium.FPDFPage_GetObject, _POINTER, _POINTER, _NUMBER)
object_of_form = _plain(pdfium.FPDFFormObj_GetObject, _POINTER, _POINTER, _NUMBER)
object_of_character = _plain(pdfium.FPDFText_GetTextObject, _POINTER, _POINTER, _NUMBER)
objects_in_page = _plain(pdfium.FPDFPage_CountObjects, _NUMBER, _POINTER)
objects_in_form = _plain(pdfium.FPDFFormObj_CountObjects, _NUMBER, _POINTER)
#: One of FPDF_PAGEOBJ_*.
kind = _plain(pdfium.FPDFPageObj_GetType, _NUMBER, _POINTER)
#: One of FPDF_TEXTRENDERMODE_*; -1 for what is no text.
render_mode = _plain(pdfium.FPDFTextObj_GetTextRenderMode, _NUMBER, _POINTER)
#: Those below write into the four, two or one numbers whose addresses they get, and return 0 when there are none.
bounds = _plain(pdfium.FPDFPageObj_GetBounds, _NUMBER, *[_POINTER] * 5)
fill_colour = _plain(pdfium.FPDFPageObj_GetFillColor, _NUMBER, *[_POINTER] * 5)
origin = _plain(pdfium.FPDFText_GetCharOrigin, _NUMBER, _POINTER, _NUMBER, _POINTER, _POINTER)
matrix = _plain(pdfium.FPDFPageObj_GetMatrix, _NUMBER, _POINTER, _POINTER)
font_size = _plain(pdfium.FPDFTextObj_GetFontSize, _NUMBER, _POINTER, _POINTER)


def places(numbers: ctypes.Array) -> list[int]:
    """The address of each of the numbers in an array."""
    size = ctypes.sizeof(numbers) // len(numbers)
    return [ctypes.addressof(numbers) + size * index for index in range(len(numbers))]
