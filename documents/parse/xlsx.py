"""XLSX: sheet by sheet, each row with the names of its columns; formulas as their last values."""

import re
from collections.abc import Iterator
from pathlib import Path

from lxml.etree import _Element as Element

from . import tables
from .failures import ParseFailed
from .model import MAX_CHARACTERS, MAX_PAGES, Parsed, Part, assemble
from .ooxml import Package
from .xlsx_numbers import Formats, shown

S = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
R = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}"
MAX_COLUMN = 16_384
_LETTERS = re.compile(r"[A-Z]{1,3}")


def parse(path: Path) -> Parsed:
    package = Package(path)
    main = package.main()
    book = package.xml(main)
    related = package.related(main)
    parts = {kind: target for kind, target in related.values() if target in package}
    reader = _Reader(
        package,
        formats=Formats(package.xml(parts["styles"]) if "styles" in parts else None, _epoch_1904(book)),
        strings=list(_strings(package, parts["sharedStrings"])) if "sharedStrings" in parts else [],
    )
    sheets = [sheet for sheet in book.iter(f"{S}sheet") if sheet.get("state", "visible") == "visible"]
    if len(sheets) > MAX_PAGES:
        raise ParseFailed("too_large", detail="sheets")
    sections: list[Part] = []
    for sheet in sheets:
        kind, target = related.get(sheet.get(f"{R}id", ""), ("", ""))
        name = sheet.get("name", "")
        # A sheet may also be nothing but a chart.
        text = tables.as_text(reader.rows(target)) if kind == "worksheet" and target in package else ""
        sections.append(Part("sheet", len(sections) + 1, name, (name,) if name else (), text))
    return assemble("xlsx", sections, title=package.title())


class _Reader:
    def __init__(self, package: Package, *, formats: Formats, strings: list[str]) -> None:
        self._package = package
        self._formats = formats
        self._strings = strings
        self._characters = 0

    def rows(self, name: str) -> list[list[str]]:
        """The rows that hold something. The size a sheet claims to have is ignored."""
        rows = []
        for element in self._package.stream(name, f"{S}row"):
            cells: dict[int, str] = {}
            for cell in element.iterchildren(f"{S}c"):
                text = self._text(cell)
                if text:
                    cells[_column(cell, len(cells))] = text
                    self._characters += len(text)
            if self._characters > MAX_CHARACTERS:
                raise ParseFailed("too_large", detail="characters")
            if cells:
                rows.append([cells.get(index, "") for index in range(max(cells) + 1)])
        return rows

    def _text(self, cell: Element) -> str:
        kind = cell.get("t", "n")
        if kind == "inlineStr":
            return _rich(cell.find(f"{S}is"))
        value = cell.findtext(f"{S}v") or ""
        if kind == "s":
            known = value.isdecimal() and int(value) < len(self._strings)
            return self._strings[int(value)] if known else ""
        if kind == "b":
            return "TRUE" if value == "1" else "FALSE"
        if kind == "n" and value:
            return shown(value, self._formats.of(cell.get("s", "0")), self._formats.epoch_1904)
        return value


def _strings(package: Package, name: str) -> Iterator[str]:
    for element in package.stream(name, f"{S}si"):
        yield _rich(element)


def _rich(element: Element | None) -> str:
    """The text of a string, whose parts may be formatted; without its phonetic reading."""
    if element is None:
        return ""
    runs = [element, *element.iterchildren(f"{S}r")]
    return "".join(run.findtext(f"{S}t") or "" for run in runs)


def _column(cell: Element, fallback: int) -> int:
    """The index of the column in "AB12", from 0; in order where the file does not say."""
    letters = _LETTERS.match(cell.get("r", ""))
    if letters is None:
        return fallback
    index = 0
    for letter in letters.group():
        index = index * 26 + ord(letter) - ord("A") + 1
    return min(index, MAX_COLUMN) - 1


def _epoch_1904(book: Element) -> bool:
    properties = book.find(f"{S}workbookPr")
    return properties is not None and properties.get("date1904") in {"1", "true"}
