"""Ring the bell for background work: after commit, with ids only, and never in the way of the act itself.

The row is the job. A message that is lost, late or doubled costs time and
nothing else, because a sweep finds every row that waits.
"""

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import partial
from typing import Any

import redis
from celery import Task
from django.conf import settings
from django.db import transaction
from kombu.exceptions import OperationalError

logger = logging.getLogger(__name__)

#: Seconds a worker's sign of life counts; it gives one every third of that.
SIGN_OF_LIFE_SECONDS = 15
# A broker that is gone must cost a command a moment, not a minute.
BROKER_TIMEOUT = 2.0
#: So long a broker is taken for silent by a process that waited for it in vain.
SILENT_SECONDS = 15
#: By address: until when, as `time.monotonic` tells.
_silent_until: dict[str, float] = {}

_runs_inline: ContextVar[bool] = ContextVar("runs_inline", default=False)


def dispatch(task: Task[Any, Any], *ids: Any) -> None:
    """Have `task` called with `ids` once the current transaction is committed; at once outside of one.

    Inside `inline()` it runs here and its errors are raised here. Otherwise
    it is sent to the workers; a broker that is down is logged, and the sweep
    picks the row up later.
    """
    arguments = tuple(str(id) for id in ids)
    run = partial(task, *arguments) if _runs_inline.get() else partial(_send, task, arguments)
    transaction.on_commit(run)


@contextmanager
def inline() -> Iterator[None]:
    """Run dispatched tasks in this process; for commands that find no worker."""
    token = _runs_inline.set(True)
    try:
        yield
    finally:
        _runs_inline.reset(token)


def worker_is_up(queue: str) -> bool:
    """Whether a worker that takes from `queue` gave a sign of life within the last seconds.

    A broker that does not answer at all is not asked again for a while: pages ask this, some every other second.
    """
    if time.monotonic() < _silent_until.get(settings.REDIS_URL, 0.0):
        return False
    try:
        with _client() as client:
            return bool(client.exists(sign_of_life(queue)))
    except redis.TimeoutError:
        logger.warning("The broker did not answer within %s seconds", BROKER_TIMEOUT)
        _silent_until[settings.REDIS_URL] = time.monotonic() + SILENT_SECONDS
        return False
    except (redis.RedisError, OSError) as error:
        logger.warning("The broker does not answer: %s", error)
        return False


def give_sign_of_life(queue: str, worker: str) -> None:
    """Say that `worker` is taking from `queue` now."""
    with _client() as client:
        client.set(sign_of_life(queue), worker, ex=SIGN_OF_LIFE_SECONDS)


def take_leave(queue: str, worker: str) -> None:
    """Say that `worker` no longer takes from `queue`; another's sign of life is left alone."""
    with _client() as client:
        if client.get(sign_of_life(queue)) == worker.encode():
            client.delete(sign_of_life(queue))


def sign_of_life(queue: str) -> str:
    return f"inlock:worker:{queue}"


def _send(task: Task[Any, Any], arguments: tuple[str, ...]) -> None:
    try:
        task.apply_async(arguments)
    except OperationalError as error:
        logger.warning("%s %s was not sent, and waits for the sweep: %s", task.name, arguments, error)


def _client() -> "redis.Redis":
    return redis.Redis.from_url(
        settings.REDIS_URL, socket_timeout=BROKER_TIMEOUT, socket_connect_timeout=BROKER_TIMEOUT, retry=None
    )
