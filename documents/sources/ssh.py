"""An SSH connection to a server whose key a person vouched for: a stream to one of its subsystems.

Twisted's Conch speaks the protocol and no event loop runs: it is handed what arrives on a socket that the door opened,
and hands back what is to be sent. Only algorithms of today are offered.
"""

import base64
import hashlib
import re
import socket
import struct
import time
from types import TracebackType
from typing import Any, Self

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from twisted.conch.error import ConchError
from twisted.conch.ssh import channel, connection, transport, userauth
from twisted.conch.ssh.common import NS
from twisted.conch.ssh.keys import BadKeyError, EncryptedKeyError, Key
from twisted.internet import defer

from documents import fetch
from documents.exceptions import SourceFailed
from documents.sources.connector import STUMBLES

_IDLE_SECONDS = 30.0
_WINDOW = 2 * 1024 * 1024
_PACKET = 32 * 1024
_CHUNK = 64 * 1024
#: The kinds of keys a server may have. It shows one at a time, so each is asked for until the right one comes.
_KEY_KINDS = (
    (b"ssh-ed25519",),
    (b"ecdsa-sha2-nistp256", b"ecdsa-sha2-nistp384", b"ecdsa-sha2-nistp521"),
    (b"rsa-sha2-512", b"rsa-sha2-256"),
)
_PEM = re.compile(r"\s*-----BEGIN ([A-Z ]*PRIVATE KEY)-----([A-Za-z0-9+/=\s]+)-----END \1-----\s*")
_STUMBLES = (*STUMBLES, ConchError, InvalidSignature, UnsupportedAlgorithm, BadKeyError)


class Subsystem:
    """A stream of bytes to a subsystem of a server, from `with` on. Every method raises SourceFailed."""

    def __init__(self, name: str, *, host: str, port: int, pinned: str, user: str, secret: str, seconds: float) -> None:
        self._name, self._host, self._port, self._pinned = name, host, port, pinned
        self._user, self._secret = user, secret
        self._until = time.monotonic() + seconds
        self._plain: socket.socket | None = None
        self._client: _Client | None = None

    def __enter__(self) -> Self:
        login = _Login(self._user, self._secret, _Connection(self._name.encode()))
        seen: dict[str, None] = {}
        for kinds in _KEY_KINDS:
            client = self._connect(login, kinds)
            if client.is_known:
                self._wait_for_channel(client)
                return self
            self.__exit__(None, None, None)
            seen |= {client.seen: None} if client.seen else {}
        if not seen:
            raise SourceFailed("not_understood", host=self._host)
        raise SourceFailed("host_key_other", host=self._host, seen=", ".join(seen))

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._plain is not None:
            self._plain.close()
        self._plain = None

    def send(self, data: bytes) -> None:
        """Send `data` to the subsystem."""
        stream = self._stream
        self._in_words(lambda: stream.write(data))

    def receive(self, size: int) -> bytes:
        """Exactly `size` bytes from the subsystem."""
        stream = self._stream
        while len(stream.received) < size:
            if stream.ended or not self._pump():
                raise SourceFailed("unreachable", host=self._host)
        taken = bytes(stream.received[:size])
        del stream.received[:size]
        return taken

    @property
    def _stream(self) -> "_Channel":
        if self._client is None or self._client.login.instance.stream is None:
            raise SourceFailed("unreachable", host=self._host)
        return self._client.login.instance.stream

    def _connect(self, login: "_Login", kinds: tuple[bytes, ...]) -> "_Client":
        """A connection whose server has shown its key, if it has one of these kinds."""
        self._plain = fetch.connect(self._host, self._port)
        client = _Client(login, pinned=self._pinned, kinds=kinds)
        self._client = client
        self._in_words(lambda: client.makeConnection(_Wire(self._plain)))
        while not client.is_known and self._pump():
            continue
        return client

    def _wait_for_channel(self, client: "_Client") -> None:
        started = client.login.instance
        while not (started.stream and started.stream.is_open):
            if started.stream and started.stream.ended:
                raise SourceFailed("not_understood", host=self._host)
            if not self._pump():
                raise SourceFailed("unreachable" if started.stream else "secret_refused", host=self._host)

    def _pump(self) -> bool:
        """Hand on what arrives next; whether the connection goes on."""
        client, plain = self._client, self._plain
        if client is None or plain is None or not client.transport.is_open:
            return False
        left = self._until - time.monotonic()
        if left <= 0:
            raise SourceFailed("too_slow", host=self._host)
        plain.settimeout(min(left, _IDLE_SECONDS))
        data = self._in_words(lambda: plain.recv(_CHUNK))
        if data:
            self._in_words(lambda: client.dataReceived(data))
        return bool(data)

    def _in_words(self, act: Any) -> Any:
        try:
            return act()
        except TimeoutError as error:
            raise SourceFailed("too_slow", host=self._host) from error
        except OSError as error:
            raise SourceFailed("unreachable", host=self._host) from error
        except _STUMBLES as error:
            raise SourceFailed("not_understood", host=self._host) from error


def fingerprint_of(blob: bytes) -> str:
    """What `ssh-keygen -l` says of a public key."""
    return f"SHA256:{base64.b64encode(hashlib.sha256(blob).digest()).decode().rstrip('=')}"


def is_vouched_for(blob: bytes, pinned: str) -> bool:
    """Whether a server's public key is the one that a person entered the fingerprint of."""
    return fingerprint_of(blob) == pinned


