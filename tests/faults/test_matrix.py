"""The kill matrix: at each point of each story one thing is killed, and afterwards the world is as if nothing had been.

Three sweeps are all the help there is; a person whose act failed does it again.
"""

import signal
from collections.abc import Callable
from dataclasses import dataclass

import pytest

from tests.faults.actor import BATCH
from tests.faults.rig import Child, Rig
from tests.faults.stories import STORIES, Story
from tests.faults.world import World

pytestmark = [pytest.mark.xdist_group("rig"), pytest.mark.timeout(400)]


Victim = Callable[[Rig, Child, World], None]


def _restarted(engine: str, sign: signal.Signals = signal.SIGKILL) -> Victim:
    """The engine is killed and back before the act goes on."""

    def happens(rig: Rig, child: Child, world: World) -> None:
        rig.restart(engine, sign)
        child.go_on().wait()

    return happens


def _down(engine: str) -> Victim:
    """The engine is killed and away until the act has ended, however that is."""

    def happens(rig: Rig, child: Child, world: World) -> None:
        with rig.down(engine):
            child.go_on().wait()

    return happens


def _killed(rig: Rig, child: Child, world: World) -> None:
    """The process that does the act."""
    assert child.kill().signal == signal.SIGKILL


def _emptied(rig: Rig, child: Child, world: World) -> None:
    """Everything in Valkey is gone; nobody notices at first."""
    rig.empty_valkey()
    child.go_on().wait()


def _taken_over(rig: Rig, child: Child, world: World) -> None:
    """The act stands still so long that others do it to the end; then it goes on as if it were its own."""
    world.settle()
    child.go_on().wait()


VICTIMS: dict[str, Victim] = {
    "process": _killed,
    "chroma-down": _down("chroma"),
    "chroma-restarted": _restarted("chroma"),
    "valkey-down": _down("valkey"),
    "valkey-emptied": _emptied,
    "postgresql-down": _down("postgresql"),
    "postgresql-killed": _restarted("postgresql"),
    "postgresql-fast": _restarted("postgresql", signal.SIGINT),
    "postgresql-immediate": _restarted("postgresql", signal.SIGQUIT),
    "taken-over": _taken_over,
}


@dataclass(frozen=True, repr=False)
class Cell:
    """One field of the matrix."""

    story: Story
    point: str
    victim: str

    def __repr__(self) -> str:
        return f"{self.story.name}-{self.point}-{self.victim}"


CELLS = [
    Cell(story, point, victim)
    for story in STORIES
    for point in story.points
    for victim in VICTIMS
    if victim != "taken-over" or not (story.by_a_person or point in story.locked)
]


@pytest.mark.parametrize("cell", CELLS, ids=str)
def test_whatever_is_killed_the_world_ends_as_if_it_had_not_been(cell, rig, undisturbed):
    expected = undisturbed(cell.story)
    world = World(rig, cell.story.name)

    child = rig.begin(world.act, at=cell.point, **world.given)
    assert child.wait().held, "the act does not pass this point"
    VICTIMS[cell.victim](rig, child, world)
    if cell.story.by_a_person:
        rig.begin(world.act, **world.given).wait()
    world.settle()

    assert world.seen() == expected.seen
    assert sorted(set(world.paid())) == expected.texts
    assert len(world.paid()) <= expected.paid + allowance(cell)


def allowance(cell: Cell) -> int:
    """How many vectors may be made twice: the batch that was made and not kept, and none otherwise."""
    if cell.victim == "process" and not cell.point.startswith(("after_embedding", "before_embedded")):
        return 0
    return BATCH
