"""Where a model may be: only at hosts the operator listed, and only at addresses those names may have.

An administrator of the portal types the address of an endpoint, and questions with passages of documents travel there.
The list is the operator's (INLOCK_MODEL_HOSTS), so that no account of the portal can send them elsewhere or reach
into the network the portal runs in. It is asked when an endpoint is saved and before each connection
(`answers/pinned.py`), with the address that is then connected to.
"""

import ipaddress
import re
import socket
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from answers.exceptions import EndpointError

IPAddress = ipaddress.IPv4Address | ipaddress.IPv6Address
IPNetwork = ipaddress.IPv4Network | ipaddress.IPv6Network

#: Any name whose addresses are public.
ANY = "*"
_LABEL = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_NAME = rf"{_LABEL}(?:\.{_LABEL})*"
_PORT = r"[1-9][0-9]{0,4}"
# One spelling only: what our reader and the client's reader could take for different hosts is no address.
_URL = re.compile(
    rf"(?P<scheme>https?)://(?P<host>{_NAME}|\[[0-9a-f:.]+\])(?::(?P<port>{_PORT}))?(?P<path>/[A-Za-z0-9._~/-]*)?"
)
_ENTRY = re.compile(rf"(?P<host>{_NAME})(?::(?P<port>{_PORT}))?")
_NUMERIC = re.compile(r"(?:.*\.)?(?:[0-9]+|0x[0-9a-f]*)")
#: Addresses that lead to another one inside, which a look at the outer one does not show.
_TUNNELS = [ipaddress.ip_network(n) for n in ("64:ff9b::/96", "64:ff9b:1::/48", "2002::/16", "2001::/32", "::/96")]


@dataclass(frozen=True, slots=True)
class Target:
    """A host to connect to, as it is written in an endpoint's address."""

    scheme: str
    host: str
    port: int


@dataclass(frozen=True, slots=True)
class _Listed:
    """The operator's list, read: names with their port (0: any), and networks."""

    names: frozenset[tuple[str, int]]
    networks: tuple[IPNetwork, ...]
    any_name: bool

    def knows(self, target: Target) -> bool:
        literal = _literal(target.host)
        if literal is not None:
            return self.any_name or self.holds(literal)
        return self.any_name or {(target.host, target.port), (target.host, 0)} & self.names != set()

    def holds(self, address: IPAddress) -> bool:
        return any(address in network for network in self.networks)


def unreadable_entries(entries: Iterable[str]) -> list[str]:
    """The entries of INLOCK_MODEL_HOSTS that are neither a host, a host with port, nor a network."""
    return [entry for entry in entries if entry != ANY and _network(entry) is None and not _ENTRY.fullmatch(entry)]


def validate_url(url: str) -> None:
    """For forms: raise ValidationError for anything but a plain http or https address."""
    try:
        target_of(url)
    except EndpointError as error:
        raise ValidationError(str(error)) from error


def require_allowed(url: str) -> None:
    """Return if a model may be asked at `url`. Raises EndpointError, with no word about what the name resolves to."""
    target = target_of(url)
    if not _listed().knows(target):
        raise EndpointError(
            _("The host %(host)s is not on this installation's list of model hosts. Its operator can add it.")
            % {"host": f"{target.host}:{target.port}"}
        )
    literal = _literal(target.host)
    if literal is not None:
        require_address([literal], target)


def require_resolved(url: str) -> None:
    """As `require_allowed`, and of what the name resolves to now. A name that resolves to nothing passes: the
    connection will be refused."""
    require_allowed(url)
    target = target_of(url)
    try:
        found = socket.getaddrinfo(target.host, target.port, type=socket.SOCK_STREAM)
    except OSError:
        return
    require_address([ipaddress.ip_address(info[4][0]) for info in found], target)


def require_address(found: Sequence[IPAddress], target: Target) -> str:
    """The address to connect to, if `target` may be at each of `found`. Raises EndpointError.

    All of them, because a name that has one address inside and one outside would otherwise be tried until it fits.
    """
    listed = _listed()
    for address in found:
        is_inside = listed.holds(address)
        if not (is_inside or _is_public(address)):
            raise EndpointError(_("This address leads into a network that is not on the list of model hosts."))
        if target.scheme == "http" and not is_inside:
            raise EndpointError(_("Outside of the listed networks a model is asked over HTTPS only."))
    if not found:
        raise EndpointError(_("The name of the model's host is not known."))
    return str(found[0])


def target_of(url: str) -> Target:
    """The host of an endpoint's address. Raises EndpointError for anything but a plain http or https address."""
    match = _URL.fullmatch(url)
    host = match["host"].strip("[]") if match else ""
    port = int(match["port"] or (443 if match["scheme"] == "https" else 80)) if match else 0
    # A name that ends in a number is read as an address by some, in many spellings; only the plain one is taken.
    if match is None or port > 65535 or ((":" in host or _NUMERIC.fullmatch(host)) and _literal(host) is None):
        raise EndpointError(
            _(
                "The base URL is only scheme, host, port and path, as in https://llm.example/v1. A key belongs into "
                "the environment, named by its reference."
            )
        )
    return Target(match["scheme"], host, port)


def _listed() -> _Listed:
    entries = settings.MODEL_HOSTS
    names = [match for entry in entries if _network(entry) is None and (match := _ENTRY.fullmatch(entry))]
    return _Listed(
        frozenset((match["host"], int(match["port"] or 0)) for match in names),
        tuple(network for entry in entries if (network := _network(entry)) is not None),
        ANY in entries,
    )


def _network(entry: str) -> IPNetwork | None:
    try:
        return ipaddress.ip_network(entry)
    except ValueError:
        return None


def _literal(host: str) -> IPAddress | None:
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None


def _is_public(address: IPAddress) -> bool:
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped is not None:
            return _is_public(address.ipv4_mapped)
        if any(address in network for network in _TUNNELS) or address.is_site_local:
            return False
    return address.is_global and not (address.is_multicast or address.is_reserved or address.is_unspecified)
