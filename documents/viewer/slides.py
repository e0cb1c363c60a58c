"""Slides to look at: LibreOffice writes a presentation once as a PDF, which is kept beside the original.

Only for the eye: text, passages and citations come from the file itself. The pages are made when somebody first opens
the presentation; where there is no LibreOffice, the viewer shows the text of each slide alone.
"""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import UUID

from django.core.cache import cache
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import transaction

from documents import sandbox
from documents.ingestion.originals import local_path, stored_path
from documents.models import HEAVY, Document, Version, original_path
from documents.parse import ParseFailed
from documents.states import VersionState

logger = logging.getLogger(__name__)

FORMATS = frozenset({"ppt", "pptx"})
#: Seconds for which a presentation that cannot be drawn is let be, and for which one counts as in work.
LET_BE = 24 * 3600
IN_WORK = 300


def name_of(version: Version) -> str:
    """Where the pages of a version are kept, if they were made."""
    return f"{original_path(version, '')}.pdf"


def are_drawn(version: Version) -> bool:
    """Whether there are pages to look at."""
    return version.format in FORMATS and default_storage.exists(name_of(version))


def claim(version: Version) -> bool:
    """Whether the caller should have the pages made: they are neither there nor in work, nor known not to come."""
    return version.format in FORMATS and not are_drawn(version) and cache.add(_key(version.pk), "claimed", IN_WORK)


def are_coming(version: Version) -> bool:
    """Whether somebody is having the pages made."""
    return version.format in FORMATS and cache.get(_key(version.pk)) == "claimed"


def draw(version_id: UUID | str) -> bool:
    """Make the pages of a presentation; whether they are there now. A failure is remembered for a day."""
    version = Version.objects.defer(*HEAVY).filter(pk=version_id, format__in=FORMATS).first()
    if version is None or not version.file:
        return False
    if are_drawn(version):
        return True
    try:
        with local_path(version) as path:
            content = sandbox.as_pages(path, name=f"slides.{version.format}")
        _require_pages(content, version.page_count)
    except ParseFailed as error:
        logger.warning("The slides of version %s cannot be drawn: %s.", version.pk, error.code)
        cache.set(_key(version.pk), "failed", LET_BE)
        return False
    return _keep(version, content)


@contextmanager
def drawn_pages(version: Version) -> Iterator[Path]:
    """The pages as a file on this machine. Raises FileNotFoundError when there are none."""
    with stored_path(default_storage.open(name_of(version), "rb")) as path:
        yield path


def _require_pages(content: bytes, count: int) -> None:
    """A page for each slide, or else none could be told by its number. Raises ParseFailed."""
    with stored_path(ContentFile(content)) as path:
        parsed = sandbox.parse(path, name="slides.pdf")
    if parsed.page_count != count:
        raise ParseFailed("damaged", detail="pages")


@transaction.atomic
def _keep(version: Version, content: bytes) -> bool:
    """Store the pages, unless the version is gone: whoever deletes it waits for this lock, and then finds the file."""
    Document.objects.select_for_update(no_key=True).get(pk=version.document_id)
    standing = Version.objects.filter(pk=version.pk, document__deleted_at=None).exclude(state=VersionState.DELETED)
    if not standing.exists():
        return False
    if not are_drawn(version):
        default_storage.save(name_of(version), ContentFile(content))
    cache.delete(_key(version.pk))
    return True


def _key(version_id: UUID) -> str:
    return f"slides:{version_id}"
