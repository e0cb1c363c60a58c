"""stored → parsed: the file's text, normalised once, with its sections. Citations point into it for ever."""

import dataclasses
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

from documents import analysis, sandbox
from documents.ingestion.leases import Lease
from documents.ingestion.originals import local_path
from documents.models import Document, Version
from documents.parse import Parsed, ParseFailed
from documents.stages import Stage
from documents.states import VersionState
from documents.titles import MAX_TITLE, title_from

logger = logging.getLogger(__name__)

#: Enough to tell the language of a document.
SAMPLE = 20_000
_SPARE_SECONDS = 30
#: What a parser cannot read and another program can, where it is installed.
_BY_OTHERS = {
    "scanned": (sandbox.recognise, sandbox.RECOGNISING),
    "old_office": (sandbox.renew, sandbox.RENEWING),
}


@dataclasses.dataclass(frozen=True, slots=True)
class Read:
    """What was read, and in which language."""

    parsed: Parsed
    language: str


def read(version: Version, lease: Lease) -> Read | None:
    """Parse the original in a child process; None for a text that people may have cited. Raises ParseFailed."""
    if version.ready_at is not None:
        return None
    with local_path(version) as path:
        parsed = read_file(path, version.filename, hold=lambda seconds: lease.renew(seconds=seconds))
    return Read(parsed, analysis.detect_language(parsed.text[:SAMPLE]))


def read_at_once(version: Version) -> Read | None:
    """As `read`, for a text that nobody cited; None where another program has to read it, which takes long.

    Takes no longer than `sandbox.DEFAULT` allows. Raises ParseFailed.
    """
    with local_path(version) as path:
        try:
            parsed = sandbox.parse(path, name=version.filename)
        except ParseFailed as failure:
            if failure.code in _BY_OTHERS:
                return None
            raise
    return None if parsed.textless else Read(parsed, analysis.detect_language(parsed.text[:SAMPLE]))


def read_file(path: Path, name: str, *, hold: Callable[[float], None]) -> Parsed:
    """The text of the file at `path`, by whatever program reads it; `hold` is told how long that takes at most.

    Raises ParseFailed.
    """
    hold(sandbox.DEFAULT.wall_seconds + _SPARE_SECONDS)
    try:
        parsed = sandbox.parse(path, name=name)
        return _with_scanned_pages(parsed, path, name, hold) if parsed.textless else parsed
    except ParseFailed as failure:
        if failure.code not in _BY_OTHERS:
            raise
        read_by, limits = _BY_OTHERS[failure.code]
    hold(limits.wall_seconds + sandbox.DEFAULT.wall_seconds + _SPARE_SECONDS)
    return read_by(path, name=name)


def _with_scanned_pages(parsed: Parsed, path: Path, name: str, hold: Callable[[float], None]) -> Parsed:
    """With the words of pages that are pictures, where the machine recognises words; else as it was, which says so."""
    hold(sandbox.RECOGNISING.wall_seconds + _SPARE_SECONDS)
    try:
        return sandbox.recognise(path, name=name, pages=parsed.textless)
    except ParseFailed as failure:
        logger.info("%d pages hold no text and were not recognised: %s", len(parsed.textless), failure.code)
        return parsed


def fill(version: Version, read: Read | None) -> None:
    """Set what was read on the version; a text that stands is loaded where it is needed."""
    if read is None:
        return
    parsed = read.parsed
    version.text = parsed.text
    version.sections = [dataclasses.asdict(section) for section in parsed.sections]
    version.format = parsed.format
    version.page_count = parsed.page_count
    version.findings = {
        "hidden": dict(parsed.hidden),
        "unread": [list(each) for each in parsed.unread],
        "repeated": parsed.repeated,
        "textless": list(parsed.textless),
    }
    version.language = read.language


def save(version: Version, read: Read | None) -> dict[str, Any]:
    """Store the text, its sections and what the file says of itself."""
    if read is None:
        return {"kept": True}
    fill(version, read)
    _entitle(version.document, read.parsed.title)
    return {"characters": len(read.parsed.text), "pages": read.parsed.page_count}


def _entitle(document: Document, title: str) -> None:
    """Take the file's own title for a new document, unless a person gave it one."""
    if title and document.current_version_id is None and document.title == title_from(document.path):
        document.title = title[:MAX_TITLE]
        document.save(update_fields=["title"])


STAGE = Stage(
    VersionState.PARSED,
    read,
    save,
    writes=("text", "sections", "format", "page_count", "findings", "language"),
    waits=fill,
)
