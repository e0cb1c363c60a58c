"""Signing in through the identity provider: there with state, nonce and PKCE, back with a code that is good once."""

import secrets
from time import time
from typing import Any

import requests
from allauth.account.utils import get_next_redirect_url
from allauth.socialaccount.adapter import get_adapter
from allauth.socialaccount.helpers import render_authentication_error
from allauth.socialaccount.models import SocialAccount, SocialLogin
from allauth.socialaccount.providers.base import AuthProcess
from allauth.socialaccount.providers.oauth2.client import OAuth2Error
from allauth.socialaccount.providers.oauth2.views import OAuth2CallbackView
from allauth.socialaccount.providers.openid_connect.provider import OpenIDConnectProvider
from allauth.socialaccount.providers.openid_connect.views import OpenIDConnectOAuth2Adapter
from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.http import require_GET, require_POST

from workspaces.identity import id_token, links, throttle
from workspaces.identity.provider_http import NotTheProvider, require_provider

_ENDPOINTS = ("authorization_endpoint", "token_endpoint", "jwks_uri")


class SignInRefused(OAuth2Error):
    """The provider's answer proves nothing; `fault` says why, for the trail."""

    def __init__(self, fault: str) -> None:
        super().__init__(fault)
        self.fault = fault


class Exchange(OpenIDConnectOAuth2Adapter):
    """One sign-in's conversation with the provider."""

    #: What was sent along to it, and must come back in the ID token.
    nonce: str | None = None
    #: When the browser was sent there: what the provider ended since then does not begin any more. Not when it came
    #: back, because a message that the session ended may overtake it.
    asked_at: float = 0

    def get_provider(self) -> "Provider":
        return Provider(self.request, get_adapter().get_app(self.request, provider=self.provider_id))

    @property
    def openid_config(self) -> dict[str, Any]:
        """What the provider tells about itself. Raises NotTheProvider where it is not the issuer that we know."""
        told = super().openid_config
        if not isinstance(told, dict) or told.get("issuer") != settings.OIDC_ISSUER:
            raise NotTheProvider("The provider tells another issuer than INLOCK_OIDC_ISSUER.")
        for name in _ENDPOINTS:
            require_provider(str(told.get(name)))
        return told

    @property
    def end_session_endpoint(self) -> str | None:
        """Where the provider ends its sessions, or None if it does so nowhere."""
        told = self.openid_config.get("end_session_endpoint")
        if told is None:
            return None
        require_provider(str(told))
        return str(told)

    def keys(self) -> Any:
        """The provider's JWK set, as it tells it now."""
        with get_adapter().get_requests_session() as session:
            return session.get(self.openid_config["jwks_uri"]).json()

    def complete_login(self, request: HttpRequest, app: Any, token: Any, **kwargs: Any) -> SocialLogin:
        """The person of the ID token. What else the provider could be asked about them is not needed."""
        token = kwargs["response"].get("id_token")
        try:
            identity = id_token.read(token, keys=self.keys(), nonce=self.nonce)
        except id_token.TokenRefused as error:
            raise SignInRefused(error.fault) from error
        there = links.known(identity)
        # django-allauth writes this over what is kept of the link.
        kept = there.extra_data if there is not None else {}
        account = SocialAccount(provider=self.provider_id, uid=identity.uid, extra_data=kept)
        login = SocialLogin(provider=self.get_provider(), account=account)
        login.identity, login.id_token, login.asked_at = identity, token, self.asked_at
        return login


class Provider(OpenIDConnectProvider):
    """The provider of the settings, spoken to through `Exchange`."""

    oauth2_adapter_class = Exchange


class Callback(OAuth2CallbackView):
    """The way back. The state it finds is this session's own and is spent by being found."""

    adapter: Exchange

    def _get_state(self, request: HttpRequest, provider: Any) -> tuple[dict[str, Any] | None, HttpResponse | None]:
        state, response = super()._get_state(request, provider)
        self.adapter.nonce = (state or {}).get("nonce")
        self.adapter.asked_at = (state or {}).get("asked_at", 0)
        return state, response


@login_not_required
@require_POST
def begin(request: HttpRequest, provider_id: str) -> HttpResponse:
    """Send the browser to the provider. Only our own form does, so that nobody is signed in by following a link."""
    require_provider_id(provider_id)
    return go(request, AuthProcess.LOGIN, next_url=get_next_redirect_url(request))


def go(
    request: HttpRequest, process: str, *, next_url: str | None = None, asked: dict[str, str] | None = None, **kept: str
) -> HttpResponse:
    """Send the browser to the provider for `process`, with what is `asked` of it beside the usual.

    `kept` comes back in the state of the callback.
    """
    provider = Exchange(request, settings.OIDC_PROVIDER).get_provider()
    nonce = secrets.token_urlsafe(32)
    try:
        return provider.redirect(
            request,
            process,
            next_url,
            nonce=nonce,
            asked_at=time(),
            auth_params={"nonce": nonce, **(asked or {})},
            **kept,
        )
    except requests.RequestException as error:
        return render_authentication_error(request, provider, exception=error)


@login_not_required
@require_GET
def callback(request: HttpRequest, provider_id: str) -> HttpResponse:
    """Come back from the provider. Counted by address, since every failure leaves an entry in the trail."""
    require_provider_id(provider_id)
    attempt = throttle.Attempt(throttle.by_address(request))
    exchange = Exchange(request, provider_id)
    response = Callback.adapter_view(exchange)(request)
    if response.status_code < 400:
        attempt.succeeded()
    return response


def require_provider_id(provider_id: str) -> None:
    """Raise Http404 unless this is the provider of the settings."""
    if provider_id != settings.OIDC_PROVIDER or not settings.OIDC_ISSUER:
        raise Http404
