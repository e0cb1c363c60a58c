"""A real HTTP server that reranks over both protocols: a passage is as good as it holds words of the question."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class RerankServer:
    """The running server: its address, what it was sent, and what it will answer."""

    url: str
    requests: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    #: Scores a text; by default how late it stands, so that the last comes first.
    score: Callable[[str, int], float] = lambda text, place: float(place)
    #: A status to answer with, or a body instead of the right one: a document, or bytes as they are.
    status: int = 200
    body: Any = None
    before: Callable[[], None] = lambda: None

    @property
    def texts(self) -> list[str]:
        return [text for _path, sent in self.requests for text in sent.get("documents", sent.get("texts"))]


@contextmanager
def serve() -> Iterator[RerankServer]:
    """Run the server on a free loopback port."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    server.daemon_threads = True
    server.said = RerankServer(f"http://127.0.0.1:{server.server_port}/v1")  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield server.said  # type: ignore[attr-defined]
    finally:
        server.shutdown()
        server.server_close()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *args: Any) -> None:
        pass

    def do_POST(self) -> None:
        said: RerankServer = self.server.said  # type: ignore[attr-defined]
        sent = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        said.requests.append((self.path, sent))
        said.headers.append({name.lower(): value for name, value in self.headers.items()})
        said.before()
        self._answer(said.status, said.body if said.body is not None else _reranked(said, sent))

    def _answer(self, status: int, document: Any) -> None:
        content = document if isinstance(document, bytes) else json.dumps(document).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)


def _reranked(said: RerankServer, sent: dict[str, Any]) -> Any:
    texts = sent.get("documents", sent.get("texts"))
    scored = sorted(((said.score(text, place), place) for place, text in enumerate(texts)), reverse=True)
    if "texts" in sent:
        return [{"index": place, "score": score} for score, place in scored]
    return {"results": [{"index": place, "relevance_score": score} for score, place in scored]}
