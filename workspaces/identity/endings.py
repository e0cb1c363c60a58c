"""What the provider ended a short while ago, so that a sign-in which was under way then does not come about.

From when the browser is sent there until it is back, and while a second factor is waited for here, there is no session
to end.
"""

import hashlib
import json
from collections.abc import Iterator
from time import time

import redis
from django.core.cache import cache

from workspaces.exceptions import CountingUnavailable
from workspaces.identity.logout_token import Ending

#: Longer than a sign-in may take: ten minutes at the provider, and fifteen for its second factor.
KEPT_SECONDS = 30 * 60


def note(ending: Ending) -> None:
    """Keep that this was ended now. Raises CountingUnavailable without Valkey."""
    try:
        cache.set_many(dict.fromkeys(_named(ending), time()), KEPT_SECONDS)
    except redis.RedisError as error:
        raise CountingUnavailable from error


def has_ended(*, uid: str, sid: str, since: float) -> bool:
    """Whether the provider ended the session `sid` of `uid` after the moment `since`, at which its sign-in began.

    Raises CountingUnavailable without Valkey.
    """
    keys = [_key(uid, None), _key(uid, sid), *([_key(None, sid)] if sid else [])]
    try:
        return any(ended >= since for ended in cache.get_many(keys).values())
    except redis.RedisError as error:
        raise CountingUnavailable from error


def _named(ending: Ending) -> Iterator[str]:
    """The sessions that are meant; None stands for any."""
    yield _key(ending.uid or None, ending.sid or None)
    if ending.uid and ending.sid:
        # Of a session whose own name the provider did not tell it is not known that it is another one.
        yield _key(ending.uid, "")


def _key(uid: str | None, sid: str | None) -> str:
    return f"ended:{hashlib.sha256(json.dumps([uid, sid]).encode()).hexdigest()}"
