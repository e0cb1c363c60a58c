"""Hand out a version's stored bytes: as a file for the parser child, and as a download that cannot act here."""

import asyncio
import shutil
import tempfile
import unicodedata
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath

from django.core.files import File
from django.core.handlers.asgi import ASGIRequest
from django.http import FileResponse, HttpRequest, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.utils.http import content_disposition_header

from documents.models import Version

MAX_NAME = 150
_CHUNK = 64 * 1024
#: Should a browser show the file after all, it may run nothing and reach nothing.
_HARMLESS = "default-src 'none'; sandbox; frame-ancestors 'none'"


@contextmanager
def local_path(version: Version) -> Iterator[Path]:
    """The original as a file on this machine; a copy for as long as it is needed when it is stored elsewhere."""
    try:
        path = Path(version.file.path)
    except NotImplementedError:  # how Django's storages say that they are not a local directory
        with tempfile.NamedTemporaryFile(prefix="inlock-original-") as copy, version.file.open("rb") as stored:
            shutil.copyfileobj(stored, copy)
            copy.flush()
            yield Path(copy.name)
    else:
        yield path


def download(request: HttpRequest, version: Version) -> HttpResponseBase:
    """The original as an attachment under its own name, never as a page of this site."""
    file = version.file.open("rb")
    if isinstance(request, ASGIRequest):
        response: StreamingHttpResponse = StreamingHttpResponse(_chunks(file))
    else:
        response = FileResponse(file)
    response.headers["Content-Type"] = "application/octet-stream"
    response.headers["Content-Length"] = str(version.size)
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


async def _chunks(file: File) -> AsyncIterator[bytes]:
    try:
        while chunk := await asyncio.to_thread(file.read, _CHUNK):
            yield chunk
    finally:
        file.close()
