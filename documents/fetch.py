"""The one door for requests to hosts that somebody typed into the portal: websites, feeds, stores, repositories.

Only http and https, only hosts on the operator's list (INLOCK_SOURCE_HOSTS), only at addresses the list allows: each
connection is made to the very address that was checked, each redirect is a new question. Time, size on the wire and
size unpacked are limited; a reply goes to a file, not to memory. No cookies, no proxy of the environment.
"""

import re
import socket
import tempfile
import time
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, BinaryIO, Self
from urllib.parse import quote, urljoin, urlsplit

import httpcore
from django.conf import settings

from documents.exceptions import SourceFailed
from workspaces import hosts
from workspaces.hosts import HostList, HostRefused, Target

_PORTS = {"http": 80, "https": 443}
_REST = re.compile(r"(?:[/?][A-Za-z0-9._~!$&'()*+,;=:@%/?\[\]-]*)?")
_KEPT = "!$&'()*+,;=:@%/?[]~"
_MOVED = frozenset({301, 302, 303, 307, 308})
_IN_MEMORY = 1024 * 1024
_AGENT = "Inlock (document sync)"


@dataclass(frozen=True, slots=True)
class Limits:
    """What one request may cost, its redirects included. `total_bytes` 0: as much as an upload."""

    connect_seconds: float = 10
    read_seconds: float = 30
    total_seconds: float = 120
    total_bytes: int = 0
    redirects: int = 5

    @property
    def bytes(self) -> int:
        return self.total_bytes or settings.MAX_UPLOAD_BYTES


DEFAULT = Limits()


