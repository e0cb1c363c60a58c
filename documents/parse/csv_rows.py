"""CSV and TSV: rows in groups, each row with the names of its columns."""

import csv

from . import tables
from .ceilings import CEILINGS
from .encodings import read_text
from .failures import ParseFailed
from .held import File
from .model import Parsed, Part, assemble

ROWS_PER_SECTION = 50
_DELIMITERS = ",;\t|"


def parse(path: File) -> Parsed:
    rows = _rows(read_text(path).replace("\x00", ""))
    # Rows are numbered as a spreadsheet shows them, the header being row 1.
    lines = list(tables.lines(rows))
    parts: list[Part] = []
    for first in range(0, len(lines), ROWS_PER_SECTION):
        group = lines[first : first + ROWS_PER_SECTION]
        label = f"{first + 1}–{first + len(group)}"
        parts.append(Part("section", len(parts) + 1, label, (), "\n".join(group)))
    return assemble("csv", parts)


def _rows(text: str) -> list[list[str]]:
    csv.field_size_limit(CEILINGS.characters)
    try:
        return list(csv.reader(text.splitlines(keepends=True), delimiter=_delimiter(text)))
    except csv.Error as error:
        raise ParseFailed("damaged") from error


def _delimiter(text: str) -> str:
    """The one that splits the first lines into the same number of cells, more than one."""
    lines = [line for line in text[:65536].splitlines() if line.strip()][:20]
    best, most = ",", 0
    for delimiter in _DELIMITERS:
        widths = [len(row) for row in csv.reader(lines, delimiter=delimiter)]
        usual = max(set(widths), key=widths.count, default=1)
        score = (usual > 1) * widths.count(usual)
        if score > most:
            best, most = delimiter, score
    return best
