"""Requests are worked on a few at a time; none that waits for something else keeps the others out."""

import asyncio
from threading import Barrier, Event, Lock
from typing import Any

import pytest
from asgiref.sync import ThreadSensitiveContext
from django.http import HttpResponse
from django.test import RequestFactory

from inlock import handler
from inlock.handler import AT_ONCE, Handler


@pytest.fixture
def at_once(monkeypatch: pytest.MonkeyPatch) -> Any:
    """at_once(view, count) → the responses to so many requests that come in one instant."""

    def send(view: Any, count: int) -> list[Any]:
        served = Handler()
        monkeypatch.setattr(served, "get_response", view)

        async def one() -> Any:
            async with ThreadSensitiveContext():
                return await served.get_response_async(RequestFactory().get("/"))

        async def all_of_them() -> list[Any]:
            return await asyncio.wait_for(asyncio.gather(*(one() for _ in range(count))), 60)

        return asyncio.run(all_of_them())

    return send


def test_no_more_than_a_few_requests_are_worked_on_at_once(at_once, monkeypatch):
    monkeypatch.setattr(handler, "_TURN_SECONDS", 60)
    together, lock, inside, most = Barrier(AT_ONCE, timeout=30), Lock(), 0, 0

    def view(request: Any) -> HttpResponse:
        nonlocal inside, most
        with lock:
            inside += 1
            most = max(most, inside)
        together.wait()
        with lock:
            inside -= 1
        together.wait()  # nobody leaves before all of them are counted out
        return HttpResponse("seen")

    responses = at_once(view, 3 * AT_ONCE)

    assert [response.content for response in responses] == [b"seen"] * 3 * AT_ONCE
    assert most == AT_ONCE


def test_requests_that_wait_for_another_server_let_the_next_ones_begin(at_once, monkeypatch):
    monkeypatch.setattr(handler, "_TURN_SECONDS", 0.01)
    lock, came, last_is_here = Lock(), 0, Event()

    def view(request: Any) -> HttpResponse:
        nonlocal came
        with lock:
            came += 1
            if came == 2 * AT_ONCE:
                last_is_here.set()
        return HttpResponse("seen" if last_is_here.wait(30) else "kept out")

    assert {response.content for response in at_once(view, 2 * AT_ONCE)} == {b"seen"}


def test_a_view_that_fails_gives_its_turn_back(at_once):
    def view(request: Any) -> HttpResponse:
        raise LookupError

    for _round in range(2):
        with pytest.raises(LookupError):
            at_once(view, AT_ONCE + 1)


def test_whoever_goes_away_in_line_or_at_work_gives_their_turn_back(monkeypatch):
    monkeypatch.setattr(handler, "_TURN_SECONDS", 60)
    served, inside, may_end = Handler(), Barrier(AT_ONCE + 1, timeout=30), Event()

    def at_work(request: Any) -> HttpResponse:
        inside.wait()
        assert may_end.wait(30)
        return HttpResponse("seen")

    async def one() -> Any:
        async with ThreadSensitiveContext():
            return await served.get_response_async(RequestFactory().get("/"))

    async def many_leave_and_as_many_come() -> list[Any]:
        monkeypatch.setattr(served, "get_response", at_work)
        gone = [asyncio.create_task(one()) for _ in range(2 * AT_ONCE)]
        await asyncio.to_thread(inside.wait)
        for task in gone:
            task.cancel()
        may_end.set()
        await asyncio.wait(gone, timeout=30)
        assert all(task.done() for task in gone)
        monkeypatch.setattr(served, "get_response", lambda _request: HttpResponse("seen"))
        return await asyncio.wait_for(asyncio.gather(*(one() for _ in range(2 * AT_ONCE))), 30)

    assert [response.content for response in asyncio.run(many_leave_and_as_many_come())] == [b"seen"] * 2 * AT_ONCE
