"""What the keeper needs to know about one kind of engine."""

import os
import signal
import subprocess
import sys
import time
from abc import ABC, abstractmethod
from pathlib import Path

from inlock.engines.isolation import Identity, own_identity

KILL_AFTER = 10.0  # seconds between a polite signal and the next


class Recipe(ABC):
    """How one engine is prepared, started, asked whether it answers, and stopped."""

    name: str  # permanent: names files under var/
    title: str  # as a person reads it
    stop_signals: tuple[signal.Signals, ...] = (signal.SIGTERM, signal.SIGKILL)
    #: Whether all it keeps is kept elsewhere as well, so that it may begin with nothing.
    is_disposable = False
    #: Seconds after which what was not answered counts as never answered, on a machine that has other work as well.
    patience = 20.0

    def __init__(self, var: Path, *, durable: bool = True) -> None:
        self.var = var
        self.durable = durable
        self.identity: Identity = own_identity()

    @property
    def log(self) -> Path:
        return self.var / "log" / f"{self.name}.log"

    @property
    @abstractmethod
    def data(self) -> Path:
        """The directory whose size is the engine's size on disk."""

    @abstractmethod
    def prepare(self) -> None:
        """Make what the engine needs and clear what an unclean end left behind. Raises EngineFailed."""

    @abstractmethod
    def command(self) -> list[str]:
        """The program to run in the foreground."""

    @abstractmethod
    def answers(self) -> bool:
        """Whether the engine accepts work now."""

    @abstractmethod
    def marks(self) -> tuple[str, ...]:
        """Strings of which one stands on the command line of this engine and of no other program's."""

    def hindrance(self) -> str:
        """What keeps it from running now beside its own content; empty where nothing is known."""
        return ""

    def hangs(self, on: str) -> bool:
        """Whether what a user complained about is not answered within `longest_answer` either. Blocks meanwhile."""
        return False

    def longest_answer(self) -> float:
        """Seconds after which the engine counts as one that hangs."""
        return self.patience

    def environment(self) -> dict[str, str]:
        """A small environment: what the user exported for other servers must not configure ours."""
        kept = {key: os.environ[key] for key in ("PATH", "TMPDIR") if key in os.environ}
        return kept | {"HOME": str(self.data), "LC_ALL": "C", "TZ": "UTC"}

    def is_ours(self, pid: int) -> bool:
        """Whether a process with this id is this engine, and not a stranger who got the number later."""
        line = command_line(pid)
        return any(mark in line for mark in self.marks())

    def end_leftover(self, pid: int) -> None:
        """Stop an engine that outlived its keeper."""
        for sign in self.stop_signals:
            if not self.is_ours(pid):
                return
            os.kill(pid, sign)
            deadline = time.monotonic() + KILL_AFTER
            while time.monotonic() < deadline and self.is_ours(pid):
                time.sleep(0.05)


def command_line(pid: int) -> str:
    """The command line of a living process; empty when there is none (a zombie has none either)."""
    if sys.platform == "linux":
        try:
            return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            return ""
    return subprocess.run(
        ["ps", "-ww", "-o", "command=", "-p", str(pid)], capture_output=True, text=True, check=False
    ).stdout


def last_words(log: Path, lines: int = 3) -> str:
    """The end of a log, for an error message."""
    try:
        with log.open("rb") as file:
            file.seek(max(0, log.stat().st_size - 4000))
            tail = file.read().decode(errors="replace").splitlines()
    except OSError:
        return ""
    return " / ".join(line.strip() for line in tail[-lines:] if line.strip())
