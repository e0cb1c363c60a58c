"""The embedded engines start, meet, recover and stop by themselves; every test runs the real ones."""

import os
import shutil
import signal
import socket
import stat
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import dj_database_url
import psycopg
import pytest
import redis

from inlock import engines
from inlock.engines import isolation
from inlock.engines.addresses import PROJECT_ROOT, chroma_port, run_directory
from inlock.engines.chroma import heartbeat
from inlock.engines.places import RECIPES, Place
from inlock.engines.postgresql import PostgreSQL
from inlock.engines.recipe import command_line
from tests import engines as run_engines

EVERY_ENGINE = tuple(RECIPES)


@pytest.fixture(scope="module", autouse=True)
def _no_urls_given() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        for name in ("DATABASE_URL", "REDIS_URL", "CHROMA_URL", "INLOCK_VAR"):
            patch.delenv(name, raising=False)
        yield


@pytest.fixture(scope="module")
def running_var(_no_urls_given, tmp_path_factory) -> Iterator[Path]:
    """A place where the engines began with nothing and run, for tests that look at them and leave them as they are."""
    path = tmp_path_factory.mktemp("running") / "var"
    with attached(path):
        yield path
    shutil.rmtree(run_directory(path))


@pytest.fixture
def running_engines(running_var) -> engines.Addresses:
    """The addresses of these engines."""
    return engines.addresses(running_var)


@pytest.fixture
def empty_var(tmp_path) -> Iterator[Path]:
    """A place where nothing was ever started."""
    yield from gone_afterwards(tmp_path / "empty")


@pytest.fixture
def var(tmp_path) -> Iterator[Path]:
    """A place whose database is made already."""
    run_engines.make_database(tmp_path / "var")
    yield from gone_afterwards(tmp_path / "var")


def gone_afterwards(path: Path) -> Iterator[Path]:
    yield path
    within(20, lambda: not running(path))
    shutil.rmtree(run_directory(path))


def attached(var: Path):
    return engines.attached(var, durable=False)


def within(seconds: float, holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.05)


def running(var: Path) -> list[str]:
    return [name for name in EVERY_ENGINE if Place(var, name).has_keeper()]


def pid_of(var: Path, name: str) -> int:
    pid = Place(var, name).last_said()["pid"]
    assert isinstance(pid, int)
    return pid


