"""Answer at once while the database is gone, instead of letting each request wait for it.

The pool of the web process says when it could not connect; from then on a thread asks the server whether it takes
connections again. Requests wait through the first seconds, in which most restarts are over.
"""

import threading
import time
from collections.abc import Callable

from django.db import connection
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.utils import translation
from django.utils.translation import gettext as _
from psycopg import pq
from psycopg.conninfo import make_conninfo

from workspaces.problems import problem

#: Seconds of an outage through which requests wait.
WAITED_THROUGH = 5.0
#: Seconds after which a page that says so looks again.
AGAIN_AFTER = 5
_LOOK_EVERY = 0.5
_PROBE_SECONDS = 2
#: What libpq knows; the rest of what Django gives is for its Python side.
_KEYWORDS = {option.keyword.decode() for option in pq.Conninfo.get_defaults()}


class _Outage:
    """Since when the database has been gone, on the monotonic clock; None while it is there, as far as is known."""

    def __init__(self) -> None:
        self._since: float | None = None
        self._noticing = threading.Lock()

    def notice(self) -> None:
        """Somebody could not connect. Looks by itself until the server takes connections."""
        with self._noticing:
            if self._since is not None:
                return
            self._since = time.monotonic()
        threading.Thread(target=self._watch, args=(conninfo(),), name="outage", daemon=True).start()

    def lasts(self) -> bool:
        """Whether the database has been gone for so long that nobody should wait for it."""
        since = self._since
        return since is not None and time.monotonic() - since >= WAITED_THROUGH

    def _watch(self, where: bytes) -> None:
        while not takes_connections(where):
            time.sleep(_LOOK_EVERY)
        self._since = None


outage = _Outage()


def conninfo() -> bytes:
    """Where the database is, as libpq takes it."""
    known = {name: value for name, value in connection.get_connection_params().items() if name in _KEYWORDS}
    return make_conninfo("", **known | {"connect_timeout": _PROBE_SECONDS}).encode()


def takes_connections(where: bytes) -> bool:
    """Whether a server answers there and is neither starting nor ending; one that is full answers."""
    return pq.PGconn.ping(where) == pq.Ping.OK


class OutageMiddleware:
    """Before whatever asks the database: 503 while it is gone, also for those who waited for it in vain."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.path.startswith("/health/"):
            return self.get_response(request)
        if outage.lasts():
            return _told(request)
        response = self.get_response(request)
        return _told(request) if response.status_code == 500 and outage.lasts() else response


def _told(request: HttpRequest) -> HttpResponse:
    # The one middleware that knows a person's language comes later, and this needs no more than it does.
    with translation.override(translation.get_language_from_request(request)):
        if request.path.startswith("/api/"):
            response = problem(503, _("The portal cannot reach its database. Try again in a moment."))
        else:
            told = {"again_after": AGAIN_AFTER if request.method == "GET" else 0}
            response = HttpResponse(render_to_string("outage.html", told), status=503)
        response.headers["Content-Language"] = translation.get_language()
    response.headers["Retry-After"] = str(AGAIN_AFTER)
    return response
