"""What Django announces and the trail must hear: sign-ins, sign-outs, and a changed role table."""

from typing import Any

from django.contrib.auth import signals as auth
from django.contrib.auth.models import update_last_login
from django.db import transaction
from django.utils.crypto import salted_hmac

from audit.events import EventType
from audit.record import record
from workspaces.identity import sessions
from workspaces.language_views import note_language
from workspaces.members import renew_all_role_groups
from workspaces.models import User, ViewAs
from workspaces.view_as import looks as view_as

_SALT = "workspaces.signals.sign-in"


def renew_role_permissions(**kwargs: Any) -> None:
    """After `migrate`: every workspace's role groups hold what the role table says now."""
    renew_all_role_groups()


def record_sign_ins() -> None:
    """Connect the entries for signing in, out, and failing to."""
    # Django would note the time by itself, entry or none: here it is noted together with the entry.
    auth.user_logged_in.disconnect(dispatch_uid="update_last_login")
    auth.user_logged_in.connect(_signed_in, dispatch_uid="audit-signed-in")
    auth.user_logged_out.connect(_signed_out, dispatch_uid="audit-signed-out")
    auth.user_login_failed.connect(_failed, dispatch_uid="audit-sign-in-failed")


def _signed_in(user: Any, request: Any, **kwargs: Any) -> None:
    with transaction.atomic():
        update_last_login(None, user)
        note_language(user)
        record(EventType.USER_SIGNED_IN, on=user, by=user)
    sessions.begin(request)


def _signed_out(user: Any, **kwargs: Any) -> None:
    if user is not None:
        with transaction.atomic():
            view_as.end_all(ViewAs.objects.filter(viewer=user), how=view_as.SIGNED_OUT)
            record(EventType.USER_SIGNED_OUT, on=user, by=user)


def _failed(credentials: dict[str, Any], **kwargs: Any) -> None:
    typed = str(credentials.get("username", ""))[:150]
    # Now and then a person types their password here, and the trail forgets nothing: a name that no account has is
    # kept as a keyed hash, by which repeated attempts are still seen to be of one name.
    known = User.objects.filter(username=typed).exists()
    name: dict[str, Any] = {"name_given": typed} if known else {"name_hmac": _mark(typed)}
    with transaction.atomic():
        record(EventType.SIGN_IN_FAILED, **name)


def _mark(typed: str) -> str:
    return salted_hmac(_SALT, typed, algorithm="sha256").hexdigest()
