"""Who calls the API: a program with a token in its Authorization header, or a person's session.

Nothing below /api/ is open to nobody. A token decides alone: whatever cookies come with it are not looked at, and it
opens nothing outside of /api/. A session may read; for anything else it brings the CSRF token like any form
(`inlock/api.py`), because a browser sends cookies wherever a page tells it to.
"""

from collections.abc import Callable
from functools import partial
from importlib import import_module
from typing import Any

from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from audit import context
from workspaces.exceptions import CountingUnavailable, TokenRefused, TooManyAttempts
from workspaces.middleware import API
from workspaces.models import ApiToken
from workspaces.problems import problem
from workspaces.tokens import keeping as tokens
from workspaces.tokens import limits as token_limits

_SCHEME = "bearer"
_SENTENCES = {
    404: gettext_lazy("There is nothing here, or it is not open to you."),
    405: gettext_lazy("This address has no such method."),
}


def ApiAccessMiddleware(get_response: Callable) -> Callable:  # noqa: N802 (Django names middleware as classes)
    """Let nobody unknown below /api/, act within the scope of the token there, and answer there in problem details."""

    def middleware(request: HttpRequest) -> HttpResponse:
        if not request.path_info.startswith(API):
            return get_response(request)
        refusal, scope = _enter(request)
        if refusal is not None:
            return refusal
        with context.acting(request.user, scope=scope):
            return _as_problem(get_response(request))

    return middleware


def token_of(request: HttpRequest) -> ApiToken | None:
    """The token this request came with; None for a session."""
    return getattr(request, "token", None)


def _enter(request: HttpRequest) -> tuple[HttpResponse | None, context.Scope | None]:
    """The refusal of who is not let in, or the scope to act within (None: a whole person)."""
    # Taken out, so that no error page or log of a later layer can show it.
    header = request.META.pop("HTTP_AUTHORIZATION", None)
    if header is None:
        return (None if request.user.is_authenticated else _unknown()), None
    _forget_session(request)
    try:
        token = _token_in(header, request)
        token_limits.spend(token)
    except TokenRefused:
        return _unknown(), None
    except TooManyAttempts as error:
        return _wait(429, _("There were too many requests. Wait, and try again."), error.seconds), None
    except CountingUnavailable:
        return _wait(503, _("The API is out of order for a moment. Wait, and try again."), 30), None
    _sign_in(request, token)
    return None, tokens.scope_of(token)


def _token_in(header: str, request: HttpRequest) -> ApiToken:
    scheme, _space, text = header.partition(" ")
    try:
        return tokens.authenticate(text.strip() if scheme.lower() == _SCHEME else "")
    except TokenRefused as refused:
        token_limits.note_refusal(request, refused)
        raise


def _forget_session(request: HttpRequest) -> None:
    store = import_module(settings.SESSION_ENGINE).SessionStore
    request.COOKIES, request.session = {}, store()
    _be(request, AnonymousUser())


def _sign_in(request: HttpRequest, token: ApiToken) -> None:
    request.token = token  # type: ignore[attr-defined]
    # No browser sends this header by itself, so there is nothing to forge.
    request._dont_enforce_csrf_checks = True  # type: ignore[attr-defined]
    _be(request, token.user)


def _be(request: HttpRequest, user: Any) -> None:
    async def later(user: Any) -> Any:
        return user

    request.user, request.auser = user, partial(later, user)  # type: ignore[assignment]


def _unknown() -> HttpResponse:
    # The same for a token that never was, one that was revoked and one of a closed account.
    response = problem(401, _("Send an API token that is open: “Authorization: Bearer inl_…”."))
    response["WWW-Authenticate"] = 'Bearer realm="inlock"'
    return response


def _wait(status: int, sentence: str, seconds: int) -> HttpResponse:
    response = problem(status, sentence)
    response["Retry-After"] = str(seconds)
    return response


def _as_problem(response: HttpResponse) -> HttpResponse:
    """What a layer of the portal answered with a page, for programs."""
    status = response.status_code
    if status < 300 or response.get("Content-Type", "").startswith("application/problem+json"):
        return response
    if status < 400:
        # The portal leads a person to a page first: to sign in again, or to set up a second factor.
        made = problem(401, _("Open the portal in a browser first: %(page)s") % {"page": response.get("Location", "")})
    else:
        made = problem(status, _SENTENCES.get(status, response.reason_phrase))
    for name in ("Allow", "Retry-After", "X-Request-Id"):
        if name in response:
            made[name] = response[name]
    return made
