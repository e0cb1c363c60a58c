"""A real HTTP server that speaks the chat-completions protocol, well or badly as the model's name says."""

import json
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

#: What the model called "pauses" has written in the end.
PAUSED_ANSWER = "The second parent takes 20 working days of paid parental leave [1]."


@dataclass
class ChatServer:
    """The running server: its address, what it was sent, and an event that lets waiting models go on."""

    url: str
    requests: list[dict[str, Any]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)
    #: Set once a model that waits has begun, and when its client went away.
    began: threading.Event = field(default_factory=threading.Event)
    left: threading.Event = field(default_factory=threading.Event)
    go_on: threading.Event = field(default_factory=threading.Event)
    #: What the model called "says" answers.
    says: str = ""
    #: Called by the models that echo late or slowly, where they stand still; they go on when it returns.
    pause: Callable[[], None] = lambda: None


@contextmanager
def serve() -> Iterator[ChatServer]:
    """Run the server on a free loopback port."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    server.daemon_threads = True
    server.chat = ChatServer(f"http://127.0.0.1:{server.server_port}/v1")  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield server.chat  # type: ignore[attr-defined]
    finally:
        server.chat.go_on.set()  # type: ignore[attr-defined]
        server.shutdown()
        server.server_close()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *args: Any) -> None:
        pass

    @property
    def chat(self) -> ChatServer:
        return self.server.chat  # type: ignore[attr-defined, no-any-return]

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.chat.requests.append(body)
        self.chat.paths.append(self.path)
        self.chat.headers.append({name.lower(): value for name, value in self.headers.items()})
        prompt = body["messages"][-1]["content"]
        _BEHAVIOURS[body["model"]](self, prompt)

    # --- Pieces of the protocol ---

    def refuse(self, status: int, **headers: str) -> None:
        content = json.dumps({"error": {"message": "no", "type": "test"}}).encode()
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def open_stream(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Connection", "close")
        self.end_headers()
        self.close_connection = True

    def send(self, text: str, finish: str | None = None) -> None:
        choice = {"index": 0, "delta": {"role": "assistant", "content": text}, "finish_reason": finish}
        chunk = {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "m", "choices": [choice]}
        self.wfile.write(f"data: {json.dumps(chunk)}\n\n".encode())
        self.wfile.flush()

    def stream(self, text: str, finish: str = "stop") -> None:
        self.open_stream()
        words = text.split(" ")
        for position, word in enumerate(words):
            self.send(word if position == 0 else f" {word}")
        self.send("", finish)
        self.wfile.write(b"data: [DONE]\n\n")

    def wait_for_leave(self) -> None:
        """Say nothing more until the client goes away or the test is over."""
        self.connection.settimeout(0.05)
        while not self.chat.go_on.is_set():
            try:
                if not self.connection.recv(1):
                    self.chat.left.set()
                    return
            except TimeoutError:
                continue
            except OSError:
                self.chat.left.set()
                return


_TRUE = "The second parent takes 20 working days of paid parental leave [1]."


def _good(handler: _Handler, prompt: str) -> None:
    handler.stream(_TRUE)


def _paraphrase(handler: _Handler, prompt: str) -> None:
    handler.stream("In total the second parent takes 20 days of leave at work, and it is paid parental leave [1].")


def _uncited(handler: _Handler, prompt: str) -> None:
    handler.stream("The second parent takes 20 working days of paid parental leave.")


def _liar(handler: _Handler, prompt: str) -> None:
    handler.stream(
        "The second parent takes 20 working days of paid parental leave [1]. "
        "Everybody gets a company car [9]. "
        "The fleet is electric [0f8fad5b-d9cb-469f-a165-70867728950e]. "
        'It says "The first parent takes 17 weeks of paid parental leave" [1]. '
        "Lunch costs nothing on Fridays in August [1]."
    )


def _only_lies(handler: _Handler, prompt: str) -> None:
    handler.stream("Everybody gets a company car [9]. Penguins juggle marmalade [1].")


def _no_evidence(handler: _Handler, prompt: str) -> None:
    handler.stream("NO_EVIDENCE")


def _no_evidence_and_more(handler: _Handler, prompt: str) -> None:
    handler.stream("**NO_EVIDENCE** The sources speak of other things [1].")


def _thinks(handler: _Handler, prompt: str) -> None:
    handler.stream(f"<think>\nThe asker is nosy [1].\n</think>\n\n{_TRUE}")


def _says(handler: _Handler, prompt: str) -> None:
    handler.stream(handler.chat.says)


def _counts(handler: _Handler, prompt: str) -> None:
    handler.open_stream()
    handler.send(_TRUE)
    handler.send("", "stop")
    usage = {"prompt_tokens": 321, "completion_tokens": 17, "total_tokens": 338}
    chunk = {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "m", "choices": [], "usage": usage}
    handler.wfile.write(f"data: {json.dumps(chunk)}\n\ndata: [DONE]\n\n".encode())


def _echo(handler: _Handler, prompt: str) -> None:
    handler.stream(f"{_TRUE}\n\n{prompt}")


def _echo_late(handler: _Handler, prompt: str) -> None:
    handler.chat.pause()
    _echo(handler, prompt)


def _echo_slowly(handler: _Handler, prompt: str) -> None:
    handler.open_stream()
    handler.send("This much was said before. ")
    handler.chat.pause()
    handler.send(f"{_TRUE}\n\n{prompt}", "stop")
    handler.wfile.write(b"data: [DONE]\n\n")


def _silent(handler: _Handler, prompt: str) -> None:
    handler.chat.began.set()
    handler.wait_for_leave()
    handler.close_connection = True


def _stalls(handler: _Handler, prompt: str) -> None:
    handler.open_stream()
    handler.send("The second parent")
    handler.chat.began.set()
    handler.wait_for_leave()


def _pauses(handler: _Handler, prompt: str) -> None:
    first, rest = PAUSED_ANSWER[:17], PAUSED_ANSWER[17:]
    handler.open_stream()
    handler.send(first)
    handler.chat.began.set()
    handler.wait_for_leave()
    if handler.chat.go_on.is_set():
        handler.send(rest, "stop")
        handler.wfile.write(b"data: [DONE]\n\n")


def _busy(handler: _Handler, prompt: str) -> None:
    handler.refuse(429, Retry_After="0.1")


def _busy_for_long(handler: _Handler, prompt: str) -> None:
    handler.refuse(429, Retry_After="3600")


def _busy_for_a_while(handler: _Handler, prompt: str) -> None:
    handler.refuse(429, Retry_After="10")


def _busy_once(handler: _Handler, prompt: str) -> None:
    if len(handler.chat.requests) == 1:
        handler.refuse(429, Retry_After="0.1")
    else:
        _good(handler, prompt)


def _error(handler: _Handler, prompt: str) -> None:
    handler.refuse(500)


def _refuses_prompts(handler: _Handler, prompt: str) -> None:
    handler.refuse(400)


def _wrong_key(handler: _Handler, prompt: str) -> None:
    handler.refuse(401)


def _elsewhere(handler: _Handler, prompt: str) -> None:
    handler.refuse(307, Location=f"{handler.chat.url}/elsewhere")


def _dies(handler: _Handler, prompt: str) -> None:
    handler.send_response(200)
    handler.send_header("Content-Type", "text/event-stream")
    handler.send_header("Content-Length", "100000")
    handler.end_headers()
    handler.send("The second parent takes 20")
    handler.connection.shutdown(socket.SHUT_RDWR)
    handler.close_connection = True


def _trails_off(handler: _Handler, prompt: str) -> None:
    handler.open_stream()
    handler.send("The second parent takes 20")


def _too_long(handler: _Handler, prompt: str) -> None:
    handler.stream("The second parent takes 20 working days of paid", finish="length")


def _garbage(handler: _Handler, prompt: str) -> None:
    handler.open_stream()
    handler.wfile.write(b'data: {"choices": [{"delta": {"content": "The\n\n')


def _other_shape(handler: _Handler, prompt: str) -> None:
    handler.open_stream()
    handler.wfile.write(b'data: {"choices": "none", "object": 3}\n\ndata: [DONE]\n\n')


def _empty(handler: _Handler, prompt: str) -> None:
    handler.stream("")


def _endless(handler: _Handler, prompt: str) -> None:
    handler.open_stream()
    try:
        while not handler.chat.go_on.is_set():
            handler.send("and more " * 200)
    except OSError:
        handler.chat.left.set()


_BEHAVIOURS: dict[str, Callable[[_Handler, str], None]] = {
    name.removeprefix("_").replace("_", "-"): function
    for name, function in list(globals().items())
    if callable(function) and name.startswith("_") and name not in {"_Handler"} and not isinstance(function, type)
}
