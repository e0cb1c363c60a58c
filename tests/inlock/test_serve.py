"""`serve` as a person and a service manager meet it: the real process tree, on a var directory of its own."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from inlock.children import Child
from inlock.engines import PROJECT_ROOT
from inlock.engines.addresses import run_directory
from inlock.engines.recipe import command_line
from inlock.supervisor import is_free

CHILDREN = ["web", "interactive", "ingest", "beat"]


class Portal:
    """A `serve` of its own, run as a program."""

    def __init__(self, var: Path) -> None:
        self.var = var
        self.port = free_port()
        self.process: subprocess.Popen[str] | None = None

    def start(self) -> dict[str, Any]:
        self.process = subprocess.Popen(
            self.command("serve", "--port", str(self.port), "--json"),
            cwd=PROJECT_ROOT,
            env=self.environment(),
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self.process.stdout is not None
        return json.loads(self.process.stdout.readline())

    def kill(self) -> None:
        assert self.process is not None
        self.process.kill()
        self.process.communicate()

    def command(self, *arguments: str) -> list[str]:
        return [sys.executable, "manage.py", *arguments]

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        command = self.command(*arguments)
        return subprocess.run(
            command, cwd=PROJECT_ROOT, env=self.environment(), capture_output=True, text=True, check=False
        )

    def environment(self) -> dict[str, str]:
        foreign = {"DATABASE_URL", "REDIS_URL", "CHROMA_URL"}
        kept = {name: value for name, value in os.environ.items() if name not in foreign}
        return kept | {"INLOCK_VAR": str(self.var)}

    def children(self) -> dict[str, dict[str, Any]]:
        told = json.loads((self.var / "supervisor.json").read_text())
        return {child["name"]: child for child in told["children"]}

    def finding(self, name: str) -> dict[str, str]:
        told = json.loads(self.run("doctor", "--json").stdout)
        return next(finding for finding in told["findings"] if finding["name"] == name)

    def processes(self) -> list[str]:
        """Every living process that belongs to this portal, by its command line or its environment."""
        marks = (str(self.var), str(run_directory(self.var)))
        told = subprocess.run(["ps", "axeww", "-o", "pid=,stat=,command="], capture_output=True, text=True, check=True)
        lines = [line for line in told.stdout.splitlines() if any(mark in line for mark in marks)]
        return [line[:200] for line in lines if not line.split()[1].startswith("Z")]


@pytest.fixture
def portal(tmp_path) -> Iterator[Portal]:
    portal = Portal(tmp_path / "var")
    yield portal
    if portal.process is not None and portal.process.poll() is None:
        portal.process.send_signal(signal.SIGTERM)
        portal.process.wait(60)
    shutil.rmtree(run_directory(portal.var), ignore_errors=True)


def free_port() -> int:
    return next(port for port in range(18200, 18900, 7) if is_free("127.0.0.1", port))


def within(seconds: float, holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.2)


def test_serve_answers_heals_and_leaves_nothing_behind(portal):
    ready = portal.start()

    with urllib.request.urlopen(ready["url"]) as page:  # noqa: S310 (our own loopback address)
        assert page.status == 200
    assert list(portal.children()) == CHILDREN

    # Workers say that they take work, and doctor repeats it.
    within(60, lambda: portal.finding("worker ingest")["state"] == "takes work")
    within(60, lambda: portal.finding("worker interactive")["state"] == "takes work")
    assert portal.finding("migrations")["state"] == "all applied"

    # A killed child is started again and named.
    killed = portal.children()["ingest"]["pid"]
    os.kill(killed, signal.SIGKILL)
    within(60, lambda: portal.children()["ingest"]["pid"] not in (killed, None))
    assert "ended by signal 9" in portal.children()["ingest"]["fault"]
    assert portal.children()["web"]["restarts"] == 0

    # A second one on the same directory is told about the first.
    second = portal.run("serve", "--port", str(free_port()))
    assert second.returncode == 2
    assert ready["url"] in second.stderr

    portal.process.send_signal(signal.SIGTERM)
    assert portal.process.wait(60) == 0
    assert portal.processes() == []
    assert portal.process.stdout.read() == ""


def test_a_killed_serve_can_be_started_again_at_once_and_leaves_no_orphan(portal):
    portal.start()
    earlier = [child["pid"] for child in portal.children().values()]

    portal.kill()
    portal.start()

    assert [command_line(pid) for pid in earlier] == ["", "", "", ""]

    portal.kill()

    within(60, lambda: portal.processes() == [])


def test_a_child_that_will_not_end_is_killed_with_everything_it_started(tmp_path):
    stubborn = (
        "import signal, subprocess, sys; signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        "child = subprocess.Popen([sys.executable, '-c', 'input()'], stdin=subprocess.PIPE)\n"
        "print(child.pid, flush=True); signal.pause()"
    )
    command = [sys.executable, "-c", stubborn]
    child = Child("stubborn", command, signal.SIGTERM, grace=3600, log=tmp_path / "stubborn.log")
    child.start(())
    within(20, lambda: child.log.read_text().endswith("\n"))
    grandchild = int(child.log.read_text())

    child.ask_to_stop()
    child.wait(forced=lambda: True)

    assert child.state == "stopped"
    within(20, lambda: not command_line(grandchild))


def test_a_child_that_will_not_stay_up_is_started_less_and_less_often(tmp_path):
    child = Child("brief", [sys.executable, "-c", "raise SystemExit(3)"], signal.SIGTERM, 1, tmp_path / "brief.log")
    pauses = []
    for _ in range(3):
        child.start(())
        within(20, child.look)
        pauses.append(child.pause)

    assert pauses == [0.5, 1.0, 2.0]
    assert "ended with code 3" in child.fault
    assert not child.is_due()


def test_a_taken_port_is_named_before_anything_starts(portal):
    with socket.socket() as stranger:
        stranger.bind(("127.0.0.1", 0))
        stranger.listen()
        taken = stranger.getsockname()[1]

        refused = portal.run("serve", "--port", str(taken))

    assert refused.returncode == 2
    assert f"Port {taken}" in refused.stderr
    assert "--port" in refused.stderr
    assert portal.processes() == []
