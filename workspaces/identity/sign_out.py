"""Sign out here, and at the provider too where the session came from there (OpenID Connect RP-Initiated Logout 1.0)."""

import logging
from typing import Any
from urllib.parse import urlencode, urlsplit

from allauth.account import views as account
from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse

from workspaces.exceptions import CannotUnseal
from workspaces.identity.local_sign_in import PROVIDER
from workspaces.identity.provider_http import ProviderFails
from workspaces.identity.single_sign_on import Exchange
from workspaces.secrets import unseal

logger = logging.getLogger(__name__)

#: In a session: the ID token it was opened with, sealed, by which the provider knows whose session ends.
ID_TOKEN = "provider_id_token"  # noqa: S105


# So that it opens to those, too, who may go nowhere else before they set up a second factor.
@login_not_required
def sign_out(request: HttpRequest) -> HttpResponse:
    """End the session; whoever came through the provider is then taken there, to end theirs."""
    came_through_provider, sealed = PROVIDER in request.session, request.session.get(ID_TOKEN, "")
    response = account.logout(request)
    if request.method != "POST" or not (came_through_provider and settings.OIDC_ISSUER):
        return response
    address = _end_session_address(request, sealed)
    if address is None:
        return response
    # A page and no redirect: the form that was sent is on every page, whose policy names no other host to go to.
    exchange = Exchange(request, settings.OIDC_PROVIDER)
    page = render(request, "account/signed_out.html", {"address": address, "provider": exchange.get_provider().name})
    page["Refresh"] = f"0; url={address}"
    return page


def _end_session_address(request: HttpRequest, sealed: str) -> str | None:
    """Where the provider ends its session, or None where it offers that nowhere or does not answer: here it is over."""
    try:
        endpoint = Exchange(request, settings.OIDC_PROVIDER).end_session_endpoint
    except (ProviderFails, ValueError) as error:
        logger.warning("The provider was not asked to sign out: %s", type(error).__name__)
        return None
    if endpoint is None:
        return None
    back = request.build_absolute_uri(reverse("account_login"))
    asked = {"client_id": settings.OIDC_CLIENT_ID, "post_logout_redirect_uri": back, **_hint(sealed)}
    return f"{endpoint}{'&' if urlsplit(endpoint).query else '?'}{urlencode(asked)}"


def _hint(sealed: Any) -> dict[str, str]:
    try:
        return {"id_token_hint": unseal(sealed)} if sealed else {}
    except CannotUnseal:
        return {}  # sealed under a key that was thrown away; the provider then asks who signs out
