"""embedded → indexed: the vectors are in the index, because the index says so."""

from typing import Any

from django.utils.translation import gettext

from documents import indexing
from documents.index import IndexUnavailable
from documents.leases import Lease
from documents.models import Version
from documents.stages import Stage
from documents.states import VersionState
from workspaces.killpoints import killpoint


def store(version: Version, lease: Lease) -> int:
    """Bring every vector to the index; how many it confirmed. Raises IndexUnavailable and LeaseLost."""
    # On disk before the first vector leaves: whatever happens next, it is known where to clean up.
    lease.renew(in_index=True)
    confirmed = indexing.store(version, version.document.workspace_id, lease)
    killpoint("upserted")
    if confirmed != version.passage_count:
        raise IndexUnavailable(
            gettext("The index confirmed %(confirmed)d of %(count)d passages.")
            % {"confirmed": confirmed, "count": version.passage_count}
        )
    return confirmed


def save(version: Version, confirmed: int) -> dict[str, Any]:
    """Note what the index confirmed."""
    return {"vectors": confirmed}


STAGE = Stage(VersionState.INDEXED, store, save, lasting=False)
