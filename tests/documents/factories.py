"""Documents for tests that are about something else than ingestion: rows as ingestion would leave them."""

import dataclasses
import hashlib
import tempfile
from pathlib import Path
from typing import Any

from django.core.files.base import ContentFile
from django.utils import timezone

from documents.models import Document, Passage, Version
from documents.parse import parse_file
from documents.passages import split
from documents.stages.split import passage_id
from documents.states import VersionState
from tests.documents import samples

LEAVE = "# Leave\n\nParental leave lasts 26 weeks.\n\nIt is paid in full.\n"


def document(
    workspace: Any, path: str = "leave.md", content: str | bytes = LEAVE, *, by: Any, **fields: Any
) -> Document:
    """A document whose first version is ready; `content` is what the file holds."""
    fields = {"title": Path(path).stem} | fields
    made = Document.objects.create(workspace=workspace, path=path, created_by=by, **fields)
    add_version(made, content, by=by)
    return made


def add_version(
    document: Document, content: str | bytes = LEAVE, *, by: Any, state: str = VersionState.READY, **fields: Any
) -> Version:
    """The next version; a ready one is parsed, split and made current, any other only received."""
    data = content.encode() if isinstance(content, str) else content
    name = Path(document.path).name
    number = document.versions.count() + 1
    version = Version(
        document=document,
        number=number,
        turn=number,
        sha256=hashlib.sha256(data).hexdigest(),
        size=len(data),
        filename=name,
        format=Path(name).suffix.lstrip("."),
        created_by=by,
        state=state,
        **fields,
    )
    version.file.save(name, ContentFile(data), save=False)
    if state != VersionState.READY:
        version.save(force_insert=True)
        return version
    document.versions.filter(state=VersionState.READY).update(state=VersionState.SUPERSEDED)
    _read(version, data)
    document.current_version = version
    document.save(update_fields=["current_version"])
    return version


def pdf(*pages: str) -> bytes:
    """A PDF with one line of text on each page."""
    with tempfile.TemporaryDirectory() as directory:
        return samples.pdf(Path(directory, "sample.pdf"), [[[line]] for line in pages]).read_bytes()


def range_of(version: Version, quote: str) -> dict[str, int]:
    """Where `quote` stands in the version's text, as a citation's address says it."""
    start = version.text.index(quote)
    return {"start": start, "end": start + len(quote)}


def _read(version: Version, data: bytes) -> None:
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory, f"file.{version.format}")
        path.write_bytes(data)
        parsed = parse_file(path, path.name)
    pieces = split(parsed.text, parsed.sections)
    version.text = parsed.text
    version.sections = [dataclasses.asdict(section) for section in parsed.sections]
    version.findings = {"hidden": dict(parsed.hidden), "unread": [list(each) for each in parsed.unread]}
    version.page_count, version.passage_count = parsed.page_count, len(pieces)
    version.ready_at = timezone.now()
    version.save(force_insert=True)
    Passage.objects.bulk_create(
        Passage(
            id=passage_id(version.pk, piece.position, piece.text),
            workspace_id=version.document.workspace_id,
            version=version,
            position=piece.position,
            text=piece.text,
            start=piece.start,
            end=piece.end,
            page=piece.page,
            locator=piece.locator,
        )
        for piece in pieces
    )
