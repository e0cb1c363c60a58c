"""Fifty people ask at once, and two hundred streams stand open, on a whole portal: how soon is the first event there?

    python -m tests.bench.asking_at_once [--people 50] [--over 2] [--streams 200] [--rounds 4]

The clock runs from sending the question to the first event: over the API, where asking answers with the stream; with
two requests, one that asks and one that follows; and on the page, where the response is the turn that says where the
answer stands. Each in one instant, and the first once more with the people spread evenly over `--over` seconds.
With the built-in model the answers end, those of `--streams` questions in one instant, too; with a model server that
stops in the middle, the people's streams, and then `--streams` of them, stay open until all are, and the memory of the
web process is read before and then. Exits with 1 when a stream fails or a budget is missed. Absolute times are worth
something on a quiet machine only: the processor time of each process for a question is printed beside them, and the
load.
"""

import argparse
import asyncio
import json
import os
import re
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from tests.answers import chat_server
from tests.portal import Portal

QUESTION = "How many days of paid parental leave does the second parent take?"
HANDBOOK = """# Employee handbook

## Parental leave

The second parent takes 20 working days of paid parental leave within six months of the birth.
"""
#: Budgets of docs/benchmarks.md, the first for 50 people and the built-in model.
FIRST_EVENT_MS, STREAM_MB = 150, 1.0
_LONGEST_SECONDS = 300
_QUESTIONS = "/api/v1/workspaces/bench/questions"
_EVENTS = re.compile(r'data-events="([^"]+)"')
#: Everything the people need, made inside the portal's Django; prints a token and a session of each.
_SEED = """
import json
from django.db import transaction
from django.test import Client
from django.utils import timezone
from answers import endpoints
from answers.models import ModelEndpoint, WorkspaceModels
from workspaces import members
from workspaces.tokens import keeping as tokens
with transaction.atomic():
    manager = members.create_user(username="bench-manager", by=None)
    workspace = members.create_workspace(slug="bench", name="Bench", policy="open", by=None)
    members.add_member(workspace, manager, "manager", by=None)
    members.add_member(workspace, manager, "contributor", by=None)
    slow = ModelEndpoint.objects.create(
        name="slow", kind="openai", base_url={url!r}, model="pauses", ceiling="restricted", state="approved",
        approved_at=timezone.now(), approved_by=manager, total_seconds=600, first_token_seconds=600)
    chosen = WorkspaceModels.objects.create(workspace=workspace, default_endpoint=endpoints.built_in())
    chosen.choices.add(slow)
    told = []
    for number in range({people}):
        person = members.create_user(username=f"bench-{{number}}", by=None)
        members.add_member(workspace, person, "member", by=None)
        rights = ["ask_questions", "open_documents"]
        _token, secret = tokens.create(by=person, name="bench", workspaces=[workspace], actions=rights)
        browser = Client()
        browser.force_login(person, backend="django.contrib.auth.backends.ModelBackend")
        told.append([secret, browser.session.session_key])
print(json.dumps(told))
"""


@dataclass
class Followed:
    """One question: milliseconds from asking to its first event, how it ended, and what went wrong."""

    asked_ms: float = 0.0
    ended: str = ""
    fault: str = ""


@dataclass(frozen=True)
class Person:
    """What somebody comes with: to the API and to the page."""

    token: str
    session: str

    @property
    def as_program(self) -> dict[str, str]:
        return {"authorization": f"Bearer {self.token}"}

    @property
    def as_browser(self) -> dict[str, str]:
        pair = "a" * 32
        return {"cookie": f"sessionid={self.session}; csrftoken={pair}", "x-csrftoken": pair, "hx-request": "true"}


