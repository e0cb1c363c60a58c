"""What the process that reads a file cannot do, and could do without the walls that the kernel puts around it.

Each attempt is made as files are read, behind each wall that closes it alone, and with both walls taken away.
"""

import os
import socket
import sys
from dataclasses import replace
from pathlib import Path
from uuid import uuid4

import pytest
from django.db import connection

from documents import forking, sandbox
from documents.forking import Forker
from documents.parse import ParseFailed, confinement, seccomp
from documents.sandbox import DEFAULT, RENEWING, Limits
from tests.documents import samples

#: The name, what closes it by itself, and what the child tries. Each ends without an error where it is not closed.
ATTEMPTS = [
    ("read a secret", "files", "open(given['secret']).read()"),
    ("list a folder", "files", "os.listdir(os.path.dirname(given['secret']))"),
    ("read the portal's settings", "files", "open('/proc/%d/environ' % given['portal']).read()"),
    ("make a file", "files", "os.close(os.open(given['secret'] + '.new', os.O_CREAT | os.O_WRONLY))"),
    ("remove a file", "files calls", "os.unlink(given['secret'])"),
    ("rename a file", "files calls", "os.rename(given['secret'], given['secret'] + '.moved')"),
    ("open a file to all", "calls", "os.chmod(given['secret'], 0o777)"),
    ("connect to a socket", "calls", "socket.socket(socket.AF_UNIX).connect(given['socket'])"),
    ("connect to the database", "calls", "socket.socket(socket.AF_UNIX).connect(given['database'])"),
    ("make a socket", "calls", "socket.socket(socket.AF_INET, socket.SOCK_DGRAM)"),
    ("be watched", "calls", "demand(libc.ptrace(0, 0, 0, 0))"),
    ("read another's memory", "calls", "demand(libc.process_vm_readv(os.getpid(), None, 0, None, 0, 0))"),
    ("ask through a ring", "calls", "demand(libc.syscall(425, 1, ctypes.create_string_buffer(120)))"),
    ("share memory", "calls", "demand(libc.shmget(0, 4096, 0o1600))"),
    ("start a program", "calls", "os.execv('/bin/true', ['true'])"),
    ("signal its parent", "files calls", "os.kill(os.getppid(), 0)"),
]
#: In place of a parser: the name that the file is said to have is what the child does.
CHILD = """
import ctypes, os, socket
from documents.parse import Parsed, child, confinement, zygote
libc = ctypes.CDLL(None, use_errno=True)
def demand(result):
    if result < 0:
        raise PermissionError("refused")
def parser(path, name):
    exec(name.removesuffix(".pdf"), globals())
    return Parsed("done", (), "", 1, "pdf")
child.parse_file = parser
"""
#: The first as if it stood, or no program would be started.
WALLS = {
    "files": "confinement.landlock.confine = lambda **how: True\n",
    "calls": "confinement.seccomp.confine = lambda **how: False\n",
}
MOUNTS = {"mounts": "confinement._make_read_only = lambda *where: True\n"}


@pytest.fixture(scope="module")
def forkers():
    """By the walls that are taken away."""
    made = {
        without: Forker(("-c", CHILD + "".join((WALLS | MOUNTS)[wall] for wall in without) + "zygote.main()"))
        for without in ((), ("files",), ("calls",), ("files", "calls"), ("mounts",), ("files", "mounts"))
    }
    yield made
    for each in made.values():
        each.close()


@pytest.fixture
def page(tmp_path):
    return samples.pdf(tmp_path / "page.pdf", [[["Leave is paid."]]])


@pytest.fixture
def given(tmp_path):
    """What there is to reach: a secret beside the file, a socket that answers, the portal and its database."""
    (tmp_path / "var").mkdir()
    secret = tmp_path / "var" / "secret"
    secret.write_text("the key", encoding="ascii")
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(tmp_path / "s"))
        listening.listen()
        host, port = (connection.settings_dict[each] for each in ("HOST", "PORT"))
        yield {
            "secret": str(secret),
            "socket": str(tmp_path / "s"),
            "database": f"{host}/.s.PGSQL.{port or 5432}",
            "portal": os.getpid(),
        }


@pytest.fixture
def attempt(forkers, page, given, monkeypatch):
    """Has a child try something, with walls taken away or not: "done", or how it failed."""

    def make(code: str, *without: str, limits: Limits = DEFAULT) -> str:
        monkeypatch.setattr(forking, "forker", forkers[without])
        try:
            return sandbox.parse(page, name=f"given = {given!r}; {code}.pdf", limits=limits).text
        except ParseFailed as failure:
            return failure.detail.partition(" at ")[0]

    return make


