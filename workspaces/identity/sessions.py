"""When a session ends by itself, and which of one's sessions are open.

A session lasts SESSION_COOKIE_AGE from the sign-in whatever is done in it, and SESSION_IDLE_SECONDS without a request.
Both are kept on our side: a cookie's own age is only advice to a browser.
"""

from time import time

from allauth.usersessions.adapter import get_adapter
from allauth.usersessions.models import UserSession
from django.conf import settings
from django.http import HttpRequest
from django.utils import timezone

from workspaces.models import User

_STARTED = "signed_in_at"
_SEEN = "seen_at"
#: Seconds between two notes that a session is in use; each costs two writes.
_NOTE_EVERY = 120


def begin(request: HttpRequest) -> None:
    """Note in a session that somebody has just signed in to it."""
    request.session[_STARTED] = request.session[_SEEN] = int(time())


def is_over(request: HttpRequest) -> bool:
    """Whether the session of this request has lasted, or lain idle, for too long."""
    now = time()
    started = request.session.get(_STARTED, 0)
    seen = request.session.get(_SEEN, 0)
    return now - started > settings.SESSION_COOKIE_AGE or now - seen > settings.SESSION_IDLE_SECONDS


def note_use(request: HttpRequest) -> None:
    """Note, now and then, that the session is in use."""
    now = int(time())
    if now - request.session.get(_SEEN, 0) < _NOTE_EVERY:
        return
    request.session[_SEEN] = now
    UserSession.objects.filter(session_key=request.session.session_key).update(last_seen_at=timezone.now())


def end_others(request: HttpRequest) -> None:
    """End every session of this person but the one of this request."""
    others = UserSession.objects.filter(user=request.user).exclude(session_key=request.session.session_key)
    get_adapter().end_sessions(list(others))


def end_all(user: User) -> None:
    """End every session of this person."""
    get_adapter().end_sessions(list(UserSession.objects.filter(user=user)))
