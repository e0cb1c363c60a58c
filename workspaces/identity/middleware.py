"""What stands between a session and every page: its end, a second factor that is missing, too many attempts."""

from collections.abc import Callable
from typing import Any

from django.contrib.auth import logout
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.http import urlencode

from workspaces.exceptions import CountingUnavailable, TooManyAttempts
from workspaces.identity import local_sign_in, requirement, sessions
from workspaces.identity.decorators import OWN_ACCOUNT
from workspaces.tokens.authentication import token_of


class IdentityMiddleware:
    """Ends sessions that have lasted too long, and leads people to the second factor they must have.

    Works on what the view is, so that it stands in the same place as Django's own check for a sign-in.
    """

    def __init__(self, get_response: Callable) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(
        self, request: HttpRequest, view: Callable, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> HttpResponse | None:
        # A token was made in a session that had shown what it had to, and has an end of its own.
        if not request.user.is_authenticated or token_of(request) is not None:
            return None
        if sessions.is_over(request) or local_sign_in.has_ended(request):
            logout(request)
            return None if _asks_for_nobody(view) else _to(request, _sign_in(request))
        sessions.note_use(request)
        if _asks_for_nobody(view) or _is_own_account(request, view):
            return None
        in_admin = "admin" in request.resolver_match.app_names
        if requirement.is_missing(request, in_admin=in_admin):
            return _to(request, f"{reverse('mfa_index')}?{urlencode({'next': request.get_full_path()})}")
        return None

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        if isinstance(error, TooManyAttempts):
            response = render(request, "429.html", {"minutes": -(-error.seconds // 60)}, status=429)
            response["Retry-After"] = str(error.seconds)
            return response
        if isinstance(error, CountingUnavailable):
            response = render(request, "503.html", status=503)
            response["Retry-After"] = "30"
            return response
        return None


def _asks_for_nobody(view: Callable) -> bool:
    return not getattr(view, "login_required", True)


def _is_own_account(request: HttpRequest, view: Callable) -> bool:
    return getattr(view, "required_action", None) == OWN_ACCOUNT or request.resolver_match.view_name == "set_language"


def _sign_in(request: HttpRequest) -> str:
    return redirect_to_login(request.get_full_path())["Location"]


def _to(request: HttpRequest, address: str) -> HttpResponse:
    """Lead the whole page there, also when only a part of it was asked for."""
    if request.headers.get("HX-Request"):
        return HttpResponse(status=204, headers={"HX-Redirect": address})
    return HttpResponseRedirect(address)
