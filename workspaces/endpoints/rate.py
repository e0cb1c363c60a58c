"""Ask an endpoint no oftener than its owner said: so many requests a minute, over all processes.

Counted in Valkey. When that does not answer, the server's own limits are what is left: it then says that it is busy.
"""

import logging
from math import ceil
from time import time
from uuid import UUID

import redis
from limits import RateLimitItemPerMinute

from workspaces.counting import limiter

logger = logging.getLogger(__name__)

#: The part of the requests of a minute that is kept for people who wait, where work in the background asks too.
KEPT_FOR_PEOPLE = 0.2


def hits(endpoint: UUID, per_minute: int | None, *, in_background: bool = False) -> bool:
    """Whether one more request may go to the endpoint now, and is counted; None for `per_minute` is without a limit."""
    if not per_minute:
        return True
    item, counter = _item(per_minute), limiter()
    try:
        if in_background and counter.get_window_stats(item, *_key(endpoint)).remaining <= KEPT_FOR_PEOPLE * per_minute:
            return False
        return bool(counter.hit(item, *_key(endpoint)))
    except redis.RedisError as error:
        logger.warning("Requests to endpoint %s are not counted: %s", endpoint, type(error).__name__)
        return True


def seconds_left(endpoint: UUID, per_minute: int) -> int:
    """In how many seconds the oldest request of the last minute counts no more: 1 to 60."""
    try:
        reset = limiter().get_window_stats(_item(per_minute), *_key(endpoint)).reset_time
    except redis.RedisError:
        return 1
    return min(60, max(1, ceil(reset - time())))


def _item(per_minute: int) -> RateLimitItemPerMinute:
    return RateLimitItemPerMinute(per_minute, namespace="inlock")


def _key(endpoint: UUID) -> tuple[str, str]:
    return "model", str(endpoint)
