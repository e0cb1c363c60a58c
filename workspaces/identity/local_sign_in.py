"""Whether a password opens anything here.

Where INLOCK_LOCAL_SIGN_IN is off, people come in through the identity provider alone. One emergency account may still
sign in, at an address of its own, with its password and a second factor, for the day the provider fails.
"""

import logging
from collections.abc import Callable
from datetime import datetime
from functools import wraps
from typing import Any

from django.conf import settings
from django.contrib.auth import authenticate
from django.contrib.auth.signals import user_login_failed
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse

from audit.events import EventType
from audit.models import Event
from audit.record import record
from workspaces.identity import requirement
from workspaces.models import User

logger = logging.getLogger(__name__)

View = Callable[..., HttpResponse]
#: In a session: the provider's word it was opened with.
PROVIDER = "provider_uid"


def with_local_sign_in(view: View) -> View:
    """A page that exists only where people sign in here."""

    @wraps(view)
    def wrapped(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if not settings.LOCAL_SIGN_IN:
            raise Http404
        return view(request, *args, **kwargs)

    return wrapped


def asks_no_password(view: View) -> View:
    """The sign-in page: it takes no password where people sign in at the provider alone."""

    @wraps(view)
    def wrapped(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if not settings.LOCAL_SIGN_IN and request.method not in {"GET", "HEAD"}:
            raise Http404
        return view(request, *args, **kwargs)

    return wrapped


def for_emergencies(view: View) -> View:
    """The page of the emergency account; there is none where passwords open the front door, or nobody is named."""

    @wraps(view)
    def wrapped(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if settings.LOCAL_SIGN_IN or not settings.EMERGENCY_ACCOUNT:
            raise Http404
        return view(request, *args, **kwargs)

    return wrapped


def person_of(request: HttpRequest, *, username: str, password: str, **more: Any) -> User | None:
    """Whom this password lets in. Everybody else gets the same refusal at the same cost, and an entry in the trail."""
    credentials = {"username": username, "password": password, **more}
    if not settings.LOCAL_SIGN_IN and username != settings.EMERGENCY_ACCOUNT:
        User().set_password(password)  # the work that a wrong password costs
        return _failed(request, credentials)
    user = authenticate(request, **credentials)
    if user is not None and not lets_in(user, by_provider=False):
        return _failed(request, credentials)
    return user


def lets_in(user: User, *, by_provider: bool) -> bool:
    """Whether a sign-in of this person may end in a session."""
    return by_provider or settings.LOCAL_SIGN_IN or (is_emergency(user) and requirement.has_factor(user))


def is_emergency(user: User) -> bool:
    """Whether this is the account that signs in here although nobody does."""
    return bool(settings.EMERGENCY_ACCOUNT) and user.get_username() == settings.EMERGENCY_ACCOUNT


def has_ended(request: HttpRequest) -> bool:
    """Whether this session was opened with less than is asked for now, before that was so."""
    if settings.LOCAL_SIGN_IN or PROVIDER in request.session:
        return False
    return not (is_emergency(request.user) and requirement.has_shown(request.session, request.user))


def note_emergency(user: User) -> None:
    """The emergency account has signed in: tell the trail, and whoever reads the logs."""
    with transaction.atomic():
        record(EventType.EMERGENCY_SIGN_IN, on=user, by=user)
    logger.warning("The emergency account %s has signed in.", user.pk)


def emergency_lacks() -> str:
    """What keeps the emergency account from signing in, in an operator's words; empty when nothing does."""
    user = User.objects.filter(username=settings.EMERGENCY_ACCOUNT, is_active=True).first()
    if user is None:
        return "there is no open account of this name"
    if not user.has_usable_password():
        return "it has no password"
    return "" if requirement.has_factor(user) else "it has no second factor"


def emergency_used_at() -> datetime | None:
    """When the emergency account last signed in."""
    used = Event.objects.filter(type=EventType.EMERGENCY_SIGN_IN).order_by("-at")
    return used.values_list("at", flat=True).first()


def _failed(request: HttpRequest, credentials: dict[str, Any]) -> None:
    user_login_failed.send(sender=__name__, credentials=credentials, request=request)
