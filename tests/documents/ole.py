"""Write the small file system (OLE) in which Outlook and old Office keep their properties, for samples."""

import struct
from collections.abc import Mapping
from pathlib import Path
from typing import Any

SECTOR, SMALL, CUTOFF = 512, 64, 4096
_END, _FREE, _FAT, _NONE = 0xFFFFFFFE, 0xFFFFFFFF, 0xFFFFFFFD, 0xFFFFFFFF
_STORAGE, _STREAM, _ROOT = 1, 2, 5

Tree = Mapping[str, "bytes | Tree"]


def written(path: Path, tree: Tree) -> Path:
    """A file that holds `tree`: names to bytes, or to trees."""
    entries: list[list[Any]] = [["Root Entry", _ROOT, _NONE, _NONE, b""]]
    _add(entries, tree, 0)
    body: list[bytes] = []
    fat: list[int] = []
    small: list[bytes] = []
    small_fat: list[int] = []
    directory = []
    for name, kind, following, child, data in entries:
        if not data:
            start = _END
        elif len(data) < CUTOFF:
            start = _place(small, small_fat, data, SMALL)
        else:
            start = _place(body, fat, data)
        directory.append((name, kind, following, child, start, len(data)))
    # The small streams lie in one that is the root's.
    root = b"".join(small)
    directory[0] = (*directory[0][:4], _place(body, fat, root) if root else _END, len(root))
    small_table = _place(body, fat, _numbers(small_fat)) if small_fat else _END
    small_sectors = -(-len(small_fat) * 4 // SECTOR)
    records = b"".join(_record(*each) for each in directory)
    records += b"\x00" * (-len(records) % SECTOR)
    first = _place(body, fat, records)
    sectors, count = len(fat), 1
    while sectors + count > count * SECTOR // 4:
        count += 1
    fat += [_FAT] * count
    table = _numbers(fat).ljust(count * SECTOR, b"\xff")
    header = bytes.fromhex("d0cf11e0a1b11ae1") + b"\x00" * 16
    header += struct.pack(
        "<HHHHH6xIIIIIIIII", 0x3E, 3, 0xFFFE, 9, 6, 0, count, first, 0, CUTOFF, small_table, small_sectors, _END, 0
    )
    header += b"".join(struct.pack("<I", each) for each in range(sectors, sectors + count))
    path.write_bytes(header.ljust(SECTOR, b"\xff") + b"".join(body) + table)
    return path


def _add(entries: list[list[Any]], tree: Tree, parent: int) -> None:
    """A directory whose entries hang on each other in a row, which every reader follows."""
    previous = None
    for name, content in tree.items():
        number = len(entries)
        is_stream = isinstance(content, bytes)
        entries.append([name, _STREAM if is_stream else _STORAGE, _NONE, _NONE, content if is_stream else b""])
        if previous is None:
            entries[parent][3] = number
        else:
            entries[previous][2] = number
        previous = number
        if not is_stream:
            _add(entries, content, number)


def _numbers(values: list[int]) -> bytes:
    return b"".join(struct.pack("<I", each) for each in values)


def _place(body: list[bytes], fat: list[int], data: bytes, sector: int = SECTOR) -> int:
    start = len(fat)
    pieces = [data[place : place + sector] for place in range(0, len(data), sector)]
    for number, piece in enumerate(pieces):
        body.append(piece.ljust(sector, b"\x00"))
        fat.append(start + number + 1 if number + 1 < len(pieces) else _END)
    return start


def _record(name: object, kind: object, following: object, child: object, start: int, size: int) -> bytes:
    encoded = str(name).encode("utf-16-le")
    return (
        encoded.ljust(64, b"\x00")
        + struct.pack("<HBBIII", len(encoded) + 2, kind, 1, _NONE, following, child)
        + b"\x00" * 36
        + struct.pack("<IQ", start, size)
    )


def message(
    *, subject: str, body: str = "", sender: str = "", to: str = "", html: bytes = b"", parts: Mapping[str, object] = {}
) -> Tree:
    """The properties of an Outlook message; `parts` are attachments: names to bytes, or to messages."""
    tree: dict[str, object] = {"__properties_version1.0": b"\x00" * 32}
    for number, value in (("0037", subject), ("1000", body), ("0C1A", sender), ("0E04", to)):
        if value:
            tree[f"__substg1.0_{number}001F"] = value.encode("utf-16-le")
    if html:
        tree["__substg1.0_10130102"] = html
    for index, (name, content) in enumerate(parts.items()):
        data = "000D" if isinstance(content, dict) else "0102"
        tree[f"__attach_version1.0_#{index:08X}"] = {
            "__properties_version1.0": b"\x00" * 8,
            "__substg1.0_3707001F": name.encode("utf-16-le"),
            f"__substg1.0_3701{data}": content,
        }
    return tree
