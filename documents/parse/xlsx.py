"""XLSX: sheet by sheet, each row with the names of its columns; formulas as their last values. Read by openpyxl."""

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import datetime, time
from typing import Any

import openpyxl
from openpyxl.cell.read_only import ReadOnlyCell
from openpyxl.styles.numbers import BUILTIN_FORMATS_MAX_SIZE
from openpyxl.workbook import Workbook
from openpyxl.worksheet._read_only import ReadOnlyWorksheet
from openpyxl.worksheet._reader import WorkSheetParser

from . import archive, tables
from .ceilings import CEILINGS
from .failures import ParseFailed
from .held import File
from .hidden import TINY, is_white, weight
from .model import Parsed, Part, assemble

MAX_ROWS = 1_048_576
# Counted with the empty cells before the last one of a row: a book may hold little and spread it far.
MAX_CELLS = 10_000_000
# Nothing for numbers above, below and at zero, and for words.
_NOTHING = re.compile(r"\s*;\s*;\s*;\s*")


def parse(path: File) -> Parsed:
    with archive.opened(path) as file:
        book = openpyxl.load_workbook(file, read_only=True, data_only=True, keep_links=False)
        # A sheet that is nothing but a chart is not among these.
        sheets = [sheet for sheet in book.worksheets if sheet.sheet_state == "visible"]
        if len(sheets) > CEILINGS.pages:
            raise ParseFailed("too_large", detail="sheets")
        hidden: Counter[str] = Counter()
        styles = _hiding_styles(book)
        # One sheet after the other: `assemble` stops when their text becomes too much.
        parts = (_part(sheet, number, styles, hidden) for number, sheet in enumerate(sheets, 1))
        parsed = assemble("xlsx", parts, title=(book.properties.title or "").strip(), hidden=hidden)
        return _with_hidden_sheets(parsed, book)


def _with_hidden_sheets(parsed: Parsed, book: Workbook) -> Parsed:
    """Count what stands in sheets that a reader is not shown; they are not read before the others are."""
    found = Counter(parsed.hidden)
    for sheet in book.worksheets:
        if sheet.sheet_state != "visible":
            shown = sum(weight(text) for row in _rows(sheet, {}, found) for text in row)
            found["unseen"] += shown
    return replace(parsed, hidden=dict(+found))


def _hiding_styles(book: Workbook) -> dict[int, str]:
    """The styles of cells that are not seen, and how: white letters without a colour behind them, letters too small, or
    a format that shows nothing, whatever the value.
    """
    white = {number for number, font in enumerate(book._fonts) if _is_white_font(font)}
    tiny = {number for number, font in enumerate(book._fonts) if font.sz is not None and font.sz < TINY}
    plain = {number for number, fill in enumerate(book._fills) if fill.fill_type is None or _is_white_fill(fill)}
    kinds = {}
    for number, style in enumerate(book._cell_styles):
        own = style.numFmtId - BUILTIN_FORMATS_MAX_SIZE
        if 0 <= own < len(book._number_formats) and _NOTHING.fullmatch(book._number_formats[own]):
            kinds[number] = "unseen"
        elif style.fontId in tiny:
            kinds[number] = "tiny"
        elif style.fontId in white and style.fillId in plain:
            kinds[number] = "white"
    return kinds


def _is_white_font(font: Any) -> bool:
    return font.color is not None and _is_white(font.color)


def _is_white_fill(fill: Any) -> bool:
    return fill.fill_type == "solid" and fill.fgColor is not None and _is_white(fill.fgColor)


def _is_white(colour: Any) -> bool:
    if colour.type == "rgb":
        return is_white(str(colour.rgb)[-6:])
    # The first of a theme is its paper; two of the palette are white.
    return (colour.type == "theme" and colour.theme == 0 and not colour.tint) or (
        colour.type == "indexed" and colour.indexed in {1, 9}
    )


def _part(sheet: ReadOnlyWorksheet, number: int, styles: Mapping[int, str], hidden: Counter[str]) -> Part:
    text = tables.as_text(list(_rows(sheet, styles, hidden)))
    return Part("sheet", number, sheet.title, (sheet.title,) if sheet.title else (), text)


def _rows(sheet: ReadOnlyWorksheet, styles: Mapping[int, str], hidden: Counter[str]) -> Iterator[list[str]]:
    """The rows that hold something, each as long as it has to be."""
    cells = characters = 0
    for number, row, is_seen in _sheet_rows(sheet):
        texts = [_shown(cell) for cell in row]
        for place, cell in enumerate(row):
            if texts[place] and (not is_seen(place) or cell._style_id in styles):
                hidden[styles[cell._style_id] if is_seen(place) else "unseen"] += weight(texts[place])
                texts[place] = ""
        while texts and not texts[-1]:
            texts.pop()
        cells += len(texts)
        characters += sum(map(len, texts))
        if number > MAX_ROWS or cells > MAX_CELLS or characters > CEILINGS.characters:
            raise ParseFailed("too_large", detail="cells")
        if texts:
            yield texts


def _sheet_rows(
    sheet: ReadOnlyWorksheet,
) -> Iterator[tuple[int, tuple[ReadOnlyCell, ...], Callable[[int], bool]]]:
    """Each row that the file has with its number, and whether its cell at a place (from 0) is on the screen.

    As the library reads them, which does not tell what is hidden, and fills up the size that a sheet claims to have.
    """
    book = sheet.parent
    with sheet._get_source() as source:
        parser = WorkSheetParser(
            source,
            sheet._shared_strings,
            data_only=book.data_only,
            epoch=book.epoch,
            date_formats=book._date_formats,
            timedelta_formats=book._timedelta_formats,
        )
        for number, cells in parser.parse():
            said = parser.row_dimensions.pop(str(number), {})
            is_open = not (_is_hidden(said) or said.get("ht") == "0")
            columns = parser.column_dimensions.values()
            closed = [(int(each["min"]), int(each["max"])) for each in columns if _is_hidden(each)] if is_open else []
            yield (
                number,
                sheet._get_row(cells),
                lambda place, is_open=is_open, closed=closed: (
                    is_open and not any(first <= place + 1 <= last for first, last in closed)
                ),
            )


def _is_hidden(said: Mapping[str, str]) -> bool:
    return said.get("hidden") in {"1", "true"} or said.get("width") == "0"


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
