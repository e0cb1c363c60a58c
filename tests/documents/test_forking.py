"""The clean process that forks a child for each file: it comes back when it dies, goes with its owner, and forgets."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from documents import forking, sandbox
from documents.forking import Forker
from documents.parse import ParseFailed, zygote
from tests.documents import samples

PATIENCE_SECONDS = 20.0


@pytest.fixture
def page(tmp_path):
    return samples.pdf(tmp_path / "page.pdf", [[["Leave is paid."]]])


@pytest.fixture
def forker(monkeypatch):
    own = Forker()
    monkeypatch.setattr(forking, "forker", own)
    yield own
    own.close()


@pytest.fixture
def forker_of(monkeypatch):
    """A forker whose children run the given code where a parser would read the file."""
    made: list[Forker] = []

    def make(code: str) -> Forker:
        # Without the walls of the kernel, behind which most of this could not be tried.
        lines = ["import os", "from documents.parse import Parsed, child, confinement, zygote"]
        lines += [f"confinement.{wall}.confine = lambda **how: False" for wall in ("landlock", "seccomp")]
        lines += ["def parser(path, name):"]
        lines += [f"    {line}" for line in code.splitlines()]
        lines += ["child.parse_file = parser", "zygote.main()"]
        made.append(Forker(("-c", "\n".join(lines))))
        monkeypatch.setattr(forking, "forker", made[-1])
        return made[-1]

    yield make
    for each in made:
        each.close()


def pid_of(forker: Forker) -> int:
    assert forker._process is not None
    return forker._process.pid


def read(path: Path) -> str:
    return sandbox.parse(path, name="page.pdf").text


def becomes_true(question: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not question():
        if time.monotonic() > deadline:
            return False
        threading.Event().wait(0.02)
    return True


def is_gone(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    # A zombie whose parent is busy is gone as well.
    stat = Path(f"/proc/{pid}/stat")
    return stat.exists() and stat.read_text().rpartition(")")[2].split()[0] == "Z"


def test_files_are_read_by_children_of_one_process(page, forker):
    read(page)
    first = pid_of(forker)

    read(page)

    assert pid_of(forker) == first


def test_it_is_started_again_when_it_died(page, forker):
    read(page)
    first = pid_of(forker)
    os.kill(first, signal.SIGKILL)

    text = read(page)

    assert text == "Leave is paid."
    assert pid_of(forker) != first


def test_a_file_that_kills_the_process_it_was_forked_from_is_tried_once_more_and_named(page, forker_of):
    forker = forker_of("os.kill(os.getppid(), 9)\nimport threading; threading.Event().wait()")

    with pytest.raises(ParseFailed) as caught:
        read(page)

    assert (caught.value.code, caught.value.detail) == ("parser_crashed", "lost twice")
    assert becomes_true(lambda: is_gone(pid_of(forker)))


def test_what_one_file_does_to_its_child_the_next_one_does_not_see(page, forker_of):
    forker_of(
        "found = getattr(zygote, 'left_behind', 'nothing')\nzygote.left_behind = 'a trap'\n"
        "return Parsed(found, (), '', 1, 'pdf')"
    )

    assert [read(page), read(page)] == ["nothing", "nothing"]


def test_files_read_at_once_get_their_own_answers(page, forker_of):
    forker_of("import time; time.sleep(0.05)\nreturn Parsed(str(os.getpid()), (), '', 1, 'pdf')")
    answers: list[str] = []
    threads = [threading.Thread(target=lambda: answers.append(read(page))) for _ in range(8)]

    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(set(answers)) == 8


def test_it_ends_with_the_process_that_started_it(page):
    code = (
        "import os, signal\nfrom pathlib import Path\nfrom documents import forking, sandbox\n"
        f"sandbox.parse(Path({str(page)!r}), name='page.pdf')\n"
        "print(forking.forker._process.pid, flush=True)\nos.kill(os.getpid(), signal.SIGKILL)"
    )

    killed = subprocess.run([sys.executable, "-c", code], cwd=forking.ROOT, capture_output=True, text=True, check=False)

    assert killed.returncode == -signal.SIGKILL
    assert becomes_true(lambda: is_gone(int(killed.stdout)))


def test_a_fork_of_ours_starts_one_of_its_own(page, forker):
    read(page)
    inside, outside = os.pipe()
    ours = os.fork()
    if ours == 0:
        try:
            forker.forget()
            read(page)
            os.write(outside, str(pid_of(forker)).encode())
            forker.close()
        finally:
            os._exit(0)
    os.waitpid(ours, 0)

    assert int(os.read(inside, 20)) != pid_of(forker)
    assert read(page) == "Leave is paid."


def test_nothing_that_is_loaded_before_a_fork_starts_a_thread():
    code = (
        "import importlib, sys, threading\nfrom pathlib import Path\nfrom documents.parse.zygote import LOADS\n"
        "sys.modules['numpy'] = None\n"
        "for name in filter(None, LOADS): importlib.import_module(name)\n"
        "tasks = Path('/proc/self/task')\n"
        "print(len(list(tasks.iterdir())) if tasks.exists() else threading.active_count())"
    )

    loaded = subprocess.run(
        [sys.executable, "-s", "-P", "-c", code],
        env=forking._environment(),
        capture_output=True,
        text=True,
        check=True,
    )

    assert loaded.stdout.split() == ["1"]


def test_every_format_can_be_loaded_before_a_fork():
    assert set(sandbox.FORMATS.values()) < set(zygote.LOADS)
    assert len(zygote.LOADS) < 256


if sys.platform == "linux":

    def test_a_child_that_is_given_up_is_killed_and_not_left(page, forker, tmp_path):
        read(page)
        children = Path(f"/proc/{pid_of(forker)}/task/{pid_of(forker)}/children")
        reading, writing = os.pipe()
        with os.fdopen(reading, "rb", buffering=0) as waits, forker.child(waits, str(tmp_path), load="") as child:
            assert becomes_true(lambda: len(children.read_text().split()) == 1)
            still = child.returncode(0.1)

        assert still is None
        assert children.read_text().split() == []
        os.close(writing)

    def test_a_child_holds_no_way_to_the_process_that_forked_it(page, forker_of):
        forker_of(
            "held = [os.path.realpath(f'/proc/self/fd/{each}') for each in os.listdir('/proc/self/fd')]\n"
            "return Parsed(' '.join(held), (), '', 1, 'pdf')"
        )

        held = read(page)

        assert "pipe" in held
        assert "socket" not in held
