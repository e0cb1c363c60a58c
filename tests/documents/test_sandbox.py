"""The child is real in every test; the hostile ones run hostile code in place of a parser."""

import json
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

from documents import forking, sandbox
from documents.forking import Forker
from documents.parse import ParseFailed, parse_file
from documents.sandbox import DEFAULT, RENEWING, Limits
from tests.documents import samples

MEGABYTE = 1024 * 1024


@pytest.fixture
def page(tmp_path):
    return samples.pdf(tmp_path / "page.pdf", [[["Leave is paid."]]])


@pytest.fixture
def child_runs(monkeypatch):
    """Runs the given code inside the child, shut in, where a parser would read the file."""

    forkers: list[Forker] = []

    def replace_parser(code: str) -> None:
        lines = ["from documents.parse import child, zygote", "def parser(path, name):"]
        lines += [f"    {line}" for line in code.splitlines()]
        lines += ["child.parse_file = parser", "zygote.main()"]
        forkers.append(Forker(("-c", "\n".join(lines))))
        monkeypatch.setattr(forking, "forker", forkers[-1])

    yield replace_parser
    for forker in forkers:
        forker.close()


def failure(path: Path, limits: Limits = DEFAULT) -> ParseFailed:
    with pytest.raises(ParseFailed) as caught:
        sandbox.parse(path, name="page.pdf", limits=limits)
    return caught.value


def test_the_child_reads_what_the_parser_reads(page):
    assert sandbox.parse(page, name="page.pdf") == parse_file(page, "page.pdf")


@pytest.mark.parametrize(("most", "detail"), [({"pages": 1}, "pages"), ({"characters": 20}, "characters")])
def test_what_one_file_may_hold_is_the_installations_decision(tmp_path, most, detail):
    two = samples.pdf(tmp_path / "page.pdf", [[["Leave is paid."]], [["Travel is not."]]])

    refused = failure(two, replace(DEFAULT, **most))

    assert (refused.code, refused.detail) == ("too_large", detail)
    assert sandbox.parse(two, name="page.pdf", limits=replace(DEFAULT, pages=2)).page_count == 2


def test_what_an_office_file_unpacks_to_is_the_installations_decision(tmp_path):
    file = samples.docx_of(tmp_path / "leave.docx")

    with pytest.raises(ParseFailed) as caught:
        sandbox.parse(file, name="leave.docx", limits=replace(DEFAULT, unpacked_bytes=1000))

    assert (caught.value.code, caught.value.detail) == ("too_large", "unpacked")


def test_a_failure_comes_back_with_its_name_and_sentence(tmp_path):
    scan = samples.scanned_pdf(tmp_path / "scan.pdf")

    with pytest.raises(ParseFailed, match="OCR") as caught:
        sandbox.parse(scan, name="scan.pdf")

    assert caught.value.code == "scanned"


def test_a_child_that_segfaults_dies_alone(page, child_runs):
    child_runs("import ctypes; ctypes.string_at(0)")

    failed = failure(page)

    assert (failed.code, failed.detail, failed.retryable) == ("parser_crashed", "SIGSEGV", True)


def test_a_child_that_raises_names_the_place_and_not_the_text(page, child_runs):
    child_runs("raise ValueError('the salary of the director')")

    failed = failure(page)

    assert failed.code == "parser_crashed"
    assert failed.detail.startswith("ValueError at ")
    assert "salary" not in str(failed) + failed.detail


def test_a_child_that_leaves_without_an_answer_has_crashed(page, child_runs):
    child_runs("import os; os._exit(0)")

    assert failure(page).code == "parser_crashed"


def test_a_child_that_loops_is_stopped_by_the_limit_on_processor_time(page, child_runs):
    child_runs("while True: pass")

    failed = failure(page, replace(DEFAULT, cpu_seconds=1))

    assert (failed.code, failed.detail) == ("too_slow", "processor time")


def test_a_child_that_waits_is_stopped_by_the_clock(page, child_runs):
    child_runs("import threading; threading.Event().wait()")

    failed = failure(page, replace(DEFAULT, wall_seconds=1))

    assert (failed.code, failed.detail) == ("too_slow", "wall clock")


if sys.platform == "linux":
    # macOS has no limit on address space; there a balloon ends by the clock, or by the machine.
    def test_a_child_that_balloons_runs_out_of_memory_alone(page, child_runs):
        child_runs("kept = []\nwhile True: kept.append(bytearray(8 * 1024 * 1024))")

        assert failure(page, replace(DEFAULT, memory_bytes=512 * MEGABYTE)).code == "too_much_memory"


