"""Which hosts the portal may connect to: lists of the operator's, asked by name and again by address.

Used wherever an address is typed by somebody who is not the operator: model endpoints (`answers/registry/hosts.py`) and
sources of documents (`documents/fetch.py`). Each asks before a connection, with the very address that is then
connected to, so that a name cannot mean another one a moment later.
"""

import ipaddress
import re
import socket
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

IPAddress = ipaddress.IPv4Address | ipaddress.IPv6Address
IPNetwork = ipaddress.IPv4Network | ipaddress.IPv6Network

#: Any name whose addresses are public.
ANY = "*"
_LABEL = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_NAME = rf"{_LABEL}(?:\.{_LABEL})*"
_PORT = r"[1-9][0-9]{0,4}"
# One spelling only: what our reader and the client's reader could take for different hosts is no address.
_AUTHORITY = re.compile(
    rf"(?P<scheme>[a-z]+)://(?P<host>{_NAME}|\[[0-9a-f:.]+\])(?::(?P<port>{_PORT}))?(?P<rest>(?:[/?].*)?)"
)
_ENTRY = re.compile(rf"(?P<host>{_NAME})(?::(?P<port>{_PORT}))?")
_NUMERIC = re.compile(r"(?:.*\.)?(?:[0-9]+|0x[0-9a-f]*)")
#: Addresses that lead to another one inside, which a look at the outer one does not show.
_TUNNELS = [ipaddress.ip_network(n) for n in ("64:ff9b::/96", "64:ff9b:1::/48", "2002::/16", "2001::/32", "::/96")]


#: Public by their number, and still of the network they are asked from: what clouds tell their machines.
_OF_CLOUDS = [ipaddress.ip_network(n) for n in ("192.0.0.0/24", "192.88.99.0/24", "168.63.129.16/32")]


class HostRefused(Exception):
    """An address that must not be connected to. `why`: `form`, `unlisted`, `inside`, `plain` or `unknown`."""

    def __init__(self, why: str, host: str = "") -> None:
        super().__init__(f"{why}: {host}" if host else why)
        self.why, self.host = why, host


@dataclass(frozen=True, slots=True)
class Target:
    """A host to connect to, as it is written in an address, and what of the address follows it."""

    scheme: str
    host: str
    port: int
    #: Not part of where one connects to.
    rest: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True)
class HostList:
    """The operator's list, read: names with their port (0: any), and networks."""

    names: frozenset[tuple[str, int]]
    networks: tuple[IPNetwork, ...]
    any_name: bool

    def require_known(self, target: Target) -> None:
        """Return if the list lets `target` be asked, going by what is written. Raises HostRefused."""
        literal = literal_address(target.host)
        if literal is not None:
            known = self.any_name or self.holds(literal)
        else:
            known = self.any_name or bool({(target.host, target.port), (target.host, 0)} & self.names)
        if not known:
            raise HostRefused("unlisted", f"{target.host}:{target.port}")

    def require_addresses(
        self, found: Sequence[IPAddress], target: Target, *, plain_outside: bool = False
    ) -> IPAddress:
        """The address to connect to, if `target` may be at each of `found`. Raises HostRefused.

        All of them, because a name that has one address inside and one outside would otherwise be tried until it
        fits. `plain_outside`: unencrypted connections may leave the listed networks.
        """
        for address in found:
            is_inside = self.holds(address)
            if not (is_inside or is_public(address)):
                raise HostRefused("inside", target.host)
            if target.scheme == "http" and not is_inside and not plain_outside:
                raise HostRefused("plain", target.host)
        if not found:
            raise HostRefused("unknown", target.host)
        return found[0]

    def holds(self, address: IPAddress) -> bool:
        """Whether one of the listed networks holds `address`."""
        return any(address in network for network in self.networks)


def read_list(entries: Iterable[str]) -> HostList:
    """The list as the operator wrote it; `unreadable_entries` names what is left out here."""
    entries = list(entries)
    names = [match for entry in entries if _network(entry) is None and (match := _ENTRY.fullmatch(entry))]
    return HostList(
        frozenset((match["host"], int(match["port"] or 0)) for match in names),
        tuple(network for entry in entries if (network := _network(entry)) is not None),
        ANY in entries,
    )


def unreadable_entries(entries: Iterable[str]) -> list[str]:
    """The entries of a list that are neither a host, a host with port, nor a network."""
    return [entry for entry in entries if entry != ANY and _network(entry) is None and not _ENTRY.fullmatch(entry)]


def read_target(url: str, *, ports: dict[str, int], rest: "re.Pattern[str]") -> Target:
    """The host of an address whose scheme is one of `ports` and whose path and query match `rest`.

    Raises HostRefused("form") for anything else: user names, other spellings of numbers, white space, upper case.
    """
    match = _AUTHORITY.fullmatch(url)
    if match is None or match["scheme"] not in ports or not rest.fullmatch(match["rest"]):
        raise HostRefused("form")
    host = match["host"].strip("[]")
    port = int(match["port"] or ports[match["scheme"]])
    # A name that ends in a number is read as an address by some, in many spellings; only the plain one is taken.
    if port > 65535 or ((":" in host or _NUMERIC.fullmatch(host)) and literal_address(host) is None):
        raise HostRefused("form")
    return Target(match["scheme"], host, port, match["rest"])


def resolve(host: str, port: int) -> list[IPAddress]:
    """All addresses `host` has now. Raises HostRefused("unknown")."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise HostRefused("unknown", host) from error
    return [ipaddress.ip_address(info[4][0]) for info in found]


def literal_address(host: str) -> IPAddress | None:
    """`host` as an address, where it is one in its plain spelling."""
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None


def is_public(address: IPAddress) -> bool:
    """Whether `address` is one of the open internet, and leads nowhere else."""
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped is not None:
            return is_public(address.ipv4_mapped)
        if any(address in network for network in _TUNNELS) or address.is_site_local:
            return False
    elif any(address in network for network in _OF_CLOUDS):
        return False
    return address.is_global and not (address.is_multicast or address.is_reserved or address.is_unspecified)


def _network(entry: str) -> IPNetwork | None:
    try:
        return ipaddress.ip_network(entry)
    except ValueError:
        return None
