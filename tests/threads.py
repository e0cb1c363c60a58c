"""Threads beside a test, none of which outlives it."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Thread


@contextmanager
def threads(seconds: float) -> Iterator[Callable[[Callable[[], None]], Thread]]:
    """start(work) → a thread that does it. When the block ends each is given `seconds` to end, and must have."""
    started: list[Thread] = []

    def start(work: Callable[[], None]) -> Thread:
        started.append(Thread(target=work, daemon=True))
        started[-1].start()
        return started[-1]

    yield start
    for thread in started:
        thread.join(seconds)
        assert not thread.is_alive()
