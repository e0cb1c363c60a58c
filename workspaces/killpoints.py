"""Places where a test may kill this process, to prove that nothing is lost or doubled there."""

import os
import signal

from django.conf import settings

_passed: dict[str, int] = {}


def killpoint(name: str) -> None:
    """End this process without a word if `settings.CRASH_AT` asks for it here; in production it never does."""
    if not settings.CRASH_AT:
        return
    point, _, nth = settings.CRASH_AT.partition(":")
    if point != name:
        return
    _passed[name] = _passed.get(name, 0) + 1
    if _passed[name] == int(nth or 1):
        _die()


def _die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)
