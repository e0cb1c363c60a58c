"""The mark of pages about one's own account."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.db import transaction
from django.http import HttpRequest, HttpResponse

from workspaces.identity import confirming

View = Callable[..., HttpResponse]

#: What such a page asks for: a sign-in and nothing else. It shows and changes only what belongs to whoever asks.
OWN_ACCOUNT = "own_account"


def own_account(view: View) -> View:
    """Mark a page about one's own account; it stays open while a required second factor is missing."""

    @wraps(view)
    def wrapped(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        return view(request, *args, **kwargs)

    wrapped.required_action = OWN_ACCOUNT  # type: ignore[attr-defined]
    return wrapped


def recorded(view: View) -> View:
    """Run a view that changes factors in one transaction with the entries that tell of it, once it was confirmed."""

    @wraps(view)
    def confirmed(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        confirming.require_confirmed(request)
        return view(request, *args, **kwargs)

    return own_account(transaction.atomic(confirmed))
