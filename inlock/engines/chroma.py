"""Chroma's server from the `chromadb` wheel, on a loopback port, holding vectors and ids only."""

import http
import http.client
import json
import os
import shutil
import socket
import sys
from contextlib import suppress
from pathlib import Path
from urllib.parse import quote

from inlock.engines.addresses import choose_another_chroma_port, chroma_port
from inlock.engines.recipe import Recipe

HOST = "127.0.0.1"
_API = "/api/v2"
_COLLECTIONS = f"{_API}/tenants/default_tenant/databases/default_database/collections"

# The `chroma` script imports the whole Python client before it reaches the server it starts:
# four seconds against a fifth of one for calling the server directly.
START = "import sys, chromadb_rust_bindings; chromadb_rust_bindings.cli(['chroma', *sys.argv[1:]])"


#: With less room on the disk, what it says of its files may be the disk's fault.
LEAST_FREE = 64 * 1024 * 1024
#: Bytes a second that a slow disk gives to an engine that has other work as well.
SLOWEST_READ = 20 * 1024 * 1024


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

    def hangs(self, on: str) -> bool:
        """`on` names a collection, which is asked for one vector; "" is the server itself.

        A server whose collection cannot be loaded goes on giving signs of life.
        """
        connection = http.client.HTTPConnection(HOST, chroma_port(self.var), timeout=self.longest_answer())
        try:
            _ask(connection, on)
        except TimeoutError:
            return True
        except (OSError, http.client.HTTPException):
            # It ended, which is seen without a question.
            return False
        finally:
            connection.close()
        return False

    def longest_answer(self) -> float:
        """One that was just started first reads all vectors of the index that it is asked: of the largest, at most.

        Only they count: where links between them are damaged, the file of these grows for as long as the server hangs.
        """
        largest = 0
        for file in self.data.glob("*/data_level0.bin"):
            # Chroma removes files while we look.
            with suppress(FileNotFoundError):
                largest = max(largest, file.stat().st_size)
        return self.patience + largest / SLOWEST_READ

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


def _ask(connection: http.client.HTTPConnection, name: str) -> None:
    """Have something answered, whatever the answer is. Raises OSError, of which TimeoutError, and HTTPException."""
    if not name:
        connection.request("GET", f"{_API}/heartbeat")
        connection.getresponse().read()
        return
    connection.request("GET", f"{_COLLECTIONS}/{quote(name, safe='')}")
    answer = connection.getresponse()
    said = answer.read()
    if answer.status != http.HTTPStatus.OK:
        return
    collection = json.loads(said)
    if not collection["dimension"]:
        return
    question = {"query_embeddings": [[1.0] * collection["dimension"]], "n_results": 1, "include": ["distances"]}
    body = json.dumps(question).encode()
    connection.request("POST", f"{_COLLECTIONS}/{collection['id']}/query", body, {"Content-Type": "application/json"})
    connection.getresponse().read()


def heartbeat(host: str, port: int) -> bool:
    """Whether a Chroma server answers on this port, whoever owns it."""
    connection = http.client.HTTPConnection(host, port, timeout=2)
    try:
        connection.request("GET", f"{_API}/heartbeat")
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
