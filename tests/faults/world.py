"""A world: a workspace of the rig in which one story happens."""

from typing import Any

from tests.faults.rig import Rig
from tests.faults.stories import QUESTION, Act

SWEEPS = 3


class World:
    """Workspace `slug`, told as `story` up to the act that is disturbed: `act`, with what it is `given`."""

    def __init__(self, rig: Rig, story: str) -> None:
        rig.worlds += 1
        self.rig, self.slug = rig, f"{story}-{rig.worlds}"
        folder = rig.var / "berths" / self.slug
        folder.mkdir(parents=True)
        act: Act = self.do("begin", story=story, slug=self.slug, folder=str(folder))
        self.act, self.given = act
        self.before = len(rig.paid())

    def do(self, act: str, **given: Any) -> Any:
        return self.rig.do(act, **given)

    def settle(self) -> None:
        """Whatever was left is found and finished within three sweeps."""
        for _sweep in range(SWEEPS):
            self.rig.age_leases()
            swept = self.rig.begin("sweep", slug=self.slug).wait()
            if swept.value == 0:
                return
        raise AssertionError(f"three sweeps left something: {swept}")

    def seen(self) -> dict[str, Any]:
        """All of the world. How often evidence was sent or an index made anew depends on who died, and their entries
        are there to say so.
        """
        found: dict[str, Any] = self.do("look", slug=self.slug, query=QUESTION)
        for repeated in {"answer.evidence_sent", "index.rebuilt"} & found["events"].keys():
            found["events"][repeated] = 1
        return found

    def paid(self) -> list[str]:
        """The texts that were embedded since the act began, as hashes."""
        return self.rig.paid()[self.before :]
