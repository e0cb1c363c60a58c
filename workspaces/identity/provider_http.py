"""The one door to the identity provider: its own hosts, no redirects, short answers, and not for ever.

Everything django-allauth asks of a provider goes through this session; it is no way to any other place.
"""

from time import monotonic
from typing import Any
from urllib.parse import urlsplit

import requests
from django.conf import settings

#: Seconds to connect and between two parts of an answer, and for all of it.
_TIMEOUT = (5, 10)
_ALL_SECONDS = 20
_MAX_BYTES = 1024 * 1024


#: What a conversation with the provider may end in: no connection, no answer, or NotTheProvider.
ProviderFails = requests.RequestException


class NotTheProvider(requests.RequestException):
    """The address is none of the provider's, or it answered as no provider does."""


class ProviderSession(requests.Session):
    """Requests to the hosts of INLOCK_OIDC_ISSUER and INLOCK_OIDC_HOSTS."""

    def __init__(self) -> None:
        super().__init__()
        # Proxies and passwords from the environment or ~/.netrc are not the operator's word about this connection.
        self.trust_env = False
        self.verify = settings.OIDC_CA or True

    def request(self, method: str | bytes, url: str | bytes, *args: Any, **kwargs: Any) -> requests.Response:
        """As `requests.Session.request`. Raises RequestException, NotTheProvider among them."""
        require_provider(str(url))
        kwargs |= {"timeout": _TIMEOUT, "allow_redirects": False, "stream": True}
        ends_at = monotonic() + _ALL_SECONDS
        response = super().request(method, url, *args, **kwargs)
        if response.is_redirect:
            response.close()
            raise NotTheProvider("The provider redirects instead of answering.")
        body = bytearray()
        for part in response.iter_content(65536):
            body += part
            if len(body) > _MAX_BYTES or monotonic() > ends_at:
                response.close()
                raise NotTheProvider("The provider's answer is too long or too slow.")
        response._content = bytes(body)
        return response


def require_provider(url: str) -> None:
    """Raise NotTheProvider unless `url` is an address of the provider, as secure as the issuer's own."""
    parts = urlsplit(url)
    if parts.scheme != urlsplit(settings.OIDC_ISSUER).scheme or parts.netloc not in settings.OIDC_HOSTS:
        raise NotTheProvider("This is no address of the identity provider: see INLOCK_OIDC_HOSTS.")