@dataclass(slots=True)
class Reply:
    """What came back. `file` stands at its beginning and is closed by whoever asked."""

    url: str
    status: int
    headers: dict[str, str]
    file: BinaryIO
    size: int

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.file.close()

    def read(self) -> bytes:
        """The whole body; for replies that were given a small limit."""
        return self.file.read()

    @property
    def media_type(self) -> str:
        return self.headers.get("content-type", "").partition(";")[0].strip().lower()


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A request as `Fetcher.sign` sees it."""

    method: str
    target: Target
    headers: Mapping[str, str]
    body: bytes = field(repr=False)


#: The headers that prove who asks. They go to the home of a fetcher and nowhere else, never unencrypted to outside.
Sign = Callable[[Outgoing], Mapping[str, str]]


def target_of(url: str) -> Target:
    """The host of an address and what follows it. Raises SourceFailed for anything but a plain http(s) address."""
    try:
        return hosts.read_target(url, ports=_PORTS, rest=_REST)
    except HostRefused as refused:
        raise _refusal(refused) from refused


def require_allowed(url: str, listed: HostList | None = None) -> Target:
    """Return if `url` may be asked, going by what is written. Raises SourceFailed."""
    target = target_of(url)
    try:
        listed = listed or _listed()
        listed.require_known(target)
        literal = hosts.literal_address(target.host)
        if literal is not None:
            listed.require_addresses([literal], target, plain_outside=True)
    except HostRefused as refused:
        raise _refusal(refused) from refused
    return target


def require_allowed_host(host: str, port: int) -> Target:
    """As `require_allowed`, for a protocol that is not HTTP and keeps its secret by itself."""
    target = require_allowed(f"https://{host}:{port}")
    if (target.host, target.port, target.rest) != (host, port, ""):
        raise SourceFailed("host_form")
    return target


def canonical(link: str, base: str = "") -> str:
    """`link`, as found on the page `base`, in its one spelling; empty when it leads nowhere we would go."""
    try:
        parts = urlsplit(urljoin(base, link.strip()))
        port = parts.port
    except ValueError:
        return ""
    if parts.scheme not in _PORTS or not parts.hostname or "@" in parts.netloc:
        return ""
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    authority = host if port in (None, _PORTS[parts.scheme]) else f"{host}:{port}"
    query = f"?{quote(parts.query, safe=_KEPT)}" if parts.query else ""
    url = f"{parts.scheme}://{authority}{quote(parts.path, safe=_KEPT) or '/'}{query}"
    try:
        target_of(url)
    except SourceFailed:
        return ""
    return url


def connect(host: str, port: int, *, seconds: float = DEFAULT.connect_seconds) -> socket.socket:
    """A connection for protocols that are not HTTP, to the address that was checked. Raises SourceFailed.

    The caller encrypts it: what is spoken over it carries a password.
    """
    try:
        address = _address(Target("tcp", host, port), plain_outside=True)
        return socket.create_connection((address, port), timeout=seconds)
    except HostRefused as refused:
        raise _refusal(refused) from refused
    except OSError as error:
        raise SourceFailed("unreachable", host=host) from error


class Fetcher:
    """Makes requests, one after another, for one run over one source.

    `sign` proves who asks, to the host of `home` alone; so does `token`, which is added to the query of what is asked.
    """

    def __init__(self, *, home: str = "", sign: Sign | None = None, token: str = "", limits: Limits = DEFAULT) -> None:
        if not _REST.fullmatch(f"?{token}"):
            raise SourceFailed("secret_letters")
        self.limits = limits
        self._home = target_of(home) if home else None
        self._sign, self._token = sign, token
        self._backend = _PinnedBackend(is_private=bool(sign or token))
        self._pool = httpcore.ConnectionPool(max_connections=4, keepalive_expiry=20, network_backend=self._backend)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._pool.close()

    def hosts(self) -> HostList:
        """The operator's list that says where this one may go, read at each request."""
        return _listed()

    def get(self, url: str, *, headers: Mapping[str, str] | None = None, limits: Limits | None = None) -> Reply:
        """Ask for `url`. Raises SourceFailed for a status of 400 or above, and for whatever hinders an answer."""
        return self.send("GET", url, headers=headers, limits=limits)

    def send(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        body: bytes = b"",
        limits: Limits | None = None,
    ) -> Reply:
        """As `get`, with any method; only requests without a body follow a redirect."""
        limits = limits or self.limits
        self._backend.until = time.monotonic() + limits.total_seconds
        self._backend.listed = self.hosts()
        try:
            for _hop in range(limits.redirects + 1):
                reply = self._once(method, url, dict(headers or {}), body, limits)
                if reply.status not in _MOVED:
                    return _accepted(reply)
                reply.file.close()
                if body:
                    raise SourceFailed("redirected", host=target_of(url).host)
                url = _next(reply, url)
        except HostRefused as refused:
            raise _refusal(refused) from refused
        except httpcore.TimeoutException as error:
            raise SourceFailed("too_slow", host=target_of(url).host) from error
        except (httpcore.NetworkError, httpcore.ProtocolError, OSError) as error:
            raise SourceFailed("unreachable", host=target_of(url).host) from error
        raise SourceFailed("redirects", limit=limits.redirects)

    def _once(self, method: str, url: str, headers: dict[str, str], body: bytes, limits: Limits) -> Reply:
        target = require_allowed(url, self._backend.listed)
        sent = {"user-agent": _AGENT, "accept": "*/*", "accept-encoding": "gzip"}
        sent |= {name.lower(): value for name, value in headers.items()}
        carried = _carried(sent, otherwise="unreadable")
        if self._sign is not None and target == self._home:
            carried |= _carried(self._sign(Outgoing(method, target, sent, body)), otherwise="secret_letters")
        # Not in the address that a reply and its errors name.
        token = self._token if target == self._home else ""
        wire = f"{url}{'&' if '?' in url else '?'}{token}" if token else url
        self._backend.scheme = target.scheme
        timeouts = {"connect": limits.connect_seconds, "read": limits.read_seconds, "write": limits.read_seconds}
        with self._pool.stream(
            method,
            wire,
            headers=list(carried.items()),
            content=body or None,
            extensions={"timeout": timeouts | {"pool": limits.connect_seconds}},
        ) as response:
            found = {
                name.decode("latin-1").lower(): value.decode("latin-1", "replace") for name, value in response.headers
            }
            if response.status in _MOVED:
                return Reply(url, response.status, found, tempfile.TemporaryFile(), 0)
            file = tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY)  # noqa: SIM115  (handed to the caller)
            try:
                # What is said of the packing of an answer to HEAD is said of a body that does not come.
                encoding = "" if method == "HEAD" else found.get("content-encoding", "")
                size = self._receive(response.iter_stream(), encoding, file, limits)
            except BaseException:
                file.close()
                raise
        file.seek(0)
        return Reply(url, response.status, found, file, size)  # type: ignore[arg-type]

    def _receive(self, chunks: Iterable[bytes], encoding: str, out: Any, limits: Limits) -> int:
        """Write the body to `out` as it arrives; how many bytes."""
        size = 0
        for piece in _unpacked(_at_most(chunks, limits.bytes), encoding.strip().lower(), limits.bytes):
            size += len(piece)
            if size > limits.bytes:
                raise SourceFailed("too_large", megabytes=limits.bytes // 1024**2)
            out.write(piece)
            if time.monotonic() > self._backend.until:
                raise httpcore.ReadTimeout
        return size


# --- Inside -------------------------------------------------------------------------------------------------


class _PinnedBackend(httpcore.NetworkBackend):
    """Resolves a host, asks whether it may be at each of its addresses, and connects to the one that was asked about.

    TLS and the Host header still carry the name, so the certificate must be for that name.
    """

    def __init__(self, *, is_private: bool) -> None:
        self.until = 0.0
        self.scheme = "https"
        self.listed: HostList | None = None
        self._is_private = is_private
        self._inner = httpcore.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Any = None,
    ) -> httpcore.NetworkStream:
        target = Target(self.scheme, host, port)
        address = _address(target, plain_outside=not self._is_private, listed=self.listed)
        stream = self._inner.connect_tcp(str(address), port, timeout=timeout, socket_options=socket_options)
        return _TimedStream(stream, self)

    def connect_unix_socket(self, *_: Any, **__: Any) -> httpcore.NetworkStream:
        raise httpcore.ConnectError("No way into sockets of this machine.")


