"""XLSX: sheet by sheet, each row with the names of its columns; formulas as their last values. Read by openpyxl."""

from collections.abc import Iterator
from datetime import datetime, time

import openpyxl
from openpyxl.cell.read_only import ReadOnlyCell
from openpyxl.worksheet._read_only import ReadOnlyWorksheet

from . import archive, tables
from .failures import ParseFailed
from .held import File
from .model import MAX_CHARACTERS, MAX_PAGES, Parsed, Part, assemble

MAX_ROWS = 1_048_576
# Counted with the empty cells before the last one of a row: a book may hold little and spread it far.
MAX_CELLS = 10_000_000


def parse(path: File) -> Parsed:
    with archive.opened(path) as file:
        book = openpyxl.load_workbook(file, read_only=True, data_only=True, keep_links=False)
        # A sheet that is nothing but a chart is not among these.
        sheets = [sheet for sheet in book.worksheets if sheet.sheet_state == "visible"]
        if len(sheets) > MAX_PAGES:
            raise ParseFailed("too_large", detail="sheets")
        # One sheet after the other: `assemble` stops when their text becomes too much.
        parts = (_part(sheet, number) for number, sheet in enumerate(sheets, 1))
        return assemble("xlsx", parts, title=(book.properties.title or "").strip())


def _part(sheet: ReadOnlyWorksheet, number: int) -> Part:
    return Part("sheet", number, sheet.title, (sheet.title,) if sheet.title else (), tables.as_text(list(_rows(sheet))))


def _rows(sheet: ReadOnlyWorksheet) -> Iterator[list[str]]:
    """The rows that hold something, each as long as it has to be."""
    # The size that a sheet claims to have costs nothing to claim; the library would fill it with empty cells.
    sheet.reset_dimensions()
    cells = characters = 0
    for number, row in enumerate(sheet.iter_rows()):
        texts = [_shown(cell) for cell in row]
        while texts and not texts[-1]:
            texts.pop()
        cells += len(texts)
        characters += sum(map(len, texts))
        if number >= MAX_ROWS or cells > MAX_CELLS or characters > MAX_CHARACTERS:
            raise ParseFailed("too_large", detail="cells")
        if texts:
            yield texts


def _shown(cell: ReadOnlyCell) -> str:
    """The value as its kind means it; dates as 2026-01-31, whatever the local custom."""
    value = cell.value
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).upper()
    if isinstance(value, datetime) and value.time() == time():
        return value.date().isoformat()
    if isinstance(value, datetime):
        return value.isoformat(" ", "minutes")
    if isinstance(value, time):
        return value.isoformat("minutes")
    if isinstance(value, int | float) and "%" in cell.number_format:
        return f"{_plain(value * 100)}%"
    return _plain(value) if isinstance(value, float) else str(value)


def _plain(number: float) -> str:
    """Fifteen digits, which is what a spreadsheet keeps: 0.3 and not 0.30000000000000004."""
    return f"{number:.15g}"
