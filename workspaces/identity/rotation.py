"""Give a session another id when what it may do changes, so that an id known from before is worth nothing."""

from collections.abc import Iterator
from contextlib import contextmanager

from allauth.usersessions.models import UserSession
from django.http import HttpRequest


def rotate(request: HttpRequest) -> None:
    """Change the session's id; the person's list of sessions goes on naming it."""
    with still_listed(request):
        request.session.cycle_key()


@contextmanager
def still_listed(request: HttpRequest) -> Iterator[None]:
    """Let the session's id change inside the block: a session that no list names could not be ended."""
    before = request.session.session_key
    yield
    UserSession.objects.filter(session_key=before).update(session_key=request.session.session_key)
