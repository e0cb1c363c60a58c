"""The portal over this test's own database, and a browser that notes whatever a page tries to reach, run or ask.

Rows are made before the browser opens: while it is open, Playwright's event loop runs in this thread, and Django
refuses to touch the database there.
"""

import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any

import uvicorn
from django.conf import settings
from playwright.sync_api import BrowserContext, Page

from tests.browsing import chromium
from tests.portal import free_port, within

#: Noted before anything of the page runs: scripts that ran, and what the policy had to stop.
_WATCH = """
window.stopped = [];
document.addEventListener("securitypolicyviolation", (event) =>
  window.stopped.push(`${event.effectiveDirective} ${event.blockedURI}`));
"""
#: Elements and attributes that can load, send or run; asked of one part of a page.
_ARMED = """roots => roots.flatMap(root => [...root.querySelectorAll("*")]).flatMap((element) => {
  const found = [];
  const loads = /^(script|style|i?frame|object|embed|base|meta|link|svg|math|video|audio|img|form|template)$/i;
  if (loads.test(element.localName) && !element.closest(".icon")) found.push(element.localName);
  for (const { name } of element.attributes)
    if (/^(on|x-|@|srcdoc|srcset|ping|formaction|background)/i.test(name)) found.push(`${element.localName} ${name}`);
  return found;
})"""


@contextmanager
def serving() -> Iterator[str]:
    """The web application as `serve` runs it, in a thread; yields its address."""
    from inlock.asgi import application

    port = free_port()
    config = uvicorn.Config(application, host="127.0.0.1", port=port, log_level="critical", lifespan="off")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, name="portal", daemon=True)
    thread.start()
    within(20, lambda: server.started)
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = server.force_exit = True
        thread.join()


@dataclass
class Noted:
    """What one browser did beyond showing pages."""

    requests: list[str] = field(default_factory=list)
    dialogs: list[str] = field(default_factory=list)
    stopped: list[str] = field(default_factory=list)
    ran: list[str] = field(default_factory=list)
    navigations: list[str] = field(default_factory=list)


class Reader:
    """A person's browser with everything noted; requests to other hosts are noted and go nowhere."""

    def __init__(self, context: BrowserContext, base: str) -> None:
        self.base, self.noted = base, Noted()
        self.page: Page = context.new_page()
        self.page.set_default_timeout(90_000)
        self.page.add_init_script(_WATCH)
        context.on("request", self._note_request)
        context.on("page", lambda page: self.noted.navigations.append(page.url))
        self.page.on("dialog", self._note_dialog)
        self.page.on("websocket", lambda socket: self.noted.requests.append(socket.url))
        # Nothing leaves, so that the test needs no network and harms nobody.
        context.route(lambda url: not url.startswith(base), lambda route: route.abort())

    def open(self, path: str) -> Page:
        """Load the page, let it settle, and note what it did."""
        self.page.goto(self.base + path, wait_until="load")
        self.look()
        return self.page

    def look(self) -> None:
        """Note what the page did since it was loaded."""
        # Two frames and a turn of the event loop: what an insertion starts has started by then.
        self.page.evaluate(
            "() => new Promise(r => requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(r))))"
        )
        if self.page.evaluate("() => window.ran !== undefined"):
            self.noted.ran.append(self.page.url)
        self.noted.stopped += self.page.evaluate("() => window.stopped.splice(0)")

    def armed(self, selector: str) -> list[str]:
        """What in the part `selector` could load, send or run."""
        return self.page.locator(selector).evaluate_all(_ARMED)

    def links(self, selector: str = "body") -> list[str]:
        """Every address in the part that a click, a submit or a script of ours would go to, as it is written."""
        return self.page.locator(selector).first.evaluate(
            """root => [...root.querySelectorAll("[href], [action], [formaction], [hx-get], [hx-post], [src]")].flatMap(
              (e) => ["href", "xlink:href", "action", "formaction", "hx-get", "hx-post", "src"]
                .filter((name) => e.hasAttribute(name)).map((name) => e.getAttribute(name)))"""
        )

    def _note_request(self, request: Any) -> None:
        if not request.url.startswith((self.base, "data:", "blob:")):
            self.noted.requests.append(request.url)

    def _note_dialog(self, dialog: Any) -> None:
        self.noted.dialogs.append(dialog.message)
        dialog.dismiss()


@contextmanager
def reading_as(*clients: Any) -> Iterator[list[Reader]]:
    """A browser for each signed-in test client, on a portal of its own."""
    with serving() as base, chromium() as browser, ExitStack() as closing:
        readers = []
        for client in clients:
            context = browser.new_context(viewport={"width": 1280, "height": 900})
            closing.callback(context.close)
            cookie = client.cookies[settings.SESSION_COOKIE_NAME]
            context.add_cookies([{"name": cookie.key, "value": cookie.value, "url": base}])
            readers.append(Reader(context, base))
        yield readers
