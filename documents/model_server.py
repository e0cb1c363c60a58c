"""Ask a server of models, for vectors or for an order of passages: what both kinds have in common.

It may be at the hosts of the operator's list for models (INLOCK_MODEL_HOSTS) and nowhere else, is never redirected,
and is told its key alone. A server that failed again and again, or asked for a pause, is left alone for a while.
"""

import json
import os
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.conf import settings
from django.utils.translation import gettext_noop

from documents.exceptions import SourceFailed
from documents.fetch import Fetcher, Limits, Outgoing
from workspaces import hosts
from workspaces.endpoints import breaker, rate
from workspaces.hosts import HostList

#: What a server that is asked too much, or something it does not understand, answers.
TOO_MUCH = frozenset({400, 413, 422})
BUSY = frozenset({408, 425, 429, 500, 502, 503, 504})
#: Codes that may be over by the next time.
PASSING = frozenset({"unreachable", "too_slow", "busy", "host_unknown", "resting"})
#: What says that a server is ill, rather than busy or asked for something that it does not take.
_ILL = frozenset({500, 502, 504})
SENTENCES = {
    "host_form": gettext_noop("The address of %(name)s is not a plain http or https address."),
    "host_unlisted": gettext_noop(
        "The host of %(name)s is not on this installation's list of model hosts. Its operator can add it."
    ),
    "host_inside": gettext_noop("The address of %(name)s leads into a network that is not on the list of model hosts."),
    "host_plain": gettext_noop("Outside of the listed networks %(name)s is asked over HTTPS only."),
    "host_unknown": gettext_noop("The host name of %(name)s is not known."),
    "unreachable": gettext_noop("%(name)s could not be reached."),
    "too_slow": gettext_noop("%(name)s took too long."),
    "denied": gettext_noop("%(name)s refused access. Check the key and what it may do."),
    "busy": gettext_noop("%(name)s is busy or out of order for the moment."),
    "resting": gettext_noop("%(name)s is left alone for a moment: it failed again and again, or was asked too often."),
    "refused": gettext_noop("%(name)s does not take what it was sent (status %(status)d)."),
}


class Server(Fetcher):
    """Goes to the hosts of models, encrypted wherever that is not one of the listed networks."""

    def __init__(self, base_url: str, key: str) -> None:
        def sign(request: Outgoing) -> Mapping[str, str]:
            return {"authorization": f"Bearer {key}"} if key else {}

        super().__init__(home=base_url, sign=sign)

    def hosts(self) -> HostList:
        return listed()


def listed() -> HostList:
    """The operator's list, read anew."""
    return hosts.read_list(settings.MODEL_HOSTS)


@dataclass(frozen=True, slots=True)
class Asked:
    """Which endpoint is asked, how often a minute that may be, and whether nobody waits for what it answers."""

    endpoint: UUID
    per_minute: int | None = None
    in_background: bool = False


def post(
    url: str, document: Mapping[str, Any], asked: Asked, *, home: str, key: str, seconds: int, most_bytes: int
) -> bytes:
    """What the server at `home` answers to a JSON document.

    Raises SourceFailed; "resting", and in how many seconds to come `after`, where the server is not asked at all.
    """
    _require_turn(asked, seconds)
    limits = Limits(
        connect_seconds=min(seconds, 10),
        read_seconds=seconds,
        total_seconds=seconds,
        total_bytes=most_bytes,
        redirects=0,
    )
    headers = {"content-type": "application/json", "accept": "application/json"}
    body = json.dumps(document).encode()
    try:
        with _server(home, key).send("POST", url, headers=headers, body=body, limits=limits) as reply:
            said = reply.read()
    except SourceFailed as failed:
        _tell(asked, failed, seconds)
        raise
    except BaseException:
        breaker.give_back(asked.endpoint)
        raise
    breaker.succeeded(asked.endpoint)
    return said


def _require_turn(asked: Asked, seconds: int) -> None:
    if not breaker.allows(asked.endpoint, seconds=seconds):
        raise SourceFailed("resting", after=max(1, breaker.standing(asked.endpoint).seconds))
    if rate.hits(asked.endpoint, asked.per_minute, in_background=asked.in_background):
        return
    breaker.give_back(asked.endpoint)
    raise SourceFailed("resting", after=rate.seconds_left(asked.endpoint, asked.per_minute or 1))


def _tell(asked: Asked, failed: SourceFailed, seconds: int) -> None:
    """How the server did: it is ill, it asks everybody for a pause, or it does not like this one request."""
    status = failed.detail.get("status")
    if failed.code in ("unreachable", "too_slow") or status in _ILL:
        # As long as so many calls may take one after the other: a server that hangs would else never be noticed.
        breaker.failed(asked.endpoint, within=max(breaker.WITHIN_SECONDS, breaker.FAILURES * seconds))
        return
    breaker.give_back(asked.endpoint)
    if status in BUSY and (after := int(failed.detail.get("after", 0))) > 0:
        breaker.pause(asked.endpoint, seconds=after)


# A thread's own, because a fetcher makes one request after another; kept, because a question should not wait for TLS.
_kept = threading.local()


def _server(home: str, key: str) -> Server:
    servers: dict[tuple[str, str], Server] = _kept.__dict__.setdefault("servers", {})
    if (home, key) not in servers:
        servers[home, key] = Server(home, key)
    return servers[home, key]


def _forget_in_child() -> None:
    # Two processes must not talk over one connection.
    global _kept
    _kept = threading.local()


os.register_at_fork(after_in_child=_forget_in_child)
