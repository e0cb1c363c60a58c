"""The whole portal as a person starts it: `serve` as a program, on a var directory of its own."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from inlock.engines import PROJECT_ROOT
from inlock.engines.addresses import run_directory
from tests import engines

_FOREIGN = {"DATABASE_URL", "REDIS_URL", "CHROMA_URL", "INLOCK_CRASH_AT"}


class Portal:
    """A `serve` of its own, and the commands a person would type beside it.

    Its database is made and migrated already unless it is `fresh` from a clone.
    """

    def __init__(self, var: Path, *, fresh: bool = False, **environment: str) -> None:
        self.var = var
        if not fresh:
            engines.make_database(var)
        self.port = free_port()
        self.url = f"http://localhost:{self.port}"
        self.extra = environment
        self.process: subprocess.Popen[str] | None = None

    def start(self) -> dict[str, Any]:
        """Run `serve` and return what it says when it is ready."""
        self.begin()
        assert self.process is not None
        assert self.process.stdout is not None
        return json.loads(self.process.stdout.readline())

    def begin(self) -> None:
        """Run `serve` without waiting for it."""
        self.process = subprocess.Popen(
            self.command("serve", "--port", str(self.port), "--json"),
            cwd=PROJECT_ROOT,
            env=self.environment(),
            stdout=subprocess.PIPE,
            text=True,
        )

    def stop(self) -> None:
        """End it as a service manager would, and remove its sockets."""
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            self.process.wait(60)
        shutil.rmtree(run_directory(self.var), ignore_errors=True)

    def kill(self) -> None:
        assert self.process is not None
        self.process.kill()
        self.process.communicate()

    def command(self, *arguments: str) -> list[str]:
        return [sys.executable, "manage.py", *arguments]

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """A command, whatever comes of it."""
        return subprocess.run(
            self.command(*arguments),
            cwd=PROJECT_ROOT,
            env=self.environment(),
            capture_output=True,
            text=True,
            check=False,
        )

    def json(self, *arguments: str) -> Any:
        """The document a command prints under --json."""
        finished = self.run(*arguments, "--json")
        assert finished.stdout, finished.stderr
        return json.loads(finished.stdout)

    def evaluate(self, expression: str) -> Any:
        """The JSON-ready value of a Python expression inside the portal's Django, with all models imported."""
        finished = self.run("shell", "--verbosity", "0", "-c", f"import json; print(json.dumps({expression}))")
        assert finished.returncode == 0, finished.stderr
        return json.loads(finished.stdout.splitlines()[-1])

    def environment(self) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if name not in _FOREIGN}
        return kept | self.extra | {"INLOCK_VAR": str(self.var)}

    def children(self) -> dict[str, dict[str, Any]]:
        """What the supervisor says of its children, by name."""
        return {child["name"]: child for child in self.report()["children"]}

    def report(self) -> dict[str, Any]:
        """What the supervisor last said."""
        return json.loads((self.var / "supervisor.json").read_text())

    def findings(self) -> dict[str, dict[str, str]]:
        """What `doctor` says, by the name of the thing."""
        told = json.loads(self.run("doctor", "--json").stdout)
        return {finding["name"]: finding for finding in told["findings"]}

    def finding(self, name: str) -> dict[str, str]:
        """What `doctor` says of one thing."""
        return self.findings()[name]

    def processes(self) -> list[str]:
        """Every living process that belongs to this portal, by its command line or its environment."""
        marks = (str(self.var), str(run_directory(self.var)))
        told = subprocess.run(["ps", "axeww", "-o", "pid=,stat=,command="], capture_output=True, text=True, check=True)
        lines = [line for line in told.stdout.splitlines() if any(mark in line for mark in marks)]
        return [line[:200] for line in lines if not line.split()[1].startswith("Z")]


def free_port() -> int:
    """A loopback port nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def within(seconds: float, holds: Callable[[], bool]) -> None:
    """Wait until `holds`, and fail when it does not in time."""
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.2)
