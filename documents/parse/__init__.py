"""Turn a file into one text with sections, one module a format.

Nothing here needs Django. `documents.sandbox` runs `parse_file` in a child
process; call it directly only on files you made yourself. To add a format,
copy the module of a neighbour and name it in FORMATS.
"""

from importlib import import_module
from pathlib import PurePath

from .failures import ParseFailed
from .held import File
from .model import Parsed, Section
from .sniffing import agrees

# The ending of the name, and the module whose `parse(path) -> Parsed` reads such files.
FORMATS: dict[str, str] = {
    "csv": "documents.parse.csv_rows",
    "doc": "documents.parse.old_office",
    "docx": "documents.parse.docx",
    "eml": "documents.parse.eml",
    "epub": "documents.parse.epub",
    "htm": "documents.parse.html",
    "html": "documents.parse.html",
    "jpeg": "documents.parse.picture",
    "jpg": "documents.parse.picture",
    "markdown": "documents.parse.markdown",
    "md": "documents.parse.markdown",
    "msg": "documents.parse.msg",
    "odt": "documents.parse.odt",
    "pdf": "documents.parse.pdf",
    "png": "documents.parse.picture",
    "ppt": "documents.parse.old_office",
    "pptx": "documents.parse.pptx",
    "rtf": "documents.parse.rtf",
    "tif": "documents.parse.picture",
    "tiff": "documents.parse.picture",
    "tsv": "documents.parse.csv_rows",
    "txt": "documents.parse.plain",
    "webp": "documents.parse.picture",
    "xls": "documents.parse.old_office",
    "xlsx": "documents.parse.xlsx",
}
HEAD_BYTES = 8192

__all__ = ["FORMATS", "HEAD_BYTES", "ParseFailed", "Parsed", "Section", "format_of", "parse_file"]


def format_of(name: str, head: bytes) -> str:
    """The ending of `name`, once the first HEAD_BYTES bytes agree with it.

    Raises ParseFailed: `empty`, `unsupported`, `wrong_type` or `encrypted`.
    """
    ending = PurePath(name).suffix.lower().removeprefix(".")
    if ending not in FORMATS:
        raise ParseFailed("unsupported")
    if not head.strip(b"\x00 \t\r\n"):
        raise ParseFailed("empty")
    agrees(ending, head)
    return ending


def parse_file(path: File, name: str) -> Parsed:
    """Read the file at `path`, or one that lies in another, whose owner calls it `name`.

    Raises ParseFailed.
    """
    with path.open("rb") as file:
        ending = format_of(name, file.read(HEAD_BYTES))
    parsed: Parsed = import_module(FORMATS[ending]).parse(path)
    return parsed
