"""Chroma's server from the `chromadb` wheel, on a loopback port, holding vectors and ids only."""

import http.client
import os
import shutil
import socket
import sys
from pathlib import Path

from inlock.engines.addresses import choose_another_chroma_port, chroma_port
from inlock.engines.recipe import Recipe

HOST = "127.0.0.1"

# The `chroma` script imports the whole Python client before it reaches the server it starts:
# four seconds against a fifth of one for calling the server directly.
START = "import sys, chromadb_rust_bindings; chromadb_rust_bindings.cli(['chroma', *sys.argv[1:]])"


#: With less room on the disk, what it says of its files may be the disk's fault.
LEAST_FREE = 64 * 1024 * 1024


class Chroma(Recipe):
    name = "chroma"
    title = "Chroma"
    is_disposable = True

    @property
    def data(self) -> Path:
        return self.var / "chroma"

    def prepare(self) -> None:
        self.data.mkdir(mode=0o700, exist_ok=True)
        if not _is_free(chroma_port(self.var)):
            choose_another_chroma_port(self.var)

    def command(self) -> list[str]:
        where = ["--path", str(self.data), "--host", HOST, "--port", str(chroma_port(self.var))]
        return [sys.executable, "-I", "-c", START, "run", *where]

    def environment(self) -> dict[str, str]:
        return super().environment() | {"ANONYMIZED_TELEMETRY": "False"}

    def answers(self) -> bool:
        return heartbeat(HOST, chroma_port(self.var))

    def hindrance(self) -> str:
        if not _is_free(chroma_port(self.var)):
            return "another program has its port"
        if shutil.disk_usage(self.var).free < LEAST_FREE:
            return "the disk is full"
        if not all(os.access(path, os.R_OK | os.W_OK) for path in (self.data, *self.data.rglob("*"))):
            return "its files may not be read and written"
        return ""

    def marks(self) -> tuple[str, ...]:
        return (f"--path {self.data} ",)


def heartbeat(host: str, port: int) -> bool:
    """Whether a Chroma server answers on this port, whoever owns it."""
    connection = http.client.HTTPConnection(host, port, timeout=2)
    try:
        connection.request("GET", "/api/v2/heartbeat")
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        # As the server does: connections of a server that just ended must not count as taken.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
        return True
