"""One Chromium for all browser tests of a worker: each start of it costs two seconds of processor time."""

import asyncio
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from playwright.sync_api import Browser, sync_playwright

#: The shell has everything a page can notice and none of what a window needs.
PROGRAMS = ("chromium-headless-shell", "chromium", "google-chrome")
CHROMIUM = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, PROGRAMS)), None)
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"]

_open: dict[str, Any] = {}


@contextmanager
def chromium() -> Iterator[Browser]:
    """The worker's browser. Pages live in contexts of their own, which the caller closes.

    Inside the block Playwright's event loop runs in this thread, and Django refuses to touch the database there.
    """
    assert CHROMIUM, "The browser tests want Chromium: apt-get install chromium, or name it in CHROMIUM."
    if not _open:
        _open["playwright"] = sync_playwright().start()
        _open["loop"] = asyncio.get_running_loop()
        _open["browser"] = _open["playwright"].chromium.launch(executable_path=CHROMIUM, args=FLAGS)
    asyncio._set_running_loop(_open["loop"])
    try:
        yield _open["browser"]
    finally:
        # The loop rests until somebody looks at a page again; what runs meanwhile is not inside of it.
        asyncio._set_running_loop(None)


def close() -> None:
    """End the browser, where there is one."""
    if _open:
        asyncio._set_running_loop(_open["loop"])
        _open["browser"].close()
        _open["playwright"].stop()
        _open.clear()
