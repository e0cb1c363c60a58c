"""What `doctor` says, with engines up, down and late; and how commands end."""

import contextlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from io import StringIO
from pathlib import Path

import pytest
import redis
from django.core import checks
from django.core.management import call_command
from django.db import connection
from django.db.migrations.recorder import MigrationRecorder

from documents import forking, sandbox
from documents.sandbox import Isolation
from inlock import health, launch, migrating
from inlock.celery import QUEUES
from inlock.engines import PROJECT_ROOT, addresses
from inlock.engines.addresses import run_directory
from inlock.engines.status import EngineStatus
from inlock.engines.valkey import binary
from inlock.tasks import CANARY
from tests.portal import within
from workspaces.dispatch import give_sign_of_life


def named(findings: list[health.Finding]) -> dict[str, health.Finding]:
    return {finding.name: finding for finding in findings}


def background_work() -> dict[str, health.Finding]:
    return named(health.work.background_work(broker_runs=True))


def manage(var, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    foreign = {"DATABASE_URL", "REDIS_URL", "CHROMA_URL"}
    kept = {name: value for name, value in os.environ.items() if name not in foreign}
    return subprocess.run(
        [sys.executable, "manage.py", *arguments],
        cwd=PROJECT_ROOT,
        env=kept | {"INLOCK_VAR": str(var)} | environment,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture
def var(tmp_path):
    yield tmp_path / "var"
    if (tmp_path / "var").exists():
        shutil.rmtree(run_directory(tmp_path / "var"))


def test_doctor_works_while_everything_is_down_and_says_how_to_start_it(var):
    told = manage(var, "doctor", "--json")

    document = json.loads(told.stdout)
    down = [each for each in document["findings"] if each["fault"]]
    assert told.returncode == 1
    assert not document["ok"]
    assert [each["name"] for each in down] == ["postgresql", "valkey", "chroma"]
    assert all("manage.py serve" in each["next_step"] for each in down)
    assert not (var / "postgresql" / "data").exists()


@pytest.mark.django_db
def test_doctor_is_content_when_all_is_well():
    out = StringIO()

    call_command("doctor", stdout=out)

    assert "Everything is as it should be." in out.getvalue()
    assert "PostgreSQL 18" in out.getvalue()
    assert "all applied" in out.getvalue()


@pytest.mark.django_db
def test_doctor_looks_at_everything_and_shows_no_password():
    found = named(health.findings())

    looked_at = {
        "postgresql",
        "valkey",
        "chroma",
        "migrations",
        "disk",
        "broker",
        "clock",
        "leases",
        "verification",
        "serve",
        *(f"worker {name}" for name in QUEUES),
    }
    assert looked_at | {"parsers", "text recognition", "old Office files", "settings"} < set(found)
    password = addresses().database_url.split(":")[2].split("@")[0]
    assert password not in repr(found)


@pytest.mark.django_db
def test_doctor_names_a_missing_migration_and_the_command_that_applies_it():
    MigrationRecorder(connection).record_unapplied("sessions", "0001_initial")

    found = health.people.migrations()

    assert "sessions.0001_initial" in found.fault
    assert "manage.py migrate" in found.next_step


@pytest.mark.django_db
def test_doctor_names_a_queue_nobody_takes_from_once_workers_are_expected(settings, monkeypatch):
    monkeypatch.setattr(health.work, "expects_workers", lambda: True)
    give_sign_of_life("ingest", "worker")

    found = background_work()
    assert found["worker ingest"].state == "takes work"
    assert "interactive" in found["worker interactive"].fault
    assert "celery --app inlock.celery worker -Q interactive" in found["worker interactive"].next_step


@pytest.fixture
def ran(settings, monkeypatch):
    """Says when the canary of each queue last ran, with a worker on each."""
    monkeypatch.setattr(health.work, "expects_workers", lambda: True)
    for queue in QUEUES:
        give_sign_of_life(queue, "worker")

    def tell(**seconds_ago: int) -> None:
        with redis.Redis.from_url(settings.REDIS_URL) as client:
            client.delete(CANARY)
            client.hset(CANARY, mapping={queue: int(time.time()) - ago for queue, ago in seconds_ago.items()})

    yield tell
    with redis.Redis.from_url(settings.REDIS_URL) as client:
        client.delete(CANARY, *QUEUES)


@pytest.mark.django_db
def test_doctor_notices_that_scheduled_work_stands_still(ran):
    ran(**dict.fromkeys(QUEUES, 1000))
    late = background_work()["schedule"]
    ran(**dict.fromkeys(QUEUES, 1))
    in_time = background_work()["schedule"]

    assert "No scheduled task has run for 1" in late.fault
    assert in_time.fault == ""


@pytest.mark.django_db
def test_doctor_tells_a_queue_that_stands_still_from_one_that_is_idle(ran, settings):
    ran(**(dict.fromkeys(QUEUES, 1) | {"interactive": 500}))
    idle = background_work()["worker interactive"]
    with redis.Redis.from_url(settings.REDIS_URL) as client:
        client.lpush("interactive", "a message nobody takes")
    found = background_work()
    stuck = found["worker interactive"]

    assert idle.fault == ""
    assert "has taken nothing from the queue interactive for 50" in stuck.fault
    assert "1 waiting" in stuck.state
    assert found["schedule"].fault == ""


@pytest.fixture
def own_broker(settings, tmp_path):
    """Makes a Valkey of one's own the broker, started with these options; gives a client of it."""
    with contextlib.ExitStack() as started, tempfile.TemporaryDirectory() as short:
        socket = Path(short, "valkey.sock")  # a socket's path has a hundred characters

        def start(**options: str) -> redis.Redis:
            given = {"port": "0", "unixsocket": str(socket), "dir": str(tmp_path)} | options
            words = [word for name, value in given.items() for word in (f"--{name.replace('_', '-')}", value)]
            server = started.enter_context(subprocess.Popen([str(binary()), *words], stdout=subprocess.DEVNULL))
            started.callback(server.kill)  # one that cannot write refuses to end
            settings.REDIS_URL = f"unix://{socket}"
            within(20, socket.exists)
            return started.enter_context(redis.Redis.from_url(settings.REDIS_URL))

        yield start


def test_doctor_is_content_with_a_broker_that_keeps_what_it_holds(own_broker):
    own_broker(appendonly="yes", maxmemory_policy="noeviction")

    [found] = health.work.broker(runs=True)

    assert (found.state, found.fault, found.next_step) == ("noeviction, written to an append-only file", "", "")


def test_doctor_names_a_broker_that_throws_away_what_it_holds(own_broker):
    own_broker(appendonly="yes", maxmemory_policy="allkeys-lru")

    [found] = health.work.broker(runs=True)

    assert "allkeys-lru" in found.fault
    assert "noeviction" in found.next_step


def test_doctor_advises_a_broker_in_memory_alone_and_calls_it_no_fault(own_broker):
    own_broker(save="", maxmemory_policy="noeviction")

    [found] = health.work.broker(runs=True)

    assert (found.state, found.fault) == ("noeviction, kept in memory alone", "")
    assert "appendonly" in found.next_step


def test_doctor_names_a_broker_that_cannot_write_its_files(own_broker, tmp_path):
    client = own_broker(save="3600 1", maxmemory_policy="noeviction")
    (tmp_path / "dump.rdb").mkdir()
    client.bgsave()
    within(20, lambda: client.info("persistence")["rdb_last_bgsave_status"] == "err")

    [found] = health.work.broker(runs=True)

    assert "rdb_last_bgsave_status" in found.fault


@pytest.mark.parametrize(
    ("refused", "said"),
    [("config", "because it refuses CONFIG"), ("info", "does not tell how it keeps what it holds")],
)
def test_doctor_says_what_a_hosted_broker_does_not_tell(refused, said, own_broker, settings):
    client = own_broker(save="3600 1")
    client.execute_command("ACL", "SETUSER", "portal", "on", ">word", "~*", "&*", "+@all", f"-{refused}")
    settings.REDIS_URL = settings.REDIS_URL.replace("unix://", "unix://portal:word@")

    [found] = health.work.broker(runs=True)

    assert said in found.state
    assert found.fault == ""


def test_doctor_warns_before_the_disk_is_full(settings):
    settings.LOW_DISK_BYTES = 2**62

    found = health.machine.disk()
    assert "no files are taken in" in found.fault
    assert "INLOCK_VAR" in found.next_step


def test_doctor_names_the_programs_that_read_scans_and_old_files(monkeypatch):
    monkeypatch.setattr(health.machine.old_office, "program", lambda: None)

    found = named(health.machine.readers())
    assert "DOC, XLS and PPT fail" in found["old Office files"].state
    assert "Tesseract" in found["text recognition"].state


def test_doctor_advises_isolation_where_parsers_keep_something(monkeypatch):
    monkeypatch.setattr(sandbox, "isolation", lambda: Isolation(network=False, files=True, calls=False))

    found = health.machine.parsers()

    assert found.fault == ""
    assert "leaves it its network, sockets and other processes" in found.state
    assert "user namespaces" in found.next_step
    assert "Landlock" not in found.next_step


def test_doctor_is_content_with_parsers_that_are_shut_in(monkeypatch):
    monkeypatch.setattr(sandbox, "isolation", lambda: Isolation(network=True, files=True, calls=True))

    assert health.machine.parsers().next_step == ""


def test_doctor_names_parsers_that_do_not_start(monkeypatch):
    monkeypatch.setattr(forking, "forker", forking.Forker(("-c", "raise SystemExit(3)")))
    sandbox.isolation.cache_clear()

    found = health.machine.parsers()

    assert "does not start" in found.fault
    assert found.next_step


@pytest.mark.parametrize(
    ("url", "is_open"),
    [
        ("http://127.0.0.1:8000", False),
        ("http://localhost:8000", False),
        ("http://[::1]:8000", False),
        ("http://10.1.2.3:8000", False),
        ("http://192.168.1.9:8000", False),
        ("http://8.8.8.8:8000", True),
        ("http://[2606:4700::1111]:8000", True),
    ],
)
def test_doctor_warns_of_an_index_that_strangers_can_reach(url, is_open):
    status = EngineStatus("chroma", "Chroma", "external", url, "1.5.9", True, "", "", None)

    found = health.machine.engine(status)

    assert ("no authentication" in found.fault) is is_open
    assert ("CHROMA_URL" in found.next_step) is is_open


@pytest.mark.django_db(transaction=True)
def test_a_database_of_ours_is_brought_up_to_date():
    call_command("migrate", "sessions", "zero", verbosity=0)

    migrating.require_current()

    assert migrating.pending() == []


@pytest.mark.django_db
def test_a_database_given_by_url_is_left_alone(settings):
    settings.EMBEDDED_DATABASE = False
    MigrationRecorder(connection).record_unapplied("sessions", "0001_initial")

    with pytest.raises(migrating.DatabaseBehind, match=r"manage.py migrate"):
        migrating.require_current()


def test_a_wrong_setting_ends_in_one_readable_line(var):
    told = manage(var, "doctor", INLOCK_MODE="holiday")

    assert told.returncode == 2
    assert told.stderr == "INLOCK_MODE is 'holiday': write development or production.\n"


def test_an_engine_that_cannot_start_ends_in_one_readable_line(var):
    (var / "postgresql" / "data").mkdir(parents=True, mode=0o700)
    (var / "postgresql" / "data" / "PG_VERSION").write_text("12\n")

    told = manage(var, "showmigrations")

    assert told.returncode == 1
    assert told.stderr.startswith("PostgreSQL: the data in")
    assert told.stderr.count("\n") == 1


def test_asking_for_help_starts_nothing(monkeypatch, capsys):
    monkeypatch.setattr(launch.engines, "attached", lambda: pytest.fail("engines were started"))

    with pytest.raises(SystemExit) as ended:
        launch.run(["manage.py", "migrate", "--help"])

    assert ended.value.code == 0
    assert "usage: manage.py migrate" in capsys.readouterr().out


def test_django_is_asked_about_the_settings_once_for_a_process(monkeypatch):
    asked = []
    bad = checks.Warning("A door is open.", hint="Close it.", id="inlock.W999")
    monkeypatch.setattr(health.machine.checks, "run_checks", lambda **given: asked.append(given) or [bad])
    health.machine._serious.cache_clear()
    try:
        looks = [health.machine.settings_found() for _ in range(3)]
    finally:
        health.machine._serious.cache_clear()

    assert len(asked) == 1
    assert looks == [[health.Finding("settings", "inlock.W999", "A door is open.", "Close it.")]] * 3
