"""A server that speaks the public fine-tuning API: files, jobs, their events in pages, cancelling, and failures."""

import json
import re
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

KEY = "sk-training"
STATUSES = ("validating_files", "queued", "running", "succeeded")
PAGE = 3


@dataclass
class ProviderServer:
    """The running server: its address, what it keeps, and how it fails."""

    url: str
    files: list[dict[str, Any]] = field(default_factory=list)
    contents: dict[str, bytes] = field(default_factory=dict)
    jobs: list[dict[str, Any]] = field(default_factory=list)
    events: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    #: Every request, as method and path.
    asked: list[str] = field(default_factory=list)
    #: (method and path begin so, status, headers): the next such request is answered like that, and nothing is done.
    refusals: list[tuple[str, int, dict[str, str]]] = field(default_factory=list)
    #: Requests that begin so are done, and the connection is lost before the answer.
    losses: list[str] = field(default_factory=list)
    #: What a job comes to.
    outcome: str = "succeeded"

    def count(self, beginning: str) -> int:
        return sum(1 for one in self.asked if one.startswith(beginning))

    def advance(self, job: dict[str, Any]) -> None:
        """One step on the way of a job, with its event."""
        if job["status"] not in STATUSES[:-1]:
            return
        job["status"] = STATUSES[STATUSES.index(job["status"]) + 1]
        if job["status"] == "succeeded":
            job["status"] = self.outcome
            if self.outcome == "succeeded":
                job["fine_tuned_model"], job["trained_tokens"] = f"ft:{job['model']}:{job['suffix']}", 1234
            else:
                job["error"] = {"code": "invalid_training_file", "message": "Line 3 is not accepted."}
        self.tell(job, f"The job is {job['status']}.")

    def tell(self, job: dict[str, Any], message: str) -> None:
        told = self.events.setdefault(job["id"], [])
        event = {"id": f"ftevent-{len(told)}", "created_at": int(time.time()), "level": "info", "message": message}
        told.insert(0, event)


@contextmanager
def serve() -> Iterator[ProviderServer]:
    """Run the server on a free loopback port."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    server.daemon_threads = True
    server.said = ProviderServer(f"http://127.0.0.1:{server.server_port}/v1")  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield server.said  # type: ignore[attr-defined]
    finally:
        server.shutdown()
        server.server_close()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self._take("GET")

    def do_POST(self) -> None:
        self._take("POST")

    def do_DELETE(self) -> None:
        self._take("DELETE")

    def log_message(self, *_: Any) -> None:
        pass

    def _take(self, method: str) -> None:
        said: ProviderServer = self.server.said  # type: ignore[attr-defined]
        body = self.rfile.read(int(self.headers.get("content-length") or 0))
        parts = urlsplit(self.path)
        path = parts.path.removeprefix("/v1")
        asked = f"{method} {path}"
        said.asked.append(asked)
        for refusal in said.refusals:
            if asked.startswith(refusal[0]):
                said.refusals.remove(refusal)
                return self._answer(refusal[1], {"error": {"message": "No."}}, refusal[2])
        if self.headers.get("authorization") != f"Bearer {KEY}":
            return self._answer(401, {"error": {"message": "Incorrect API key."}})
        status, answer = self._do(said, method, path, parse_qs(parts.query), body)
        if any(asked == loss for loss in said.losses):
            said.losses.remove(asked)
            self.close_connection = True
            self.connection.close()
            return None
        return self._answer(status, answer)

    def _do(self, said: ProviderServer, method: str, path: str, query: Any, body: bytes) -> tuple[int, dict[str, Any]]:
        if (method, path) == ("POST", "/files"):
            name = re.search(rb'filename="([^"]+)"', body)
            content = body.split(b"\r\n\r\n", 2)[2].rsplit(b"\r\n--", 1)[0]
            file = {
                "id": f"file-{len(said.files)}",
                "filename": name[1].decode() if name else "",
                "bytes": len(content),
            }
            said.files.insert(0, file)
            said.contents[file["id"]] = content
            return 200, file
        if method == "DELETE" and path.startswith("/files/"):
            known = said.contents.pop(path.removeprefix("/files/"), None)
            said.files = [file for file in said.files if path != f"/files/{file['id']}"]
            return (200, {"deleted": True}) if known is not None else (404, {"error": {"message": "No such file."}})
        if method == "DELETE" and path.startswith("/models/"):
            known = [job for job in said.jobs if job["fine_tuned_model"] == unquote(path.removeprefix("/models/"))]
            for job in known:
                job["fine_tuned_model"] = None
            return (200, {"deleted": True}) if known else (404, {"error": {"message": "No such model."}})
        if (method, path) == ("GET", "/files"):
            return 200, self._page(said.files, query)
        if (method, path) == ("POST", "/fine_tuning/jobs"):
            wanted = json.loads(body)
            if wanted["training_file"] not in said.contents:
                return 400, {"error": {"message": "No such file."}}
            job = {**wanted, "id": f"ftjob-{len(said.jobs)}", "status": STATUSES[0], "fine_tuned_model": None}
            said.jobs.insert(0, job)
            said.tell(job, "Created.")
            return 200, job
        if (method, path) == ("GET", "/fine_tuning/jobs"):
            return 200, self._page(said.jobs, query)
        _nothing, _fine, _jobs, id, *rest = path.split("/")
        job = next((one for one in said.jobs if one["id"] == id), {})
        if not job:
            return 404, {"error": {"message": "No such job."}}
        if rest == ["cancel"]:
            job["status"] = "cancelled"
        if rest == ["events"]:
            return 200, self._page(said.events[id], query)
        return 200, job

    def _page(self, rows: list[dict[str, Any]], query: Any) -> dict[str, Any]:
        ids = [one["id"] for one in rows]
        begin = ids.index(query["after"][0]) + 1 if "after" in query else 0
        return {"object": "list", "data": rows[begin : begin + PAGE], "has_more": begin + PAGE < len(rows)}

    def _answer(self, status: int, answer: dict[str, Any], headers: dict[str, str] | None = None) -> None:
        content = json.dumps(answer).encode()
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)
