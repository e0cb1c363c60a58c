"""Connect to a model at the very address that was checked, so that a name cannot mean another one a moment later."""

import asyncio
import ipaddress
import socket
import ssl
from functools import cache

import httpx

from answers.exceptions import EndpointError
from answers.registry import hosts as model_hosts


class PinnedTransport(httpx.AsyncBaseTransport):
    """Resolves the host of each request once, asks `model_hosts`, and connects to that address.

    The server still sees the name it was asked by, in the Host header and in TLS, and its certificate must be for
    that name.
    """

    def __init__(self) -> None:
        self._inner = httpx.AsyncHTTPTransport(verify=_trusting(), trust_env=False, retries=0)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        name = request.url.host
        try:
            address = await self._checked(request)
        except EndpointError as error:
            raise httpx.ConnectError(str(error), request=request) from error
        request.extensions = request.extensions | {"sni_hostname": name}
        request.url = request.url.copy_with(host=address)
        return await self._inner.handle_async_request(request)

    async def aclose(self) -> None:
        await self._inner.aclose()

    async def _checked(self, request: httpx.Request) -> str:
        url = request.url
        port = url.port or (443 if url.scheme == "https" else 80)
        target = model_hosts.target_of(f"{url.scheme}://{url.netloc.decode()}")
        model_hosts.require_allowed(f"{url.scheme}://{url.netloc.decode()}")
        try:
            found = await asyncio.get_running_loop().getaddrinfo(url.host, port, type=socket.SOCK_STREAM)
        except OSError as error:
            raise httpx.ConnectError("The name of the model's host is not known.", request=request) from error
        return model_hosts.require_address([ipaddress.ip_address(info[4][0]) for info in found], target)


class ClosedTransport(httpx.BaseTransport):
    """Leads nowhere, so that nothing can go past `PinnedTransport`."""

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("Models are asked through the pinned transport alone.", request=request)


@cache
def _trusting() -> ssl.SSLContext:
    """Whom to trust, read once: reading the authorities takes longer than a short answer."""
    return httpx.create_ssl_context(trust_env=False)
