"""A rig for the kill matrix; and one serving portal with short leases, and a model outside of it that can wait."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.answers import chat_server
from tests.faults import choice
from tests.faults.rig import Rig
from tests.faults.scene import Rows, Visitor, prepare
from tests.faults.stories import STORIES, Story
from tests.faults.world import World
from tests.portal import Portal, within

HERE = Path(__file__).parent


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave those faults that this run tries."""
    if choice.all_of_them() or config.option.keyword or any("::" in argument for argument in config.args):
        return
    left = []
    for modules, few in choice.FEW.items():
        faults = [item for item in items if item.path.parent == HERE and item.path.name in modules]
        chosen = choice.some_of(faults, few, modules[0])
        left += [item for item in faults if item not in chosen]
    items[:] = [item for item in items if item not in left]
    config.hook.pytest_deselected(items=left)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Any:
    """Say with every failure how to try the same faults again."""
    report = yield
    if report.failed and not choice.all_of_them():
        report.sections.append(("What was chosen of all faults", f"INLOCK_FAULTS_SEED={choice.seed()} repeats it."))
    return report


@pytest.fixture(scope="session")
def model() -> Iterator[chat_server.ChatServer]:
    """A model server that outlives whatever is killed."""
    with chat_server.serve() as server:
        yield server


@pytest.fixture(scope="session")
def portal(tmp_path_factory: pytest.TempPathFactory, model: chat_server.ChatServer) -> Iterator[Portal]:
    """The serving portal; its workspace answers with the model called "pauses"."""
    # Longer than a batch takes on a machine that is very busy: a worker that is only slow would lose what it holds.
    portal = Portal(tmp_path_factory.mktemp("kills"), INLOCK_SWEEP_SECONDS="2", INLOCK_LEASE_SECONDS="20")
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
def model_waits(model: chat_server.ChatServer) -> chat_server.ChatServer:
    """The model stops after its first words until it is told to go on."""
    model.began.clear()
    model.go_on.clear()
    model.requests.clear()
    return model


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


# --- Worlds -------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Undisturbed:
    """What a story comes to, and the texts that were embedded for it."""

    seen: dict[str, Any]
    paid: int
    texts: list[str]


@pytest.fixture(scope="session")
def rig(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rig]:
    rig = Rig(tmp_path_factory.mktemp("rig"))
    try:
        rig.start()
        yield rig
    finally:
        rig.stop()


@pytest.fixture(scope="session")
def undisturbed(rig: Rig) -> Callable[[Story], Undisturbed]:
    """undisturbed(story) → what it comes to when nothing happens."""
    known: dict[str, Undisturbed] = {}

    def happen(story: Story) -> Undisturbed:
        if story.name not in known:
            world = World(rig, story.name)
            world.do(world.act, **world.given)
            world.settle()
            paid = world.paid()
            known[story.name] = Undisturbed(world.seen(), len(paid), sorted(set(paid)))
        return known[story.name]

    return happen


@pytest.fixture
def ingesting() -> Story:
    """The story of one document that comes in."""
    return next(story for story in STORIES if story.name == "ingest")
