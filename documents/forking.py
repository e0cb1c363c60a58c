"""Children for untrusted files, each forked from a clean process that has the parsers loaded (`parse/zygote.py`).

There is one such process to each of ours that reads files. It starts with the first file, ends with us, and is started
again when it died.
"""

import os
import selectors
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from documents.parse.zygote import ENDED, LOADS

ROOT = Path(__file__).resolve().parent.parent
#: Long enough for a killed child to be gone, on a machine that is very busy.
_KILLED_SECONDS = 10.0


class ChildLost(Exception):
    """The process that forks died, and with it what could be known of the child."""


@dataclass(frozen=True, slots=True)
class Child:
    """A child at work. `output` is the reading end of its answer."""

    output: int
    ending: socket.socket

    def returncode(self, seconds: float) -> int | None:
        """Its exit code, or minus the signal that ended it; None when it runs on after `seconds`. Raises ChildLost."""
        with selectors.DefaultSelector() as selector:
            selector.register(self.ending, selectors.EVENT_READ)
            if not selector.select(seconds):
                return None
        try:
            said = self.ending.recv(ENDED.size)
        except ConnectionResetError:
            said = b""
        if len(said) < ENDED.size:
            raise ChildLost
        code: int = ENDED.unpack(said)[0]
        return code


class Forker:
    """Starts and keeps the process that forks. `arguments` are the interpreter's."""

    def __init__(self, arguments: tuple[str, ...] = ("-m", "documents.parse.zygote")) -> None:
        self.arguments = arguments
        self.forget()

    def forget(self) -> None:
        """Begin without a process, as after a fork of our own: the other side of it keeps the old one."""
        self._starting = threading.Lock()
        self._requests: socket.socket | None = None
        self._process: subprocess.Popen[bytes] | None = None

    @contextmanager
    def child(self, asked: IO[bytes], work: str, *, load: str) -> Iterator[Child]:
        """A child that reads the request in `asked`, in the directory `work`, with the module `load` loaded.

        It is gone when the block ends. Raises ChildLost.
        """
        answer, out = os.pipe()
        ending, end = socket.socketpair()
        directory = os.open(work, os.O_RDONLY | os.O_DIRECTORY)
        try:
            try:
                self._send(bytes([LOADS.index(load)]), [asked.fileno(), out, directory, end.fileno()])
            finally:
                os.close(out)
                os.close(directory)
                end.close()
            child = Child(answer, ending)
            try:
                yield child
            finally:
                self._end(child)
        finally:
            os.close(answer)
            ending.close()

    def close(self) -> None:
        """End the process and every child of it."""
        with self._starting:
            self._stop()

    def _send(self, load: bytes, descriptors: list[int]) -> None:
        with self._starting:
            for _attempt in range(2):
                try:
                    socket.send_fds(self._requests or self._start(), [load], descriptors)
                except OSError:
                    # It died since the last file.
                    self._stop()
                else:
                    return
        raise ChildLost

    def _start(self) -> socket.socket:
        self._requests, theirs = socket.socketpair()
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-s", "-P", *self.arguments],
                cwd="/",
                env=_environment(),
                stdin=theirs,
                stdout=subprocess.DEVNULL,
                # Discarded: what native libraries print may quote the file.
                stderr=subprocess.DEVNULL,
                start_new_session=True,
            )
        return self._requests

    def _stop(self) -> None:
        if self._requests is not None:
            self._requests.close()
        if self._process is not None:
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(_KILLED_SECONDS)
            if self._process.poll() is None:
                self._process.kill()
                self._process.wait()
        self._requests = self._process = None

    def _end(self, child: Child) -> None:
        """Have the child killed if it still runs, and wait until it is gone."""
        with suppress(OSError):
            child.ending.shutdown(socket.SHUT_WR)
        with suppress(ChildLost):
            child.returncode(_KILLED_SECONDS)


def _environment() -> dict[str, str]:
    """Nothing of ours: settings and keys stay with us. A child's home is set to its own directory."""
    return {
        "HOME": "/",
        "LANG": "C.UTF-8",
        "OMP_THREAD_LIMIT": "1",
        "PATH": "/usr/bin:/bin",
        "PYTHONPATH": str(ROOT),
        "PYTHONUTF8": "1",
    }


#: The one of this process.
forker = Forker()
os.register_at_fork(after_in_child=lambda: forker.forget())
