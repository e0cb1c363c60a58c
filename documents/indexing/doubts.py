"""Have an index looked at at once whose answer to a search does not agree with the database.

Nothing is lost where the bell is: the next search that disagrees rings again, and every index is looked at now and
then without one.
"""

import logging
import time
from uuid import UUID

from documents.tasks import check_doubted_index_task
from workspaces.dispatch import dispatch

logger = logging.getLogger(__name__)

#: One process rings for a workspace no oftener than this.
_RUNG_SECONDS = 30.0
_rung: dict[UUID, float] = {}


def ring(workspace_id: UUID) -> None:
    """Have the index of a workspace compared with the database, vector by vector, and made anew if it is damaged."""
    now = time.monotonic()
    if now - _rung.get(workspace_id, -_RUNG_SECONDS) < _RUNG_SECONDS:
        return
    _rung[workspace_id] = now
    logger.warning("workspace %s: what its vector index answered does not agree with the database", workspace_id)
    dispatch(check_doubted_index_task, workspace_id)
