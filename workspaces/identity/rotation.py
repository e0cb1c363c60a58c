"""Give a session another id when what it may do changes, so that an id known from before is worth nothing."""

from allauth.usersessions.models import UserSession
from django.http import HttpRequest


def rotate(request: HttpRequest) -> None:
    """Change the session's id; the person's list of sessions goes on naming it."""
    before = request.session.session_key
    request.session.cycle_key()
    UserSession.objects.filter(session_key=before).update(session_key=request.session.session_key)
