"""Places at the processor: how many heavy pieces of work a process does at once, the one that came first before others.

Work that waits for another server gives its place away for as long as it waits, so that a slow server takes no place.
"""

import os
from collections import deque
from collections.abc import Hashable, Iterator
from contextlib import contextmanager
from threading import Event, Lock, local


class Places:
    """So many places, given in the order in which they were asked for.

    Whoever comes back from waiting for a server is served before those that have not begun. All methods may be called
    from any thread; one thread has one place at most.
    """

    def __init__(self, most: int) -> None:
        """`most`: places there are, at least one."""
        self._free = most
        self._lock = Lock()
        self._line: deque[Event] = deque()
        #: The rows that threads in the line will take up.
        self._awaited: set[Hashable] = set()
        self._own = local()

    @contextmanager
    def taken(self, row: Hashable = None) -> Iterator[bool]:
        """Have a place inside, after waiting for one; within a place of this thread's, nothing more.

        `row`: what will be worked on. False, at once and without a place, while another thread waits for one to work
        on the same: it will do all there is to do, and a row that is rung for again and again has one turn like others.
        """
        if self._work() is not None:
            yield True
            return
        with self._lock:
            is_awaited = row is not None and row in self._awaited
            if not is_awaited and row is not None:
                self._awaited.add(row)
        if is_awaited:
            yield False
            return
        try:
            self._take()
        finally:
            with self._lock:
                self._awaited.discard(row)
        self._own.work = object()
        try:
            yield True
        finally:
            self._own.work = None
            if self._own.has_one:
                self._give()

    @contextmanager
    def set_aside(self) -> Iterator[None]:
        """Give this thread's place away inside, if it has one, and have one again at the end."""
        work = self._work()
        if work is None or not self._own.has_one:
            yield
            return
        self._give()
        try:
            yield
        finally:
            # A generator that nobody reads to its end is closed later than the work it was for.
            if self._work() is work:
                self._take(first=True)

    @property
    def waiting(self) -> int:
        """How many wait for a place now."""
        with self._lock:
            return len(self._line)

    def _work(self) -> object | None:
        """What this thread has its place for."""
        return getattr(self._own, "work", None)

    def _take(self, *, first: bool = False) -> None:
        turn = Event()
        with self._lock:
            if self._free:
                self._free -= 1
                turn.set()
            elif first:
                self._line.appendleft(turn)
            else:
                self._line.append(turn)
        try:
            turn.wait()
        except BaseException:
            # A process that is told to end in this moment.
            self._withdraw(turn)
            raise
        self._own.has_one = True

    def _withdraw(self, turn: Event) -> None:
        with self._lock:
            if not turn.is_set():
                self._line.remove(turn)
                return
        self._pass_on()

    def _give(self) -> None:
        self._own.has_one = False
        self._pass_on()

    def _pass_on(self) -> None:
        with self._lock:
            if self._line:
                self._line.popleft().set()
            else:
                self._free += 1


#: Of this process: as many as there are processors.
PLACES = Places(os.cpu_count() or 1)
