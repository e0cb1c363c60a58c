"""embedded → indexed: the vectors are in the index, because the index says so."""

from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext

from documents.embedding import spaces
from documents.index import IndexUnavailable
from documents.indexing import writing as indexing
from documents.ingestion.leases import Lease
from documents.models import Version
from documents.stages import Stage
from documents.stages.embedded import embed
from documents.states import VersionState
from workspaces.killpoints import killpoint


@dataclass(frozen=True, slots=True)
class Stored:
    """What the index confirmed, and the fingerprint of the space it holds that in."""

    vectors: int
    space: str


def store(version: Version, lease: Lease) -> Stored:
    """Bring every vector to the index. Raises IndexUnavailable, LeaseLost and StageFailed."""
    space = spaces.space_of(version.document.workspace_id)
    # The workspace may have moved to another space since the vectors were made.
    embed(version, lease, space)
    # On disk before the first vector leaves: whatever happens next, it is known where to clean up.
    lease.renew(seconds=indexing.HELD_SECONDS, in_index=True)
    confirmed = indexing.store(version, version.document.workspace_id, lease, space)
    killpoint("upserted")
    if confirmed != version.passage_count:
        raise IndexUnavailable(
            gettext("The index confirmed %(confirmed)d of %(count)d passages.")
            % {"confirmed": confirmed, "count": version.passage_count}
        )
    return Stored(confirmed, space.fingerprint)


def nothing(version: Version, stored: Stored) -> None:
    """The switch asks the database."""


def save(version: Version, stored: Stored) -> dict[str, Any]:
    """Note what the index confirmed."""
    return {"vectors": stored.vectors, "space": stored.space}


STAGE = Stage(VersionState.INDEXED, store, save, waits=nothing, lasting=False)
