"""Where words stand on the pages of a version that were read by text recognition, remembered for a while.

Recognising a page takes seconds, and whoever looks at a citation looks again. What is kept are numbers and no word.
"""

import logging
from pathlib import Path

from django.core.cache import cache

from documents import sandbox
from documents.models import Version
from documents.parse import ParseFailed
from documents.parse.places import Place

logger = logging.getLogger(__name__)

KEPT_SECONDS = 24 * 3600


def places_on(version: Version, path: Path, number: int, text: str) -> list[Place]:
    """The places of the words of `text`, which is the stored text of this page; none where they are not known."""
    key = f"scan:{version.pk}:{number}"
    known: list[Place] | None = cache.get(key)
    if known is None:
        known = _recognised(version, path, number, text)
        cache.set(key, known, KEPT_SECONDS)
    return known


def _recognised(version: Version, path: Path, number: int, text: str) -> list[Place]:
    try:
        return sandbox.word_places(path, page=number, name=f"scan.{version.format}", page_text=text)
    except ParseFailed as error:
        logger.info("Words on page %s of version %s have no place: %s.", number, version.pk, error.code)
        return []
