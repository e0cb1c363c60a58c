"""The listings that stores send as XML: read in a child process, as an upload is."""

from collections.abc import Sequence
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any

from documents import fetch, sandbox
from documents.exceptions import SourceFailed
from documents.fetch import Reply
from documents.parse import ParseFailed


def read_listing(reply: Reply, *, root: str, row: str, names: Sequence[str]) -> dict[str, Any]:
    """`rows` and `about` of the listing in `reply`: see `documents.parse.remote.rows`.

    Raises SourceFailed for anything that is no XML called `root`.
    """
    host = fetch.target_of(reply.url).host
    with NamedTemporaryFile() as file:
        while chunk := reply.file.read(1024 * 1024):
            file.write(chunk)
        file.flush()
        try:
            found = sandbox.read_rows(Path(file.name), row=row, names=names)
        except ParseFailed as failure:
            raise SourceFailed("not_understood", host=host) from failure
    if found["root"] != root:
        raise SourceFailed("not_understood", host=host)
    return found
