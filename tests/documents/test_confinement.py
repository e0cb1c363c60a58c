"""What the process that reads a file cannot do, and could do without the walls that the kernel puts around it.

Each attempt is made as files are read, behind each wall that closes it alone, and with both walls taken away.
"""

import os
import socket
import sys
from dataclasses import replace

import pytest
from django.db import connection

from documents import forking, sandbox
from documents.forking import Forker
from documents.parse import ParseFailed, seccomp
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
WALLS = {
    "files": "confinement.landlock.confine = lambda **how: False\n",
    "calls": "confinement.seccomp.confine = lambda **how: False\n",
}


@pytest.fixture(scope="module")
def forkers():
    """By the walls that are taken away."""
    made = {
        without: Forker(("-c", CHILD + "".join(WALLS[wall] for wall in without) + "zygote.main()"))
        for without in ((), ("files",), ("calls",), ("files", "calls"))
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

    def test_a_processor_that_is_not_known_is_said_to_have_no_filter(monkeypatch):
        monkeypatch.setattr(seccomp.platform, "machine", lambda: "sparc64")

        assert seccomp.confine(programs=False) is False
