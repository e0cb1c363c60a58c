"""Fifty people ask at once, and two hundred streams stand open, on a whole portal: how soon is the first event there?

    python -m tests.bench.asking_at_once [--people 50] [--streams 200] [--rounds 4]

Each person asks over the API and follows the answer; the clock runs from sending the question to the first event, and
from opening the stream. With the built-in model the answers end; with a model server that stops in the middle, every
stream stays open until all of them are, and the memory of the web process is read before and then. Exits with 1 when a
stream fails or a budget is missed. Absolute times are worth something on a quiet machine only.
"""

import argparse
import asyncio
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
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
#: Everything the people need, made inside the portal's Django; prints their tokens.
_SEED = """
import json
from django.db import transaction
from django.utils import timezone
from answers import endpoints
from answers.models import ModelEndpoint, WorkspaceModels
from workspaces import members, tokens
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
        told.append(secret)
print(json.dumps(told))
"""


@dataclass
class Followed:
    """One question: milliseconds to its first event, from asking and from opening the stream; what went wrong."""

    asked_ms: float = 0.0
    opened_ms: float = 0.0
    ended: str = ""
    fault: str = ""


@dataclass
class Crowd:
    """The people, each with a token, at one portal."""

    portal: Portal
    tokens: Sequence[str]
    open: int = 0
    all_open: asyncio.Event = field(default_factory=asyncio.Event)
    wanted: int = 0

    async def ask(self, streams: int, model: str = "") -> list[Followed]:
        """So many questions at the same moment, each followed to its end."""
        self.open, self.wanted = 0, streams
        self.all_open.clear()
        limits = httpx.Limits(max_connections=None, max_keepalive_connections=streams)
        async with httpx.AsyncClient(base_url=self.portal.url, timeout=_LONGEST_SECONDS, limits=limits) as client:
            asked = (self._follow(client, self.tokens[n % len(self.tokens)], model) for n in range(streams))
            return await asyncio.gather(*asked)

    async def _follow(self, client: httpx.AsyncClient, token: str, model: str) -> Followed:
        found, headers = Followed(), {"authorization": f"Bearer {token}"}
        began = time.perf_counter()
        try:
            sent = {"question": QUESTION, "model": model}
            answer = await client.post("/api/v1/workspaces/bench/questions", json=sent, headers=headers)
            answer.raise_for_status()
            opened = time.perf_counter()
            url = f"/api/v1/answers/{answer.json()['answer_id']}/events"
            async with client.stream("GET", url, headers=headers) as stream:
                stream.raise_for_status()
                async for line in stream.aiter_lines():
                    if line.startswith("event:") and not found.asked_ms:
                        now = time.perf_counter()
                        found.asked_ms, found.opened_ms = (now - began) * 1000, (now - opened) * 1000
                        self._one_more()
                    if line.startswith("data:") and '"family"' not in line and '"status"' in line:
                        found.ended = json.loads(line.removeprefix("data:")).get("status", "")
        except (httpx.HTTPError, ValueError) as error:
            found.fault = f"{type(error).__name__}: {error}"
            self._one_more()
        return found

    def _one_more(self) -> None:
        self.open += 1
        if self.open >= self.wanted:
            self.all_open.set()


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--people", type=int, default=50)
    parser.add_argument("--streams", type=int, default=200)
    parser.add_argument("--rounds", type=int, default=4)
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="inlock-bench-") as var, chat_server.serve() as server:
        portal = Portal(Path(var) / "var", fresh=True, INLOCK_TOKEN_REQUESTS_PER_MINUTE="100000", LOG_LEVEL="WARNING")
        portal.start()
        try:
            crowd = Crowd(portal, _seed(portal, server.url, options.people, Path(var)))
            return asyncio.run(_measure(crowd, server, options.people, options.streams, options.rounds))
        finally:
            server.go_on.set()
            portal.stop()


def _seed(portal: Portal, url: str, people: int, place: Path) -> list[str]:
    script = _SEED.format(url=url, people=people)
    finished = portal.run("shell", "--verbosity", "0", "-c", script)
    if finished.returncode:
        raise SystemExit(finished.stderr)
    (place / "handbook.md").write_text(HANDBOOK, encoding="utf-8")
    brought_in = portal.run("ingest", "bench", str(place / "handbook.md"), "--as", "bench-manager")
    if brought_in.returncode:
        raise SystemExit(brought_in.stderr)
    tokens: list[str] = json.loads(finished.stdout.splitlines()[-1])
    return tokens


async def _measure(crowd: Crowd, server: Any, people: int, streams: int, rounds: int) -> int:
    await crowd.ask(min(8, people))  # the first question of each process loads its models
    faults, firsts = 0, []
    for _round in range(rounds):
        found = await crowd.ask(people)
        faults += _told(f"{people} people, built-in model", found)
        firsts += [one.asked_ms for one in found if not one.fault]
    worst = _p95(firsts)
    print(f"first event after asking, p95 of {len(firsts)}: {worst:.0f} ms (budget {FIRST_EVENT_MS})")
    before = _web_mb(crowd.portal)
    following = asyncio.create_task(crowd.ask(streams, "slow"))
    await asyncio.wait_for(crowd.all_open.wait(), _LONGEST_SECONDS)
    each = (_web_mb(crowd.portal) - before) / streams
    print(f"{streams} open streams, slow model: {each:.2f} MB each (budget {STREAM_MB})")
    server.go_on.set()
    faults += _told(f"{streams} streams, slow model", await following)
    return int(bool(faults) or worst > FIRST_EVENT_MS or each > STREAM_MB)


def _told(what: str, found: Sequence[Followed]) -> int:
    """Print a row; how many failed, or came to no end."""
    well = [one for one in found if not one.fault and one.ended]
    asked, opened = ([getattr(one, name) for one in well] or [0.0] for name in ("asked_ms", "opened_ms"))
    print(
        f"{what}: first event after asking p50 {statistics.median(asked):.0f} p95 {_p95(asked):.0f} ms, "
        f"after opening the stream p50 {statistics.median(opened):.0f} p95 {_p95(opened):.0f} ms; "
        f"{len(found) - len(well)} failed"
    )
    for fault in sorted({one.fault or "no end came" for one in found if one not in well}):
        print(f"  {fault}", file=sys.stderr)
    return len(found) - len(well)


def _p95(figures: Sequence[float]) -> float:
    return sorted(figures)[int(len(figures) * 0.95)] if figures else float("inf")


def _web_mb(portal: Portal) -> float:
    """Resident memory of the web process, its children included, as the system tells it."""
    pid = portal.children()["web"]["pid"]
    status = Path(f"/proc/{pid}/status").read_text(encoding="utf-8")
    return int(next(line.split()[1] for line in status.splitlines() if line.startswith("VmRSS"))) / 1024


if __name__ == "__main__":
    sys.exit(main())
