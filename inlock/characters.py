"""Refuse the one character that text columns do not store, before a look-up meets it and fails."""

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseBadRequest, QueryDict
from django.utils.translation import gettext as _

_NUL = "\0"


def StorableMiddleware(get_response: Callable) -> Callable:  # noqa: N802 (Django names middleware as classes)
    """Answer 400 to a NUL in the path, in a cookie, in the query or in a form's fields; files may hold what they do."""

    def middleware(request: HttpRequest) -> HttpResponse:
        return _refusal() if _is_addressed_with_nul(request) else get_response(request)

    # Forms are read here and not above: the check of their token, which runs before, has read them already.
    middleware.process_view = _refuse_form  # type: ignore[attr-defined]
    return middleware


def _refuse_form(request: HttpRequest, *view: Any) -> HttpResponse | None:
    return _refusal() if request.method == "POST" and _holds_nul(request.POST) else None


def _is_addressed_with_nul(request: HttpRequest) -> bool:
    return _NUL in request.path_info or _holds_nul(request.GET) or any(_NUL in c for c in request.COOKIES.values())


def _holds_nul(fields: QueryDict) -> bool:
    return any(_NUL in text for name, values in fields.lists() for text in (name, *values))


def _refusal() -> HttpResponse:
    return HttpResponseBadRequest(_("The text contains a character that cannot be stored."), content_type="text/plain")
