"""The pages that link one's account to the provider's identity, end that link, and confirm at the provider."""

from time import time
from typing import Any

from allauth.account.decorators import reauthentication_required
from allauth.account.internal.flows.login import record_authentication
from allauth.account.utils import get_next_redirect_url
from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from workspaces.exceptions import Hidden, LinkError
from workspaces.identity import confirming, links, local_sign_in, sessions, single_sign_on
from workspaces.identity.decorators import OWN_ACCOUNT, own_account
from workspaces.identity.id_token import LEEWAY, Identity

#: What a conversation with the provider is for, beside a sign-in (`AuthProcess.LOGIN`).
LINK, CONFIRM = "link", "confirm"


@own_account
@require_POST
@reauthentication_required(app="")
def link(request: HttpRequest) -> HttpResponse:
    """Go to the provider, and come back with the identity that is to open this account."""
    _require_provider(request)
    return single_sign_on.go(request, LINK, user=str(request.user.pk))


@own_account
@require_POST
@reauthentication_required(app="")
def unlink(request: HttpRequest) -> HttpResponse:
    """End the link; other sessions end, since the provider may have opened them."""
    try:
        links.unlink(request.user)
    except LinkError as error:
        messages.error(request, str(error))
        return redirect("mfa_index")
    sessions.end_others(request)
    request.session.pop(local_sign_in.PROVIDER, None)
    messages.success(request, _("The link has ended, and so have your other sessions."))
    return redirect("mfa_index")


@own_account
@require_http_methods(["GET", "POST"])
def confirm(request: HttpRequest) -> HttpResponse:
    """Sign in at the provider once more, for those who could confirm with nothing else."""
    _require_provider(request)
    next_url = get_next_redirect_url(request) or ""
    if request.method == "POST":
        # Both say that a session the provider still has is not enough; the answer is checked (`auth_time`).
        asked = {"prompt": "login", "max_age": "0"}
        return single_sign_on.go(request, CONFIRM, next_url=next_url, asked=asked, user=str(request.user.pk))
    return render(request, "account/confirm_at_provider.html", {"next_url": next_url, "provider": _name(request)})


def finish(request: HttpRequest, identity: Identity, state: dict[str, Any], process: str) -> HttpResponse | None:
    """Back from the provider in order to link or confirm. None when it is not the same person's conversation."""
    if not request.user.is_authenticated or state.get("user") != str(request.user.pk):
        return None
    return _link(request, identity) if process == LINK else _confirmed(request, identity, state)


def _link(request: HttpRequest, identity: Identity) -> HttpResponse:
    try:
        links.link(request.user, identity)
    except LinkError as error:
        messages.error(request, str(error))
    else:
        messages.success(request, _("Your account is linked: sign in either way from now on."))
    return redirect("mfa_index")


def _confirmed(request: HttpRequest, identity: Identity, state: dict[str, Any]) -> HttpResponse:
    there = links.known(identity)
    if there is None or there.user_id != request.user.pk or time() - identity.authenticated_at > 2 * LEEWAY:
        messages.error(request, _("The provider did not confirm that it is you. Try again."))
        return redirect("mfa_index")
    record_authentication(request, request.user, method=confirming.METHOD, reauthenticated=True)
    return redirect(state.get("next") or "mfa_index")


def _require_provider(request: HttpRequest) -> None:
    if not settings.OIDC_ISSUER:
        raise Hidden(user=request.user, action=OWN_ACCOUNT)


def _name(request: HttpRequest) -> str:
    return str(single_sign_on.Exchange(request, settings.OIDC_PROVIDER).get_provider().name)
