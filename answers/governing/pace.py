"""Ask an endpoint no faster than its owner said: so many requests a minute, so many at a time, over all processes.

Counted in Valkey. When that does not answer, the server's own limits are what is left: it then says that it is busy.
"""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import monotonic, sleep, time
from uuid import uuid4

import redis
from django.utils.translation import gettext as _

from answers.exceptions import ModelResting
from answers.models import ModelEndpoint
from answers.states import AnswerStatus
from workspaces.endpoints import breaker, rate

logger = logging.getLogger(__name__)

_LOOK_SECONDS = 0.2


@contextmanager
def turn(endpoint: ModelEndpoint, should_stop: Callable[[], bool]) -> Iterator[bool]:
    """Wait for a turn, as long as the endpoint has until its first word; False where `should_stop` ended the wait.

    Raises ModelResting when no turn came.
    """
    name, until = str(uuid4()), monotonic() + endpoint.first_token_seconds
    has_place = has_turn = False
    try:
        while True:
            has_place = has_place or _takes_place(endpoint, name)
            has_turn = has_place and rate.hits(endpoint.pk, endpoint.requests_per_minute)
            if has_turn or should_stop():
                break
            if monotonic() >= until:
                said = _("The model “%(name)s” is asked by as many as it takes.") % {"name": endpoint.name}
                raise ModelResting(AnswerStatus.FAILED_MODEL_BUSY, said)
            sleep(_LOOK_SECONDS)
        yield has_turn
    finally:
        if has_place and endpoint.concurrent_requests:
            _leaves(endpoint, name)


def wait(seconds: float, should_stop: Callable[[], bool]) -> bool:
    """Whether the whole time passed without a request to stop."""
    until = monotonic() + seconds
    while (left := until - monotonic()) > 0:
        if should_stop():
            return False
        sleep(min(left, _LOOK_SECONDS))
    return True


def _takes_place(endpoint: ModelEndpoint, name: str) -> bool:
    if not endpoint.concurrent_requests:
        return True
    key = f"places:{endpoint.pk}"
    # A worker that died gives its place back when the call it made must be over.
    over = 2 * endpoint.total_seconds
    try:
        with breaker.client().pipeline() as pipe:
            pipe.zremrangebyscore(key, 0, time()).zadd(key, {name: time() + over}).zcard(key).expire(key, over)
            taken = pipe.execute()[2]
            if taken <= endpoint.concurrent_requests:
                return True
            pipe.zrem(key, name).execute()
    except redis.RedisError as error:
        logger.warning("The places at endpoint %s are not counted: %s", endpoint.pk, type(error).__name__)
        return True
    return False


def _leaves(endpoint: ModelEndpoint, name: str) -> None:
    try:
        breaker.client().zrem(f"places:{endpoint.pk}", name)
    except redis.RedisError as error:
        logger.warning("A place at endpoint %s stays taken for a while: %s", endpoint.pk, type(error).__name__)
