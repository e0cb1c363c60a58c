"""Keep one engine running for as long as somebody uses it: `python -m inlock.engines.keeper NAME VAR LOCK`.

A process of its own rather than a part of whoever came first, because that
one may leave, or be killed, while others still work. It restarts an engine
that dies or hangs, and stops it when the shared lock of its users is free.
Files that keep doing that to an engine which may begin with nothing are set
aside.
"""

import argparse
import fcntl
import os
import select
import shutil
import signal
import subprocess
import threading
import time
from datetime import UTC, datetime
from pathlib import Path

from inlock.engines.exceptions import EngineFailed
from inlock.engines.isolation import process_arguments
from inlock.engines.notes import write_json
from inlock.engines.places import RECIPES, Place, open_lock, try_lock
from inlock.engines.recipe import KILL_AFTER, Recipe, last_words
from inlock.engines.set_aside import ENDS, WITHIN, is_own_fault, lately, set_aside

START_WITHIN = 60.0
LOOK_EVERY = 0.5
# A user that leaves may be about to stop us itself, and one command often follows another.
IDLE_LOOKS = 3
LONGEST_PAUSE = 30.0
STEADY_AFTER = 60.0
LARGEST_LOG = 10 * 1024 * 1024


class Keeper:
    """The life of one engine: start, watch, restart, stop."""

    def __init__(self, recipe: Recipe, place: Place) -> None:
        self.recipe = recipe
        self.place = place
        self.process: subprocess.Popen[bytes] | None = None
        self.restarts = 0
        #: When it ended by its own fault, or hung, on the monotonic clock.
        self.own_ends: list[float] = []
        self.inquiry: Inquiry | None = None
        #: What it hung on when it was ended for that; None otherwise.
        self.hung_on: str | None = None
        self.asked_to_stop = False
        self.users = open_lock(place.users)
        self._wake, write_end = os.pipe()
        os.set_blocking(write_end, False)
        signal.set_wakeup_fd(write_end, warn_on_full_buffer=False)
        signal.signal(signal.SIGTERM, self._stop_requested)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.signal(signal.SIGINT, signal.SIG_IGN)

    def run(self) -> int:
        try:
            self._end_predecessor()
            self._start_patiently()
        except EngineFailed as failure:
            self._stop()
            self._say("failed", fault=str(failure))
            return 1
        self._watch()
        self._say("stopping")
        self._stop()
        self._say("stopped")
        return 0

    def _watch(self) -> None:
        idle = 0
        while not self.asked_to_stop and idle < IDLE_LOOKS:
            select.select([self._wake], [], [], LOOK_EVERY)
            self._drain_wakeups()
            self._look_into_complaints()
            if self.process is None or self.process.poll() is not None:
                self._restart()
            # Held while we stop, so that a new user waits for a clean end and then starts afresh.
            idle = idle + 1 if try_lock(self.users, fcntl.LOCK_EX) else 0
            if idle and idle < IDLE_LOOKS:
                fcntl.flock(self.users, fcntl.LOCK_UN)

    def _start_patiently(self) -> None:
        """Start, and try again while what a killed predecessor left behind is still going away."""
        for pause in (0.3, 1.0, None):
            try:
                return self._start()
            except EngineFailed:
                if self.process is None:  # nothing was started: trying again would fail the same way
                    raise
                if not self._began_anew() and pause is None:
                    raise
                self._stop()
                self._pause(pause or 0)
        return self._start()

    def _start(self) -> None:
        rotate(self.recipe.log)
        self.recipe.prepare()
        self.process = spawn(self.recipe)
        self._say("starting")
        self._wait_until_it_answers(self.recipe, self.process)
        self.started = time.monotonic()
        self._say("running")

    def _wait_until_it_answers(self, recipe: Recipe, process: subprocess.Popen[bytes]) -> None:
        deadline = time.monotonic() + START_WITHIN
        while not recipe.answers():
            if self.asked_to_stop:
                return
            if process.poll() is not None:
                raise self._failure(f"it ended with code {process.returncode} while starting")
            if time.monotonic() > deadline:
                raise self._failure(f"it did not answer within {START_WITHIN:.0f} seconds")
            time.sleep(0.02)

    def _failure(self, happened: str) -> EngineFailed:
        words = last_words(self.recipe.log)
        return EngineFailed(
            self.recipe.title,
            f"{happened}; it last said: {words}" if words else happened,
            log=self.recipe.log,
            next_step="`manage.py doctor` shows every engine; remove the cause and run the command again.",
        )

    def _look_into_complaints(self) -> None:
        """End an engine that does not answer what a user waited for in vain, and the keeper longer."""
        if self.inquiry is None:
            on = self.place.take_complaint()
            if on is not None and self.process is not None:
                self.inquiry = Inquiry(self.recipe, self.process, on)
            return
        if self.inquiry.is_alive():
            return
        inquiry, self.inquiry = self.inquiry, None
        if inquiry.hangs and inquiry.process is self.process and self.process.poll() is None:
            self.hung_on = inquiry.on
            self.process.kill()
            self.process.wait()

    def _restart(self) -> None:
        """Start a died engine again, pausing longer each time it will not stay up."""
        if time.monotonic() - self.started > STEADY_AFTER:
            self.restarts = 0
        how = self._how_it_ended()
        hung_on = self.hung_on
        if self._began_anew():
            self.restarts = 0
            hung_on = None
        self.process, self.hung_on = None, None
        pause = min(LONGEST_PAUSE, 0.1 * 2**self.restarts)
        self.restarts += 1
        self._say("restarting", fault=f"{self.recipe.title} {how} and is started again.")
        self._pause(pause)
        if self.asked_to_stop:
            return
        try:
            self._start()
        except EngineFailed as failure:
            self._began_anew()
            self._stop()
            self._say("restarting", fault=str(failure))
        else:
            # Whether its files are the cause is not left to the next who has to wait.
            if hung_on is not None and self.process is not None:
                self.inquiry = Inquiry(self.recipe, self.process, hung_on)

    def _how_it_ended(self) -> str:
        if self.hung_on is not None:
            return f"did not answer for {self.recipe.longest_answer():.0f} seconds"
        return f"ended with code {self.process.returncode if self.process else '?'}"

    def _began_anew(self) -> bool:
        """Count an end that came from the engine itself, and set its files aside when they are what keeps ending it.

        They are where it ended so often, nothing else is known to hinder it, and it runs on empty files beside them.
        """
        recipe, now = self.recipe, time.monotonic()
        if self.process is None or not recipe.is_disposable:
            return False
        if self.hung_on is None and not is_own_fault(self.process.poll()):
            return False
        self.own_ends = [at for at in self.own_ends if now - at < WITHIN] + [now]
        if len(self.own_ends) < ENDS:
            return False
        seconds = round(now - self.own_ends.pop(0))
        if recipe.hindrance() or lately(recipe) or not self._runs_on_nothing():
            return False
        why = (
            f"{recipe.title} ended by itself or hung {ENDS} times within {seconds} seconds, the last time it "
            f"{self._how_it_ended()}; on empty files it runs."
        )
        try:
            set_aside(recipe, why)
        except OSError as error:
            # As of a directory that is a mount of its own. It goes on with what it has, and whoever looks reads why.
            with recipe.log.open("a", encoding="utf-8") as log:
                log.write(f"The files of {recipe.title} cannot be set aside: {error}\n")
            return False
        self.own_ends = []
        return True

    def _runs_on_nothing(self) -> bool:
        """Whether the engine answers when it is given an empty directory beside its own."""
        trial = type(self.recipe)(self.recipe.var / f"{self.recipe.name}-trial", durable=self.recipe.durable)
        shutil.rmtree(trial.var, ignore_errors=True)
        process = None
        try:
            trial.log.parent.mkdir(parents=True)
            trial.prepare()
            process = spawn(trial)
            self._wait_until_it_answers(trial, process)
        except (EngineFailed, OSError):
            return False
        else:
            return not self.asked_to_stop
        finally:
            if process is not None:
                process.kill()
                process.wait()
            shutil.rmtree(trial.var, ignore_errors=True)

    def _pause(self, seconds: float) -> None:
        deadline = time.monotonic() + seconds
        while not self.asked_to_stop and (left := deadline - time.monotonic()) > 0:
            select.select([self._wake], [], [], left)
            self._drain_wakeups()

    def _stop(self) -> None:
        process = self.process
        if process is None:
            return
        for sign in self.recipe.stop_signals:
            if process.poll() is not None:
                break
            process.send_signal(sign)
            try:
                process.wait(KILL_AFTER)
            except subprocess.TimeoutExpired:
                continue
        self.process = None

    def _end_predecessor(self) -> None:
        """Stop an engine whose keeper was killed; the kernel has usually done so already."""
        pid = self.place.last_said().get("pid")
        if isinstance(pid, int):
            self.recipe.end_leftover(pid)

    def _say(self, state: str, *, fault: str = "") -> None:
        write_json(
            self.place.notes,
            {
                "state": state,
                "keeper": os.getpid(),
                "pid": self.process.pid if self.process else None,
                "at": datetime.now(UTC).isoformat(timespec="seconds"),
                "restarts": self.restarts,
                "fault": fault,
            },
        )

    def _stop_requested(self, *_: object) -> None:
        self.asked_to_stop = True

    def _drain_wakeups(self) -> None:
        if select.select([self._wake], [], [], 0)[0]:
            os.read(self._wake, 4096)


