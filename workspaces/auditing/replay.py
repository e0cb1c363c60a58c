"""Who held which rights when, told again from the trail: each entry that gives or takes one, in its order.

Every app says with `tells` how its entries change rights, and with `has` what its tables hold now; where both do not
agree at the end, a right was changed past the trail.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

from audit.chain import PLATFORM
from audit.events import EventType
from audit.export import content_of
from audit.models import Event
from workspaces.models import Workspace


class Right(NamedTuple):
    """One right: `holder` and `what` are `person:<id>`, `group:<id>`, `document:<id>` … or a code of a role.

    `how` tells rights of the same holder apart: the identity provider that gave it, or the id of a rule.
    """

    kind: str
    holder: str
    what: str
    how: str = ""


class Told(NamedTuple):
    """What an entry says about rights."""

    type: str
    actor: str
    #: The id of the thing it is about.
    about: str
    details: dict[str, Any]
    is_platform: bool


class Held:
    """The rights that are held at one moment."""

    def __init__(self, rights: Iterable[Right] = ()) -> None:
        self.given: list[Right] = []
        self.taken: list[Right] = []
        self._found: dict[tuple[str, str, str], set[Right]] = defaultdict(set)
        self._of: dict[str, set[Right]] = defaultdict(set)
        self._all: set[Right] = set()
        for right in rights:
            self._put(right)

    def __iter__(self) -> Any:
        return iter(sorted(self._all))

    def give(self, kind: str, holder: str, what: str, how: str = "") -> None:
        """Add a right; nothing when it is there."""
        right = Right(kind, holder, what, how)
        if right not in self._all:
            self._put(right)
            self.given.append(right)

    def take(self, kind: str, **exact: str) -> None:
        """Take every right of this kind whose named parts are exactly these."""
        for right in self._matching(kind, exact):
            self._all.discard(right)
            self._of[right.holder].discard(right)
            for part in Right._fields[1:]:
                self._found[part, kind, getattr(right, part)].discard(right)
            self.taken.append(right)

    def of(self, holders: Iterable[str]) -> list[Right]:
        """Every right of these holders."""
        return sorted(right for holder in set(holders) for right in self._of[holder])

    def apply(self, event: Event) -> None:
        """What the entry changes; `given` and `taken` then say what that was."""
        self.given, self.taken = [], []
        details = content_of(event).get("details")
        is_platform = event.chain == PLATFORM
        if event.type in _TELLING and isinstance(details, dict):
            _TELLING[event.type](self, Told(event.type, event.actor_id, event.object_id, details, is_platform))

    def _put(self, right: Right) -> None:
        self._all.add(right)
        self._of[right.holder].add(right)
        for part in Right._fields[1:]:
            self._found[part, right.kind, getattr(right, part)].add(right)

    def _matching(self, kind: str, exact: dict[str, str]) -> list[Right]:
        fewest = min((self._found[part, kind, value] for part, value in exact.items()), key=len)
        return [right for right in fewest if all(getattr(right, part) == value for part, value in exact.items())]


Telling = Callable[[Held, Told], None]
Holding = Callable[[Workspace | None], Iterable[Right]]

_TELLING: dict[str, Telling] = {}
_HOLDING: list[Holding] = []


def tells(*types: EventType) -> Callable[[Telling], Telling]:
    """For a function that says what an entry of these types changes."""

    def register(change: Telling) -> Telling:
        for one in types:
            _TELLING[one.value] = change
        return change

    return register


def has(now: Holding) -> Holding:
    """For a function that lists the rights its tables hold in a workspace, or (None) in the installation."""
    _HOLDING.append(now)
    return now


def telling_types() -> frozenset[str]:
    """The codes of the entries that change a right."""
    return frozenset(_TELLING)


def held_now(workspace: Workspace | None) -> set[Right]:
    """The rights the database holds at this moment."""
    return {right for now in _HOLDING for right in now(workspace)}
