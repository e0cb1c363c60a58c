"""Own the portal's processes: start them in order, restart what dies, end them in order.

The web server, the workers and beat are children; the engines are held
through `inlock.engines`. What happens is noted in `var/supervisor.json`, from
which the health page and `doctor` read.
"""

import contextlib
import fcntl
import http.client
import os
import signal
import socket
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from inlock.children import Child, children, now
from inlock.engines import Attachment
from inlock.engines.notes import read_json, write_json
from inlock.engines.places import open_lock, try_lock
from inlock.engines.recipe import command_line

TICK = 0.2
REVIVE_EVERY = 2.0
READY_WITHIN = 90.0


class CannotServe(Exception):
    """`serve` was asked for something it cannot do; the sentence says what to do instead."""


class Supervisor:
    """The life of `serve`, on the main thread of a process of one thread."""

    def __init__(self, var: Path, host: str, port: int, *, say: Callable[[str], None]) -> None:
        self.var = var
        self.host = host
        self.port = port
        self.say = say
        self.engines = Attachment(var)
        self.children: list[Child] = []
        self.interrupts = 0
        self._revived = 0.0
        self._lock = -1

    @property
    def url(self) -> str:
        shown = "localhost" if self.host in {"127.0.0.1", "0.0.0.0", "::"} else self.host  # noqa: S104
        return f"http://{shown}:{self.port}/"

    def run(self, prepare: Callable[[], None], ready: Callable[[], None]) -> None:
        """Serve until asked to stop. `prepare` runs when the engines answer, `ready` when the portal does.

        Raises CannotServe when another `serve` owns this var or the port is
        taken, and EngineFailed when an engine does not start.
        """
        self._claim()
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, self._interrupted)
        try:
            self.say("Starting the engines.")
            self.engines.start()
            if not self.interrupts:
                prepare()
                self._start_children()
                self._watch(ready)
        finally:
            self._stop()

    def _claim(self) -> None:
        self.var.mkdir(parents=True, exist_ok=True)
        self._lock = open_lock(self.var / "serve.lock")
        if not try_lock(self._lock, fcntl.LOCK_EX):
            other = read_json(report_file(self.var))
            raise CannotServe(
                f"The portal already runs on {self.var} (process {other.get('pid')}, {other.get('url')}). "
                "Stop that one first, or name another directory in INLOCK_VAR."
            )
        self._end_predecessors()
        if not is_free(self.host, self.port):
            raise CannotServe(
                f"Port {self.port} on {self.host} cannot be used: another program has it, or it is not allowed. "
                f"Choose another with --port, for example --port {self.port + 1}."
            )

    def _end_predecessors(self) -> None:
        """End what a killed `serve` left: on Linux it is ending by itself, elsewhere nobody told it."""
        for child in read_json(report_file(self.var)).get("children", []):
            pid = child.get("pid")
            if not isinstance(pid, int) or "inlock." not in command_line(pid):
                continue
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(pid, signal.SIGKILL)
            deadline = time.monotonic() + 5
            while command_line(pid) and time.monotonic() < deadline:
                time.sleep(0.05)

    def _start_children(self) -> None:
        (self.var / "log").mkdir(exist_ok=True)
        self.children = children(self.var, self.host, self.port)
        for child in self.children:
            child.start(self.engines.handles)
        self._report()

    def _watch(self, ready: Callable[[], None]) -> None:
        deadline = time.monotonic() + READY_WITHIN
        is_ready = False
        while not self.interrupts:
            if not is_ready and answers(self.host, self.port):
                is_ready = True
                self._report()
                ready()
            if not is_ready and time.monotonic() > deadline:
                raise CannotServe(f"The web server did not answer within {READY_WITHIN:.0f} seconds. {self._faults()}")
            self._look_after_children()
            self._look_after_engines()
            time.sleep(TICK)

    def _look_after_children(self) -> None:
        for child in self.children:
            if child.look():
                self.say(child.fault)
                self._report()
            elif child.is_due():
                child.start(self.engines.handles)
                self._report()

    def _look_after_engines(self) -> None:
        if time.monotonic() - self._revived > REVIVE_EVERY:
            self._revived = time.monotonic()
            self.engines.revive()

    def _stop(self) -> None:
        """End everything in order: no new requests, then no new work, then the engines."""
        if self.children:
            self.say("Stopping.")
        for child in self.children:
            child.ask_to_stop()
            self._report(stopping=True)
            if child.name == "web":
                child.wait(self._is_forced)
        for child in self.children:
            child.wait(self._is_forced)
            self._report(stopping=True)
        self.engines.leave()
        if self.children:
            self._report(stopping=True)
        os.close(self._lock)

    def _is_forced(self) -> bool:
        return self.interrupts > 1

    def _interrupted(self, number: int, _frame: object) -> None:
        # A second Ctrl-C is impatience; a second SIGTERM is a service manager repeating itself.
        if self.interrupts == 0 or number == signal.SIGINT:
            self.interrupts += 1

    def _faults(self) -> str:
        return " ".join(child.fault for child in self.children if child.fault)

    def _report(self, *, stopping: bool = False) -> None:
        if not self.children:
            return
        write_json(
            report_file(self.var),
            {
                "pid": os.getpid(),
                "url": self.url,
                "at": now(),
                "stopping": stopping,
                "children": [child.report() for child in self.children],
            },
        )


def report_file(var: Path) -> Path:
    return var / "supervisor.json"


def report(var: Path) -> dict[str, Any] | None:
    """What the `serve` that owns this var says of its children; None when there is none."""
    file = var / "serve.lock"
    if not file.exists():
        return None
    lock = os.open(file, os.O_RDWR)
    try:
        if try_lock(lock, fcntl.LOCK_EX):
            return None
    finally:
        os.close(lock)
    return read_json(report_file(var))


def answers(host: str, port: int) -> bool:
    """Whether a web server answers here, with whatever status."""
    connection = http.client.HTTPConnection(_reachable(host), port, timeout=5)
    try:
        connection.request("GET", "/", headers={"Host": "localhost"})
        return connection.getresponse().status < 500
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def _reachable(host: str) -> str:
    return {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104


def is_free(host: str, port: int) -> bool:
    """Whether a server of ours could listen here now."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except (OSError, OverflowError):
            return False
        return True
