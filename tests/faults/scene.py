"""What the kills need: a prepared portal, its rows, people with browsers, and processes to end without a word."""

import json
import os
import re
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import psycopg
import redis
from psycopg.rows import dict_row

from inlock.engines.addresses import addresses
from inlock.engines.places import Place
from tests.portal import Portal, within

PASSWORD = "inlock-demo-only"
_PREPARE = """
from inlock.demo.seed import seed_people
seed_people()
workspace = Workspace.objects.get(slug="policies")
person = {{user.username: user for user in User.objects.all()}}
from answers.endpoints import choose_models, save_endpoint
from tests.endpoints_in_use import in_use
endpoint = ModelEndpoint(name="pauses", kind="openai", base_url={url!r}, model="pauses")
in_use(save_endpoint(endpoint, by=person["admin"]), by=person["admin"])
choose_models(workspace, default=endpoint, by=person["manager"])
"""


def prepare(portal: Portal, *, model_url: str) -> None:
    """People, workspaces, and the model that `policies` asks."""
    done = portal.run("shell", "--verbosity", "0", "-c", _PREPARE.format(url=model_url))
    assert done.returncode == 0, done.stderr


class Rows:
    """Read the portal's database beside it, without Django."""

    def __init__(self, portal: Portal) -> None:
        self.url = addresses(portal.var).database_url
        self.connect()

    def connect(self) -> None:
        """Again, after the database was restarted."""
        self.connection = psycopg.connect(self.url, autocommit=True, row_factory=dict_row)

    def __enter__(self) -> "Rows":
        return self

    def __exit__(self, *_: object) -> None:
        self.connection.close()

    def all(self, query: str, *values: Any) -> list[dict[str, Any]]:
        return self.connection.execute(query, values).fetchall()  # type: ignore[call-overload]

    def value(self, query: str, *values: Any) -> Any:
        """The first column of the first row; None when there is no row."""
        found = self.all(query, *values)
        return next(iter(found[0].values())) if found else None

    def version(self, id: Any) -> dict[str, Any]:
        columns = "state, attempt, deaths, done, passage_count, lease_until, failure_sentence"
        return self.all(f"SELECT {columns} FROM documents_version WHERE id = %s", id)[0]  # noqa: S608

    def answer(self, id: Any) -> dict[str, Any]:
        columns = "status, attempt, deaths, released_text, raw_output, failure_detail"
        return self.all(f"SELECT {columns} FROM answers_answer WHERE id = %s", id)[0]  # noqa: S608

    def events(self, type: str, id: Any) -> int:
        """How many entries of this type the trail has about the object."""
        return int(self.value("SELECT count(*) FROM audit_event WHERE type = %s AND object_id = %s", type, str(id)))


class Visitor:
    """A signed-in person with a browser's cookies and no browser."""

    def __init__(self, portal: Portal, username: str) -> None:
        self.http = httpx.Client(base_url=portal.url, timeout=30, trust_env=False)
        self.http.get("/sign-in/")
        answer = self._post("/sign-in/", {"username": username, "password": PASSWORD})
        assert answer.status_code == 302, answer.text

    def close(self) -> None:
        self.http.close()

    def upload(self, file: Path, rows: Rows) -> UUID:
        """Bring the file into `policies`; the id of its version."""
        with file.open("rb") as content:
            answer = self._post(
                "/w/policies/documents/upload/", {}, files={"files": content}, headers={"Accept": "application/json"}
            )
        assert answer.status_code == 200, answer.text
        assert "error" not in answer.json()["files"][0], answer.text
        return rows.value("SELECT id FROM documents_version WHERE filename = %s", file.name)

    def ask(self, question: str) -> str:
        """Put the question to `policies`; the answer's id."""
        answer = self._post("/w/policies/ask/", {"text": question}, headers={"HX-Request": "true"})
        found = re.search(r'data-card="/w/policies/answers/([0-9a-f-]{36})/', answer.text)
        assert found, answer.text
        return found[1]

    def page(self, answer_id: str) -> str:
        """The answer's own page."""
        return self.http.get(f"/w/policies/answers/{answer_id}/").text

    @contextmanager
    def watching(self, answer_id: str, *, after: str = "") -> "Iterator[Iterator[Heard]]":
        """The answer's events as a browser hears them; resumed behind the event called `after`."""
        headers = {"Last-Event-ID": after} if after else {}
        with self.http.stream("GET", f"/w/policies/answers/{answer_id}/events/", headers=headers) as response:
            assert response.status_code == 200
            lines = response.iter_lines()
            # The first line comes once the watcher's rights were read.
            assert next(lines).startswith("retry")
            yield _heard(lines)

    def _post(self, url: str, data: dict[str, str], **options: Any) -> httpx.Response:
        token = self.http.cookies["csrftoken"]
        headers = {"X-CSRFToken": token, **options.pop("headers", {})}
        return self.http.post(url, data=data, headers=headers, **options)


#: Event id, kind and data.
Heard = tuple[str, str, dict[str, Any]]


def _heard(lines: Iterator[str]) -> Iterator[Heard]:
    fields: dict[str, str] = {}
    for line in lines:
        name, _, value = line.partition(": ")
        if line and name:
            fields[name] = value
        elif "event" in fields:
            yield fields.get("id", ""), fields["event"], json.loads(fields["data"])
            fields = {}


def written(events: list[Heard]) -> str:
    """The text a page that heard these events shows: tokens in their order, since the last reset."""
    text = ""
    for _id, kind, data in events:
        text = "" if kind == "reset" else text + data.get("text", "") if kind == "token" else text
    return text


def kill_child(portal: Portal, name: str) -> int:
    """SIGKILL to one of the portal's processes with everything it started; the id it had."""
    pid = int(portal.children()[name]["pid"])
    os.killpg(pid, signal.SIGKILL)
    return pid


def is_back(portal: Portal, name: str, killed: int) -> Callable[[], bool]:
    """Whether the supervisor runs the child again, as a question to repeat."""
    return lambda: portal.children()[name]["pid"] not in (killed, None)


def emptied_valkey(portal: Portal) -> None:
    """Every queue, stream and sign of life is gone, and nobody is told."""
    with redis.Redis.from_url(addresses(portal.var).redis_url) as client:
        client.flushall()


@contextmanager
def engine_down(portal: Portal, name: str) -> Iterator[None]:
    """SIGKILL to an engine, which stays down inside the block because its keeper sleeps."""
    said = Place(portal.var, name).last_said()
    keeper, engine = said["keeper"], said["pid"]
    assert isinstance(keeper, int)
    assert isinstance(engine, int)
    os.kill(keeper, signal.SIGSTOP)
    try:
        os.kill(engine, signal.SIGKILL)
        yield
    finally:
        os.kill(keeper, signal.SIGCONT)
    within(60, lambda: Place(portal.var, name).last_said()["pid"] not in (engine, None))