def start_user(var: Path) -> subprocess.Popen[str]:
    """Another process that uses the engines until its standard input closes."""
    program = (
        "import sys; from pathlib import Path; from inlock import engines\n"
        "with engines.attached(Path(sys.argv[1]), durable=False): print('ready', flush=True); sys.stdin.read()"
    )
    command = [sys.executable, "-c", program, str(var)]
    user = subprocess.Popen(command, cwd=PROJECT_ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert user.stdout is not None
    assert user.stdout.readline() == "ready\n"
    return user


def test_what_was_written_is_there_after_a_second_start(empty_var):
    with attached(empty_var) as first:
        with psycopg.connect(first.database_url) as connection:
            connection.execute("CREATE TABLE kept AS SELECT 'ž' AS letter")
        redis.Redis.from_url(first.redis_url).set("kept", "yes")

    with attached(empty_var) as second:
        with psycopg.connect(second.database_url) as connection:
            letter = connection.execute("SELECT letter FROM kept").fetchone()
        value = redis.Redis.from_url(second.redis_url).get("kept")

    assert first == second
    assert letter == ("ž",)
    assert value == b"yes"


def test_django_reads_the_database_url_as_it_is_meant(running_engines):
    settings = dj_database_url.parse(running_engines.database_url)

    assert Path(settings["HOST"], f".s.PGSQL.{settings['PORT']}").is_socket()
    assert (settings["NAME"], settings["USER"]) == ("inlock", "inlock")


def test_the_portal_is_no_superuser_and_the_server_listens_on_no_port(running_engines):
    with psycopg.connect(running_engines.database_url) as connection:
        role = connection.execute("SELECT rolsuper, rolcreatedb FROM pg_roles WHERE rolname = current_user")
        listens = connection.execute("SHOW listen_addresses")
        locale = connection.execute("SELECT datlocale, pg_encoding_to_char(encoding) FROM pg_database")

        assert role.fetchone() == (False, True)
        assert listens.fetchone() == ("",)
        assert locale.fetchone() == ("C.UTF-8", "UTF8")


def test_a_wrong_password_is_refused_even_through_the_private_socket(running_engines):
    with pytest.raises(psycopg.OperationalError, match="password authentication"):
        psycopg.connect(running_engines.database_url, password="guess")


def test_sockets_and_data_are_closed_to_other_people(running_var):
    data = running_var / "postgresql"
    closed = [run_directory(running_var), data, data / "data", running_var / "chroma"]

    assert [stat.S_IMODE(path.stat().st_mode) for path in closed] == [0o700] * len(closed)
    assert stat.S_IMODE((data / "inlock.password").stat().st_mode) == 0o600


def test_a_failing_statement_leaves_no_content_in_the_log(running_var, running_engines):
    with psycopg.connect(running_engines.database_url) as connection:
        connection.execute("CREATE TABLE one (content text UNIQUE)")
        connection.execute("INSERT INTO one VALUES ('the secret text')")
        with pytest.raises(psycopg.errors.UniqueViolation):
            connection.execute("INSERT INTO one VALUES ('the secret text')")

    log = running_var / "log" / "postgresql.log"
    within(20, lambda: "duplicate key" in log.read_text())
    assert "the secret text" not in log.read_text()


def test_two_checkouts_run_at_once_and_do_not_meet(running_engines, var):
    here = running_engines
    with attached(var) as there:
        redis.Redis.from_url(here.redis_url).set("who", "here")

        assert redis.Redis.from_url(there.redis_url).get("who") is None
        assert len({*vars(here).values(), *vars(there).values()}) == 6


def test_the_last_one_out_stops_the_engines(var):
    with attached(var):
        with attached(var):
            pass
        assert running(var) == list(EVERY_ENGINE)
        pids = [pid_of(var, name) for name in EVERY_ENGINE]
        sockets = run_directory(var)

    assert running(var) == []
    assert [command_line(pid) for pid in pids] == ["", "", ""]
    assert not sockets.exists()


def test_engines_outlive_the_one_that_started_them_while_another_uses_them(var):
    starter = start_user(var)
    before = pid_of(var, "postgresql")
    with attached(var) as addresses:
        starter.communicate()

        assert psycopg.connect(addresses.database_url).execute("SELECT 1").fetchone() == (1,)
        assert pid_of(var, "postgresql") == before


def test_engines_end_after_their_only_user_was_killed(var):
    user = start_user(var)
    pids = [pid_of(var, name) for name in EVERY_ENGINE]

    user.kill()
    user.communicate()

    within(20, lambda: not any(command_line(pid) for pid in pids))


@pytest.mark.parametrize("name", EVERY_ENGINE)
def test_a_killed_engine_is_started_again_where_it_was(running_var, running_engines, name):
    killed = pid_of(running_var, name)

    os.kill(killed, signal.SIGKILL)

    within(20, lambda: pid_of_or_none(running_var, name) not in (killed, None) and not faults(running_var))
    assert engines.addresses(running_var) == running_engines


def pid_of_or_none(var: Path, name: str) -> object:
    return Place(var, name).last_said().get("pid")


def faults(var: Path) -> list[str]:
    return [f"{engine.name}: {engine.fault}" for engine in engines.status(var) if engine.fault]


def test_after_everything_was_killed_the_next_command_starts_anew(var):
    user = start_user(var)
    for name in EVERY_ENGINE:
        said = Place(var, name).last_said()
        os.kill(said["keeper"], signal.SIGKILL)
        os.kill(said["pid"], signal.SIGKILL)
    user.kill()
    user.communicate()
    within(20, lambda: not running(var))

    with attached(var):
        assert faults(var) == []


def test_whoever_comes_while_a_keeper_dies_does_not_believe_its_last_word(var):
    user = start_user(var)
    place = Place(var, "valkey")
    os.kill(place.last_said()["keeper"], signal.SIGKILL)
    within(20, lambda: not place.has_keeper())
    newcomer = engines.Attachment(var, durable=False)
    newcomer.revive = lambda: None  # it looked while the dying keeper still held its lock

    newcomer.start()

    assert faults(var) == []
    newcomer.leave()
    user.communicate()


def test_a_long_lived_user_revives_engines_whose_keeper_was_killed(var):
    attachment = engines.Attachment(var, durable=False)
    attachment.start()
    os.kill(Place(var, "valkey").last_said()["keeper"], signal.SIGKILL)
    within(20, lambda: not Place(var, "valkey").has_keeper())

    attachment.revive()

    within(20, lambda: not faults(var))
    attachment.leave()


def test_a_pid_file_whose_number_another_program_has_now_is_cleared(var):
    Place(var, "valkey").make()
    stranger = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    pid_file = var / "postgresql" / "data" / "postmaster.pid"
    pid_file.write_text(f"{stranger.pid}\n{pid_file.parent}\n1\n5432\n\n\n  1 1\nready\n")
    Place(var, "valkey").notes.write_text(f'{{"state": "running", "pid": {stranger.pid}}}')

    with attached(var):
        assert faults(var) == []

    assert stranger.poll() is None
    stranger.communicate(b"\n")


def test_half_a_database_is_made_again(empty_var):
    half = empty_var / "postgresql" / "making"
    half.mkdir(parents=True)
    (half / "PG_VERSION").write_text("18\n")

    with attached(empty_var):
        assert faults(empty_var) == []

    assert not half.exists()


def test_a_cleaned_socket_directory_is_made_again_in_the_same_place(var):
    before = engines.addresses(var)
    shutil.rmtree(run_directory(var))

    with attached(var) as after:
        assert faults(var) == []

    assert after == before


def test_a_socket_directory_that_somebody_else_opened_is_not_trusted(empty_var):
    earlier = run_directory(empty_var)
    earlier.chmod(0o777)

    assert run_directory(empty_var) != earlier
    earlier.rmdir()


def test_a_port_that_a_stranger_took_is_left_to_them(var):
    with socket.socket() as stranger:
        stranger.bind(("127.0.0.1", chroma_port(var)))
        stranger.listen()
        taken = stranger.getsockname()[1]

        with attached(var) as addresses:
            port = chroma_port(var)

            assert port != taken
            assert addresses.chroma_url == f"http://127.0.0.1:{port}"
            assert heartbeat("127.0.0.1", port)


def test_a_url_in_the_environment_is_respected_and_nothing_is_started_for_it(empty_var, monkeypatch):
    monkeypatch.setenv("DATABASE_URL", "postgresql://someone:hidden@database.example/portal")
    monkeypatch.setenv("REDIS_URL", "redis://:hidden@broker.example:6379/3")

    with attached(empty_var) as addresses:
        assert addresses.database_url == "postgresql://someone:hidden@database.example/portal"
        assert addresses.redis_url == "redis://:hidden@broker.example:6379/3"
        assert running(empty_var) == ["chroma"]
    assert not (empty_var / "postgresql").exists()


def test_an_engine_that_cannot_start_says_what_happened_and_where_to_look(empty_var):
    (empty_var / "postgresql" / "data").mkdir(parents=True, mode=0o700)
    (empty_var / "postgresql" / "data" / "PG_VERSION").write_text("12\n")

    with pytest.raises(engines.EngineFailed, match="was made by version 12") as failure, attached(empty_var):
        pass

    assert "Make a backup" in str(failure.value)
    assert any("was made by version 12" in fault for fault in faults(empty_var))


def test_a_damaged_engine_tells_its_last_words(var):
    (var / "postgresql" / "data" / "global" / "pg_control").write_bytes(b"")

    with pytest.raises(engines.EngineFailed, match=r"it last said: .*pg_control") as failure, attached(var):
        pass

    assert str(var / "log" / "postgresql.log") in str(failure.value)


def test_status_names_engines_that_are_down_without_starting_them(empty_var):
    statuses = engines.status(empty_var)

    assert [engine.running for engine in statuses] == [False, False, False]
    assert all(engine.fault and "manage.py serve" in engine.next_step for engine in statuses)
    assert running(empty_var) == []


def test_status_of_running_engines_names_versions_and_no_password(running_var, running_engines):
    statuses = engines.status(running_var)

    password = psycopg.conninfo.conninfo_to_dict(running_engines.database_url)["password"]
    assert [engine.version.split(".")[0] for engine in statuses] == ["18", "9", "1"]
    assert all(engine.running and engine.disk_bytes for engine in statuses)
    assert password
    assert str(password) not in repr(statuses)


def test_status_of_external_engines_hides_passwords_and_names_the_variable(empty_var, monkeypatch):
    monkeypatch.setenv("DATABASE_URL", "postgresql://someone:hidden@127.0.0.1:1/portal")
    monkeypatch.setenv("REDIS_URL", "redis://:hidden@127.0.0.1:1/3")
    monkeypatch.setenv("CHROMA_URL", "http://127.0.0.1:1")

    statuses = engines.status(empty_var)

    assert [engine.kind for engine in statuses] == ["external"] * 3
    variables = [next(word for word in each.next_step.split() if word.endswith("_URL")) for each in statuses]
    assert variables == ["DATABASE_URL", "REDIS_URL", "CHROMA_URL"]
    assert "hidden" not in repr(statuses)


@pytest.mark.parametrize(
    ("redis_url", "broker_url"),
    [
        ("unix:///run/valkey.sock?db=0", "redis+socket:///run/valkey.sock?virtual_host=0"),
        ("unix:///run/valkey.sock", "redis+socket:///run/valkey.sock?virtual_host=0"),
        ("unix://:word@/run/valkey.sock?db=2", "redis+socket://:word@/run/valkey.sock?virtual_host=2"),
        ("rediss://:word@broker.example:6380/1", "rediss://:word@broker.example:6380/1"),
    ],
)
def test_celery_gets_the_same_broker_in_its_own_spelling(redis_url, broker_url):
    assert engines.celery_broker_url(redis_url) == broker_url


def test_reading_addresses_needs_no_django():
    program = "import sys; from inlock import engines; engines.addresses(); print('django' in sys.modules)"
    told = subprocess.run([sys.executable, "-c", program], cwd=PROJECT_ROOT, capture_output=True, text=True, check=True)

    assert told.stdout == "False\n"


def test_the_database_runs_without_a_namespace(tmp_path):
    # Only root can hand it to another account; everybody else runs it as they are.
    identity = isolation.account_identity() if os.geteuid() == 0 else isolation.own_identity()
    recipe = PostgreSQL(tmp_path / "var", durable=False, identity=identity)
    Place(recipe.var, recipe.name).make()

    recipe.prepare()

    process = subprocess.Popen(
        recipe.command(), cwd="/", env=recipe.environment(), **isolation.process_arguments(recipe.identity)
    )
    try:
        within(20, recipe.answers)
        with psycopg.connect(engines.addresses(recipe.var).database_url) as connection:
            assert connection.execute("SELECT current_user").fetchone() == ("inlock",)
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(20)
        shutil.rmtree(recipe.data.parent.parent if recipe.data.is_relative_to("/var/lib") else recipe.data)
        shutil.rmtree(run_directory(recipe.var))
