"""parsed → split: passages with their exact place in the text, under ids that stand for this content alone."""

import uuid
from collections.abc import Iterator, Sequence
from typing import Any

from documents import analysis
from documents.indexing import writing as indexing
from documents.ingestion.leases import Lease
from documents.models import Passage, Version
from documents.parse import Section
from documents.passages import Piece, split
from documents.stages import Stage
from documents.states import VersionState

BATCH = 1000
#: Any UUID, never changed: passage ids are names in it.
_NAMES = uuid.UUID("5b0d6f3a-9c1e-4a51-8f5e-0d6b1a7c2e94")


def passage_id(version_id: uuid.UUID, position: int, text: str) -> uuid.UUID:
    """The id of a passage: a hash of version, position and text."""
    return uuid.uuid5(_NAMES, f"{version_id}/{position}/{text}")


def cut(version: Version, lease: Lease) -> list[Piece]:
    """Cut the stored text. Vectors of an earlier cut leave the index first, while their ids are still known."""
    if version.in_index:
        # A worker that was taken over would empty the index of a version that is ready by now.
        lease.renew()
        indexing.remove([version.pk], version.document.workspace_id)
    sections = [Section(**section | {"heading": tuple(section["heading"])}) for section in version.sections]
    return split(version.text, sections)


def save(version: Version, pieces: list[Piece]) -> dict[str, Any]:
    """Put the passages in the place of any there were."""
    if version.passage_count:
        version.passages.all().delete()
    Passage.objects.bulk_create(rows_of(version, pieces), batch_size=BATCH)
    version.passage_count = len(pieces)
    version.done = 0
    version.in_index = False
    return {"passages": len(pieces)}


def rows_of(version: Version, pieces: Sequence[Piece]) -> Iterator[Passage]:
    """The version's passages, to be stored."""
    workspace_id = version.document.workspace_id
    for piece in pieces:
        yield Passage(
            id=passage_id(version.pk, piece.position, piece.text),
            workspace_id=workspace_id,
            version_id=version.pk,
            position=piece.position,
            text=piece.text,
            start=piece.start,
            end=piece.end,
            page=piece.page,
            locator=piece.locator,
            language=_language(piece, version, alone=len(pieces) == 1),
        )


def _language(piece: Piece, version: Version, *, alone: bool) -> str:
    """The passage's own, where it tells; a file that is one passage was looked at as a whole already."""
    if alone and piece.text == version.text:
        return version.language
    return analysis.detect_language(piece.text) or version.language


STAGE = Stage(VersionState.SPLIT, cut, save, writes=("passage_count", "done", "in_index"))
