"""What a request came with, to be asked again by what goes on after the request, such as a stream.

A right that ends ends at the next use: a stream uses its credential every few seconds.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from uuid import UUID

from django.conf import settings
from django.contrib.auth import get_user
from django.http import HttpRequest

from audit import context
from workspaces.identity import sessions
from workspaces.models import User
from workspaces.tokens import keeping as tokens
from workspaces.tokens.authentication import token_of


@dataclass(frozen=True, slots=True)
class Credential:
    """The person who came, and with which token or in which session."""

    user_id: UUID
    token_id: UUID | None
    session_key: str

    @contextmanager
    def in_use(self) -> Iterator[User | None]:
        """Act as the person, as they are now and within the credential's scope; None when it no longer lets them in."""
        if self.token_id is not None:
            token = tokens.still_open(self.token_id)
            user, scope = (token.user, tokens.scope_of(token)) if token else (None, None)
        else:
            user, scope = _in_session(self.session_key), None
        # Of a session that somebody else has taken over meanwhile, nothing is shown to anybody.
        with context.acting(user, scope=scope):
            yield user if user is not None and user.pk == self.user_id else None


def credential_of(request: HttpRequest) -> Credential:
    """The credential of a request that was let in."""
    token = token_of(request)
    if token is not None:
        return Credential(request.user.pk, token.pk, "")
    return Credential(request.user.pk, None, request.session.session_key or "")


def _in_session(key: str) -> User | None:
    request = HttpRequest()
    request.session = import_module(settings.SESSION_ENGINE).SessionStore(key)
    user = get_user(request)
    return user if isinstance(user, User) and not sessions.is_over(request) else None
