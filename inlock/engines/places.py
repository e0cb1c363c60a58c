"""Which engines are ours to run, and the files through which their users and keepers meet."""

import fcntl
import os
import time
from dataclasses import dataclass
from pathlib import Path

from inlock.engines.chroma import Chroma
from inlock.engines.notes import read_json
from inlock.engines.postgresql import PostgreSQL
from inlock.engines.recipe import Recipe
from inlock.engines.valkey import Valkey
from inlock.env import Env

RECIPES: dict[str, type[Recipe]] = {recipe.name: recipe for recipe in (PostgreSQL, Valkey, Chroma)}
URL_OF = {"postgresql": "DATABASE_URL", "valkey": "REDIS_URL", "chroma": "CHROMA_URL"}

POLL = 0.02


@dataclass(frozen=True)
class Place:
    """The meeting point of one engine under one var directory.

    `users` is locked shared by everyone who needs the engine, and exclusively
    while it is being stopped. `keeper` is locked by the engine's keeper for
    its whole life. The kernel drops both when a process dies, so no crash
    leaves a count wrong.
    """

    var: Path
    name: str

    @property
    def users(self) -> Path:
        return self.var / "engines" / f"{self.name}.users"

    @property
    def keeper(self) -> Path:
        return self.var / "engines" / f"{self.name}.keeper"

    @property
    def notes(self) -> Path:
        """What the keeper last said: state, pid, since, restarts, fault."""
        return self.var / "engines" / f"{self.name}.json"

    @property
    def complaint(self) -> Path:
        """Where a user says what the engine did not answer in time, for the keeper to look into."""
        return self.var / "engines" / f"{self.name}.complaint"

    def make(self) -> None:
        for directory in (self.users.parent, self.var / "log"):
            directory.mkdir(parents=True, exist_ok=True)

    def has_keeper(self) -> bool:
        if not self.keeper.exists():
            return False
        lock = os.open(self.keeper, os.O_RDWR)
        try:
            return not try_lock(lock, fcntl.LOCK_EX)
        finally:
            os.close(lock)

    def last_said(self) -> dict[str, object]:
        return read_json(self.notes)

    def take_complaint(self) -> str | None:
        """What a user complained about last, once; None where nobody did."""
        try:
            said = self.complaint.read_text(encoding="utf-8")
            self.complaint.unlink()
        except FileNotFoundError:
            return None
        return said


def embedded() -> list[str]:
    """The engines without a URL in the environment, in the order they start."""
    env = Env()
    return [name for name in RECIPES if not env.str(URL_OF[name])]


def open_lock(path: Path) -> int:
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)


def try_lock(lock: int, kind: int) -> bool:
    """Take a lock if it is free. When it is not, one already held through this handle is gone too."""
    try:
        fcntl.flock(lock, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def wait_for_lock(lock: int, kind: int, seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while not try_lock(lock, kind):
        if time.monotonic() > deadline:
            return False
        time.sleep(POLL)
    return True