def private_key(secret: str) -> Key | None:
    """The key that `secret` is the text of, its line ends lost or not; None for a password.

    Raises SourceFailed for a key that cannot be used.
    """
    match = _PEM.fullmatch(secret)
    if match is None:
        return None
    body = "".join(match[2].split())
    lines = [body[start : start + 64] for start in range(0, len(body), 64)]
    text = "\n".join([f"-----BEGIN {match[1]}-----", *lines, f"-----END {match[1]}-----", ""])
    try:
        return Key.fromString(text.encode())
    except (BadKeyError, EncryptedKeyError, *STUMBLES, struct.error) as error:
        raise SourceFailed("private_key_bad") from error


# --- What Conch calls ---------------------------------------------------------------------------------------


class _Wire:
    """The socket as Conch sees it."""

    def __init__(self, plain: socket.socket | None) -> None:
        self.plain, self.is_open = plain, True

    def write(self, data: bytes) -> None:
        if self.plain is not None:
            self.plain.sendall(data)

    def loseConnection(self) -> None:  # noqa: N802  (Conch's name)
        self.is_open = False


class _Client(transport.SSHClientTransport):  # type: ignore[misc]
    supportedCiphers = [b"aes256-ctr", b"aes192-ctr", b"aes128-ctr"]  # noqa: N815
    supportedMACs = [b"hmac-sha2-512", b"hmac-sha2-256"]  # noqa: N815
    supportedCompressions = [b"none"]  # noqa: N815
    supportedKeyExchanges = [  # noqa: N815
        b"curve25519-sha256",
        b"curve25519-sha256@libssh.org",
        b"ecdh-sha2-nistp256",
        b"ecdh-sha2-nistp384",
        b"ecdh-sha2-nistp521",
        b"diffie-hellman-group-exchange-sha256",
    ]
    _dhMinimalGroupSize = 2048  # noqa: N815

    def __init__(self, login: "_Login", *, pinned: str, kinds: tuple[bytes, ...]) -> None:
        self.login, self.pinned = login, pinned
        self.supportedPublicKeys = list(kinds)
        self.seen = ""
        #: Whether the server proved that it holds the key that was vouched for.
        self.is_known = False

    def verifyHostKey(self, blob: bytes, _fingerprint: str) -> Any:  # noqa: N802
        self.seen = fingerprint_of(blob)
        if is_vouched_for(blob, self.pinned):
            return defer.succeed(True)
        return defer.fail(ConchError("another key"))

    def connectionSecure(self) -> None:  # noqa: N802
        self.is_known = True
        self.requestService(self.login)


class _Login(userauth.SSHUserAuthClient):  # type: ignore[misc]
    """Says who we are once, with the key where there is one, and otherwise with the password."""

    def __init__(self, user: str, secret: str, instance: "_Connection") -> None:
        super().__init__(user.encode(), instance)
        self._key = private_key(secret)
        self._password = secret if self._key is None else ""
        self._tried: set[str] = set()

    def auth_publickey(self) -> bool:
        if self._key is None or not self._is_first("publickey"):
            return False
        # Conch itself would sign with SHA-1 for an RSA key, which servers no longer take.
        algorithm = self._key.supportedSignatureAlgorithms()[0]
        about = NS(algorithm) + NS(self._key.public().blob())
        request = NS(self.user) + NS(self.instance.name) + NS(b"publickey") + b"\x01" + about
        text = NS(self.transport.sessionID) + bytes((userauth.MSG_USERAUTH_REQUEST,)) + request
        self.askForAuth(b"publickey", b"\x01" + about + NS(self._key.sign(text, algorithm)))
        return True

    def auth_password(self) -> bool:
        if not self._password or not self._is_first("password"):
            return False
        self.askForAuth(b"password", b"\x00" + NS(self._password.encode()))
        return True

    def auth_keyboard_interactive(self) -> bool:
        return bool(self._password) and self._is_first("interactive") and super().auth_keyboard_interactive()

    def getGenericAnswers(self, _name: bytes, _instruction: bytes, prompts: list[Any]) -> Any:  # noqa: N802
        # One question that is not shown while it is answered: the password. Others are for a person.
        if [echo for _prompt, echo in prompts] == [False]:
            return defer.succeed([self._password])
        return defer.succeed([]) if not prompts else defer.fail(ConchError("questions"))

    def ssh_USERAUTH_PK_OK_password(self, _packet: bytes) -> None:  # noqa: N802
        # The server wants a new password: that is for a person.
        self.transport.loseConnection()

    def _is_first(self, way: str) -> bool:
        first = way not in self._tried
        self._tried.add(way)
        return first


class _Connection(connection.SSHConnection):  # type: ignore[misc]
    """Opens one channel and takes none."""

    def __init__(self, subsystem: bytes) -> None:
        super().__init__()
        self._subsystem = subsystem
        self.stream: _Channel | None = None

    def serviceStarted(self) -> None:  # noqa: N802
        super().serviceStarted()
        self.stream = _Channel(self._subsystem, conn=self)
        self.openChannel(self.stream)


class _Channel(channel.SSHChannel):  # type: ignore[misc]
    name = b"session"

    def __init__(self, subsystem: bytes, *, conn: _Connection) -> None:
        super().__init__(localWindow=_WINDOW, localMaxPacket=_PACKET, conn=conn)
        self._subsystem = subsystem
        self.received = bytearray()
        self.is_open = self.ended = False

    def channelOpen(self, _data: bytes) -> None:  # noqa: N802
        asked = self.conn.sendRequest(self, b"subsystem", NS(self._subsystem), wantReply=True)
        asked.addCallbacks(self._opened, self._ended)

    def openFailed(self, _reason: Any) -> None:  # noqa: N802
        self.ended = True

    def dataReceived(self, data: bytes) -> None:  # noqa: N802
        self.received += data

    def eofReceived(self) -> None:  # noqa: N802
        self.ended = True

    def closed(self) -> None:
        self.ended = True

    def _opened(self, _answer: Any) -> None:
        self.is_open = True

    def _ended(self, _failure: Any) -> None:
        self.ended = True
