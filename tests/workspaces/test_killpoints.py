"""A killpoint kills where a test asks for it, and is dead in production."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.inlock.test_settings import SAFE
from workspaces import killpoints
from workspaces.killpoints import killpoint

ROOT = Path(__file__).resolve().parent.parent.parent
PASS_TWICE = """
from workspaces.killpoints import killpoint
killpoint("here")
print("passed once", flush=True)
killpoint("here")
print("passed twice", flush=True)
"""


def pass_twice(var: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", PASS_TWICE],
        cwd=ROOT,
        env={
            "PATH": os.environ["PATH"],
            "INLOCK_VAR": str(var),
            "DJANGO_SETTINGS_MODULE": "inlock.settings",
            **environment,
        },
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_process_kills_itself_at_the_pass_that_was_asked_for(tmp_path):
    killed = pass_twice(tmp_path, INLOCK_CRASH_AT="here:2")

    assert killed.stdout.split("\n") == ["passed once", ""]
    assert killed.returncode == -signal.SIGKILL


def test_in_production_no_process_kills_itself(tmp_path):
    alive = pass_twice(tmp_path, INLOCK_CRASH_AT="here:2", **SAFE)

    assert (alive.returncode, alive.stdout.split("\n")) == (0, ["passed once", "passed twice", ""]), alive.stderr


def test_another_point_is_passed(settings, monkeypatch):
    settings.CRASH_AT = "there"
    monkeypatch.setattr(killpoints, "_die", lambda: pytest.fail("killed"))

    killpoint("here")

    assert "here" not in killpoints._passed
