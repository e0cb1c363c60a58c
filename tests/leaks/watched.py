"""A whole run of the portal with every secret known, every outgoing connection noted, and everything it wrote kept.

The same person's work from beginning to end: upload, ask two models, review, export; then what is left behind.
"""

import base64
import json
import os
import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import redis

from inlock.engines.addresses import addresses, password
from tests.answers import chat_server
from tests.faults.scene import Rows, Visitor
from tests.portal import Portal, within

#: Words that stand in a document, a question, a title and a file name, and nowhere else in the world.
DOCUMENT, QUESTION, TITLE = "quorxilvane", "zembradoil", "wuthkerplon"
TEXT = f"# Moorings\n\nThe {DOCUMENT} mooring fee of the harbour is 4,750 euros a year and is due in March.\n"
ASKED = f"What is the mooring fee of the harbour, {QUESTION}?"

#: What differs between two pages of one kind.
_ID = re.compile(r"(?<=/)([0-9a-f]{8}-[0-9a-f-]{27}|\d+)(?=/)|(?<=^/w/)[a-z]+(?=/)")

#: Loaded by every Python process before its first line; writes down whom it connects to and whose name it looks up.
_HOOK = """
import os, sys

def note(event, arguments):
    if event in ("socket.connect", "socket.sendto"):
        address = arguments[1]
        told = address[0] if isinstance(address, tuple) else "unix"
    elif event in ("socket.getaddrinfo", "socket.gethostbyname", "socket.gethostbyaddr"):
        told = arguments[0]
    else:
        return
    told = told.decode() if isinstance(told, bytes) else str(told or "unix")
    with open(os.environ["TEST_CONTACTS"], "a") as file:
        file.write(told + "\\n")

if "TEST_CONTACTS" in os.environ:
    sys.addaudithook(note)
"""
_PREPARE = """
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP
from inlock.demo.seed import seed_people
seed_people()
person = {{user.username: user for user in User.objects.all()}}
workspace = Workspace.objects.get(slug="policies")
from answers.endpoints import choose_models, save_endpoint
from tests.endpoints_in_use import in_use
for name in ("good", "error"):
    endpoint = ModelEndpoint(
        name=name, kind="openai", base_url={url!r}, model="says" if name == "good" else name,
        key_reference="INLOCK_KEY_WATCHED",
    )
    in_use(save_endpoint(endpoint, by=person["admin"]), by=person["admin"])
choose_models(
    workspace, default=ModelEndpoint.objects.get(name="good"), by=person["manager"],
    choices=[ModelEndpoint.objects.get(name="error")],
)
from workspaces.tokens.keeping import create
token, text = create(by=person["member"], name="program", workspaces=[workspace], actions=["open_documents"])
from allauth.mfa.totp.internal.auth import generate_totp_secret
secret = generate_totp_secret()
holder = person["auditor"]
from django.db import transaction
with transaction.atomic():
    TOTP.activate(holder, secret)
    codes = RecoveryCodes.activate(holder)
import json
print(json.dumps({{"API token": text, "TOTP secret": secret, "recovery code": codes.get_unused_codes()[0]}}))
"""
#: One process for all that is typed: starting it is most of the work of each command.
_TYPE = """
import io, json
from django.core.management import call_command
def said(*command):
    out = io.StringIO()
    try:
        call_command(*command, stdout=out)
    except SystemExit as end:
        assert end.code in (0, 1), command
    return out.getvalue()
by_error = json.loads(said("ask", "policies", {asked!r}, "--as", "member", "--model", "error", "--json"))
ingested = json.loads(said("ingest", "legal", {file!r}, "--as", "contributor", "--json"))
held = json.loads(said("ask", "legal", {asked!r}, "--as", "member", "--json"))
draft = json.loads(said("review", "show", held["answer_id"], "--as", "reviewer", "--json"))
call_command("review", "approve", held["answer_id"], "--as", "reviewer", "--seen", draft["text_sha256"])
print(json.dumps({{
    "ends": [by_error["status"], ingested["documents"][0]["state"], held["status"]],
    "trail": said("audit", "export", "policies") + said("audit", "export", "platform"),
}}))
"""
#: Pages opened as each person, of kinds that nobody before them opened; by `make deep` whatever links lead to.
DEEP = bool(os.environ.get("INLOCK_DEEP"))
MOST = 100 if DEEP else 16


@dataclass
class Run:
    """What a run left behind. `secrets` are by what they open."""

    secrets: dict[str, str]
    contacts: set[str] = field(default_factory=set)
    logs: dict[str, str] = field(default_factory=dict)
    pages: dict[tuple[str, str], str] = field(default_factory=dict)
    broker: str = ""
    database: str = ""
    trail: str = ""
    command_lines: str = ""
    ids: list[str] = field(default_factory=list)
    key_was_sent: bool = False


