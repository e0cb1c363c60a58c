"""Engines and a database of their own for worlds in which anything may be killed, and the actor that works in them."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import redis
from django.apps import apps

from inlock.engines import PROJECT_ROOT, Attachment
from inlock.engines.addresses import addresses
from inlock.engines.places import Place
from tests.engines import make_database
from tests.portal import within

ENGINES = ("postgresql", "valkey", "chroma")
#: Enough for one act on a machine that is very busy.
PATIENCE = 120.0
_FOREIGN = {"DATABASE_URL", "REDIS_URL", "CHROMA_URL", "INLOCK_CRASH_AT"}


@dataclass(frozen=True)
class Ended:
    """How far a child came: it stands `held` at its point, was killed by `signal`, or said a value or an error."""

    held: bool = False
    signal: int | None = None
    value: Any = None
    error: str = ""
    message: str = ""


class Child:
    """One act at work in a process of its own."""

    def __init__(self, rig: "Rig", pid: int, told: str) -> None:
        self.rig, self.pid, self.told = rig, pid, told

    def wait(self) -> Ended:
        """Wait until it stands still at its point or is gone."""
        answer = self.rig.say(do="wait", pid=self.pid, told=self.told, seconds=PATIENCE)
        assert "late" not in answer, "an act took too long"
        return Ended(**answer)

    def go_on(self) -> "Child":
        """Let it go on from where it was held."""
        os.kill(self.pid, signal.SIGCONT)
        return self

    def kill(self) -> Ended:
        os.kill(self.pid, signal.SIGKILL)
        return self.wait()


class Rig:
    """PostgreSQL, Valkey and Chroma on a var directory, migrated, with the actor beside them."""

    def __init__(self, var: Path) -> None:
        self.var = var
        self.paid_at = var / "paid"
        self.worlds = 0
        # As safe as in production: what a killed database may lose is part of what is looked at.
        self.engines = Attachment(var)
        self.actor: subprocess.Popen[str] | None = None

    def start(self) -> None:
        make_database(self.var)
        self.engines.start()
        self.actor = subprocess.Popen(
            [sys.executable, "-m", "tests.faults.actor", str(self.paid_at)],
            cwd=PROJECT_ROOT,
            env=self._environment(),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=(self.var / "actor.log").open("w"),
            text=True,
        )
        assert "ready" in self._hear(), (self.var / "actor.log").read_text()
        self.do("hire")

    def stop(self) -> None:
        if self.actor is not None:
            self.actor.kill()
            self.actor.communicate()
        self.engines.leave()

    # --- Acts ---------------------------------------------------------------------------------------------------

    def begin(
        self, act: str, *, at: str = "", holds: bool = False, without: tuple[str, ...] = (), **given: Any
    ) -> Child:
        """Begin an act; at the point `at` it dies, or `holds` still."""
        started = self.say(do="start", act=act, given=given, at=at, holds=holds, without=without)
        return Child(self, started["pid"], started["told"])

    def do(self, act: str, **given: Any) -> Any:
        """An act from beginning to end; its value."""
        ended = self.begin(act, **given).wait()
        assert ended == Ended(value=ended.value), ended
        return ended.value

    def paid(self) -> list[str]:
        """Every text that was ever embedded, as a hash, in order."""
        return self.paid_at.read_text().split()

    def say(self, **order: Any) -> dict[str, Any]:
        assert self.actor is not None
        assert self.actor.stdin is not None
        self.actor.stdin.write(json.dumps(order) + "\n")
        self.actor.stdin.flush()
        return self._hear()

    def _hear(self) -> dict[str, Any]:
        assert self.actor is not None
        assert self.actor.stdout is not None
        line = self.actor.stdout.readline()
        assert line, (self.var / "actor.log").read_text()[-2000:]
        heard: dict[str, Any] = json.loads(line)
        return heard

    # --- What happens to a machine ------------------------------------------------------------------------------

    def age_leases(self) -> None:
        """What the clock does after a worker died."""
        with psycopg.connect(addresses(self.var).database_url, autocommit=True) as connection:
            for table in leased():
                connection.execute(
                    f"UPDATE {table} SET lease_until = now() - interval '1 minute' WHERE lease_until IS NOT NULL"  # noqa: S608
                )
            # What waits for an engine that was gone is tried again.
            connection.execute("UPDATE documents_spacemigration SET retry_at = NULL")
            # Nobody rings at once again for a question that was only just asked.
            connection.execute("UPDATE answers_answer SET created_at = created_at - interval '1 hour'")

    def empty_valkey(self) -> None:
        """Every queue and every stream is gone."""
        with redis.Redis.from_url(addresses(self.var).redis_url) as client:
            client.flushall()

    @contextmanager
    def down(self, engine: str, sign: signal.Signals = signal.SIGKILL) -> Iterator[None]:
        """Inside the block the engine is gone; afterwards it is back, on what it left on the disk."""
        said = Place(self.var, engine).last_said()
        keeper, process = said["keeper"], said["pid"]
        assert isinstance(keeper, int)
        assert isinstance(process, int)
        os.kill(keeper, signal.SIGSTOP)
        os.kill(process, sign)
        within(30, lambda: not _runs(process))
        try:
            yield
        finally:
            # A new keeper: the old one would pause longer after every engine that it lost.
            os.kill(keeper, signal.SIGKILL)
            within(30, lambda: not Place(self.var, engine).has_keeper())
            self.engines.revive()
            within(60, lambda: Place(self.var, engine).last_said().get("state") == "running")

    @contextmanager
    def stopped(self) -> Iterator[None]:
        """Inside the block no engine runs, as after an orderly end."""
        self.engines.leave()
        try:
            yield
        finally:
            self.engines.start()

    def restart(self, engine: str, sign: signal.Signals = signal.SIGKILL) -> None:
        with self.down(engine, sign):
            pass

    def _environment(self) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if name not in _FOREIGN}
        return kept | {
            "INLOCK_VAR": str(self.var),
            "INLOCK_SOURCE_FOLDERS": str(self.var / "berths"),
            "INLOCK_LOW_DISK_MB": "0",
            "DJANGO_SETTINGS_MODULE": "inlock.settings",
        }


def leased() -> list[str]:
    """The tables of everything that somebody may be at work on: a forgotten one would stay held for ever."""
    fields = ((model, field.name) for model in apps.get_models() for field in model._meta.concrete_fields)
    return sorted(model._meta.db_table for model, name in fields if name == "lease_until")


def _runs(pid: int) -> bool:
    """Whether the process is there and not only waits to be reaped by its stopped keeper."""
    with suppress(OSError):
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    return False