if sys.platform == "linux":
    # Elsewhere there is neither wall, which `doctor` says.

    @pytest.mark.parametrize(("name", "closed_by", "code"), ATTEMPTS, ids=[name for name, _, _ in ATTEMPTS])
    def test_a_child_is_refused_by_each_wall_that_stands(attempt, name, closed_by, code):
        stands = {wall for wall in closed_by.split() if getattr(sandbox.isolation(), wall)}

        assert attempt(code) == ("PermissionError" if stands else "done")
        for wall in stands:
            assert attempt(code, *(WALLS.keys() - {wall})) == "PermissionError"
        # What becomes another program says nothing, and ends well.
        assert attempt(code, *WALLS) == ("exit 0" if name == "start a program" else "done")

    def test_a_program_reaches_no_file_and_no_socket_but_its_own(attempt):
        limits = replace(RENEWING, memory_bytes=2 * 1024**3)
        own = (
            "s = socket.socket(socket.AF_UNIX); s.bind('own'); s.listen(); socket.socket(socket.AF_UNIX).connect('own')"
        )

        assert attempt("import subprocess; subprocess.run(['true'], check=True)", limits=limits) == "done"
        assert attempt(own, limits=limits) == "done"
        for closed in ("open(given['secret'])", "socket.socket(socket.AF_UNIX).connect(given['database'])"):
            assert attempt(closed, limits=limits) == "FileNotFoundError"
            # Of the two it is no wall that keeps these from it, but that there is nothing there.
            assert attempt(closed, *WALLS, limits=limits) == "FileNotFoundError"
        assert attempt("socket.socket(socket.AF_INET)", limits=limits) == "PermissionError"
        assert attempt("socket.socket(socket.AF_INET)", *WALLS, limits=limits) == "done"

    @pytest.mark.parametrize("place", ["documents", "libraries", "the original", "the shown root"])
    def test_a_program_writes_nothing_of_what_it_is_shown_but_its_own(attempt, page, place):
        limits = replace(RENEWING, memory_bytes=2 * 1024**3)
        name = f"inlock-{uuid4()}"
        written = {
            "documents": confinement.ROOT / "documents" / name,
            "libraries": Path("/usr") / name,
            "the original": page,
            "the shown root": Path("/") / name,
        }[place]
        code = f"open({str(written)!r}, 'ab')"

        assert attempt("open('mine', 'w').write('x')", limits=limits) == "done"
        assert attempt(code, limits=limits) in ("PermissionError", "OSError")
        # Each wall alone. At the root itself nothing is mounted, and what is made there goes with the child. Landlock
        # alone lets a program write below the directory it knows as /tmp, and so to a portal that lies there.
        lies_below = place == "documents" and confinement.ROOT.is_relative_to("/tmp")  # noqa: S108
        assert attempt(code, "mounts", limits=limits) == ("done" if lies_below else "PermissionError")
        if lies_below:
            written.unlink()
        assert attempt(code, "files", limits=limits) == ("done" if place == "the shown root" else "OSError")
        assert place == "the original" or not written.exists()
        # The counter-proof: neither wall, and the file opens.
        if place == "the original":
            assert attempt(code, "files", "mounts", limits=limits) == "done"

    def test_a_program_reads_nothing_of_the_portals_process(attempt):
        limits = replace(RENEWING, memory_bytes=2 * 1024**3)
        code = "open('/proc/%d/environ' % given['portal']).read()"

        assert attempt(code, limits=limits) == "PermissionError"
        # The one wall here: where it is not there, no program is started.
        assert attempt(code, "files", limits=limits) == "done"

    def test_no_program_is_started_where_files_are_not_closed(page, monkeypatch):
        forker = Forker(("-c", CHILD + "confinement.landlock.confine = lambda **how: False\nzygote.main()"))
        monkeypatch.setattr(forking, "forker", forker)
        limits = replace(RENEWING, memory_bytes=2 * 1024**3)

        with pytest.raises(ParseFailed) as caught:
            sandbox.parse(page, name="pass.pdf", limits=limits)
        forker.close()

        assert caught.value.code == "not_isolated"

    def test_a_processor_that_is_not_known_is_said_to_have_no_filter(monkeypatch):
        monkeypatch.setattr(seccomp.platform, "machine", lambda: "sparc64")

        assert seccomp.confine(programs=False) is False