@contextmanager
def whole_run(directory: Path) -> Iterator[Run]:
    """The run; afterwards the portal is gone and what it left is in the result."""
    (directory / "hook").mkdir()
    (directory / "hook" / "sitecustomize.py").write_text(_HOOK)
    run = Run(
        {
            "SECRET_KEY": "watched-" + secrets.token_urlsafe(48),
            "encryption key": base64.urlsafe_b64encode(os.urandom(32)).decode(),
            "model key": "watched-" + secrets.token_urlsafe(24),
        }
    )
    contacts = directory / "contacts"
    contacts.touch()
    with chat_server.serve() as model:
        model.says = f"The {DOCUMENT} mooring fee of the harbour is 4,750 euros a year and is due in March [1]."
        portal = Portal(
            directory / "var",
            SECRET_KEY=run.secrets["SECRET_KEY"],
            INLOCK_ENCRYPTION_KEYS=run.secrets["encryption key"],
            INLOCK_KEY_WATCHED=run.secrets["model key"],
            LOG_LEVEL="DEBUG",
            LOG_FORMAT="json",
            PYTHONPATH=str(directory / "hook"),
            TEST_CONTACTS=str(contacts),
        )
        try:
            portal.start()
            _work(portal, run, model)
            _look_around(portal, run)
            run.key_was_sent = any(run.secrets["model key"] in str(headers) for headers in model.headers)
        finally:
            portal.stop()
    run.contacts = set(contacts.read_text().split("\n")) - {""}
    run.logs = {
        str(file.relative_to(portal.var)): file.read_text(errors="replace")
        for file in portal.var.rglob("*")
        if file.is_file() and (".log" in file.name or file.parent.name == "log")
    }
    yield run


def _work(portal: Portal, run: Run, model: Any) -> None:
    told = portal.run("shell", "--verbosity", "0", "-c", _PREPARE.format(url=model.url))
    assert told.returncode == 0, told.stderr
    run.secrets |= json.loads(told.stdout.splitlines()[-1])
    run.secrets |= {f"database password of {role}": password(portal.var, role) for role in ("inlock", "postgres")}
    file, broken = portal.var / f"{TITLE}.md", portal.var / f"{TITLE}-broken.pdf"
    file.write_text(TEXT)
    broken.write_bytes(b"%PDF-1.7\n" + DOCUMENT.encode() * 50)
    with Rows(portal) as rows:
        contributor = Visitor(portal, "contributor")
        version, broken_version = contributor.upload(file, rows), contributor.upload(broken, rows)
        within(90, lambda: rows.version(version)["state"] == "ready")
        within(90, lambda: rows.version(broken_version)["state"] == "failed")
        member = Visitor(portal, "member")
        answer = member.ask(ASKED)
        within(60, lambda: rows.answer(answer)["status"] not in ("waiting", "working"))
        assert rows.answer(answer)["status"] == "answered", rows.answer(answer)
        run.ids = [str(version), str(broken_version), answer]
        typed = portal.run("shell", "--verbosity", "0", "-c", _TYPE.format(asked=ASKED, file=str(file)))
        assert typed.returncode == 0, typed.stderr
    came_to = json.loads(typed.stdout.splitlines()[-1])
    assert came_to["ends"] == ["failed_model_error", "ready", "held_for_review"], came_to["ends"]
    run.trail = came_to["trail"]


def _look_around(portal: Portal, run: Run) -> None:
    opened: set[str] = set()
    for who in ("member", "admin", "reviewer", "manager", "contributor"):
        visitor = Visitor(portal, who)
        for path, text in _crawled(visitor.http, opened):
            run.pages[who, path] = text
        visitor.close()
    with redis.Redis.from_url(addresses(portal.var).redis_url) as client:
        run.broker = " ".join(f"{key!r} {_value(client, key)!r}" for key in client.scan_iter(count=1000))
    with Rows(portal) as rows:
        tables = rows.all("SELECT tablename AS name FROM pg_tables WHERE schemaname = 'public'")
        run.database = "\n".join(
            str(row["t"])
            for table in tables
            for row in rows.all(f'SELECT t::text AS t FROM "{table["name"]}" t')  # noqa: S608 (the catalog's own names)
        )
    run.command_lines = "\n".join(
        Path(f"/proc/{line.split()[0]}/cmdline").read_bytes().replace(b"\0", b" ").decode()
        if Path(f"/proc/{line.split()[0]}/cmdline").exists()
        else ""
        for line in portal.processes()
    )


def _crawled(http: httpx.Client, opened: set[str]) -> Iterator[tuple[str, str]]:
    """Pages that links lead to from where everybody begins, one of each kind that is not among those `opened`."""
    begins = ["/", "/admin/", "/account/"]
    waiting, seen, most = [*begins, "/nowhere/", "/admin/nowhere/"], set(), len(begins) + MOST
    while waiting and len(seen) < most:
        path = waiting.pop(0)
        kind = path if DEEP else _ID.sub("*", path.partition("?")[0])
        known = seen if DEEP or path in begins else opened
        if path in seen or kind in known or "sign-out" in path or path.startswith("/static/"):
            continue
        seen.add(path)
        opened.add(kind)
        answer = http.get(path, follow_redirects=True)
        yield path, answer.text + str(dict(answer.headers))
        if "html" in answer.headers.get("content-type", ""):
            links = re.findall(r'(?:href|hx-get)="(/[^"#]*)', answer.text)
            waiting += [link.replace("&amp;", "&") for link in links if "o=" not in link]


def _value(client: redis.Redis, key: bytes) -> Any:
    kind = client.type(key)
    if kind == b"stream":
        return client.xrange(key)
    if kind == b"list":
        return client.lrange(key, 0, -1)
    if kind == b"hash":
        return client.hgetall(key)
    if kind == b"set":
        return client.smembers(key)
    if kind == b"zset":
        return client.zrange(key, 0, -1, withscores=True)
    return client.get(key)