def test_a_child_that_answers_without_end_is_stopped(page, child_runs):
    child_runs("from documents.parse import Parsed\nreturn Parsed('x' * 3_000_000, (), '', 1, 'pdf')")

    assert failure(page, replace(DEFAULT, output_bytes=MEGABYTE)).code == "too_large"


def test_what_a_library_prints_stays_out_of_the_answer(page, child_runs):
    child_runs(
        "import os\nprint('{\"text\": \"forged\"}', flush=True)\nos.write(1, b'forged')\n"
        "from documents.parse import Parsed\nreturn Parsed('true', (), '', 1, 'pdf')"
    )

    assert sandbox.parse(page, name="page.pdf").text == "true"


def test_a_child_can_write_no_file_anywhere(page, child_runs, tmp_path):
    target = tmp_path / "left behind"
    child_runs(f"import pathlib; pathlib.Path({str(target)!r}).write_bytes(b'x')")

    assert failure(page).detail.startswith(("PermissionError at ", "OSError at "))
    assert not target.exists() or not target.read_bytes()


def test_a_child_has_no_network_where_the_system_allows_it(page, child_runs):
    child_runs("import socket; socket.create_connection(('127.0.0.1', 9), timeout=5)")

    failed = failure(page)

    # Without a namespace the port would refuse; in one there is not even a loopback, and a filter refuses before.
    closed = sandbox.isolation()
    expected = "PermissionError" if closed.calls else "OSError" if closed.network else "ConnectionRefusedError"
    assert failed.detail.startswith(f"{expected} at")


def test_the_child_sees_none_of_our_settings(page, child_runs, monkeypatch):
    monkeypatch.setenv("INLOCK_SECRET_KEY", "do not tell")
    child_runs(
        "import json, os\nfrom documents.parse import Parsed\n"
        "return Parsed(json.dumps([dict(os.environ), os.getcwd()]), (), '', 1, 'pdf')"
    )

    environment, directory = json.loads(sandbox.parse(page, name="page.pdf").text)

    assert "INLOCK_SECRET_KEY" not in environment
    assert environment["HOME"] == directory
    assert not Path(directory).exists()


def test_no_program_is_started_that_would_have_a_network(tmp_path, monkeypatch):
    code = "from documents.parse import child, zygote\nchild.shut_in = lambda *about: {'network': False}\nzygote.main()"
    forker = Forker(("-c", code))
    monkeypatch.setattr(forking, "forker", forker)

    with pytest.raises(ParseFailed) as caught:
        sandbox.renew(samples.text(tmp_path / "a.doc", "old"), name="a.doc")
    forker.close()

    assert caught.value.code == "not_isolated"
    assert "network" in caught.value.sentence


#: A child that may start programs starts one that waits, and tells its number.
LEAVING = """
import os, subprocess
from documents.parse import Parsed
left = subprocess.Popen(["sleep", "60"], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
return Parsed(str(left.pid), (), "", 1, "pdf")
"""


def test_what_a_child_started_and_left_is_ended_with_it(page, child_runs):
    child_runs(LEAVING.strip())

    started = int(sandbox.parse(page, name="page.pdf", limits=replace(RENEWING, memory_bytes=2048 * MEGABYTE)).text)

    deadline = time.monotonic() + 10
    while is_running(started) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not is_running(started)


def is_running(pid: int) -> bool:
    # Killed and not yet taken note of by whoever inherited it, it is listed still.
    told = subprocess.run(["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True, check=False).stdout
    return bool(told.strip()) and not told.startswith("Z")


def test_many_files_together_are_limited_too(page, child_runs):
    child_runs(
        "import pathlib, threading\n"
        "for number in range(40): pathlib.Path(str(number)).write_bytes(b'x' * 100_000)\n"
        "threading.Event().wait()"
    )

    failed = failure(page, replace(DEFAULT, written_bytes=MEGABYTE, directory_bytes=2 * MEGABYTE))

    assert (failed.code, failed.detail) == ("too_large", "written")


def test_nothing_stays_behind_when_a_child_dies(page, child_runs, monkeypatch, tmp_path):
    directory = tmp_path / "temporary"
    directory.mkdir()
    monkeypatch.setattr(sandbox.tempfile, "tempdir", str(directory))
    child_runs("import os; os.abort()")

    assert failure(page).detail == "SIGABRT"
    assert not list(directory.iterdir())


def test_parsing_loads_neither_django_nor_what_other_formats_need(page):
    code = "import sys, documents.parse.zygote, documents.parse.pdf; print('\\n'.join(sys.modules))"
    loaded = subprocess.run(
        [sys.executable, "-c", code], cwd=forking.ROOT, capture_output=True, text=True, check=True
    ).stdout.split()

    assert not {"django", "lxml", "numpy", "openpyxl", "PIL"} & set(loaded)
