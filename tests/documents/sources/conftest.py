"""A folder that is open to the workspace, a source over it, and a way to run it here and now."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.documents.sources.servers import LOOPBACK


@pytest.fixture
def root(tmp_path: Path, settings: Any) -> Path:
    """A folder with two files that the operator opened."""
    folder = tmp_path / "handbook"
    (folder / "leave").mkdir(parents=True)
    (folder / "travel.md").write_text("# Travel\n\nTrains before planes.\n", encoding="utf-8")
    (folder / "leave" / "parental.txt").write_text("Sixteen weeks for each parent.\n", encoding="utf-8")
    settings.SOURCE_FOLDERS = [str(folder)]
    settings.SOURCE_HOSTS = LOOPBACK
    return folder


@pytest.fixture
def make_source(policies: Any, manager: Any) -> Callable[..., Any]:
    """make_source("folder", {"folder": "/srv"}, include=["*.md"]) → a source of `policies`, owned by `manager`."""
    from documents.sources.keeping import Wish, create_source

    def make(kind: str, options: dict[str, Any], *, name: str = "Handbook", **wish: Any) -> Any:
        return create_source(policies, kind, Wish(name=name, options=options, **wish), by=manager)

    return make


@pytest.fixture
def handbook(make_source: Callable[..., Any], root: Path) -> Any:
    return make_source("folder", {"folder": str(root)})


@pytest.fixture
def run(manager: Any) -> Callable[..., Any]:
    """run(source, kind="sync") → the run as it ended."""
    from documents.sources import sync
    from documents.sources.keeping import ask_run

    def look(source: Any, kind: str = "sync", **options: Any) -> Any:
        asked = ask_run(source, kind, by=options.pop("by", manager), **options)
        sync.work(asked.pk)
        asked.refresh_from_db()
        return asked

    return look
