"""Write the rows of a table as lines that can be read, found and quoted one by one.

A row under a header says what each cell is: "Role: Manager | Limit: 5,000".
"""

import re
from collections.abc import Iterator, Sequence

CELL_SEPARATOR = " | "
_FIGURE = re.compile(r"[^\w]*\d[\d\s.,:/%€$£+–-]*(?:\w{1,3})?")
_HEADER_LENGTH = 60
_LOOK_AHEAD = 10

Row = Sequence[str]


def as_text(rows: Sequence[Row]) -> str:
    """The rows, one a line; rows without text are left out."""
    return "\n".join(lines(rows))


def lines(rows: Sequence[Row]) -> Iterator[str]:
    clean = [[" ".join(cell.split()) for cell in row] for row in rows]
    clean = [row for row in clean if any(row)]
    place = header_place(clean)
    if place is None:
        yield from (_bare(row) for row in clean)
        return
    yield from (_bare(row) for row in clean[: place + 1])
    yield from (under(clean[place], row) for row in clean[place + 1 :])


def header_place(rows: Sequence[Row]) -> int | None:
    """The index of the header row among clean rows, or None when there is none to be sure of.

    A title line or two may stand above it.
    """
    for place, row in enumerate(rows[:3]):
        names = [cell for cell in row if cell]
        if len(names) < 2:
            continue
        below = rows[place + 1 : place + 1 + _LOOK_AHEAD]
        return place if below and _is_header(row, names, below) else None
    return None


def under(header: Row, row: Row) -> str:
    """A row with the name of its column before each cell."""
    cells = []
    for index, cell in enumerate(row):
        name = header[index] if index < len(header) else ""
        if cell:
            cells.append(f"{name}: {cell}" if name and name != cell else cell)
    return CELL_SEPARATOR.join(cells)


def _bare(row: Row) -> str:
    return CELL_SEPARATOR.join(cell for cell in row if cell)


def _is_header(row: Row, names: Sequence[str], below: Sequence[Row]) -> bool:
    if len(set(names)) < len(names) or any(len(name) > _HEADER_LENGTH for name in names):
        return False
    if all(_is_figure(name) for name in names):
        return False
    # Names over figures are a header; so are three names or more over anything,
    # while two columns of words may just as well be a list of pairs.
    for index, name in enumerate(row):
        cells = [line[index] for line in below if index < len(line) and line[index]]
        if name and not _is_figure(name) and cells and all(_is_figure(cell) for cell in cells):
            return True
    return len(names) >= 3 and not any(_is_figure(name) for name in names)


def _is_figure(cell: str) -> bool:
    return bool(_FIGURE.fullmatch(cell))