@dataclass
class Crowd:
    """The people at one portal."""

    portal: Portal
    people: Sequence[Person]
    open: int = 0
    all_open: asyncio.Event = field(default_factory=asyncio.Event)
    wanted: int = 0

    async def ask(self, streams: int, how: str = "stream", model: str = "", over: float = 0.0) -> list[Followed]:
        """So many questions within `over` seconds, each followed to its end.

        `how`: "stream" (asking answers with the events), "two requests", or "page".
        """
        self.open, self.wanted = 0, streams
        self.all_open.clear()
        follow = {"stream": self._in_one, "two requests": self._in_two, "page": self._on_page}[how]
        limits = httpx.Limits(max_connections=None, max_keepalive_connections=streams)
        async with httpx.AsyncClient(base_url=self.portal.url, timeout=_LONGEST_SECONDS, limits=limits) as client:

            async def one(number: int) -> Followed:
                await asyncio.sleep(over * number / streams)
                found, began = Followed(), time.perf_counter()
                try:
                    await follow(client, self.people[number % len(self.people)], model, found, began)
                except (httpx.HTTPError, ValueError) as error:
                    found.fault = f"{type(error).__name__}: {error}"
                    self._one_more()
                return found

            return await asyncio.gather(*map(one, range(streams)))

    async def _in_one(
        self, client: httpx.AsyncClient, person: Person, model: str, found: Followed, began: float
    ) -> None:
        headers = person.as_program | {"accept": "text/event-stream"}
        sent = {"question": QUESTION, "model": model}
        async with client.stream("POST", _QUESTIONS, json=sent, headers=headers) as stream:
            await self._read(stream, found, began)

    async def _in_two(
        self, client: httpx.AsyncClient, person: Person, model: str, found: Followed, began: float
    ) -> None:
        sent = {"question": QUESTION, "model": model}
        answer = await client.post(_QUESTIONS, json=sent, headers=person.as_program)
        answer.raise_for_status()
        url = f"/api/v1/answers/{answer.json()['answer_id']}/events"
        async with client.stream("GET", url, headers=person.as_program) as stream:
            await self._read(stream, found, began)

    async def _on_page(
        self, client: httpx.AsyncClient, person: Person, model: str, found: Followed, began: float
    ) -> None:
        """The turn is the first event; what follows it comes through the stream that it names."""
        turn = await client.post("/w/bench/ask/", data={"text": QUESTION}, headers=person.as_browser)
        turn.raise_for_status()
        address = _EVENTS.search(turn.text)
        if address is None:
            raise ValueError("the turn names no stream")
        found.asked_ms = (time.perf_counter() - began) * 1000
        async with client.stream("GET", address[1], headers=person.as_browser) as stream:
            await self._read(stream, found, began)

    async def _read(self, stream: httpx.Response, found: Followed, began: float) -> None:
        stream.raise_for_status()
        has_begun = False
        async for line in stream.aiter_lines():
            if line.startswith("event:") and not has_begun:
                has_begun = True
                found.asked_ms = found.asked_ms or (time.perf_counter() - began) * 1000
                self._one_more()
            if line.startswith("data:") and '"family"' not in line and '"status"' in line:
                found.ended = json.loads(line.removeprefix("data:")).get("status", "")

    def _one_more(self) -> None:
        self.open += 1
        if self.open >= self.wanted:
            self.all_open.set()


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--people", type=int, default=50)
    parser.add_argument("--over", type=float, default=2.0, help="seconds over which the people come one by one")
    parser.add_argument("--streams", type=int, default=200)
    parser.add_argument("--rounds", type=int, default=4)
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="inlock-bench-") as var, chat_server.serve() as server:
        portal = Portal(Path(var) / "var", fresh=True, INLOCK_TOKEN_REQUESTS_PER_MINUTE="100000", LOG_LEVEL="WARNING")
        portal.start()
        try:
            crowd = Crowd(portal, _seed(portal, server.url, options.people, Path(var)))
            return asyncio.run(_measure(crowd, server, options))
        finally:
            server.go_on.set()
            portal.stop()


def _seed(portal: Portal, url: str, people: int, place: Path) -> list[Person]:
    script = _SEED.format(url=url, people=people)
    finished = portal.run("shell", "--verbosity", "0", "-c", script)
    if finished.returncode:
        raise SystemExit(finished.stderr)
    (place / "handbook.md").write_text(HANDBOOK, encoding="utf-8")
    brought_in = portal.run("ingest", "bench", str(place / "handbook.md"), "--as", "bench-manager")
    if brought_in.returncode:
        raise SystemExit(brought_in.stderr)
    return [Person(*told) for told in json.loads(finished.stdout.splitlines()[-1])]


