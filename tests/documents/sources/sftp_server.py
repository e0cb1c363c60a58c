"""An SFTP server over a folder, on loopback, by another library than the one that asks it."""

import os
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import paramiko


@dataclass
class Depot:
    """The server: what it serves, how it lets people in, and what happened."""

    folder: Path
    port: int = 0
    host_keys: list[Any] = field(default_factory=list)
    password: str = "marker-word"
    #: Public keys that are let in, as base64.
    known: set[str] = field(default_factory=set)
    #: Ways to sign in that it offers.
    ways: str = "password,publickey"
    connections: int = 0
    #: What people tried to sign in with, by way.
    tried: list[tuple[str, str]] = field(default_factory=list)
    opened: list[str] = field(default_factory=list)
    #: What it does not tell of files: in a folder's listing, where they are asked about alone, and once opened.
    untold: dict[str, frozenset[str]] = field(default_factory=dict)

    def about(self, told: os.stat_result, where: str) -> paramiko.SFTPAttributes:
        found = paramiko.SFTPAttributes.from_stat(told)
        for name in self.untold.get(where, ()):
            setattr(found, name, None)
        return found

    def fingerprint(self, number: int = 0) -> str:
        return str(self.host_keys[number].fingerprint)


class _Gate(paramiko.ServerInterface):
    def __init__(self, depot: Depot) -> None:
        self.depot = depot

    def get_allowed_auths(self, username: str) -> str:
        return self.depot.ways

    def check_auth_password(self, username: str, password: str) -> int:
        self.depot.tried.append(("password", password))
        return paramiko.AUTH_SUCCESSFUL if password == self.depot.password else paramiko.AUTH_FAILED

    def check_auth_publickey(self, username: str, key: Any) -> int:
        self.depot.tried.append(("publickey", key.get_base64()))
        return paramiko.AUTH_SUCCESSFUL if key.get_base64() in self.depot.known else paramiko.AUTH_FAILED

    def check_auth_interactive(self, username: str, submethods: str) -> Any:
        return paramiko.InteractiveQuery("", "", ("Password: ", False))

    def check_auth_interactive_response(self, responses: Any) -> int:
        return self.check_auth_password("", responses[0])

    def check_channel_request(self, kind: str, chanid: int) -> int:
        return paramiko.OPEN_SUCCEEDED


class _Files(paramiko.SFTPServerInterface):
    def __init__(self, server: _Gate, depot: Depot) -> None:
        super().__init__(server)
        self.depot = depot

    def _real(self, path: str) -> Path:
        return self.depot.folder / self.canonicalize(path).lstrip("/")

    def list_folder(self, path: str) -> Any:
        found = []
        try:
            for one in sorted(self._real(path).iterdir()):
                about = self.depot.about(one.lstat(), "list")
                about.filename = one.name
                found.append(about)
        except OSError as error:
            return paramiko.SFTPServer.convert_errno(error.errno)
        return found

    def lstat(self, path: str) -> Any:
        try:
            return self.depot.about(self._real(path).lstat(), "lstat")
        except OSError as error:
            return paramiko.SFTPServer.convert_errno(error.errno)

    def open(self, path: str, flags: int, attr: Any) -> Any:
        self.depot.opened.append(path)
        try:
            file = self._real(path).open("rb")
        except OSError as error:
            return paramiko.SFTPServer.convert_errno(error.errno)
        handle = paramiko.SFTPHandle(flags)
        handle.readfile = file
        handle.stat = lambda: self.depot.about(os.fstat(file.fileno()), "fstat")
        return handle


@contextmanager
def sftp_server(folder: Path, keys: list[Any]) -> Iterator[Depot]:
    """A server that answers until the block ends, with these keys of its own."""
    depot = Depot(folder, host_keys=keys)
    with socket.create_server(("127.0.0.1", 0)) as listening:
        depot.port = listening.getsockname()[1]
        sessions: list[paramiko.Transport] = []

        def serve() -> None:
            while True:
                try:
                    plain, _address = listening.accept()
                except OSError:
                    return
                depot.connections += 1
                session = paramiko.Transport(plain)
                sessions.append(session)
                for key in depot.host_keys:
                    session.add_server_key(key)
                session.set_subsystem_handler("sftp", paramiko.SFTPServer, _Files, depot)
                try:
                    session.start_server(server=_Gate(depot))
                except (paramiko.SSHException, EOFError):
                    continue

        threading.Thread(target=serve, daemon=True).start()
        yield depot
        listening.shutdown(socket.SHUT_RDWR)
        for session in sessions:
            session.close()
