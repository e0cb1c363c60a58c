"""Who is acting, in which request, and why: set once at the edge, read by the trail and by history."""

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Acting:
    """The person (None: the system itself) behind what happens now."""

    by: Any = None
    request_id: str = ""
    reason: str = ""


_NOBODY = Acting()
_current: ContextVar[Acting] = ContextVar("acting", default=_NOBODY)


def current() -> Acting:
    """The acting person and request of this task or request."""
    return _current.get()


@contextmanager
def acting(by: Any = None, *, request_id: str = "", reason: str = "") -> Iterator[Acting]:
    """Mark everything inside as done by `by`; a request id is made when none is given."""
    entered = Acting(by, request_id or uuid.uuid4().hex, reason)
    token = _current.set(entered)
    try:
        yield entered
    finally:
        _current.reset(token)
