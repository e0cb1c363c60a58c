"""Ask a server of models, for vectors or for an order of passages: what both kinds have in common.

It may be at the hosts of the operator's list for models (INLOCK_MODEL_HOSTS) and nowhere else, is never redirected,
and is told its key alone.
"""

import json
import os
import threading
from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.utils.translation import gettext_noop

from documents.fetch import Fetcher, Limits, Outgoing
from workspaces import hosts
from workspaces.hosts import HostList

#: What a server that is asked too much, or something it does not understand, answers.
TOO_MUCH = frozenset({400, 413, 422})
BUSY = frozenset({408, 425, 429, 500, 502, 503, 504})
#: Codes that may be over by the next time.
PASSING = frozenset({"unreachable", "too_slow", "busy", "host_unknown"})
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


def post(url: str, document: Mapping[str, Any], *, home: str, key: str, seconds: int, most_bytes: int) -> bytes:
    """What the server at `home` answers to a JSON document. Raises SourceFailed."""
    limits = Limits(
        connect_seconds=min(seconds, 10),
        read_seconds=seconds,
        total_seconds=seconds,
        total_bytes=most_bytes,
        redirects=0,
    )
    headers = {"content-type": "application/json", "accept": "application/json"}
    body = json.dumps(document).encode()
    with _server(home, key).send("POST", url, headers=headers, body=body, limits=limits) as reply:
        return reply.read()


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
