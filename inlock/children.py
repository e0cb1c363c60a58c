"""The portal's own processes beside the engines: which they are, and how one of them lives.

Each runs in a session of its own, logs to its own file, dies with `serve`,
and keeps the engines running for as long as it lives.
"""

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from inlock.engines import PROJECT_ROOT
from inlock.engines.isolation import own_identity, process_arguments
from inlock.engines.keeper import rotate
from inlock.engines.recipe import last_words

STEADY_AFTER = 60.0
LONGEST_PAUSE = 30.0
#: Threads that make answers. Most wait for a model's server; `workspaces/places.py` says how many use the processor.
#: Each has a connection to PostgreSQL.
ANSWERING_AT_ONCE = 32


@dataclass
class Child:
    """One process of the portal and how it has fared."""

    name: str
    command: Sequence[str]
    stop_signal: signal.Signals
    grace: float  # seconds to end politely
    log: Path
    process: subprocess.Popen[bytes] | None = None
    state: str = "stopped"
    since: str = ""
    restarts: int = 0
    fault: str = ""
    started: float = 0.0
    pause: float = 0.0  # seconds between the last end and the next start
    start_again_at: float = 0.0

    def start(self, handles: tuple[int, ...]) -> None:
        """Run it in a session of its own, dying with us, and holding the engines for as long as it lives."""
        rotate(self.log)
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                self.command,
                cwd=PROJECT_ROOT,
                env=os.environ | {"INLOCK_VAR": str(self.log.parent.parent)},  # also where it was given relative
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                pass_fds=handles,
                **process_arguments(own_identity(), death_signal=self.stop_signal),
            )
        self.started = time.monotonic()
        self._became("running")

    def look(self) -> bool:
        """Notice an end; returns whether something changed. The next start is due after a pause that grows."""
        if self.process is None or self.process.poll() is None:
            return False
        code = self.process.returncode
        self.end_stragglers()
        if time.monotonic() - self.started > STEADY_AFTER:
            self.restarts = 0
        self.pause = min(LONGEST_PAUSE, 0.5 * 2**self.restarts)
        self.restarts += 1
        self.start_again_at = time.monotonic() + self.pause
        self.process = None
        how = f"was ended by signal {-code}" if code < 0 else f"ended with code {code}"
        self.fault = f"{self.name} {how}; it last said: {last_words(self.log, 2) or 'nothing'} ({self.log})"
        self._became("restarting")
        return True

    def is_due(self) -> bool:
        return self.process is None and time.monotonic() >= self.start_again_at

    def ask_to_stop(self) -> None:
        if self.process is not None and self.process.poll() is None:
            self._became("stopping")
            self.process.send_signal(self.stop_signal)

    def wait(self, forced: Callable[[], bool]) -> None:
        """Return once it has ended: politely within its grace, by force afterwards or when `forced`."""
        if self.process is None:
            return
        deadline = time.monotonic() + self.grace
        while self.process.poll() is None:
            if forced() or time.monotonic() > deadline:
                self.end_stragglers()
                self.process.wait()
                break
            time.sleep(0.05)
        self.end_stragglers()
        self.process = None
        self._became("stopped")

    def end_stragglers(self) -> None:
        """Kill what is left of its session: pool processes and parsers of a worker that was killed."""
        if self.process is not None:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self.process.pid, signal.SIGKILL)

    def report(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "pid": self.process.pid if self.process else None,
            "state": self.state,
            "since": self.since,
            "restarts": self.restarts,
            "fault": self.fault,
            "log": str(self.log),
        }

    def _became(self, state: str) -> None:
        self.state = state
        self.since = now()


def children(var: Path, host: str, port: int) -> list[Child]:
    """The portal's processes in the order they start; they stop in the same order."""
    python = [sys.executable, "-m"]
    celery = [*python, "celery", "--app", "inlock.celery", "--quiet"]  # no banner: a log is records
    worker = [*celery, "worker", "--without-gossip", "--without-mingle", "--loglevel", "INFO"]
    web = ["uvicorn", "inlock.asgi:application", "--host", host, "--port", str(port)]
    web += ["--timeout-graceful-shutdown", "5", "--no-access-log", "--log-level", "warning", "--lifespan", "off"]
    # It would believe X-Forwarded-For of anybody on this machine; TRUSTED_PROXIES says whose is believed.
    web += ["--no-proxy-headers"]
    threads = ["--pool", "threads", "-c", str(ANSWERING_AT_ONCE)]
    ingest_processes = max(1, min(2, os.cpu_count() or 1))
    commands = {
        "web": ([*python, *web], signal.SIGTERM, 8.0),
        # Sweeps run beside the questions: two long files may keep both ingest processes busy for minutes.
        "interactive": (
            [*worker, "-n", "interactive@%h", "-Q", "interactive,maintenance", *threads],
            signal.SIGQUIT,
            15.0,
        ),
        "ingest": (
            [*worker, "-n", "ingest@%h", "-Q", "ingest", "-c", str(ingest_processes)],
            signal.SIGQUIT,
            15.0,
        ),
        # Threads, because a sync waits for others most of its time; each connector ends by itself.
        "sources": (
            [*worker, "-n", "sources@%h", "-Q", "sources", "--pool", "threads", "-c", "4"],
            signal.SIGQUIT,
            15.0,
        ),
        "beat": (
            [*celery, "beat", "--schedule", str(var / "beat-schedule"), "--pidfile", "", "--loglevel", "INFO"],
            signal.SIGTERM,
            5.0,
        ),
    }
    return [
        Child(name, command, stop_signal, grace, var / "log" / f"{name}.log")
        for name, (command, stop_signal, grace) in commands.items()
    ]


def now() -> str:
    """This moment, as the report writes it."""
    return datetime.now(UTC).isoformat(timespec="seconds")
