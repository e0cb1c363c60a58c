"""Who is acting, in which request, and why: set once at the edge, read by the trail and by history."""

import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Scope:
    """What is left of a person's rights while a credential narrower than the person acts for them."""

    workspaces: frozenset[UUID]
    actions: frozenset[str]
    #: The id of the API token, for the trail.
    token: str = ""


@dataclass(frozen=True, slots=True)
class Acting:
    """The person (None: the system itself) behind what happens now."""

    by: Any = None
    request_id: str = ""
    reason: str = ""
    #: None: the whole person. What is narrowed stays narrowed in everything it calls.
    scope: Scope | None = None
    #: Who looks at the portal as `by`, read-only; the trail names them as the actor.
    viewer: Any = None
    #: Plain details of every entry made meanwhile: what it is part of.
    part_of: Mapping[str, str] = field(default_factory=dict)


_NOBODY = Acting()
_current: ContextVar[Acting] = ContextVar("acting", default=_NOBODY)


def current() -> Acting:
    """The acting person and request of this task or request."""
    return _current.get()


@contextmanager
def acting(
    by: Any = None,
    *,
    request_id: str = "",
    reason: str = "",
    scope: Scope | None = None,
    viewer: Any = None,
    part_of: Mapping[str, str] | None = None,
) -> Iterator[Acting]:
    """Mark everything inside as done by `by`; a request id is made when none is given."""
    around = _current.get()
    entered = Acting(
        by,
        request_id or uuid.uuid4().hex,
        reason,
        scope or around.scope,
        viewer or around.viewer,
        part_of or around.part_of,
    )
    token = _current.set(entered)
    try:
        yield entered
    finally:
        _current.reset(token)


def look_as(person: Any, *, viewer: Any) -> None:
    """Go on as `person`, with `viewer` looking over their shoulder, until the surrounding `acting` ends."""
    if _current.get() is _NOBODY:
        raise RuntimeError("Nobody is acting here, so nobody can look as somebody else.")
    _current.set(replace(_current.get(), by=person, viewer=viewer))