class _TimedStream(httpcore.NetworkStream):
    """A connection whose every read ends when the time of the whole request is over.

    Time limits per read alone would let a server that sends one byte a second keep us for days.
    """

    def __init__(self, inner: httpcore.NetworkStream, clock: _PinnedBackend) -> None:
        self._inner, self._clock = inner, clock

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._inner.read(max_bytes, self._left(timeout, httpcore.ReadTimeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._inner.write(buffer, self._left(timeout, httpcore.WriteTimeout))

    def close(self) -> None:
        self._inner.close()

    def start_tls(
        self, ssl_context: Any, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        left = self._left(timeout, httpcore.ConnectTimeout)
        return _TimedStream(self._inner.start_tls(ssl_context, server_hostname, left), self._clock)

    def get_extra_info(self, info: str) -> Any:
        return self._inner.get_extra_info(info)

    def _left(self, timeout: float | None, late: type[Exception]) -> float:
        left = self._clock.until - time.monotonic()
        if left <= 0:
            raise late
        return left if timeout is None else min(left, timeout)


def _carried(headers: Mapping[str, str], *, otherwise: str) -> dict[bytes, bytes]:
    """Headers as they go over the wire. Raises SourceFailed with the code `otherwise` for letters that cannot."""
    try:
        return {name.encode(): value.encode("latin-1") for name, value in headers.items()}
    except UnicodeEncodeError as error:
        raise SourceFailed(otherwise) from error


def _listed() -> HostList:
    return hosts.read_list(settings.SOURCE_HOSTS)


def _address(target: Target, *, plain_outside: bool, listed: HostList | None = None) -> str:
    """The address to connect to now. Raises HostRefused."""
    listed = listed or _listed()
    listed.require_known(target)
    literal = hosts.literal_address(target.host)
    found = [literal] if literal is not None else hosts.resolve(target.host, target.port)
    return str(listed.require_addresses(found, target, plain_outside=plain_outside))


def _next(reply: Reply, url: str) -> str:
    """Where a redirect leads. Raises SourceFailed when that is no address of ours to follow."""
    following = canonical(reply.headers.get("location", ""), url)
    if not following:
        raise SourceFailed("redirected", host=target_of(url).host)
    return following


def _accepted(reply: Reply) -> Reply:
    if reply.status < 400:
        return reply
    reply.file.close()
    host = target_of(reply.url).host
    if reply.status in (401, 403, 407):
        raise SourceFailed("denied", host=host, status=reply.status)
    if reply.status in (404, 410):
        raise SourceFailed("missing", host=host)
    raise SourceFailed("status", host=host, status=reply.status, **_asked_to_wait(reply))


def _asked_to_wait(reply: Reply) -> dict[str, int]:
    """How many seconds the server wants to be left alone, where it says so in a number."""
    after = reply.headers.get("retry-after", "")
    return {"after": int(after)} if after.isdecimal() and len(after) < 6 else {}


def _at_most(chunks: Iterable[bytes], limit: int) -> Iterator[bytes]:
    """The bytes as they come over the wire: also of a body that unpacks to nothing there is an end."""
    size = 0
    for chunk in chunks:
        size += len(chunk)
        if size > limit:
            raise SourceFailed("too_large", megabytes=limit // 1024**2)
        yield chunk


def _unpacked(chunks: Iterable[bytes], encoding: str, limit: int) -> Iterator[bytes]:
    """The body without its transfer's packing, in pieces that are small however much a chunk unpacks to."""
    if encoding in ("", "identity"):
        yield from chunks
        return
    if encoding not in ("gzip", "x-gzip"):
        raise SourceFailed("packing")
    piece_size = min(limit + 1, _IN_MEMORY)
    inflate, came = zlib.decompressobj(wbits=31), False
    try:
        for chunk in chunks:
            came = came or bool(chunk)
            while chunk and not inflate.eof:
                yield inflate.decompress(chunk, piece_size)
                chunk = inflate.unconsumed_tail
    except zlib.error as error:
        raise SourceFailed("packing") from error
    if came and not inflate.eof:
        raise SourceFailed("packing")


def _refusal(refused: HostRefused) -> SourceFailed:
    return SourceFailed(f"host_{refused.why}", **({"host": refused.host} if refused.host else {}))
