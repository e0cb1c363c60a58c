"""Servers of a few lines on loopback, for what the portal fetches, and a resolver that can be told what to say."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

#: What a test allows so that its own servers can be reached.
LOOPBACK = ["127.0.0.0/8", "::1/128", "*"]
PUBLIC = "93.184.215.14"


@dataclass
class Site:
    """A web server: `pages` maps a path to a body, to (status, headers, body), or to a function of the handler."""

    pages: dict[str, Any] = field(default_factory=dict)
    #: (method, path with query, headers in lower case) of each request.
    asked: list[tuple[str, str, dict[str, str]]] = field(default_factory=list)
    connections: int = 0
    port: int = 0

    def url(self, path: str = "/", host: str = "127.0.0.1") -> str:
        return f"http://{host}:{self.port}{path}"

    def asked_for(self, path: str) -> int:
        return sum(1 for _method, asked, _headers in self.asked if asked == path)


@contextmanager
def serving(pages: dict[str, Any] | None = None) -> Iterator[Site]:
    """A site that answers until the block ends; every path that is not in `pages` is a 404."""
    site = Site(pages if pages is not None else {})

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def setup(self) -> None:
            site.connections += 1
            super().setup()

        def answer(self) -> None:
            site.asked.append((self.command, self.path, {k.lower(): v for k, v in self.headers.items()}))
            self.body = self.rfile.read(int(self.headers.get("content-length", 0)))
            page = site.pages.get(self.path, site.pages.get(self.path.partition("?")[0], (404, {}, b"")))
            if callable(page):
                page = page(self)
            if page is None:
                return
            status, headers, body = page if isinstance(page, tuple) else (200, {}, page)
            body = body.encode() if isinstance(body, str) else body
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(body)

        do_GET = do_POST = do_HEAD = do_PROPFIND = answer  # noqa: N815

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    server.handle_error = lambda *_: None  # type: ignore[method-assign]  # a client that hangs up is part of a test
    site.port = server.server_port
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield site
    finally:
        server.shutdown()
        server.server_close()


def tell_names(monkeypatch: pytest.MonkeyPatch) -> dict[str, list[list[str]]]:
    """A mapping of a name to what it resolves to the first time, the second time, …; the last answer stays."""
    known: dict[str, list[list[str]]] = {}
    real: Callable[..., Any] = socket.getaddrinfo

    def resolve(host: Any, port: Any, *args: Any, **kwargs: Any) -> Any:
        host = host.decode() if isinstance(host, bytes) else host
        answers = known.get(host)
        if answers is None:
            return real(host, port, *args, **kwargs)
        addresses = answers.pop(0) if len(answers) > 1 else answers[0]
        return [found for address in addresses for found in real(address, port, *args, **kwargs)]

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    return known
