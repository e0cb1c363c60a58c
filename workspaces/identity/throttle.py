"""How often somebody may try: by address and by account, counted for all processes at once.

The counting is that of the `limits` library: a moving window in Valkey, each attempt one atomic script. An attempt is
counted before the password is looked at, so that a hundred guesses at the same moment are still counted one by one.
When Valkey does not answer nobody signs in: an unlimited number of guesses is worse than a pause.
"""

from dataclasses import dataclass
from time import time
from typing import Any

import redis
from django.conf import settings
from django.db import transaction
from django.http import HttpRequest
from django.utils.crypto import salted_hmac
from limits import RateLimitItemPerSecond

from audit.events import EventType
from audit.record import record
from workspaces.counting import limiter
from workspaces.exceptions import CountingUnavailable, TooManyAttempts
from workspaces.identity import addresses
from workspaces.models import User

WINDOW_SECONDS = 15 * 60
_ONCE = RateLimitItemPerSecond(1, WINDOW_SECONDS, namespace="inlock-once")


@dataclass(frozen=True, slots=True)
class Counter:
    """One thing that is counted, such as the guesses at one account."""

    kind: str
    name: str
    amount: int

    @property
    def item(self) -> RateLimitItemPerSecond:
        return RateLimitItemPerSecond(self.amount, WINDOW_SECONDS, namespace="inlock")

    @property
    def identifiers(self) -> tuple[str, str]:
        # Keyed hash: a person may have typed their password as the name, and Valkey writes its memory to disk.
        return self.kind, salted_hmac(__name__, self.name, algorithm="sha256").hexdigest()


def by_address(request: HttpRequest) -> Counter:
    return Counter("address", addresses.neighbourhood(addresses.of(request)), settings.ATTEMPTS_PER_ADDRESS)


def by_account(name: str) -> Counter:
    """Guesses at the password of what was typed as the user name, whether an account has it or not."""
    return Counter("account", name.casefold(), settings.ATTEMPTS_PER_ACCOUNT)


def by_emergency(request: HttpRequest, name: str) -> Counter:
    """Guesses from one address where one account alone has a password: nobody elsewhere can keep its owner out."""
    here = f"{addresses.neighbourhood(addresses.of(request))} {name.casefold()}"
    return Counter("emergency", here, settings.ATTEMPTS_PER_ACCOUNT)


def by_code(user_id: object) -> Counter:
    """Guesses at the second factor of an account whose password was right."""
    return Counter("code", str(user_id), settings.ATTEMPTS_PER_ACCOUNT)


class Attempt:
    """One counted attempt; `succeeded` gives it back, so that only failures use up what is allowed."""

    def __init__(self, *counters: Counter) -> None:
        """Count on each of `counters`. Raises TooManyAttempts, and CountingUnavailable without Valkey."""
        self.counters = counters
        try:
            for counter in counters:
                if not limiter().hit(counter.item, *counter.identifiers):
                    raise _too_many(counter)
        except redis.RedisError as error:
            raise CountingUnavailable from error

    def succeeded(self) -> None:
        """Take this attempt back. Who knows the secret also clears the failures counted against their own account."""
        try:
            for counter in self.counters:
                if counter.kind == "address":
                    _take_back(counter)
                else:
                    limiter().clear(counter.item, *counter.identifiers)
        except redis.RedisError as error:
            raise CountingUnavailable from error


def first_use(user_id: object, code: str) -> bool:
    """Whether this right code is used for the first time; a code seen on the way is worth nothing afterwards."""
    try:
        return limiter().hit(_ONCE, *_spent(user_id, code))
    except redis.RedisError as error:
        raise CountingUnavailable from error


def is_spent(user_id: object, code: str) -> bool:
    """Whether this code was used already; asking does not use it."""
    try:
        return not limiter().test(_ONCE, *_spent(user_id, code))
    except redis.RedisError as error:
        raise CountingUnavailable from error


def _spent(user_id: object, code: str) -> tuple[str, ...]:
    return "spent", *Counter("spent", f"{user_id} {code}", 1).identifiers


def _too_many(counter: Counter) -> TooManyAttempts:
    opens_at = limiter().get_window_stats(counter.item, *counter.identifiers).reset_time
    _record_once(counter)
    return TooManyAttempts(seconds=max(1, round(opens_at - time())))


def _record_once(counter: Counter) -> None:
    """One entry per window, whatever the number of attempts: a flood must not fill the trail."""
    if limiter().hit(_ONCE, "told", *counter.identifiers):
        with transaction.atomic():
            record(EventType.SIGN_IN_THROTTLED, on=_account(counter), counted_by=counter.kind)


def _account(counter: Counter) -> User | None:
    lookups: dict[str, Any] = {
        "account": {"username__iexact": counter.name},
        "code": {"pk": counter.name},
        "emergency": {"username__iexact": counter.name.partition(" ")[2]},
    }
    return User.objects.filter(**lookups[counter.kind]).first() if counter.kind in lookups else None


def _take_back(counter: Counter) -> None:
    # The library has no word for it. Its window is a list of times, newest first.
    storage = limiter().storage
    storage.storage.lpop(storage.prefixed_key(counter.item.key_for(*counter.identifiers)))
