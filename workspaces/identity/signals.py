"""What is announced about second factors: the trail hears of it, and sessions take note."""

from typing import Any

from allauth.account.signals import user_logged_in
from allauth.core.exceptions import ImmediateHttpResponse
from allauth.mfa import signals as mfa
from allauth.mfa.models import Authenticator
from allauth.usersessions.adapter import get_adapter
from allauth.usersessions.models import UserSession
from django.conf import settings
from django.contrib.auth import logout
from django.db.models.signals import post_delete, post_save

from audit.events import EventType
from audit.record import record
from workspaces.identity import back_channel, endings, local_sign_in, providers, requirement, sessions, sign_out
from workspaces.models import User


def record_factors() -> None:
    """Connect the entries for second factors, written in the transaction that adds or removes one."""
    post_save.connect(_factor_saved, sender=Authenticator, dispatch_uid="audit-factor-saved")
    post_delete.connect(_factor_deleted, sender=Authenticator, dispatch_uid="audit-factor-deleted")
    mfa.authenticator_used.connect(_factor_used, dispatch_uid="factor-used")
    mfa.authenticator_added.connect(_factor_added, dispatch_uid="factor-added")
    mfa.authenticator_removed.connect(_factor_removed, dispatch_uid="factor-removed")


def note_ways_in() -> None:
    """Connect the note of how a session was opened: with the provider's word, by the emergency account, or neither."""
    user_logged_in.connect(_signed_in, dispatch_uid="way-in")


def _signed_in(request: Any, user: Any, sociallogin: Any = None, **kwargs: Any) -> None:
    if sociallogin is not None:
        _note_provider(request, sociallogin)
    elif not settings.LOCAL_SIGN_IN:
        local_sign_in.note_emergency(user)
    identity = getattr(sociallogin, "identity", None)
    if identity is not None and identity.second_factor:
        requirement.note_shown(request.session, user)


def _note_provider(request: Any, sociallogin: Any) -> None:
    """In the session: with which identity it was opened. In the list of sessions: what the provider may end it by."""
    opened = sociallogin.state.get("opened", {})
    request.session[local_sign_in.PROVIDER] = sociallogin.account.uid
    request.session[sign_out.ID_TOKEN] = opened.get("id_token", "")
    told = {back_channel.UID: sociallogin.account.uid, back_channel.SID: opened.get("sid", "")}
    session = UserSession.objects.filter(session_key=request.session.session_key)
    session.update(data=told)
    # Asked when the session can be found already: what the provider ends from here on ends it.
    if endings.has_ended(uid=sociallogin.account.uid, sid=opened.get("sid", ""), since=opened.get("asked_at", 0)):
        get_adapter().end_sessions(list(session))
        logout(request)
        raise ImmediateHttpResponse(providers.refused(request, "ended_there"))


def _factor_saved(instance: Authenticator, created: bool, **kwargs: Any) -> None:
    if created:
        record(EventType.FACTOR_ADDED, on=instance.user, factor=instance.type)


def _factor_deleted(instance: Authenticator, origin: Any, **kwargs: Any) -> None:
    if not isinstance(origin, User):
        record(EventType.FACTOR_REMOVED, on=instance.user, factor=instance.type)


def _factor_used(request: Any, user: Any, **kwargs: Any) -> None:
    requirement.note_shown(request.session, user)


def _factor_added(request: Any, user: Any, authenticator: Authenticator, **kwargs: Any) -> None:
    if authenticator.type not in requirement.FACTORS:
        return
    requirement.note_shown(request.session, user)
    if Authenticator.objects.filter(user=user, type__in=requirement.FACTORS).count() == 1:
        # A session that somebody opened with the password alone must not outlive the day the second factor begins.
        sessions.end_others(request)


def _factor_removed(request: Any, user: Any, **kwargs: Any) -> None:
    requirement.note_removed(request.session, user)
