"""How often a token may be used, and how often a wrong one may be tried.

Both are counted in Valkey for all processes at once. When it does not answer no token is taken: an unlimited number of
requests is worse than a pause.
"""

from time import time

import redis
from django.conf import settings
from django.db import transaction
from django.http import HttpRequest
from limits import RateLimitItemPerMinute, RateLimitItemPerSecond

from audit.events import EventType
from audit.record import record
from workspaces.counting import limiter
from workspaces.exceptions import CountingUnavailable, TokenRefused, TooManyAttempts
from workspaces.identity import addresses
from workspaces.models import ApiToken

#: A refusal is told to the trail once in this time for each token, and for each address that tries unknown ones.
_TOLD_EVERY_SECONDS = 15 * 60


def spend(token: ApiToken) -> None:
    """Count one request. Raises TooManyAttempts above TOKEN_REQUESTS_PER_MINUTE, CountingUnavailable without Valkey."""
    _hit(settings.TOKEN_REQUESTS_PER_MINUTE, "token", str(token.pk))


def note_refusal(request: HttpRequest, refused: TokenRefused) -> None:
    """Count a refused token against the address it came from, and tell the trail once in a while.

    Raises TooManyAttempts above ATTEMPTS_PER_ADDRESS in a minute, CountingUnavailable without Valkey.
    """
    address = addresses.neighbourhood(addresses.of(request))
    name = str(refused.token.pk) if refused.token else address
    try:
        is_news = limiter().hit(RateLimitItemPerSecond(1, _TOLD_EVERY_SECONDS, "inlock"), "token-told", name)
    except redis.RedisError as error:
        raise CountingUnavailable from error
    if is_news:
        with transaction.atomic():
            by = refused.token.user if refused.token else None
            record(EventType.TOKEN_REFUSED, on=refused.token, by=by, why=refused.why)
    _hit(settings.ATTEMPTS_PER_ADDRESS, "token-address", address)


def _hit(amount: int, kind: str, name: str) -> None:
    item = RateLimitItemPerMinute(amount, namespace="inlock")
    try:
        if limiter().hit(item, kind, name):
            return
        opens_at = limiter().get_window_stats(item, kind, name).reset_time
    except redis.RedisError as error:
        raise CountingUnavailable from error
    raise TooManyAttempts(seconds=max(1, round(opens_at - time())))
