"""What a listing means against what is known: pure arithmetic, without a database or a network."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import PurePosixPath

from documents.sources.connector import Entry

#: `*` reaches over slashes too: `*.pdf` means all of them, `drafts/*` all below.
Globs = Sequence[str]


@dataclass(frozen=True, slots=True)
class Known:
    """An item of earlier runs: the state its document holds, and whether that document still lives."""

    tag: str
    lives: bool


@dataclass(slots=True)
class Plan:
    """What a sync would do."""

    add: list[Entry] = field(default_factory=list)
    change: list[Entry] = field(default_factory=list)
    #: Keys of items whose document would be deleted.
    remove: list[str] = field(default_factory=list)
    #: Keys of items that are gone on both sides.
    forget: list[str] = field(default_factory=list)
    unchanged: int = 0
    #: Deleted here by a person while the source still has them: they stay deleted.
    left_out: int = 0
    skipped: int = 0
    twice: list[Entry] = field(default_factory=list)
    #: Documents of the source that live now.
    living: int = 0

    def exceeds(self, percent: int, lately: int = 0) -> bool:
        """Whether so much would be removed that a person has to confirm it; `lately` were removed already."""
        gone = len(self.remove) + lately
        return bool(self.remove) and gone * 100 > percent * (self.living + lately)


def is_wanted(path: str, *, endings: frozenset[str], include: Globs, exclude: Globs) -> bool:
    """Whether the thing at `path` can be read here and the globs let it in. Case counts in none of them."""
    if PurePosixPath(path).suffix.lower().removeprefix(".") not in endings:
        return False
    lower = path.lower()
    if include and not any(fnmatchcase(lower, glob.lower()) for glob in include):
        return False
    return not any(fnmatchcase(lower, glob.lower()) for glob in exclude)


def make_plan(
    entries: Iterable[Entry],
    known: Mapping[str, Known],
    *,
    complete: bool,
    endings: frozenset[str],
    include: Globs = (),
    exclude: Globs = (),
) -> Plan:
    """Compare a listing with the items by key.

    What is known and not listed is removed only when the listing is `complete`. What a glob shuts out later counts as
    gone; its document goes too.
    """
    plan = Plan(living=sum(item.lives for item in known.values()))
    seen: set[str] = set()
    paths: set[str] = set()
    for entry in entries:
        if not is_wanted(entry.path, endings=endings, include=include, exclude=exclude):
            plan.skipped += 1
            continue
        if entry.key in seen:
            continue
        seen.add(entry.key)
        if entry.path in paths:
            plan.twice.append(entry)
            continue
        paths.add(entry.path)
        _sort_in(plan, entry, known.get(entry.key))
    if complete:
        for key, item in known.items():
            if key not in seen:
                (plan.remove if item.lives else plan.forget).append(key)
    return plan


def _sort_in(plan: Plan, entry: Entry, item: Known | None) -> None:
    if item is None:
        plan.add.append(entry)
    elif not item.lives:
        plan.left_out += 1
    elif entry.tag and entry.tag == item.tag:
        plan.unchanged += 1
    else:
        plan.change.append(entry)
