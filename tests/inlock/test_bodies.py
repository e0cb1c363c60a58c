"""Bodies that are too large are refused before they are stored."""

import asyncio
import json
from typing import Any

import pytest

from inlock.bodies import limited

MOST, SMALL = 100, 20


def ask(chunks: list[bytes], headers: list[tuple[bytes, bytes]], *, is_short: bool = False) -> tuple[int, int]:
    """(status, bytes the application was handed) after sending `chunks`."""
    sent, handed = exchange(chunks, headers, is_short=is_short)
    return sent[0]["status"], handed


def exchange(
    chunks: list[bytes], headers: list[tuple[bytes, bytes]], *, is_short: bool = False, path: str = "/"
) -> tuple[list[dict[str, Any]], int]:
    """(messages sent back, bytes the application was handed) after sending `chunks`."""
    sent, handed = [], 0
    waiting = [
        {"type": "http.request", "body": chunk, "more_body": index + 1 < len(chunks)}
        for index, chunk in enumerate(chunks)
    ]

    async def application(scope, receive, send):
        nonlocal handed
        more = True
        while more:
            message = await receive()
            handed += len(message["body"])
            more = message["more_body"]
        await send({"type": "http.response.start", "status": 200, "headers": []})

    async def receive():
        return waiting.pop(0)

    async def send(message):
        sent.append(message)

    guarded = limited(application, most=MOST, small=SMALL, is_short=lambda: is_short)
    asyncio.run(guarded({"type": "http", "path": path, "headers": headers}, receive, send))
    return sent, handed


def test_a_body_up_to_the_limit_passes():
    assert ask([b"x" * 60, b"x" * 40], [(b"content-length", b"100")]) == (200, 100)


def test_an_announced_body_over_the_limit_is_refused_unread():
    assert ask([b"x" * 101], [(b"content-length", b"101")]) == (413, 0)


@pytest.mark.parametrize("headers", [[], [(b"content-length", b"10")], [(b"content-length", b"nonsense")]])
def test_a_body_that_hides_its_length_is_cut_off_at_the_limit(headers):
    status, handed = ask([b"x" * 60, b"x" * 60, b"x" * 60], headers)

    assert (status, handed) == (413, 60)


def test_on_a_disk_that_is_nearly_full_only_small_bodies_pass():
    small, large = [b"x" * SMALL], [b"x" * SMALL, b"x"]

    assert ask(small, [(b"content-length", b"20")], is_short=True) == (200, SMALL)
    assert ask(large, [(b"content-length", b"21")], is_short=True) == (507, 0)
    assert ask(large, [], is_short=True) == (507, SMALL)
    assert ask(large, [], is_short=False) == (200, SMALL + 1)


@pytest.mark.parametrize(("is_short", "status", "says"), [(False, 413, "larger"), (True, 507, "nearly full")])
def test_a_program_reads_why_in_problem_details(is_short, status, says):
    (start, body), _handed = exchange(
        [b"x"], [(b"content-length", b"101" if not is_short else b"21")], is_short=is_short, path="/api/v1/me"
    )

    assert start["status"] == status
    assert dict(start["headers"])[b"content-type"] == b"application/problem+json"
    told = json.loads(body["body"])
    assert (told["status"], told["type"]) == (status, "about:blank")
    assert says in told["detail"]
