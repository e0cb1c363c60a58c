"""PDF files written by hand, object by object, so that they may say what no program would write."""

import zlib
from pathlib import Path

Objects = dict[int, bytes]

FONT = b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>"
PAGE = b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Resources << /Font << /F 4 0 R >> >> /Contents 5 0 R >>"


def written(path: Path, objects: Objects, *, broken_table: bool = False) -> Path:
    """A file of these objects, whose first is the catalog; its table of places may be nonsense."""
    out = bytearray(b"%PDF-1.7\n")
    places = {}
    for number, content in objects.items():
        places[number] = len(out)
        out += b"%d 0 obj\n%b\nendobj\n" % (number, content)
    start = len(out)
    if broken_table:
        out += b"xref\n0 999999\ntrailer << /Root 1 0 R /Size 999999 >>\nstartxref\n99999999\n%%EOF"
    else:
        size = max(objects) + 1
        out += b"xref\n0 %d\n0000000000 65535 f \n" % size
        for number in range(1, size):
            out += b"%010d 00000 n \n" % places.get(number, 0)
        out += b"trailer << /Root 1 0 R /Size %d >>\nstartxref\n%d\n%%%%EOF" % (size, start)
    path.write_bytes(bytes(out))
    return path


def with_content(content: bytes, *, kids: bytes = b"[3 0 R]", count: int = 1, catalog: bytes = b"") -> Objects:
    """One page that draws `content`, and what else the catalog says."""
    return {
        1: b"<< /Type /Catalog /Pages 2 0 R %b >>" % catalog,
        2: b"<< /Type /Pages /Kids %b /Count %d >>" % (kids, count),
        3: PAGE,
        4: FONT,
        5: stream(content),
    }


def stream(data: bytes, filters: bytes = b"/FlateDecode", *, packed: bool = False) -> bytes:
    """A stream; packed by this function unless it is already."""
    data = data if packed else zlib.compress(data, 9)
    return b"<< /Length %d /Filter %b >>\nstream\n%b\nendstream" % (len(data), filters, data)


def text(words: bytes) -> bytes:
    """Draws the words."""
    return b"BT /F 12 Tf 72 700 Td (%b) Tj ET\n" % words
