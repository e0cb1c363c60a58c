"""Hand out a version's stored bytes: as a file for the parser child, and as a download that cannot act here."""

import asyncio
import io
import re
import shutil
import tempfile
import unicodedata
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath

from django.core.files import File
from django.core.handlers.asgi import ASGIRequest
from django.http import HttpRequest, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.utils.http import content_disposition_header

from documents.models import Version

MAX_NAME = 150
_CHUNK = 64 * 1024
#: Should a browser show the file after all, it may run nothing and reach nothing.
_HARMLESS = "default-src 'none'; sandbox; frame-ancestors 'none'"

#: What programs open each format by. Formats that a browser would run or lay out as a page have none on purpose.
_TYPES = {
    "csv": "text/csv",
    "doc": "application/msword",
    "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "epub": "application/epub+zip",
    "jpeg": "image/jpeg",
    "jpg": "image/jpeg",
    "md": "text/markdown",
    "odt": "application/vnd.oasis.opendocument.text",
    "pdf": "application/pdf",
    "png": "image/png",
    "ppt": "application/vnd.ms-powerpoint",
    "pptx": "application/vnd.openxmlformats-officedocument.presentationml.presentation",
    "rtf": "application/rtf",
    "tif": "image/tiff",
    "tiff": "image/tiff",
    "txt": "text/plain",
    "webp": "image/webp",
    "xls": "application/vnd.ms-excel",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}
_ONE_RANGE = re.compile(r"bytes=(\d{0,18})-(\d{0,18})")


@contextmanager
def local_path(version: Version) -> Iterator[Path]:
    """The original as a file on this machine; a copy for as long as it is needed when it is stored elsewhere."""
    try:
        path = Path(version.file.path)
    except NotImplementedError:  # how Django's storages say that they are not a local directory
        with stored_path(version.file.open("rb")) as copy:
            yield copy
    else:
        yield path


@contextmanager
def stored_path(stored: File) -> Iterator[Path]:
    """What a storage opened, as a file on this machine: its own where it has one, else a copy for as long as needed."""
    with stored:
        if isinstance(stored.file, io.FileIO | io.BufferedReader) and Path(str(stored.name)).is_absolute():
            yield Path(str(stored.name))
            return
        with tempfile.NamedTemporaryFile(prefix="inlock-original-") as copy:
            shutil.copyfileobj(stored, copy)
            copy.flush()
            yield Path(copy.name)


def download(request: HttpRequest, version: Version) -> HttpResponseBase:
    """The original as an attachment under its own name, never as a page of this site.

    A browser that lost the connection may ask for the rest (`Range`), as long as it names these bytes (`If-Range`).
    """
    size, etag = version.file.size, f'"{version.sha256}"'
    part = part_asked(request, version)
    first, last = part or (0, size - 1)
    chunks = _chunks(version, first, last + 1 - first)
    response = StreamingHttpResponse(_threaded(chunks) if isinstance(request, ASGIRequest) else chunks)
    if part:
        response.status_code = 206
        response.headers["Content-Range"] = f"bytes {first}-{last}/{size}"
    response.headers["Accept-Ranges"] = "bytes"
    response.headers["ETag"] = etag
    response.headers["Content-Type"] = _TYPES.get(version.format, "application/octet-stream")
    response.headers["Content-Length"] = str(last + 1 - first)
    response.headers["Content-Disposition"] = content_disposition_header(True, safe_name(version.filename)) or ""
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Content-Security-Policy"] = _HARMLESS
    return response


def safe_name(filename: str) -> str:
    """`filename` as one short visible name: no folders, no control characters, nothing that turns the writing round."""
    visible = "".join(c for c in filename.replace("\\", "/") if not unicodedata.category(c).startswith("C"))
    name = PurePosixPath(visible).name.strip(". ") or "document"
    stem, suffix = PurePosixPath(name).stem, PurePosixPath(name).suffix[:20]
    return stem[: MAX_NAME - len(suffix)] + suffix


def part_asked(request: HttpRequest, version: Version) -> tuple[int, int] | None:
    """The first and last byte of the one range asked for; None for the whole file, as for all that is unclear."""
    size, etag = version.file.size, f'"{version.sha256}"'
    asked = _ONE_RANGE.fullmatch(request.headers.get("Range", ""))
    if asked is None or request.headers.get("If-Range", etag) != etag or not (asked[1] or asked[2]):
        return None
    if not asked[1]:
        first, last = max(0, size - int(asked[2])), size - 1
    else:
        first, last = int(asked[1]), min(int(asked[2] or size), size - 1)
    return (first, last) if first <= last else None


def _chunks(version: Version, start: int, count: int) -> Iterator[bytes]:
    """`count` bytes of the original from `start` on; the file is open only while they are read."""
    with version.file.open("rb") as file:
        file.seek(start)
        while count > 0 and (chunk := file.read(min(_CHUNK, count))):
            count -= len(chunk)
            yield chunk


async def _threaded(chunks: Iterator[bytes]) -> AsyncIterator[bytes]:
    while chunk := await asyncio.to_thread(next, chunks, b""):
        yield chunk
