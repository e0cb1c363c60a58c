"""Each workspace's keyword replica on this host, brought up to the database before it is asked."""

import os
import shutil
from collections.abc import Collection, Iterator, Sequence
from functools import lru_cache
from pathlib import Path
from uuid import UUID

from django.conf import settings

from documents.analysis import words
from documents.embedding.framing import framed
from documents.keywords import Entry, Replica, ReplicaDamaged, Word
from documents.models import Document, Passage
from workspaces.models import Workspace


def replica_of(workspace_id: UUID) -> Replica:
    """The workspace's replica, holding the passages of its current versions as of now."""
    replica = _replica(_directory(workspace_id))
    # The revision is read before the versions: a change in between is caught up with by the next search.
    revision = Workspace.objects.values_list("index_revision", flat=True).get(pk=workspace_id)
    if replica.revision != revision:
        replica.sync(revision, current_versions(workspace_id), _entries)
    return replica


def matching(
    workspace_id: UUID, asked: Sequence[Word], n: int, *, versions: Collection[str] | None = None
) -> list[tuple[str, float]]:
    """The `n` passages of the workspace that match best by keywords; see `Replica.search`."""
    try:
        return replica_of(workspace_id).search(asked, n, versions=versions)
    except ReplicaDamaged:
        # Damage is noticed once and leaves nothing behind: this time the replica is built anew.
        return replica_of(workspace_id).search(asked, n, versions=versions)


def weights(workspace_id: UUID, asked: Sequence[Word]) -> list[float]:
    """How rare each word is in the workspace; see `Replica.weights`. As of the last search: nobody is shown it."""
    replica = _replica(_directory(workspace_id))
    if replica.revision is None:
        replica = replica_of(workspace_id)
    return replica.weights(asked)


def purge(workspace_id: UUID) -> None:
    """Write the replica on this host anew, if there is one, so that no word of a deleted document stays on the disk."""
    replica = _replica(_directory(workspace_id))
    if replica.revision is not None:
        revision = Workspace.objects.values_list("index_revision", flat=True).get(pk=workspace_id)
        replica.rebuild(revision, current_versions(workspace_id), _entries)


def discard(workspace_id: UUID) -> None:
    """Remove the replica on this host, with every word it ever held; the next search builds it anew."""
    shutil.rmtree(_directory(workspace_id), ignore_errors=True)


def current_versions(workspace_id: UUID) -> set[str]:
    """Ids of the versions that answer questions in the workspace, whoever asks."""
    current = Document.objects.filter(
        workspace=workspace_id, deleted_at=None, current_version__isnull=False
    ).values_list("current_version", flat=True)
    return {str(id) for id in current}


def _directory(workspace_id: UUID) -> Path:
    return Path(settings.VAR) / "keywords" / str(workspace_id)


def _entries(versions: set[str]) -> Iterator[Entry]:
    rows = Passage.objects.filter(version__in=versions).values_list(
        "id", "version_id", "text", "locator", "language",
        "version__language", "version__document__title", "version__document__path",
    )  # fmt: skip
    for id, version, text, locator, language, of_version, title, path in rows.iterator(chunk_size=2000):
        yield str(id), str(version), words(framed(title, path, locator, text), language or of_version or None)


@lru_cache(maxsize=64)
def _replica(directory: Path) -> Replica:
    return Replica(directory)


os.register_at_fork(after_in_child=_replica.cache_clear)
