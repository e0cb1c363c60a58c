"""Leave an endpoint's server alone for a while after it failed again and again, in every process at once.

For chat, for vectors and for order. Kept in Valkey and forgotten with it: it spares time, and keeps nothing from
anybody. When Valkey does not answer, servers are asked as if they had never failed.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any
from uuid import UUID

import redis
from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

logger = logging.getLogger(__name__)

#: So many failures within so many seconds, and nobody asks for so many more.
FAILURES = 5
WITHIN_SECONDS = 60
REST_SECONDS = 30
#: A failure in the first call after a rest means another rest, for as long as this remembers that there was one.
_REMEMBERED_SECONDS = 10 * REST_SECONDS
#: No server keeps everybody away for longer by one answer.
LONGEST_PAUSE_SECONDS = 300
_ANSWER_WITHIN = 2.0


class BreakerState(models.TextChoices):
    """Stored nowhere; for people and programs."""

    CLOSED = "closed", _("Asked as usual")
    OPEN = "open", _("Left alone")
    HALF_OPEN = "half_open", _("Tried with one call")


@dataclass(frozen=True, slots=True)
class Standing:
    """How an endpoint stands; `seconds` until it is tried again, 0 where it is not left alone."""

    state: BreakerState = BreakerState.CLOSED
    failures: int = 0
    seconds: int = 0
    #: Because it asked for a pause, and did not fail.
    is_paused: bool = False


def allows(endpoint: UUID, *, seconds: int) -> bool:
    """Whether the endpoint may be asked now. After a rest one caller may, who has `seconds` to say how it went."""
    rest, tired, probe = _keys(endpoint, "rest", "tired", "probe")

    def look(client: Any) -> bool:
        if client.exists(rest):
            return False
        if not client.exists(tired):
            return True
        return bool(client.set(probe, 1, nx=True, ex=seconds))

    return bool(_with(look, otherwise=True))


def give_back(endpoint: UUID) -> None:
    """Whoever was to try the endpoint asked it nothing: another may."""
    _with(lambda client: client.delete(*_keys(endpoint, "probe")))


def succeeded(endpoint: UUID) -> None:
    """The endpoint answered: all is forgotten."""
    _with(lambda client: client.delete(*_keys(endpoint, "failures", "rest", "tired", "probe")))


def pause(endpoint: UUID, *, seconds: int) -> None:
    """The endpoint asked everybody to come back in so many seconds, which is no failure."""
    (rest,) = _keys(endpoint, "rest")
    wanted = min(seconds, LONGEST_PAUSE_SECONDS)
    _with(lambda client: client.set(rest, 1, ex=wanted, nx=True))


def failed(endpoint: UUID, *, within: int = WITHIN_SECONDS) -> None:
    """The endpoint did not answer, or not what it should: after a few of these in `within` seconds it is left alone."""
    failures, rest, tired, probe = _keys(endpoint, "failures", "rest", "tired", "probe")

    def count(client: Any) -> None:
        with client.pipeline() as pipe:
            pipe.set(failures, 0, nx=True, ex=within)
            pipe.incr(failures)
            pipe.exists(tired)
            _made, times, was_tired = pipe.execute()
            if times < FAILURES and not was_tired:
                return
            pipe.set(rest, 1, ex=REST_SECONDS)
            pipe.set(tired, 1, ex=_REMEMBERED_SECONDS)
            pipe.delete(probe, failures)
            pipe.execute()
        logger.warning("Endpoint %s is left alone for %s seconds.", endpoint, REST_SECONDS)

    _with(count)


def standing(endpoint: UUID) -> Standing:
    """How the endpoint stands now, for whoever runs the installation."""
    failures, rest, tired = _keys(endpoint, "failures", "rest", "tired")

    def look(client: Any) -> Standing:
        with client.pipeline() as pipe:
            counted, left, was_tired = pipe.get(failures).ttl(rest).exists(tired).execute()
        if left > 0:
            return Standing(BreakerState.OPEN, int(counted or 0), left, is_paused=not was_tired)
        return Standing(BreakerState.HALF_OPEN if was_tired else BreakerState.CLOSED, int(counted or 0))

    return _with(look, otherwise=Standing())


# --- Valkey -------------------------------------------------------------------------------------------------


def _keys(endpoint: UUID, *names: str) -> list[str]:
    return [f"breaker:{endpoint}:{name}" for name in names]


def _with(act: Callable[[Any], Any], *, otherwise: Any = None) -> Any:
    try:
        return act(client())
    except redis.RedisError as error:
        logger.warning("The circuit breaker does not reach Valkey: %s", type(error).__name__)
        return otherwise


def client() -> redis.Redis:
    """What counts calls to endpoints. Its methods raise redis.RedisError when Valkey does not answer."""
    return _client_at(settings.REDIS_URL)


@cache
def _client_at(url: str) -> redis.Redis:
    return redis.Redis.from_url(url, socket_timeout=_ANSWER_WITHIN, socket_connect_timeout=_ANSWER_WITHIN)
