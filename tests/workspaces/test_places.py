"""Heavy work takes turns at the processor; whoever waits for a server keeps nobody waiting."""

from collections.abc import Callable, Iterator
from threading import Event, Thread

import pytest

from tests.portal import within
from tests.threads import threads
from workspaces.places import Places


@pytest.fixture
def start() -> Iterator[Callable[[Callable[[], None]], Thread]]:
    """start(work) → a thread that does it; all have ended when the test has."""
    with threads(30) as start:
        yield start


def test_a_place_is_given_to_whoever_has_waited_longest(start):
    places, done = Places(1), []

    def work(name: str) -> Callable[[], None]:
        def take() -> None:
            with places.taken():
                done.append(name)

        return take

    with places.taken():
        for number, name in enumerate(["first", "second", "third"], 1):
            start(work(name))
            within(30, lambda number=number: places.waiting == number)
        assert done == []

    within(30, lambda: done == ["first", "second", "third"])


def test_a_row_that_is_rung_for_again_while_it_waits_waits_once(start):
    places, done = Places(1), []

    def take(row: str) -> Callable[[], None]:
        def work() -> None:
            with places.taken(row) as is_ours:
                done.append((row, is_ours))

        return work

    with places.taken("run"):
        start(take("run"))
        within(30, lambda: places.waiting == 1)
        start(take("run")).join(30)
        assert done == [("run", False)]
        start(take("another"))
        within(30, lambda: places.waiting == 2)
    within(30, lambda: done == [("run", False), ("run", True), ("another", True)])

    with places.taken("run") as is_ours:
        assert is_ours


def test_work_inside_of_work_has_one_place(start):
    places = Places(1)

    with places.taken(), places.taken():
        assert places.waiting == 0

    with places.taken():
        assert places.waiting == 0


def test_whoever_waits_for_a_server_lets_others_work_and_is_next_when_it_has_answered(start):
    places, answered, began, done = Places(1), Event(), Event(), []

    def asks_a_server() -> None:
        with places.taken():
            with places.set_aside():
                began.set()
                answered.wait(30)
            done.append("asked a server")

    def comes_later() -> None:
        with places.taken():
            done.append("came later")

    start(asks_a_server)
    began.wait(30)
    with places.taken():
        start(comes_later)
        within(30, lambda: places.waiting == 1)
        answered.set()
        within(30, lambda: places.waiting == 2)

    within(30, lambda: done == ["asked a server", "came later"])


def test_words_that_nobody_reads_to_their_end_keep_no_place():
    places = Places(1)

    def words() -> Iterator[str]:
        with places.set_aside():
            yield "one"
            yield "two"

    with places.taken():
        left = words()
        next(left)
    left.close()

    # By this thread, and by another as soon as it ends.
    with places.taken():
        other = Thread(target=lambda: places.taken().__enter__(), daemon=True)
        other.start()
        within(30, lambda: places.waiting == 1)
    other.join(30)
    assert not other.is_alive()


def test_setting_aside_without_a_place_gives_none_away():
    places = Places(1)

    with places.set_aside():
        assert places.waiting == 0

    with places.taken():
        assert places.waiting == 0
