"""A task that proves the whole way: beat sent it, the broker carried it, a worker ran it."""

import time

import redis
from celery import shared_task
from django.conf import settings

CANARY = "inlock:canary"


@shared_task
def canary() -> None:
    """Note the time of this run, for `doctor` and the health page."""
    with redis.Redis.from_url(settings.REDIS_URL) as client:
        client.set(CANARY, int(time.time()))


def seconds_since_canary() -> float | None:
    """Seconds since background work last went the whole way round; None when it never did."""
    with redis.Redis.from_url(settings.REDIS_URL, socket_timeout=2, socket_connect_timeout=2) as client:
        told = client.get(CANARY)
    return None if told is None else max(0.0, time.time() - int(told))
