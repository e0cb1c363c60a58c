"""Where each engine is: the URL given in the environment, or our own place under var/.

Reading an address starts nothing. What had to be chosen (a port, a socket
directory, a password) is remembered under var/, so that two checkouts never
meet and a second start finds what the first one made.
"""

import fcntl
import os
import secrets
import socket
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

from inlock.engines.exceptions import EngineFailed
from inlock.engines.notes import read_json, write_json
from inlock.env import Env

PROJECT_ROOT = Path(__file__).resolve().parent.parent.parent
POSTGRESQL_PORT = 5432  # only part of the socket's name: nothing listens on TCP
ROLE = DATABASE = "inlock"

# A socket's path ends at 103 bytes on macOS and 107 on Linux; this is the longest name we put below.
LONGEST_SOCKET = len("/inlock-12345678/postgresql/.s.PGSQL.5432.lock")


@dataclass(frozen=True)
class Addresses:
    """The three URLs as settings read them. They carry passwords: never print one."""

    database_url: str
    redis_url: str
    chroma_url: str


def var_directory(var: Path | str | None = None) -> Path:
    """The directory of everything that is not code: the argument, INLOCK_VAR, or var/ in the project."""
    return (Path(var) if var else Env().path("INLOCK_VAR", PROJECT_ROOT / "var")).resolve()


def addresses(var: Path | None = None) -> Addresses:
    """The URLs in force here: from DATABASE_URL, REDIS_URL and CHROMA_URL, otherwise embedded under `var`."""
    var = var_directory(var)
    env = Env()
    return Addresses(
        database_url=env.str("DATABASE_URL") or _embedded_database_url(var),
        redis_url=env.str("REDIS_URL") or f"unix://{valkey_socket(var)}?db=0",
        chroma_url=env.str("CHROMA_URL") or f"http://127.0.0.1:{chroma_port(var)}",
    )


def celery_broker_url(redis_url: str) -> str:
    """The same broker in Celery's spelling, which differs for unix sockets."""
    parts = urlsplit(redis_url)
    if parts.scheme != "unix":
        return redis_url
    database = "0"
    for pair in parts.query.split("&"):
        key, _, value = pair.partition("=")
        if key == "db":
            database = value
    return f"redis+socket://{parts.netloc}{parts.path}?virtual_host={database}"


def postgresql_socket_directory(var: Path) -> Path:
    return run_directory(var) / "postgresql"


def valkey_socket(var: Path) -> Path:
    return run_directory(var) / "valkey.sock"


def chroma_port(var: Path) -> int:
    """The remembered loopback port; a free one is chosen the first time."""
    with _memory(var) as memory:
        return int(memory.setdefault("chroma_port", _free_port()))


def choose_another_chroma_port(var: Path) -> int:
    """Forget a port that somebody else has taken, and remember a free one."""
    with _memory(var) as memory:
        memory["chroma_port"] = _free_port()
        return int(memory["chroma_port"])


def password(var: Path, role: str) -> str:
    """The generated password of a database role, made at first use.

    It lies beside the data it opens: whoever deletes one deletes both.
    """
    with _memory(var):
        path = var / "postgresql" / f"{role}.password"
        if not path.exists():
            path.parent.mkdir(mode=0o700, exist_ok=True)
            path.touch(mode=0o600)
            path.write_text(secrets.token_urlsafe(24))
        return path.read_text().strip()


def run_directory(var: Path) -> Path:
    """A short private directory for sockets, remembered, and made again where the system cleaned it away."""
    with _memory(var) as memory:
        remembered = memory.get("run")
        if remembered and _make_private(Path(remembered)):
            return Path(remembered)
        made = tempfile.mkdtemp(prefix="inlock-", dir=_short_parent())
        memory["run"] = made
        return Path(made)


def remove_run_directory(var: Path) -> None:
    """Remove the socket directory if nothing lies in it. It stays remembered."""
    with _memory(var) as memory:
        run = memory.get("run")
        if not run:
            return
        for directory in (Path(run, "postgresql"), Path(run)):
            with suppress(OSError):  # not empty, or gone already: either is fine
                directory.rmdir()


def _embedded_database_url(var: Path) -> str:
    host = quote(str(postgresql_socket_directory(var)), safe="")
    return f"postgresql://{ROLE}:{quote(password(var, ROLE))}@{host}:{POSTGRESQL_PORT}/{DATABASE}"


def _short_parent() -> str:
    # URL parsers lower-case the host part, and the socket directory travels there.
    usual = tempfile.gettempdir()
    if len(usual) + LONGEST_SOCKET <= 100 and usual == usual.lower():
        return usual
    return "/tmp"  # noqa: S108 (mkdtemp makes a private directory in it)


def _make_private(path: Path) -> bool:
    """Make the directory if it is missing; say whether it is ours and closed to others."""
    try:
        path.mkdir(mode=0o700)
    except FileExistsError:
        pass
    except FileNotFoundError:  # its parent is gone too
        return False
    found = path.lstat()
    is_closed = not stat.S_IMODE(found.st_mode) & 0o066
    return stat.S_ISDIR(found.st_mode) and found.st_uid == os.geteuid() and is_closed


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def _memory(var: Path) -> Iterator[dict[str, Any]]:
    """What was chosen earlier, under a lock; changes made inside the block are written back."""
    try:
        var.mkdir(parents=True, exist_ok=True)
        lock = (var / "engines.lock").open("a")
    except OSError as error:
        raise EngineFailed(
            "Engines",
            f"the directory {var} cannot be written ({error.strerror})",
            next_step="Make it writable for this user, or name another one in INLOCK_VAR.",
        ) from error
    with lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        path = var / "engines.json"
        memory: dict[str, Any] = read_json(path)
        before = dict(memory)
        yield memory
        if memory != before:
            write_json(path, memory)
