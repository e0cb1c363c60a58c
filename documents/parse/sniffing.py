"""Check that the first bytes of a file are what its name promises."""

import re

from .failures import ParseFailed

ZIP = b"PK\x03\x04"
PDF = b"%PDF-"
OLE = bytes.fromhex("d0cf11e0a1b11ae1")
RTF = b"{\\rtf"
PNG = b"\x89PNG\r\n\x1a\n"
JPEG = b"\xff\xd8\xff"
TIFF = (b"II*\x00", b"MM\x00*")
OFFICE = frozenset({"docx", "pptx", "xlsx"})
#: Formats that are known by their first bytes alone.
STARTS: dict[str, tuple[bytes, ...]] = {
    "doc": (OLE, RTF),
    "epub": (ZIP,),
    "jpeg": (JPEG,),
    "jpg": (JPEG,),
    "msg": (OLE,),
    "odt": (ZIP,),
    "png": (PNG,),
    "ppt": (OLE,),
    "rtf": (RTF,),
    "tif": TIFF,
    "tiff": TIFF,
    "webp": (b"RIFF",),
    "xls": (OLE,),
}
# What never begins a text file, whatever its name says.
BINARY = (
    ZIP,
    b"PK\x05\x06",
    PDF,
    OLE,
    b"\x7fELF",
    b"MZ\x90",
    b"\x89PNG",
    JPEG,
    b"GIF8",
    b"\x1f\x8b",
    RTF,
    b"Rar!",
    b"7z\xbc\xaf",
)
UTF16 = (b"\xff\xfe", b"\xfe\xff")
# The first line of a mail; mailboxes put a "From " line of their own before it.
_HEADER = re.compile(rb"\s*(From [^\r\n]*\r?\n)?[!-9;-~]+[ \t]*:")


def agrees(ending: str, head: bytes) -> None:
    """Raises ParseFailed(`wrong_type`), or `encrypted` for a protected Office file."""
    if ending in OFFICE:
        _office(head)
        return
    if ending in STARTS:
        found = head.startswith(STARTS[ending])
    elif ending == "pdf":
        # Readers accept a header within the first kilobyte; a file that starts
        # as something else is two things at once, and one of them is hidden.
        found = PDF in head[:1024] and not head.startswith((ZIP, OLE, b"MZ", b"\x7fELF"))
    elif ending == "eml":
        found = _is_text(head) and _HEADER.match(head) is not None
    else:
        found = _is_text(head) and (ending not in {"html", "htm"} or b"<" in head)
    if not found:
        raise ParseFailed("wrong_type")


def _office(head: bytes) -> None:
    if head.startswith(ZIP):
        return
    # A protected Office file is an OLE container; its directory usually follows the first sector.
    if head.startswith(OLE) and "EncryptedPackage".encode("utf-16-le") in head:
        raise ParseFailed("encrypted")
    raise ParseFailed("wrong_type")


def _is_text(head: bytes) -> bool:
    if head.startswith(BINARY):
        return False
    return head.startswith(UTF16) or head.count(0) * 100 <= len(head)
