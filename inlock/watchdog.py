"""End a worker that lives and takes nothing, so that whoever keeps it starts another one.

A connection to the broker may be reset in a way that the client never notices: the process lives, its pings are
answered, and nothing is taken any more (celery #10205, #10302, #8030). This thread of the worker's main process ends it
when messages wait and it took none, or when its loop stands. It goes by what this process does and not by the canaries
of the queue, which another worker may take; and it spares a worker that holds a task, however long: whether that makes
progress is for its lease to say.
"""

import logging
import os
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from time import monotonic
from typing import Any

import redis
from celery import bootsteps
from celery.signals import task_received
from django.conf import settings

logger = logging.getLogger(__name__)

LOOK_SECONDS = 5.0
#: What the process ends with: EX_TEMPFAIL of sysexits.h, try again.
EXIT_CODE = 75


@dataclass
class Watch:
    """What is known of one worker at each look; times are seconds of a clock that is never set."""

    #: Seconds after which standing still is a fault.
    patience: float
    #: Seconds a task may take: a loop that stands longer than that keeps nobody's work any more.
    longest_task: float
    clock: Callable[[], float] = monotonic
    _received_at: float = field(init=False, default=0.0)
    #: None while there is no loop: before the first connection, and from one that is lost to the next.
    _turned_at: float | None = field(init=False, default=None)
    _idle_since: float | None = field(init=False, default=None)

    def received(self, **_: Any) -> None:
        """A task was taken from the broker."""
        self._received_at = self.clock()

    def turned(self) -> None:
        """The worker's loop went round."""
        self._turned_at = self.clock()

    def disconnected(self) -> None:
        """The worker's loop ended; another begins with the next connection."""
        self._turned_at = None

    def fault(self, *, holds_tasks: bool, waiting: Callable[[], int]) -> str:
        """Why the worker is to be ended now, for its log; "" while it is not.

        `waiting` counts the messages in its queues, and raises RedisError where the broker cannot say, which is no
        fault of the worker.
        """
        now = self.clock()
        standing = now - self._turned_at if self._turned_at is not None else 0.0
        if standing > self.patience + (self.longest_task if holds_tasks else 0):
            return f"its loop stands for {standing:.0f} seconds"
        if holds_tasks or not self._waits(waiting):
            self._idle_since = None
            return ""
        if self._idle_since is None or self._received_at > self._idle_since:
            self._idle_since = now
        idle = now - self._idle_since
        return f"messages wait and it took none for {idle:.0f} seconds" if idle > self.patience else ""

    def _waits(self, waiting: Callable[[], int]) -> bool:
        try:
            return waiting() > 0
        except (redis.RedisError, OSError) as error:
            logger.warning("The broker does not tell what waits: %s", error)
            return False


class Watchdog(bootsteps.StartStopStep):
    """The watch over a worker, from when it takes tasks until it is asked to stop."""

    # Before the consumer, which is started last and returns when the worker ends.
    requires = ("celery.worker.components:Pool",)
    #: Asked by the step of the loop below; one worker is in a process.
    watch: Watch | None = None

    def start(self, worker: Any) -> None:
        watch = Watch(settings.STUCK_SECONDS, worker.app.conf.task_time_limit)
        Watchdog.watch = watch
        queues = list(worker.app.amqp.queues.consume_from)
        # Weakly held signals would forget a method.
        task_received.connect(watch.received, weak=False)
        self._over = threading.Event()
        named = {"watch": watch, "queues": queues, "over": self._over}
        threading.Thread(target=_look_on, kwargs=named, name="watchdog", daemon=True).start()

    def stop(self, worker: Any) -> None:
        if Watchdog.watch is not None:
            task_received.disconnect(Watchdog.watch.received)
            self._over.set()


class Heartbeat(bootsteps.StartStopStep):
    """Tell the watch each time the consumer's timer goes, which stands when its loop does."""

    requires = ("celery.worker.consumer.tasks:Tasks",)

    def start(self, consumer: Any) -> None:
        if Watchdog.watch is not None:
            Watchdog.watch.turned()
            self.timer = consumer.timer.call_repeatedly(LOOK_SECONDS, Watchdog.watch.turned)

    def stop(self, consumer: Any) -> None:
        if hasattr(self, "timer"):
            self.timer.cancel()
        if Watchdog.watch is not None:
            Watchdog.watch.disconnected()


def _look_on(watch: Watch, queues: list[str], over: threading.Event) -> None:
    from celery.worker import state as worker_state  # of workers alone

    from inlock.tasks import lengths  # which asks `inlock/celery.py`

    def waiting() -> int:
        found: Mapping[str, int] = lengths()
        return sum(found.get(queue, 0) for queue in queues)

    while not over.wait(LOOK_SECONDS):
        if worker_state.should_stop is not None or worker_state.should_terminate is not None:
            return
        holds = bool(worker_state.reserved_requests or worker_state.active_requests)
        if fault := watch.fault(holds_tasks=holds, waiting=waiting):
            logger.critical("This worker is ended, because %s. What it held comes back to the others.", fault)
            logging.shutdown()
            # Not by an exception: the loop that would have to hear of it may be what stands.
            os._exit(EXIT_CODE)
