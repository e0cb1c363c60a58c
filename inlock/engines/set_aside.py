"""Set the files of an engine aside that keep ending it, so that it begins with empty ones.

Only for an engine whose content others keep as well. What was set aside stays beside the new files, under a name with
the time, until the operator deletes it.
"""

import re
import signal
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from inlock.engines.notes import read_json, write_json
from inlock.engines.recipe import Recipe

#: So many ends of an engine by its own fault, each within so many seconds of the last, are looked into.
ENDS = 3
WITHIN = 3600.0
#: Files that are this new are not what ends it: something else does.
NOT_AGAIN_WITHIN = timedelta(days=1)

#: How a program ends that what it read has led astray. Other signals come from outside: from a person, or from a
#: system that is out of memory.
_FAULTS = {-signal.SIGSEGV, -signal.SIGABRT, -signal.SIGBUS, -signal.SIGILL, -signal.SIGFPE}
_STAMP = "%Y%m%dT%H%M%SZ"
_NAME = re.compile(r"(?P<engine>[a-z]+)-set-aside-(?P<at>\d{8}T\d{6}Z)")
_NOTE = "set-aside.json"


@dataclass(frozen=True)
class SetAside:
    """Files that were set aside: of which engine, where they lie, since when, and the sentence that says why."""

    engine: str
    directory: Path
    at: datetime
    why: str


def is_own_fault(code: int | None) -> bool:
    """Whether an engine that ended with this code did so by itself. None is one that runs."""
    return code is not None and (code > 0 or code in _FAULTS)


def set_aside(recipe: Recipe, why: str) -> SetAside:
    """Move the files of an engine away that does not run. Raises OSError."""
    at = datetime.now(UTC).replace(microsecond=0)
    made = SetAside(recipe.name, recipe.data.with_name(f"{recipe.name}-set-aside-{at.strftime(_STAMP)}"), at, why)
    write_json(recipe.data / _NOTE, {"why": why})
    recipe.data.rename(made.directory)
    return made


def all_set_aside(var: Path) -> list[SetAside]:
    """What lies aside under this var directory, the oldest first."""
    names = ((path, _NAME.fullmatch(path.name)) for path in var.glob("*-set-aside-*"))
    found = [
        SetAside(
            name["engine"],
            path,
            datetime.strptime(name["at"], _STAMP).replace(tzinfo=UTC),
            str(read_json(path / _NOTE).get("why", "")),
        )
        for path, name in names
        if name
    ]
    return sorted(found, key=lambda each: each.at)


def lately(recipe: Recipe) -> SetAside | None:
    """What was set aside of this engine so short a time ago that its files of now are not to be blamed."""
    since = datetime.now(UTC) - NOT_AGAIN_WITHIN
    own = [each for each in all_set_aside(recipe.var) if each.engine == recipe.name and each.at > since]
    return own[-1] if own else None
