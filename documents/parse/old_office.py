"""Old Office files (DOC, XLS, PPT): LibreOffice writes them anew in the newer format, which is then read.

`parse` only says that this is wanted: a program that writes files has other limits than a reader that writes none.
"""

import shutil
import subprocess
from pathlib import Path

from .failures import ParseFailed
from .held import File
from .model import Parsed

NEWER = {"doc": "docx", "ppt": "pptx", "xls": "xlsx"}
#: A hidden slide has a number too, so that the pages of a presentation are its slides.
_FILTERS = {"pdf": 'pdf:impress_pdf_Export:{"ExportHiddenSlides":{"type":"boolean","value":"true"}}'}
_PROGRAMS = ("soffice", "libreoffice", "/Applications/LibreOffice.app/Contents/MacOS/soffice")


def parse(path: File) -> Parsed:
    """Raises ParseFailed(`old_office`)."""
    raise ParseFailed("old_office")


def program() -> str | None:
    """Where LibreOffice is on this machine."""
    return next(filter(None, map(shutil.which, _PROGRAMS)), None)


def renewed(path: Path, ending: str, to: str) -> bytes:
    """The file in the format `to`. Raises ParseFailed: `old_office` without LibreOffice, `damaged`."""
    office = program()
    if office is None:
        raise ParseFailed("old_office")
    here = Path.cwd()
    # LibreOffice goes by the ending of the name, and the stored original has none.
    named = here / f"original.{ending}"
    named.symlink_to(path)
    profile = f"-env:UserInstallation={(here / 'profile').as_uri()}"
    command = [
        office,
        profile,
        "--headless",
        "--norestore",
        "--convert-to",
        _FILTERS.get(to, to),
        "--outdir",
        str(here / "out"),
    ]
    subprocess.run([*command, str(named)], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, check=False)
    written = here / "out" / f"original.{to}"
    if not written.is_file():
        raise ParseFailed("damaged", detail="not converted")
    return written.read_bytes()
