"""One serving portal for all kills, with short leases, and a model outside of it that can be made to wait."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.answers import chat_server
from tests.faults.scene import Rows, Visitor, prepare
from tests.portal import Portal, within


@pytest.fixture(scope="session")
def model() -> Iterator[chat_server.ChatServer]:
    """A model server that outlives whatever is killed."""
    with chat_server.serve() as server:
        yield server


@pytest.fixture(scope="session")
def portal(tmp_path_factory: pytest.TempPathFactory, model: chat_server.ChatServer) -> Iterator[Portal]:
    """The serving portal; its workspace answers with the model called "pauses"."""
    portal = Portal(tmp_path_factory.mktemp("kills"), INLOCK_SWEEP_SECONDS="2", INLOCK_LEASE_SECONDS="8")
    try:
        portal.start()
        prepare(portal, model_url=model.url)
        yield portal
    finally:
        portal.stop()


@pytest.fixture(scope="session")
def rows(portal: Portal) -> Iterator[Rows]:
    """The portal's own database, read directly: a command would take longer than what is watched."""
    with Rows(portal) as rows:
        yield rows


@pytest.fixture
def visitor(portal: Portal) -> Iterator[Callable[[str], Visitor]]:
    """visitor("member") → that person's signed-in session over HTTP."""
    visitors: list[Visitor] = []

    def sign_in(username: str) -> Visitor:
        visitors.append(Visitor(portal, username))
        return visitors[-1]

    yield sign_in
    for each in visitors:
        each.close()


@pytest.fixture
def handbook(rows: Rows, visitor: Callable[[str], Visitor], tmp_path: Path) -> Any:
    """The id of the ready version that answers the question; brought in once."""
    from tests.answers import library

    found = rows.value("SELECT id FROM documents_version WHERE filename = 'handbook.md'")
    if found is None:
        file = tmp_path / "handbook.md"
        file.write_text(library.HANDBOOK)
        found = visitor("contributor").upload(file, rows)
    within(60, lambda: rows.version(found)["state"] == "ready")
    return found
