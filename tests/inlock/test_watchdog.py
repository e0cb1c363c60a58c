"""A worker that takes nothing although messages wait is ended; one that works, however long, is not."""

from collections.abc import Iterator
from typing import Any

import pytest
import redis

from inlock.watchdog import Watch
from tests.portal import Portal, within

PATIENCE, LONGEST = 180.0, 1860.0
DEAF = "cancel_consumer('ingest', reply=True, timeout=10)"


class Worker:
    """A watch, the clock it goes by, and what the worker and the broker would say at a look."""

    def __init__(self) -> None:
        self.now, self.messages, self.holds = 1000.0, 0, False
        self.watch = Watch(PATIENCE, LONGEST, clock=lambda: self.now)
        self.watch.turned()

    def after(self, seconds: float, *, turns: bool = True) -> str:
        """The verdict of looks every five seconds until then; the first that is one."""
        for _look in range(int(seconds / 5)):
            self.now += 5
            if turns:
                self.watch.turned()
            if fault := self.watch.fault(holds_tasks=self.holds, waiting=lambda: self.waiting()):
                return fault
        return ""

    def waiting(self) -> int:
        return self.messages


@pytest.fixture
def worker() -> Worker:
    return Worker()


def test_one_that_takes_nothing_while_messages_wait_is_ended(worker):
    worker.messages = 3
    assert worker.after(PATIENCE) == ""
    assert worker.after(10) == "messages wait and it took none for 185 seconds"


def test_one_without_anything_to_take_is_left_alone(worker):
    assert worker.after(10_000) == ""


def test_one_that_holds_a_task_is_left_alone_however_long(worker):
    worker.messages, worker.holds = 3, True
    assert worker.after(10_000) == ""


def test_one_that_took_something_begins_anew(worker):
    worker.messages = 3
    for _round in range(10):
        assert worker.after(PATIENCE - 10) == ""
        worker.watch.received()


def test_messages_that_were_taken_meanwhile_do_not_add_up(worker):
    for _round in range(10):
        worker.messages = 1
        assert worker.after(PATIENCE - 10) == ""
        worker.messages = 0
        assert worker.after(5) == ""


def test_a_broker_that_tells_nothing_is_no_fault_of_the_worker(worker, monkeypatch):
    def refuses() -> int:
        raise redis.ConnectionError

    worker.messages = 1
    assert worker.after(100) == ""
    monkeypatch.setattr(worker, "waiting", refuses)
    assert worker.after(10_000) == ""


def test_one_whose_loop_stands_is_ended_and_with_a_task_only_once_that_must_be_over(worker):
    assert worker.after(PATIENCE, turns=False) == ""
    assert worker.after(10, turns=False) == "its loop stands for 185 seconds"
    worker.watch.turned()
    worker.holds = True
    assert worker.after(PATIENCE + LONGEST, turns=False) == ""
    assert "its loop stands" in worker.after(10, turns=False)


def test_one_without_a_connection_has_no_loop_that_could_stand(worker):
    worker.watch.disconnected()
    assert worker.after(10_000, turns=False) == ""


@pytest.fixture
def portal(tmp_path: Any) -> Iterator[Portal]:
    portal = Portal(tmp_path / "var", INLOCK_STUCK_SECONDS="8", INLOCK_SWEEP_SECONDS="2")
    portal.start()
    yield portal
    portal.stop()


@pytest.mark.timeout(240)
def test_a_real_worker_that_went_deaf_ends_itself_and_another_one_does_its_work(portal):
    before = portal.children()
    name = next(name for name in before if "ingest" in name)
    url = portal.evaluate("__import__('django.conf').conf.settings.REDIS_URL")
    portal.evaluate(f"__import__('inlock.celery').celery.app.control.{DEAF}")
    with redis.Redis.from_url(url) as broker:
        broker.delete("inlock:canaries")
        within(60, lambda: broker.llen("ingest") > 0)
        assert not broker.hexists("inlock:canaries", "ingest")
        within(60, lambda: portal.children()[name]["pid"] not in (None, before[name]["pid"]))
        within(60, lambda: broker.hexists("inlock:canaries", "ingest"))
    log = (portal.var / "log" / f"{name}.log").read_text()
    assert "This worker is ended, because messages wait and it took none" in log
    # The others were left as they are.
    after = portal.children()
    assert {other for other in before if after[other]["pid"] != before[other]["pid"]} == {name}
