"""Collections brought into workspaces as files, and searched by a member of theirs."""

import hashlib
import json
import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Place:
    """A workspace that holds a collection, and a member who may open all of it."""

    workspace: Any
    member: Any

    def search(self, query: str, k: int, mode: str = "hybrid") -> Any:
        """What the product finds for the member; see `documents.search.search`."""
        from documents.search import search

        return search(self.member, self.workspace, query, k, mode=mode)

    def documents(self, query: str, mode: str = "hybrid", *, k: int = 10, passages: int = 60) -> list[str]:
        """The first `k` documents, each by its best passage; they are named by their file, without its ending."""
        hits = self.search(query, passages, mode).hits
        return list(dict.fromkeys(hit.document.path.rpartition(".")[0] for hit in hits))[:k]


class Bench:
    """The data, and the places made of it: each is made once, and found again in an installation that was kept."""

    def __init__(self, data: Path, space: str = "") -> None:
        """`space` names the built-in model whose vectors are made and searched; "" is the default one."""
        self.data = data
        self._space = space

    def rows(self, file: str) -> list[dict[str, Any]]:
        """The rows of a file of JSON lines."""
        lines = (self.data / file).read_text(encoding="utf-8").splitlines()
        return [json.loads(line) for line in lines if line.strip()]

    def corpus(self, file: str) -> Place:
        """A place for the texts of a file of `{_id, title, text}`, each a text file that begins with its title."""
        texts = {f"{row['_id']}.txt": _written(row) for row in self.rows(file)}
        return self.place(file.replace("/", "-").partition(".")[0], texts)

    def place(self, name: str, texts: Mapping[str, str]) -> Place:
        """A place for texts by the name of their file."""
        with tempfile.TemporaryDirectory(prefix="inlock-bench-") as folder:
            for path, text in texts.items():
                (Path(folder) / path).write_text(text, encoding="utf-8")
            return self.folder(name, Path(folder))

    def folder(self, name: str, folder: Path) -> Place:
        """A place for the files of a folder."""
        from documents.embedding.spaces import row_of
        from documents.ingestion import intake
        from documents.models import WorkspaceSpace
        from workspaces.members import add_member, create_user, create_workspace
        from workspaces.models import User, Workspace

        files = intake.find([str(folder)])
        space = _space_called(self._space)
        slug = f"{name.replace('_', '-')}-{_digest(space, (found.file for found in files))}"
        member = User.objects.filter(username="member").first() or create_user(username="member", by=None)
        workspace = Workspace.objects.filter(slug=slug).first()
        if workspace is None:
            manager = User.objects.filter(username="manager").first() or create_user(username="manager", by=None)
            workspace = create_workspace(slug=slug, name=name, policy="open", manager=manager, by=None)
            add_member(workspace, member, "member", by=None)
            WorkspaceSpace.objects.create(workspace=workspace, space=row_of(space))
        held = set(workspace.documents.exclude(current_version=None).values_list("path", flat=True))
        missing = [found for found in files if found.path not in held]
        manager = User.objects.get(username="manager")
        failed = [row for row in intake.bring_in(workspace, missing, by=manager) if not row.is_ready]
        if failed:
            raise RuntimeError(f"{len(failed)} files of {name} did not become ready: {failed[0]}")
        return Place(workspace, member)


def _written(row: Mapping[str, Any]) -> str:
    return "\n\n".join(part for part in (row.get("title", "").strip(), row["text"].strip()) if part) or "(empty)"


def _space_called(name: str) -> Any:
    """The built-in space of this name, the default one for "". Raises StopIteration where there is none."""
    from documents.embeddings import built_in

    return next(space for space in built_in() if name in ("", space.name))


def _digest(space: Any, files: Iterable[Path]) -> str:
    """Of everything that decides what a collection becomes when it is brought in."""
    from documents.ingest import pipeline

    whole = hashlib.sha256(f"{pipeline()} {space.fingerprint}".encode())
    for file in files:
        whole.update(f"\0{file.name}\0".encode())
        whole.update(file.read_bytes())
    return whole.hexdigest()[:10]
