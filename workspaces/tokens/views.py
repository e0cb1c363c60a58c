"""The page of one's own API tokens."""

from collections.abc import Callable
from functools import wraps
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from workspaces.exceptions import PortalError
from workspaces.models import ApiToken
from workspaces.tokens import keeping as tokens
from workspaces.tokens.forms import WORDS, TokenForm

#: What these pages ask for: a whole session, with the second factor its person must have. Unlike the pages of one's
#: account they are closed while that is missing: a token made without it would be a way around it.
OWN_TOKENS = "own_tokens"
_MOST_ENDED = 20


def own_tokens(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """Mark a page that shows and changes nothing but the tokens of whoever asks."""

    @wraps(view)
    def wrapped(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        return view(request, *args, **kwargs)

    wrapped.required_action = OWN_TOKENS  # type: ignore[attr-defined]
    return wrapped


@own_tokens
@require_http_methods(["GET", "POST"])
def own(request: HttpRequest) -> HttpResponse:
    """One's tokens, and the form for another. Its text is on the page that answers the POST, and nowhere after."""
    form = TokenForm(request.POST or None, user=request.user)
    if request.method == "GET" or not form.is_valid():
        return _page(request, form)
    try:
        token, text = tokens.create(by=request.user, **form.cleaned_data)
    except PortalError as error:
        form.add_error(None, str(error))
        return _page(request, form)
    return _page(request, TokenForm(user=request.user), made=token, text=text)


@own_tokens
@require_POST
def revoke(request: HttpRequest, pk: UUID) -> HttpResponse:
    token = tokens.find_own(request.user, pk)
    tokens.revoke(token, by=request.user)
    messages.success(request, _("“%(name)s” is revoked and opens nothing any more.") % {"name": token.name})
    return redirect("workspaces:tokens")


def _page(request: HttpRequest, form: TokenForm, **made: Any) -> HttpResponse:
    rows = [_row(token) for token in tokens.own(request.user)]
    ended = [row for row in rows if row["fault"]][:_MOST_ENDED]
    context = {"form": form, "words": WORDS, "open": [row for row in rows if not row["fault"]], "ended": ended, **made}
    return render(request, "workspaces/tokens.html", context, status=400 if form.errors else 200)


def _row(token: ApiToken) -> dict[str, Any]:
    return {
        "token": token,
        "fault": tokens.fault_of(token),
        "workspaces": sorted(workspace.name for workspace in token.workspaces.all()),
        "may": [label for code, (label, _why) in WORDS.items() if code in token.actions],
    }
