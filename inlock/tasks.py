"""A task that proves the whole way of each queue: beat sent it, the broker carried it, a worker ran it."""

import time
from typing import Any

import redis
from celery import shared_task
from django.conf import settings

from inlock.celery import MAINTENANCE, QUEUES

#: A hash: when the canary of each queue last ran, in seconds since the epoch.
CANARY = "inlock:canaries"


@shared_task(bind=True)
def canary(self: Any) -> None:
    """Note the time of this run under the queue it came through, for `doctor` and the health page."""
    queue = (self.request.delivery_info or {}).get("routing_key") or MAINTENANCE
    with redis.Redis.from_url(settings.REDIS_URL) as client:
        client.hset(CANARY, queue, int(time.time()))


def canaries() -> dict[str, float]:
    """When background work last went the whole way, by queue; those where it never did are not there."""
    with _client() as client:
        told = client.hgetall(CANARY)
    return {queue.decode(): float(at) for queue, at in told.items()}


def lengths() -> dict[str, int]:
    """How many messages wait in each queue."""
    with _client() as client:
        return {queue: int(client.llen(queue)) for queue in QUEUES}


def _client() -> "redis.Redis":
    return redis.Redis.from_url(settings.REDIS_URL, socket_timeout=2, socket_connect_timeout=2)
