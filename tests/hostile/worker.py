"""A worker on the database, the broker and the files of one test, and what the process that does its work costs."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import connection

from inlock import engines
from inlock.celery import INGEST, SOURCES
from workspaces.dispatch import worker_is_up

ROOT = Path(__file__).resolve().parents[2]
QUEUES = (INGEST, SOURCES)
_STARTING_SECONDS = 60
#: It does not outlive a test run that is killed.
_BEGINNING = (
    "import os, signal; from inlock.engines.isolation import tie_to_parent; "
    "tie_to_parent(signal.SIGKILL, os.getppid()); from celery.bin.celery import main; main()"
)


class Worker:
    """One process of a pool, which takes files and sources, and the process that keeps it."""

    def __init__(self, process: "subprocess.Popen[bytes]") -> None:
        self._process = process

    def pool(self) -> list[int]:
        """The ids of the processes of its pool, which run the tasks."""
        kept = Path(f"/proc/{self._process.pid}/task/{self._process.pid}/children").read_text()
        return sorted(int(pid) for pid in kept.split())

    def begin_peak(self) -> dict[int, int]:
        """Forget how much memory the processes of its pool held before; what each of them holds now, in bytes."""
        for pid in self.pool():
            Path(f"/proc/{pid}/clear_refs").write_text("5")  # resets `VmHWM`: proc_pid_clear_refs(5)
        return self.peak()

    def peak(self) -> dict[int, int]:
        """The most memory, in bytes, that each process of its pool held at any moment since then (`VmHWM`)."""
        return {pid: _peak_bytes(pid) for pid in self.pool()}


def _peak_bytes(pid: int) -> int:
    [line] = [each for each in Path(f"/proc/{pid}/status").read_text().splitlines() if each.startswith("VmHWM:")]
    return int(line.split()[1]) * 1024


@contextmanager
def working(log: Path, **environment: str) -> Iterator[Worker]:
    """A worker for the block, which is ready to take work."""
    command = ["--app", "inlock.celery", "--quiet", "worker", "--without-gossip", "--without-mingle"]
    with log.open("wb") as said:
        process = subprocess.Popen(
            [sys.executable, "-c", _BEGINNING, *command, "-Q", ",".join(QUEUES), "-c", "1", "--loglevel", "INFO"],
            cwd=ROOT,
            env={**os.environ, **_of_this_test(), **environment},
            stdout=said,
            stderr=subprocess.STDOUT,
        )
        try:
            wait_until(lambda: all(worker_is_up(queue) for queue in QUEUES), seconds=_STARTING_SECONDS)
            yield Worker(process)
        finally:
            process.kill()  # its pool ends with it
            process.wait()


def _of_this_test() -> dict[str, str]:
    database = connection.settings_dict["NAME"]
    return {
        "DATABASE_URL": engines.addresses().database_url.rpartition("/")[0] + f"/{database}",
        "REDIS_URL": settings.REDIS_URL,
        "INLOCK_FILES": str(settings.MEDIA_ROOT),
    }


def wait_until(holds: Callable[[], Any], *, seconds: float) -> None:
    """Look again and again. Raises AssertionError when it does not come to hold."""
    until = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < until, "it did not come to that"
        time.sleep(0.1)