class Inquiry(threading.Thread):
    """Ask an engine again what it did not answer, beside the watch over its process."""

    def __init__(self, recipe: Recipe, process: subprocess.Popen[bytes], on: str) -> None:
        super().__init__(name="inquiry", daemon=True)
        self.recipe = recipe
        self.process = process
        self.on = on
        self.hangs = False
        self.start()

    def run(self) -> None:
        self.hangs = self.recipe.hangs(self.on)


def spawn(recipe: Recipe) -> subprocess.Popen[bytes]:
    """The engine's process, which ends with this one."""
    with recipe.log.open("ab") as log:
        return subprocess.Popen(
            recipe.command(),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            cwd="/",
            env=recipe.environment(),
            start_new_session=True,
            **process_arguments(recipe.identity, death_signal=recipe.stop_signals[0]),
        )


def rotate(log: Path) -> None:
    """Keep one earlier log, so that an engine that fails for weeks does not fill the disk."""
    if log.exists() and log.stat().st_size > LARGEST_LOG:
        log.replace(log.with_name(f"{log.name}.1"))


def main() -> int:
    """Run the keeper. LOCK is the inherited handle of the keeper's lock, held until this process ends."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("name", choices=sorted(RECIPES))
    parser.add_argument("var", type=Path)
    parser.add_argument("lock", type=int)
    parser.add_argument("--volatile", action="store_true")
    arguments = parser.parse_args()
    os.set_inheritable(arguments.lock, False)
    recipe = RECIPES[arguments.name](arguments.var, durable=not arguments.volatile)
    return Keeper(recipe, Place(arguments.var, arguments.name)).run()


if __name__ == "__main__":
    raise SystemExit(main())
