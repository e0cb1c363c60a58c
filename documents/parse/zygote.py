"""A clean process that has the parsers loaded and forks one child for each file, so that loading is paid once.

`documents.forking` starts it and speaks to it: one byte and four descriptors a file, of which it reads the byte alone.
Nothing of a file, its name or its text enters this process; the child that reads them is `documents.parse.child`.
"""

import gc
import os
import selectors
import signal
import socket
import struct
import sys
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from typing import NoReturn

from documents.parse import FORMATS, child

#: What the byte means: the code a child needs, loaded once, before it is forked.
LOADS: tuple[str, ...] = ("", "documents.render", "documents.parse.remote", *sorted(set(FORMATS.values())))
#: How a child ended, as its exit code or minus its signal.
ENDED = struct.Struct("<i")
#: The request, where to write the answer, the child's own directory, where to report its end.
_DESCRIPTORS = 4


def main() -> None:
    # openpyxl loads numpy where there is one, to know its numbers when it writes: half of its start,
    # and threads that reserve address space, which is what the limit on memory counts.
    sys.modules["numpy"] = None  # type: ignore[assignment]
    with socket.socket(fileno=os.dup(0)) as requests:
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        Zygote(requests).serve()


class Zygote:
    """Forks until nobody can ask any more, then ends what still runs."""

    def __init__(self, requests: socket.socket) -> None:
        self.requests = requests
        self.running: dict[int, socket.socket] = {}
        self.selector = selectors.DefaultSelector()
        self.woken, self.wake = os.pipe()

    def serve(self) -> None:
        os.set_blocking(self.wake, False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.set_wakeup_fd(self.wake)
        self.selector.register(self.requests, selectors.EVENT_READ)
        self.selector.register(self.woken, selectors.EVENT_READ)
        asked = True
        while asked:
            for key, _ in self.selector.select():
                if key.fileobj is self.requests:
                    asked = self._fork_one()
                elif key.fileobj == self.woken:
                    os.read(self.woken, 512)
                    self._report_the_dead()
                elif key.data in self.running:
                    # Whoever waits for this child let go of it.
                    self.selector.unregister(key.fileobj)
                    _kill(key.data)
        for pid in self.running:
            _kill(pid)

    def _fork_one(self) -> bool:
        """Fork a child for the next request; False when there will be none."""
        byte, descriptors, _, _ = socket.recv_fds(self.requests, 1, _DESCRIPTORS)
        if not byte:
            return False
        if needed := LOADS[byte[0]]:
            import_module(needed)
            # Collected before it forks and never again, or each child would copy what it only reads.
            gc.collect()
            gc.freeze()
        asked, out, work, end = descriptors
        pid = os.fork()
        if pid == 0:
            _become_child(asked, out, work)
        for descriptor in (asked, out, work):
            os.close(descriptor)
        self.running[pid] = socket.socket(fileno=end)
        self.selector.register(self.running[pid], selectors.EVENT_READ, pid)
        return True

    def _report_the_dead(self) -> None:
        while self.running:
            pid, status = os.waitpid(-1, os.WNOHANG)
            if pid == 0:
                return
            # What it started and left behind: a group keeps its number while somebody is in it.
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(pid, signal.SIGKILL)
            with self.running.pop(pid) as end:
                if end in self.selector.get_map():
                    self.selector.unregister(end)
                with suppress(OSError):  # when nobody waits for it any more
                    end.send(ENDED.pack(os.waitstatus_to_exitcode(status)))


def _become_child(asked: int, out: int, work: int) -> NoReturn:
    """Keep the request, the answer and a directory of one's own, and nothing else of this process."""
    try:
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        os.setsid()
        os.fchdir(work)
        os.dup2(asked, 0)
        os.dup2(out, 1)
        _close_all_above(2)
        os.environ["HOME"] = os.environ["TMPDIR"] = str(Path.cwd())
        child.main()
    finally:
        os._exit(1)


def _close_all_above(last: int) -> None:
    # Those that are open, by name: the limit on them may be a thousand million.
    for descriptor in [int(each.name) for each in Path("/dev/fd").iterdir()]:
        if descriptor > last:
            with suppress(OSError):  # the one that listed them is closed already
                os.close(descriptor)


def _kill(pid: int) -> None:
    """End a child of ours and whatever it started. It is not reaped yet, so the number is still its own."""
    try:
        os.killpg(pid, signal.SIGKILL)
    except ProcessLookupError:
        os.kill(pid, signal.SIGKILL)  # it has no group of its own yet


if __name__ == "__main__":
    main()
