"""The real engines of one test run: started once, with a migrated template that every worker copies its database from.

Must run before Django reads its settings, so `conftest.py` imports it first.
"""

import atexit
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import psycopg
from psycopg import sql

from inlock import engines
from inlock.engines.addresses import DATABASE as TEMPLATE
from inlock.engines.addresses import POSTGRESQL_PORT, ROLE, password, postgresql_socket_directory

ROOT = Path(__file__).resolve().parent.parent
WORKER = os.environ.get("PYTEST_XDIST_WORKER", "")
#: What a developer may have set and a test must not see.
_FOREIGN = ("DATABASE_URL", "REDIS_URL", "CHROMA_URL", "INLOCK_MODE", "INLOCK_CRASH_AT", "DEBUG", "SECRET_KEY")
#: With it, each of the hundreds of processes of a run would compile every module it imports anew.
_NO_BYTECODE = "PYTHONDONTWRITEBYTECODE"
#: A copy of a database is nine hundred files: on a disk it costs several times the processor time.
MEMORY = Path("/dev/shm")  # noqa: S108 (directories in it are made with mkdtemp)
ROOM = 4 * 1024**3
_COPY = "postgresql-migrated"
#: `pg_internal.init` is a cache that a server removes and makes again at any moment; `pg_basebackup` leaves it out too.
_NOT_COPIED = ("postmaster.*", "pg_wal", "*.lock", "pg_internal.init*")
_PREFIX = "inlock-tests-"
#: In a run's directory: the process it ends with.
_OWNER = "controller.pid"
_var = Path()


def has_room_in_memory() -> bool:
    """Whether everything a run writes may lie in memory; programs are run from there too."""
    if not MEMORY.is_dir() or not os.access(MEMORY, os.W_OK):
        return False
    place = os.statvfs(MEMORY)
    return place.f_bavail * place.f_frsize > ROOM and not place.f_flag & os.ST_NOEXEC


def point_settings_at_this_run() -> None:
    """Set the environment that `inlock.settings` reads. Workers inherit the run's directory from the controller."""
    if not WORKER:
        for name in (*_FOREIGN, _NO_BYTECODE):
            os.environ.pop(name, None)
        sys.dont_write_bytecode = False
        if has_room_in_memory():
            # Where pytest makes the directories of tests, with their portals and files.
            os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", str(MEMORY))
        root = Path(os.environ.get("PYTEST_DEBUG_TEMPROOT") or tempfile.gettempdir())
        _remove_left_overs(root)
        os.environ["INLOCK_VAR"] = tempfile.mkdtemp(prefix=_PREFIX, dir=root)
        (Path(os.environ["INLOCK_VAR"]) / _OWNER).write_text(str(os.getpid()))
    os.environ["DJANGO_SETTINGS_MODULE"] = "inlock.settings"
    global _var
    _var = Path(os.environ["INLOCK_VAR"])


def _remove_left_overs(root: Path) -> None:
    """What runs that were killed left in memory would stay there until the machine is started again."""
    for var in root.glob(f"{_PREFIX}*"):
        owner = var / _OWNER
        if owner.is_file() and not _is_running(int(owner.read_text() or 0)):
            shutil.rmtree(var, ignore_errors=True)


def _is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass  # somebody else's
    return True


def start() -> None:
    """In the controller: start the engines without crash safety, migrate the template, stop all at exit.

    A copy of the migrated cluster is kept for portals and engines that are started by tests.
    """
    var = Path(os.environ["INLOCK_VAR"])
    attachment = engines.Attachment(var, durable=False)
    atexit.register(shutil.rmtree, var, ignore_errors=True)
    atexit.register(attachment.leave)
    attachment.start()
    subprocess.run([sys.executable, "-m", "tests.migrating"], cwd=ROOT, check=True)
    _keep_copy(var)


def _keep_copy(var: Path) -> None:
    """Copy the cluster while it runs, as `pg_basebackup` would."""
    cluster, copy = var / "postgresql", var / _COPY
    if not (cluster / "data").exists() or cluster.stat().st_uid != os.geteuid():
        return  # it had to be handed to another account; everybody begins with nothing then
    with as_superuser() as connection:
        connection.execute("SELECT pg_backup_start('tests', true)")
        shutil.copytree(cluster, copy, ignore=shutil.ignore_patterns(*_NOT_COPIED))
        [label] = connection.execute("SELECT labelfile FROM pg_backup_stop(false)").fetchone() or [""]
        shutil.copytree(cluster / "data" / "pg_wal", copy / "data" / "pg_wal")
    (copy / "data" / "backup_label").write_text(label)


def make_database(var: Path) -> None:
    """Give an installation that was never started the migrated database its first start would make, in seconds."""
    copy = _var / _COPY
    if copy.exists() and not (var / "postgresql").exists():
        shutil.copytree(copy, var / "postgresql")


def redis_url() -> str:
    """A logical database of this worker's own on the shared Valkey."""
    number = int(WORKER.removeprefix("gw") or 0) + 1 if WORKER else 0
    return engines.addresses().redis_url.replace("?db=0", f"?db={number}")


def as_superuser(database: str = "postgres") -> psycopg.Connection:
    """A connection that may do what the product may not, such as damaging the trail."""
    var = engines.var_directory()
    return psycopg.connect(
        host=str(postgresql_socket_directory(var)),
        port=POSTGRESQL_PORT,
        user="postgres",
        password=password(var, "postgres"),
        dbname=database,
        autocommit=True,
    )


def copy_template(name: str, of: str = TEMPLATE) -> None:
    """Make database `name` a fresh copy of `of`, by default the migrated template, dropping what was there."""
    drop(name)
    with as_superuser() as connection:
        connection.execute(
            sql.SQL("CREATE DATABASE {} TEMPLATE {} OWNER {}").format(
                sql.Identifier(name), sql.Identifier(of), sql.Identifier(ROLE)
            )
        )


def drop(name: str) -> None:
    """Remove database `name`, whoever is still connected."""
    with as_superuser() as connection:
        connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))
