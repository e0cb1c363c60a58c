"""Tasks about the installation itself.

One proves the whole way of each queue: beat sent it, the broker carried it, a worker ran it.
"""

import fcntl
import time
from typing import Any

import redis
from celery import shared_task
from django.conf import settings
from django.db import transaction

from audit.events import EventType
from audit.models import Event
from audit.record import record
from documents.tasks import sweep_indexes
from inlock import engines
from inlock.celery import MAINTENANCE, QUEUES
from workspaces.dispatch import dispatch

#: A hash: when the canary of each queue last ran, in seconds since the epoch.
CANARY = "inlock:canaries"


@shared_task(bind=True)
def canary(self: Any) -> None:
    """Note the time of this run under the queue it came through, for `doctor` and the health page."""
    queue = (self.request.delivery_info or {}).get("routing_key") or MAINTENANCE
    with redis.Redis.from_url(settings.REDIS_URL) as client:
        client.hset(CANARY, queue, int(time.time()))


@shared_task
def sweep_engines() -> None:
    """Enter in the trail which files of an engine were set aside, and have the indexes put back that were in them."""
    found = engines.all_set_aside(settings.VAR)
    if not found:
        return
    known = Event.objects.filter(type=EventType.ENGINE_SET_ASIDE)
    with (settings.VAR / "engines" / "set-aside.lock").open("a") as lock:
        # Two sweeps at once would both find that there is no entry.
        fcntl.flock(lock, fcntl.LOCK_EX)
        for aside in found:
            name = aside.directory.name
            if not known.filter(body__contains=f'"{name}"').exists():
                with transaction.atomic():
                    record(EventType.ENGINE_SET_ASIDE, engine=aside.engine, directory=name, why=aside.why)
                    dispatch(sweep_indexes)


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
