"""A process that does one act of the product at a time, each in a child that may be held at a named point.

`rig.py` runs `python -m tests.faults.actor PAID` beside engines of its own. Orders come as lines of JSON on standard
input, and each gets one line back. PAID is a file in which every text that was embedded is counted, also by children
that were killed right after.
"""

import json
import os
import signal
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, NoReturn

import django
from django.core.management import call_command

STEP_SECONDS = 0.005
#: A batch of vectors in these worlds; small, so that a short document has several.
BATCH = 3


def main() -> None:
    django.setup()
    call_command("migrate", verbosity=0)
    from tests.faults import acts, doors

    doors.wrap(Path(sys.argv[1]))
    doors.load()
    _say({"ready": os.getpid()})
    for line in sys.stdin:
        order = json.loads(line)
        match order.pop("do"):
            case "start":
                _say(_start(order, acts.ACTS))
            case "wait":
                _say(_wait(**order))


def _start(order: dict[str, Any], acts: dict[str, Any]) -> dict[str, Any]:
    """Begin one act in a child of its own."""
    from django.db import connections

    connections.close_all()
    handle, told = tempfile.mkstemp(prefix="inlock-told-")
    os.close(handle)
    pid = os.fork()
    if pid == 0:
        _be_the_child(order, acts, Path(told))
    return {"pid": pid, "told": told}


def _be_the_child(order: dict[str, Any], acts: dict[str, Any], told: Path) -> NoReturn:
    from django.conf import settings

    from inlock.engines.isolation import tie_to_parent
    from tests.faults import doors
    from workspaces import killpoints

    tie_to_parent(signal.SIGKILL, os.getppid())
    settings.CRASH_AT = order["at"]
    killpoints._die = lambda: os.kill(os.getpid(), signal.SIGSTOP)
    for protection in order["without"]:
        doors.SABOTAGE[protection]()
    try:
        done = {"value": acts[order["act"]](**order["given"])}
    except Exception as error:  # the end of the process: the rig is told what it was
        done = {"error": type(error).__name__, "message": str(error)[:500]}
    told.write_text(json.dumps(done))
    os._exit(1 if "error" in done else 0)


def _wait(pid: int, told: str, seconds: float) -> dict[str, Any]:
    """How the child ended; `held` while it stands still at its point, `late` when it did neither in time."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        found, status = os.waitpid(pid, os.WNOHANG | os.WUNTRACED)
        if found and os.WIFSTOPPED(status):
            return {"held": True}
        if found:
            text = Path(told).read_text()
            Path(told).unlink()
            signaled = os.WTERMSIG(status) if os.WIFSIGNALED(status) else None
            return {"signal": signaled, **(json.loads(text) if text else {})}
        time.sleep(STEP_SECONDS)
    return {"late": True}


def _say(answer: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(answer) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
