"""Refuse request bodies that are too large before they fill the disk.

Django under ASGI spools a whole body to disk before any view or upload handler sees it. A proxy in front should have a
limit of its own; this one holds without it, also for bodies that do not say how long they are. On a disk that is nearly
full only small bodies pass, which stay in memory: questions, decisions, settings.
"""

import json
from collections.abc import Awaitable, Callable, MutableMapping
from http import HTTPStatus
from typing import Any

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[MutableMapping[str, Any], Receive, Send], Awaitable[None]]

TOO_LARGE = (413, "What was sent is larger than this portal accepts.")
#: RFC 4918, section 11.5.
NO_ROOM = (507, "The disk of this portal is nearly full: no files are taken in. Asking goes on.")


class _Refused(Exception):
    """More bytes came than are accepted."""

    def __init__(self, status: int, sentence: str) -> None:
        super().__init__(status)
        self.answer = (status, sentence)


def limited(
    application: Application, *, most: int, small: int, is_short: Callable[[], bool] = lambda: False
) -> Application:
    """`application`, answering 413 to a body of more than `most` bytes, announced or not.

    One of more than `small` bytes is answered 507 while `is_short` says that the disk is nearly full. Programs, below
    /api/, are answered in problem details (RFC 9457).
    """

    def check(size: int, before: int = 0) -> None:
        if size > most:
            raise _Refused(*TOO_LARGE)
        if before <= small < size and is_short():
            raise _Refused(*NO_ROOM)

    async def guarded(scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await application(scope, receive, send)
            return
        received = 0
        has_answered = False

        async def counting() -> Message:
            nonlocal received
            message = await receive()
            before, received = received, received + len(message.get("body", b""))
            check(received, before)
            return message

        async def noting(message: Message) -> None:
            nonlocal has_answered
            has_answered = True
            await send(message)

        try:
            check(_announced(scope))
            await application(scope, counting, noting)
        except _Refused as refused:
            if not has_answered:
                await _refuse(send, *refused.answer, to_program=scope["path"].startswith("/api/"))

    return guarded


def _announced(scope: MutableMapping[str, Any]) -> int:
    value = dict(scope["headers"]).get(b"content-length", b"0")
    return int(value) if value.isdigit() else 0


async def _refuse(send: Send, status: int, sentence: str, *, to_program: bool) -> None:
    kind, body = b"text/plain; charset=utf-8", f"{sentence}\n"
    if to_program:
        title = HTTPStatus(status).phrase
        kind = b"application/problem+json"
        body = json.dumps({"type": "about:blank", "title": title, "status": status, "detail": sentence})
    headers = [(b"content-type", kind), (b"connection", b"close")]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body.encode()})
