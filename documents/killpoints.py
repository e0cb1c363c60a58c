"""Places where a test may kill this process, to prove that nothing is lost or doubled there."""

import os
import signal

#: `INLOCK_CRASH_AT=after_parsed` kills at the first pass; `=embedding_batch:2` at the second.
VARIABLE = "INLOCK_CRASH_AT"

_passed: dict[str, int] = {}


def killpoint(name: str) -> None:
    """End this process without a word if the environment asks for it here; never in production."""
    wanted = os.environ.get(VARIABLE)
    if not wanted or os.environ.get("INLOCK_MODE") == "production":
        return
    point, _, nth = wanted.partition(":")
    if point != name:
        return
    _passed[name] = _passed.get(name, 0) + 1
    if _passed[name] == int(nth or 1):
        _die()


def _die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)
