"""A real HTTP server that speaks the embeddings protocol, well or badly as the model's name says.

Its good models turn the built-in model's vectors without changing an angle between two of them, so that the same
passages are near a question in every space, although no vector of one can be compared with another's.
"""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import numpy as np

from documents.embeddings import default_space, embed_passages


@dataclass
class EmbeddingServer:
    """The running server: its address, and what it was sent."""

    url: str
    texts: list[str] = field(default_factory=list)
    requests: list[dict[str, Any]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    #: Status and Retry-After of answers to come, before it works again; "" stands for none.
    refusals: list[tuple[int, str]] = field(default_factory=list)
    #: Instead of the model a request names.
    exchanged_for: str = ""
    #: Called before each answer.
    before: Callable[[list[str]], None] = lambda texts: None


@contextmanager
def serve() -> Iterator[EmbeddingServer]:
    """Run the server on a free loopback port."""
    # Loading the model and making the turns takes as long as a question waits, where others have the processor.
    for turned in MODELS.values():
        turned(known_vectors(["Ready?"]))
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    server.daemon_threads = True
    server.said = EmbeddingServer(f"http://127.0.0.1:{server.server_port}/v1")  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield server.said  # type: ignore[attr-defined]
    finally:
        server.shutdown()
        server.server_close()


def known_vectors(texts: list[str]) -> np.ndarray:
    """The built-in model's vectors, each computed once in a run."""
    return np.stack([_vector(text) for text in texts])


@cache
def _vector(text: str) -> np.ndarray:
    return embed_passages([text], default_space())[0]


@cache
def _basis(rows: int, columns: int, seed: int) -> np.ndarray:
    """`rows` directions in `columns` numbers, at right angles to each other."""
    square = np.linalg.qr(np.random.default_rng(seed).normal(size=(columns, columns)))[0]
    return square[:rows].astype(np.float32)


def _rotated(vectors: np.ndarray) -> np.ndarray:
    return vectors @ _basis(vectors.shape[1], vectors.shape[1], 1)


def _wide(vectors: np.ndarray) -> np.ndarray:
    return vectors @ _basis(vectors.shape[1], 512, 2)


def _other(vectors: np.ndarray) -> np.ndarray:
    return vectors @ _basis(vectors.shape[1], vectors.shape[1], 3)


def _squeezed(vectors: np.ndarray) -> np.ndarray:
    """All cosines between 0.6 and 1, as of models whose unrelated texts lie near each other."""
    apart = np.hstack([vectors, np.full((len(vectors), 1), 2.0, dtype=np.float32)])
    return apart / np.linalg.norm(apart, axis=1, keepdims=True)


MODELS = {"rotated": _rotated, "wide": _wide, "other": _other, "squeezed": _squeezed}
DIMENSIONS = {"rotated": 384, "wide": 512, "other": 384, "squeezed": 385}


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *args: Any) -> None:
        pass

    def do_POST(self) -> None:
        said: EmbeddingServer = self.server.said  # type: ignore[attr-defined]
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        texts = body["input"]
        said.before(texts)
        said.requests.append(body)
        said.headers.append({name.lower(): value for name, value in self.headers.items()})
        if said.refusals:
            status, after = said.refusals.pop(0)
            self._answer(status, {"error": {"message": "no"}}, **({"Retry-After": after} if after else {}))
            return
        if body["model"] == "one-at-a-time" and len(texts) > 1:
            self._answer(400, {"error": {"message": "too many"}})
            return
        said.texts += texts
        model = said.exchanged_for or body["model"]
        vectors = MODELS.get(model, _rotated)(known_vectors(texts))
        rows = [{"index": n, "embedding": [float(x) for x in vector]} for n, vector in enumerate(vectors)]
        if model == "forgetful":
            rows = rows[:-1]
        if model == "broken":
            rows[0]["embedding"] = ["not", "numbers"]
        if model == "silent":
            rows[0]["embedding"] = [0.0] * 384
        # In no order: the index counts.
        tokens = sum(len(text.split()) for text in texts)
        self._answer(200, {"object": "list", "data": rows[::-1], "usage": {"prompt_tokens": tokens}})

    def _answer(self, status: int, document: dict[str, Any], **headers: str) -> None:
        content = json.dumps(document).encode()
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)
