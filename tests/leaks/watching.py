"""Somebody who reads a stream of events while the test goes on."""

import asyncio
import threading
from typing import Any


class Watching:
    """Reads a stream in a thread, as the web server does, until it ends or the test is over."""

    def __init__(self, response: Any) -> None:
        assert response.status_code == 200
        self.response, self.parts, self.began = response, [], threading.Event()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._read()), daemon=True)
        self._thread.start()
        assert self.began.wait(30)

    async def _read(self) -> None:
        parts = self.response.streaming_content
        async for part in parts:
            self.parts.append(part.decode())
            self.began.set()
            if self._stop.is_set():
                break
        await parts.aclose()

    @property
    def text(self) -> str:
        return "".join(self.parts)

    @property
    def is_over(self) -> bool:
        return not self._thread.is_alive()

    def ends_within(self, seconds: float) -> bool:
        self._thread.join(seconds)
        return self.is_over

    def leave(self) -> None:
        self._stop.set()
        self._thread.join(10)
