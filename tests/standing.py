"""The handbook, ingested once per worker, for tests that do not ask how it came in.

Its rows stand in a database of their own, whose cast and workspaces have ids of their own, so that the vector index
and the keyword replica of `policies` there can stand as well. What a test adds to these is taken out after it.
"""

import shutil
from contextlib import suppress
from pathlib import Path
from uuid import UUID

import numpy as np


class Standing:
    """What one workspace has outside the database, and how to make it so again."""

    def __init__(self, workspace: UUID, place: Path) -> None:
        """As it is now; `place` has its originals in `files` and room for more."""
        from documents import index
        from documents.embedding.spaces import space_of
        from documents.indexing import replicas

        self.workspace = workspace
        self._files, self._copy = place / "files", place / "keywords"
        self._replica = replicas._directory(workspace)
        replicas.replica_of(workspace)
        shutil.copytree(self._replica, self._copy)
        self._replica_stood = self._state_of_replica()
        self._space = space_of(workspace)
        held = index.vectors(workspace, self._space, sorted(index.ids(workspace, self._space)))
        self._ids, self._vectors = list(held), np.array(list(held.values()))

    def lend_files(self, media_root: Path) -> None:
        """Put the originals where this test looks for them."""
        shutil.copytree(self._files, media_root, dirs_exist_ok=True)

    def put_back(self, written: set[str]) -> None:
        """Undo what a test did to the index, if it is among the `written`, and to the replica."""
        if self._state_of_replica() != self._replica_stood:
            shutil.rmtree(self._replica, ignore_errors=True)
            shutil.copytree(self._copy, self._replica)
            self._replica_stood = self._state_of_replica()
        ours = [name for name in written if name.startswith(f"w-{self.workspace.hex}-")]
        for name in ours:
            drop_collection(name)
        if ours:
            from documents import index

            index.upsert(self.workspace, self._space, self._ids, self._vectors)

    def _state_of_replica(self) -> tuple[int, int] | None:
        """What tells that it was written, as its readers see it."""
        file = self._replica / "state.json"
        return (file.stat().st_ino, file.stat().st_mtime_ns) if file.exists() else None


def drop_collection(name: str) -> None:
    """Remove a collection from the server and from what this process remembers."""
    from chromadb.errors import NotFoundError

    from documents import index

    index._collections.pop(name, None)
    with suppress(NotFoundError):
        index._server(30).delete_collection(name)
