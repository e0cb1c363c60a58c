"""Run a request from the first middleware to the last in one thread, and a few requests at a time.

Django's own handler goes back to the event loop between one middleware and the next, and lets every request that has
come run at once. With fifty of them a processor of two is busy passing the interpreter around, and whoever came first
is answered with whoever came last.
"""

import asyncio
from weakref import WeakKeyDictionary

from asgiref.sync import sync_to_async
from django.core.handlers.asgi import ASGIHandler
from django.http import HttpRequest
from django.http.response import HttpResponseBase

#: Requests that are worked on at once. One thread at a time has the interpreter; the others wait for the database.
AT_ONCE = 4
#: What takes longer waits for something else, such as another server, and lets the next one begin.
_TURN_SECONDS = 0.25


class Handler(ASGIHandler):
    """Django's handler of ASGI requests, with synchronous middleware and turns in the order in which requests came.

    A stream takes a turn until its response begins, not while it lasts.
    """

    def __init__(self) -> None:
        self._by_loop: WeakKeyDictionary[asyncio.AbstractEventLoop, asyncio.Semaphore] = WeakKeyDictionary()
        super().__init__()

    def load_middleware(self, is_async: bool = False) -> None:
        super().load_middleware(is_async=False)

    async def get_response_async(self, request: HttpRequest) -> HttpResponseBase:
        turns = self._by_loop.setdefault(asyncio.get_running_loop(), asyncio.Semaphore(AT_ONCE))
        await turns.acquire()
        turn = _Turn(turns)
        try:
            return await sync_to_async(self.get_response)(request)
        finally:
            turn.end()


class _Turn:
    """One of the places of `turns`, given back when it ends or has lasted long enough, whichever is first."""

    def __init__(self, turns: asyncio.Semaphore) -> None:
        self._turns = turns
        self._lasts = True
        self._limit = asyncio.get_running_loop().call_later(_TURN_SECONDS, self.end)

    def end(self) -> None:
        if self._lasts:
            self._lasts = False
            self._limit.cancel()
            self._turns.release()
