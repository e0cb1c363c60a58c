"""Use the engines for a while: start what does not run, and leave so that the last one out stops it."""

import atexit
import fcntl
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from inlock.engines.addresses import (
    PROJECT_ROOT,
    Addresses,
    addresses,
    remove_run_directory,
    var_directory,
)
from inlock.engines.exceptions import EngineFailed
from inlock.engines.notes import write_json
from inlock.engines.places import POLL, RECIPES, Place, embedded, open_lock, try_lock, wait_for_lock

READY_WITHIN = 90.0
STOPPED_WITHIN = 60.0

# Keepers we started are our children until we end; holding them lets us reap them.
_children: list[subprocess.Popen[bytes]] = []


@contextmanager
def attached(var: Path | None = None, *, durable: bool = True) -> Iterator[Addresses]:
    """Have every embedded engine running inside the block.

    Whoever comes first starts an engine, whoever leaves last stops it and
    waits for that. `durable=False` trades crash safety for speed and is for
    tests. Raises EngineFailed.
    """
    attachment = Attachment(var_directory(var), durable=durable)
    try:
        attachment.start()
        yield addresses(var)
    finally:
        attachment.leave()


def ensure(var: Path | None = None, *, durable: bool = True) -> Addresses:
    """Have every embedded engine running until this process ends. Raises EngineFailed."""
    attachment = Attachment(var_directory(var), durable=durable)
    atexit.register(attachment.leave)
    attachment.start()
    return addresses(var)


class Attachment:
    """One process's use of the embedded engines of one var directory."""

    def __init__(self, var: Path, *, durable: bool = True) -> None:
        self.var = var
        self.durable = durable
        self._held: dict[str, int] = {}
        self._process = os.getpid()

    @property
    def handles(self) -> tuple[int, ...]:
        """Handles that, inherited by a child, keep the engines running for as long as the child lives."""
        return tuple(self._held.values())

    def start(self) -> None:
        """Hold every embedded engine and return when all of them answer. Raises EngineFailed."""
        for name in embedded():
            self._hold(Place(self.var, name))
        self.revive()
        for name in self._held:
            self._wait_until_running(Place(self.var, name))

    def revive(self) -> None:
        """Give every held engine without a keeper a new one; long-lived holders call this now and then."""
        for name in self._held:
            self._start_keeper(Place(self.var, name))

    def leave(self) -> None:
        """Let go of the engines in reverse order; the last one out waits until each has stopped."""
        if not self._held or os.getpid() != self._process:  # a forked child must not change locks it shares
            return
        while self._held:
            name, users = self._held.popitem()
            try:
                if try_lock(users, fcntl.LOCK_EX):
                    self._stop(Place(self.var, name))
            finally:
                os.close(users)
        self._remove_socket_directory()

    def _remove_socket_directory(self) -> None:
        """Leave nothing outside of var behind; the next start makes the same directory again."""
        locks = []
        try:
            for name in RECIPES:
                place = Place(self.var, name)
                place.make()
                locks.append(open_lock(place.users))
                if not try_lock(locks[-1], fcntl.LOCK_EX):
                    return  # somebody uses an engine, or is about to
            remove_run_directory(self.var)
        finally:
            for lock in locks:
                os.close(lock)

    def _hold(self, place: Place) -> None:
        place.make()
        users = open_lock(place.users)
        if not wait_for_lock(users, fcntl.LOCK_SH, STOPPED_WITHIN):
            os.close(users)
            raise EngineFailed(
                RECIPES[place.name].title,
                f"it is being stopped, and has not ended within {STOPPED_WITHIN:.0f} seconds",
                log=_log(place),
            )
        self._held[place.name] = users

    def _start_keeper(self, place: Place) -> None:
        lock = open_lock(place.keeper)
        try:
            if not try_lock(lock, fcntl.LOCK_EX):
                return
            # We hold the keeper's lock and hand it over, so nobody can read what an earlier keeper said.
            earlier = place.last_said()
            write_json(place.notes, {"state": "starting", "pid": earlier.get("pid")})
            command = [sys.executable, "-E", "-s", "-m", "inlock.engines.keeper"]
            command += [place.name, str(self.var), str(lock)]
            if not self.durable:
                command.append("--volatile")
            with _log(place).open("ab") as log:
                _children.append(
                    subprocess.Popen(
                        command,
                        cwd=PROJECT_ROOT,
                        stdin=subprocess.DEVNULL,
                        stdout=log,
                        stderr=log,
                        start_new_session=True,
                        pass_fds=[lock],
                    )
                )
        finally:
            os.close(lock)

    def _wait_until_running(self, place: Place) -> None:
        deadline = time.monotonic() + READY_WITHIN
        while time.monotonic() < deadline:
            if place.has_keeper():
                if place.last_said().get("state") == "running":
                    return
            else:
                # Read after the keeper went: it may have said its last word on the way.
                said = place.last_said()
                if said.get("state") in ("starting", "failed"):
                    fault = str(said.get("fault") or "")
                    if fault:
                        raise EngineFailed.as_told(fault)
                    raise EngineFailed(RECIPES[place.name].title, "it could not be started", log=_log(place))
                # It was killed, or was just leaving, when we came: what it said last no longer holds.
                self._start_keeper(place)
            time.sleep(POLL)
        raise EngineFailed(
            RECIPES[place.name].title,
            f"it did not answer within {READY_WITHIN:.0f} seconds",
            log=_log(place),
            next_step="`manage.py doctor` says more.",
        )

    def _stop(self, place: Place) -> None:
        """End the keeper while holding the users' lock: nobody can begin to use what is going away."""
        deadline = time.monotonic() + STOPPED_WITHIN
        while place.has_keeper():
            keeper = place.last_said().get("keeper")
            if isinstance(keeper, int):
                os.kill(keeper, signal.SIGTERM)
            if time.monotonic() > deadline:
                raise EngineFailed(RECIPES[place.name].title, "it did not stop", log=_log(place))
            _wait_while(place.has_keeper, 0.5)
        _children[:] = [child for child in _children if child.poll() is None]


def _wait_while(condition: Callable[[], bool], seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while condition() and time.monotonic() < deadline:
        time.sleep(POLL)


def _log(place: Place) -> Path:
    return place.var / "log" / f"{place.name}.log"