async def _measure(crowd: Crowd, server: Any, options: argparse.Namespace) -> int:
    people, streams = options.people, options.streams
    await crowd.ask(min(8, people))  # the first question of each process loads its models
    print(f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} processors; budget {FIRST_EVENT_MS} ms at p95")
    ways = [(how, 0.0) for how in ("stream", "two requests", "page")] + [("stream", options.over)]
    faults, worst = 0, 0.0
    for how, over in ways:
        found, before = [], _processor_ms(crowd.portal)
        for _round in range(options.rounds):
            found += await crowd.ask(people, how, over=over)
        spent = {name: (after - before[name]) / len(found) for name, after in _processor_ms(crowd.portal).items()}
        faults += _told(f"{people} people, {how}, " + (f"over {over:g} s" if over else "in one instant"), found)
        print("  processor ms a question: " + ", ".join(f"{name} {ms:.0f}" for name, ms in spent.items()))
        worst = max(worst, _p95([one.asked_ms for one in found if not one.fault]))
    faults += _told(f"{streams} streams, built-in model", await crowd.ask(streams))
    slow, _nothing = await _kept_open(crowd, server, people)
    faults += _told(f"{people} people, slow model", slow)
    before_mb = _web_mb(crowd.portal)
    slow, open_mb = await _kept_open(crowd, server, streams, lambda: _web_mb(crowd.portal))
    each = (open_mb - before_mb) / streams
    print(f"{streams} open streams, slow model: {each:.2f} MB each (budget {STREAM_MB})")
    faults += _told(f"{streams} streams, slow model", slow)
    return int(bool(faults) or worst > FIRST_EVENT_MS or each > STREAM_MB)


async def _kept_open(
    crowd: Crowd, server: Any, streams: int, look: Callable[[], float] = lambda: 0.0
) -> tuple[list[Followed], float]:
    """So many questions to a model that stops in the middle; what `look` says while all of their streams are open."""
    crowd.all_open.clear()
    following = asyncio.create_task(crowd.ask(streams, model="slow"))
    await asyncio.wait_for(crowd.all_open.wait(), _LONGEST_SECONDS)
    seen = look()
    server.go_on.set()
    found = await following
    server.go_on.clear()
    return found, seen


def _told(what: str, found: Sequence[Followed]) -> int:
    """Print a row; how many failed, or came to no end."""
    well = [one for one in found if not one.fault and one.ended]
    asked = [one.asked_ms for one in well] or [0.0]
    print(
        f"{what}: first event after asking p50 {statistics.median(asked):.0f} p95 {_p95(asked):.0f} ms; "
        f"{len(found) - len(well)} of {len(found)} failed",
        flush=True,
    )
    for fault in sorted({one.fault or "no end came" for one in found if one not in well}):
        print(f"  {fault}", file=sys.stderr)
    return len(found) - len(well)


def _p95(figures: Sequence[float]) -> float:
    return sorted(figures)[int(len(figures) * 0.95)] if figures else float("inf")


def _processor_ms(portal: Portal) -> dict[str, float]:
    """What the processes that ask and answer have had of the processor, by name: proc_pid_stat(5), utime and stime."""
    ticks = os.sysconf("SC_CLK_TCK")
    spent = {}
    for name in ("web", "interactive"):
        stat = Path(f"/proc/{portal.children()[name]['pid']}/stat").read_text(encoding="utf-8")
        spent[name] = sum(map(int, stat.rpartition(")")[2].split()[11:13])) * 1000 / ticks
    return spent


def _web_mb(portal: Portal) -> float:
    """Resident memory of the web process, as the system tells it."""
    pid = portal.children()["web"]["pid"]
    status = Path(f"/proc/{pid}/status").read_text(encoding="utf-8")
    return int(next(line.split()[1] for line in status.splitlines() if line.startswith("VmRSS"))) / 1024


if __name__ == "__main__":
    sys.exit(main())
