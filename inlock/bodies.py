"""Refuse request bodies that are too large before they fill the disk.

Django under ASGI spools a whole body to disk before any view or upload handler sees it. A proxy in front should have a
limit of its own; this one holds without it, also for bodies that do not say how long they are.
"""

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[MutableMapping[str, Any], Receive, Send], Awaitable[None]]

_SENTENCE = b"What was sent is larger than this portal accepts.\n"


class _TooLarge(Exception):
    """More bytes came than are accepted."""


def limited(application: Application, *, most: int) -> Application:
    """`application`, answering 413 to a body of more than `most` bytes, announced or not."""

    async def guarded(scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await application(scope, receive, send)
            return
        received = 0
        has_answered = False

        async def counting() -> Message:
            nonlocal received
            message = await receive()
            received += len(message.get("body", b""))
            if received > most:
                raise _TooLarge
            return message

        async def noting(message: Message) -> None:
            nonlocal has_answered
            has_answered = True
            await send(message)

        if _announced(scope) > most:
            await _refuse(send)
            return
        try:
            await application(scope, counting, noting)
        except _TooLarge:
            if not has_answered:
                await _refuse(send)

    return guarded


def _announced(scope: MutableMapping[str, Any]) -> int:
    value = dict(scope["headers"]).get(b"content-length", b"0")
    return int(value) if value.isdigit() else 0


async def _refuse(send: Send) -> None:
    headers = [(b"content-type", b"text/plain; charset=utf-8"), (b"connection", b"close")]
    await send({"type": "http.response.start", "status": 413, "headers": headers})
    await send({"type": "http.response.body", "body": _SENTENCE})
