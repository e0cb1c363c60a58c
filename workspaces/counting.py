"""The counter of whatever is limited: a moving window in Valkey, one atomic script a look, across all processes."""

from functools import cache

import redis
from django.conf import settings
from limits.storage import RedisStorage
from limits.strategies import MovingWindowRateLimiter

#: A counter that does not answer must cost a visitor a moment, not a minute.
ANSWER_WITHIN = 2.0


def limiter() -> MovingWindowRateLimiter:
    """The counter of this installation. Its methods raise redis.RedisError when Valkey does not answer."""
    return _limiter_at(settings.REDIS_URL)


@cache
def _limiter_at(url: str) -> MovingWindowRateLimiter:
    pool = redis.ConnectionPool.from_url(
        url, socket_timeout=ANSWER_WITHIN, socket_connect_timeout=ANSWER_WITHIN, retry=None
    )
    return MovingWindowRateLimiter(RedisStorage("redis://", connection_pool=pool))
