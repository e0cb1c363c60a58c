"""Where a request comes from, believed only as far as the operator vouches for the proxies in between."""

import ipaddress

from django.conf import settings
from django.http import HttpRequest

UNKNOWN = "0.0.0.0"  # noqa: S104 (written down where a socket has no address; nothing is bound to it)


def of(request: HttpRequest) -> str:
    """The address of the client: the last one in X-Forwarded-For that no trusted proxy (TRUSTED_PROXIES) wrote.

    Without trusted proxies the header means nothing, because every client can write it.
    """
    address = _parsed(request.META.get("REMOTE_ADDR", ""))
    for hop in reversed(request.META.get("HTTP_X_FORWARDED_FOR", "").split(",")):
        if not _is_proxy(address):
            break
        forwarded = _parsed(hop)
        if forwarded is None:
            break
        address = forwarded
    return str(address) if address else UNKNOWN


def neighbourhood(address: str) -> str:
    """What is counted as one client: an IPv4 address, or the /64 network that one IPv6 subscriber is given."""
    parsed = ipaddress.ip_address(address)
    if parsed.version == 4:
        return address
    return str(ipaddress.ip_network(f"{address}/64", strict=False))


Address = ipaddress.IPv4Address | ipaddress.IPv6Address


def _parsed(text: str) -> Address | None:
    try:
        address = ipaddress.ip_address(text.strip())
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address


def _is_proxy(address: Address | None) -> bool:
    # A request over a unix socket has no address, and only the proxy on this machine can make one.
    if address is None:
        return bool(settings.TRUSTED_PROXIES)
    return any(address in ipaddress.ip_network(network) for network in settings.TRUSTED_PROXIES)
