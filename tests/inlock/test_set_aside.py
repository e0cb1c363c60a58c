"""Files that keep ending Chroma are set aside and kept, and it begins with empty ones; for no other reason."""

import fcntl
import os
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import chromadb
import httpx
import numpy as np
import pytest
from chromadb.config import Settings

from inlock import engines
from inlock.engines.addresses import PROJECT_ROOT, chroma_port
from inlock.engines.chroma import Chroma, heartbeat
from inlock.engines.exceptions import EngineFailed
from inlock.engines.places import Place, open_lock
from inlock.engines.set_aside import ENDS, all_set_aside
from tests.portal import within

SIZE = 384


@pytest.fixture(autouse=True)
def chroma_alone(monkeypatch) -> None:
    """No other engine is started."""
    for name in ("CHROMA_URL", "INLOCK_VAR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("DATABASE_URL", "postgresql://somebody@database.example/portal")
    monkeypatch.setenv("REDIS_URL", "redis://broker.example:6379/0")


@pytest.fixture
def var(tmp_path) -> Iterator[Path]:
    yield tmp_path / "var"
    within(20, lambda: not Place(tmp_path / "var", "chroma").has_keeper())


def attached(var: Path):
    return engines.attached(var, durable=False)


def server(var: Path) -> Any:
    return chromadb.HttpClient(host="127.0.0.1", port=chroma_port(var), settings=Settings(anonymized_telemetry=False))


def said(var: Path) -> dict[str, object]:
    return Place(var, "chroma").last_said()


def answers(var: Path) -> bool:
    return said(var).get("state") == "running" and heartbeat("127.0.0.1", chroma_port(var))


def is_back(var: Path, ended: object) -> None:
    """Wait until another server than the one that ended answers; one that is ending may still do so."""
    within(60, lambda: said(var).get("pid") not in (None, ended) and answers(var))


def damage_tables(directory: Path) -> None:
    with (directory / "chroma.sqlite3").open("r+b") as file:
        file.write(b"no database" * 400)


def damage_vectors(directory: Path) -> None:
    """Bytes that the server takes for places in its memory."""
    [vectors] = directory.glob("*/data_level0.bin")
    vectors.write_bytes(np.random.default_rng(1).bytes(vectors.stat().st_size))


def filled(var: Path) -> None:
    """More vectors than Chroma keeps in its tables alone."""
    with attached(var):
        vectors = server(var).create_collection("w-1", configuration={"hnsw": {"space": "cosine"}})
        for start in (0, 1000, 2000):
            ids = [str(number) for number in range(start, start + 1000)]
            vectors.upsert(ids=ids, embeddings=np.random.default_rng(start).normal(size=(1000, SIZE)))
        within(30, lambda: any((var / "chroma").glob("*/data_level0.bin")))


def garble_links(directory: Path) -> None:
    """Bytes that the server takes for more and more links, without an end."""
    [links] = directory.glob("*/link_lists.bin")
    links.write_bytes(np.random.default_rng(11).bytes(links.stat().st_size))


def change(var: Path) -> bool:
    """Whether the server takes as many vectors as make it read its files, and answers within five seconds."""
    client = server(var)
    client._server._session.timeout = httpx.Timeout(5.0)
    try:
        ids = [f"more {number}" for number in range(1500)]
        client.get_collection("w-1").upsert(ids=ids, embeddings=np.random.default_rng(7).normal(size=(1500, SIZE)))
        client.get_collection("w-1").query(query_embeddings=[np.ones(SIZE)], n_results=5)
    except httpx.TimeoutException:
        return False
    return True


def complain(var: Path, about: str) -> None:
    """As `documents/index.py` does when it waited in vain."""
    Place(var, "chroma").complaint.write_text(about, encoding="utf-8")


def ask(var: Path) -> bool:
    """Whether the server outlives a question."""
    try:
        server(var).get_collection("w-1").query(query_embeddings=[np.ones(SIZE)], n_results=5)
    except (httpx.HTTPError, ValueError):
        return False
    return True


def test_tables_that_cannot_be_read_are_set_aside_and_the_server_starts(var):
    with attached(var):
        pass
    damage_tables(var / "chroma")
    damaged = (var / "chroma" / "chroma.sqlite3").read_bytes()

    with attached(var):
        assert answers(var)
        [aside] = all_set_aside(var)

    assert (aside.directory / "chroma.sqlite3").read_bytes() == damaged
    assert aside.directory.name == f"chroma-set-aside-{aside.at:%Y%m%dT%H%M%SZ}"
    assert f"ended by itself or hung {ENDS} times" in aside.why
    assert not (var / "chroma-trial").exists()


def test_vectors_on_which_the_server_crashes_at_every_question_are_set_aside(var):
    filled(var)
    damage_vectors(var / "chroma")

    with attached(var):
        for crash in range(ENDS):
            assert all_set_aside(var) == [], crash
            running = said(var)["pid"]
            assert not ask(var)
            is_back(var, running)
        [aside] = all_set_aside(var)
        left = server(var).count_collections()

    assert (aside.engine, left) == ("chroma", 0)
    assert f"code -{int(signal.SIGSEGV)}" in aside.why
    assert any(aside.directory.glob("*/data_level0.bin"))


def test_files_on_which_the_server_hangs_are_set_aside_while_it_gives_signs_of_life(var):
    filled(var)
    with kept(var, "Chroma.patience = 3.0"):
        hung = said(var)["pid"]
        garble_links(var / "chroma")
        # Loaded before the damage; a server that reads its files anew stands still at the next change.
        os.kill(hung, signal.SIGKILL)
        is_back(var, hung)
        assert not change(var)
        assert heartbeat("127.0.0.1", chroma_port(var))
        assert all_set_aside(var) == []

        complain(var, "w-1")
        within(90, lambda: all_set_aside(var) and answers(var))
        [aside] = all_set_aside(var)
        left = server(var).count_collections()

    assert (aside.engine, left) == ("chroma", 0)
    assert f"hung {ENDS} times" in aside.why
    assert "did not answer for" in aside.why
    assert any(aside.directory.glob("*/link_lists.bin"))


@pytest.mark.parametrize("about", ["w-1", "", "nothing of that name"])
def test_a_complaint_about_a_server_that_answers_ends_nothing(about, var):
    filled(var)
    with kept(var, "Chroma.patience = 10.0"):
        running = said(var)["pid"]

        complain(var, about)
        within(10, lambda: not Place(var, "chroma").complaint.exists())
        assert ask(var)

        assert said(var)["pid"] == running


def test_a_server_that_has_much_to_read_after_its_start_is_given_the_time(tmp_path):
    """One that was ended for it would begin to read again, be ended again, and lose files that are sound."""
    chroma = Chroma(tmp_path)
    index = chroma.data / "0199b1d2"
    index.mkdir(parents=True)
    # What a server that hangs goes on writing earns it no time.
    with (index / "link_lists.bin").open("wb") as links:
        links.truncate(10 * 1024**3)
    assert chroma.longest_answer() == Chroma.patience

    with (index / "data_level0.bin").open("wb") as vectors:
        # 600,000 passages of 1,024 numbers; nothing of it is written.
        vectors.truncate(600_000 * 4 * 1024)

    # A disk that gives 30 MB a second has read it, and the keeper waited longer.
    assert chroma.longest_answer() > Chroma.patience + 600_000 * 4 * 1024 / 30e6


def test_a_server_that_stands_still_is_started_again_with_its_files(var):
    with kept(var, "Chroma.patience = 1.0"):
        hung = said(var)["pid"]
        os.kill(hung, signal.SIGSTOP)

        complain(var, "")
        is_back(var, hung)

        assert all_set_aside(var) == []


def test_files_that_are_new_are_not_set_aside_again(var):
    with attached(var):
        pass
    damage_tables(var / "chroma")
    with attached(var):
        pass
    damage_tables(var / "chroma")

    with pytest.raises(EngineFailed, match="Chroma"), attached(var):
        pass

    assert len(all_set_aside(var)) == 1


@pytest.mark.parametrize("sign", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_a_server_that_somebody_ends_again_and_again_keeps_its_files(sign, var):
    with attached(var):
        for _time in range(ENDS + 1):
            killed = said(var)["pid"]
            os.kill(killed, sign)
            is_back(var, killed)

        assert all_set_aside(var) == []


def test_a_port_that_somebody_else_has_leaves_the_files_alone(var):
    with attached(var):
        pass
    with socket.socket() as stranger:
        stranger.bind(("127.0.0.1", chroma_port(var)))
        stranger.listen()

        # Taken between the look at the port and the start of the server, each time.
        failed = keep(var, "Chroma.prepare = lambda self: None")

    assert failed.returncode == 1
    assert all_set_aside(var) == []
    assert (var / "chroma" / "chroma.sqlite3").exists()


def test_files_that_end_the_server_stay_where_they_are_while_an_empty_one_ends_too(var):
    with attached(var):
        pass
    damage_tables(var / "chroma")

    # As with a program that is broken, or a system that lets it have nothing.
    failed = keep(var, "Chroma.command = lambda self: [sys.executable, '-c', 'raise SystemExit(3)']")

    assert failed.returncode == 1
    assert all_set_aside(var) == []


def test_files_that_cannot_be_moved_do_not_end_the_keeper_without_a_word(var):
    with attached(var):
        pass
    damage_tables(var / "chroma")

    # As of a directory that is a mount of its own.
    failed = keep(
        var, "import os; from pathlib import Path; Path.rename = lambda self, to: os.rename(self, '/proc/nowhere')"
    )

    assert (failed.returncode, failed.stderr) == (1, "")
    assert said(var)["state"] == "failed"
    assert "The files of Chroma cannot be set aside" in (var / "log" / "chroma.log").read_text()
    assert all_set_aside(var) == []


def test_a_full_disk_leaves_the_files_alone(var):
    var.mkdir()
    with disk_of(var, megabytes=40) as full:
        failed = full("with engines.attached(var, durable=False): pass", "damage()")

    assert "Chroma: it ended with code 1 while starting" in failed.stderr, failed.stderr
    assert failed.stdout.split() == ["chroma"], failed


# --- Helpers ------------------------------------------------------------------------------------------------


def keep(var: Path, change: str) -> subprocess.CompletedProcess[str]:
    """Run the keeper of Chroma with `change` made to its recipe, until it gives up."""
    place = Place(var, "chroma")
    place.make()
    lock = open_lock(place.keeper)
    fcntl.flock(lock, fcntl.LOCK_EX)
    try:
        return subprocess.run(
            [sys.executable, "-c", keeping(var, lock, change)],
            cwd=PROJECT_ROOT,
            pass_fds=[lock],
            text=True,
            capture_output=True,
        )
    finally:
        os.close(lock)


@contextmanager
def kept(var: Path, change: str) -> Iterator[None]:
    """A running keeper of Chroma with `change` made to its recipe, and this process among its users."""
    place = Place(var, "chroma")
    place.make()
    lock, users = open_lock(place.keeper), open_lock(place.users)
    fcntl.flock(lock, fcntl.LOCK_EX)
    fcntl.flock(users, fcntl.LOCK_SH)
    process = subprocess.Popen([sys.executable, "-c", keeping(var, lock, change)], cwd=PROJECT_ROOT, pass_fds=[lock])
    try:
        os.close(lock)
        within(60, lambda: said(var).get("keeper") == process.pid and answers(var))
        yield
    finally:
        os.close(users)
        process.terminate()
        process.wait(60)


def keeping(var: Path, lock: int, change: str) -> str:
    """The program of a keeper with `change` made to its recipe."""
    return (
        f"import sys; from inlock.engines.chroma import Chroma; {change}; "
        f"sys.argv = ['keeper', 'chroma', {str(var)!r}, '{lock}', '--volatile']; "
        "from inlock.engines import keeper; raise SystemExit(keeper.main())"
    )


@contextmanager
def disk_of(var: Path, *, megabytes: int) -> Iterator[Callable[..., subprocess.CompletedProcess[str]]]:
    """run(*statements) → what a process printed for which `var` is a disk of its own, as large as that; last, what
    began with "chroma" there. Skips where this account may mount none.
    """
    alone = ["unshare", "--mount", "--map-root-user"]
    if shutil.which("unshare") is None or subprocess.run([*alone, "true"], check=False).returncode:
        pytest.skip("this account may not mount a disk of its own")

    def run(started: str, then: str) -> subprocess.CompletedProcess[str]:
        program = f"""
import subprocess, sys
from pathlib import Path
from typing import Any
from inlock import engines
from inlock.engines.exceptions import EngineFailed
var = Path({str(var)!r})
subprocess.run(["mount", "-t", "tmpfs", "-o", "size={megabytes}m", "none", str(var)], check=True)
def damage():
    with (var / "chroma" / "chroma.sqlite3").open("r+b") as file:
        file.write(b"no database" * 400)
{started}
{then}
try:
    {started}
except EngineFailed as failed:
    print(failed, file=sys.stderr)
print(*sorted(path.name for path in var.glob("chroma*")))
"""
        return subprocess.run(
            [*alone, sys.executable, "-c", program], cwd=PROJECT_ROOT, text=True, capture_output=True, check=False
        )

    yield run
