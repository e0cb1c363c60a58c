"""Accounts that come through the identity provider: known by issuer and subject, never by name or e-mail address."""

import secrets
from typing import Any

from allauth.core.exceptions import ImmediateHttpResponse
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter
from allauth.socialaccount.models import SocialAccount, SocialLogin
from allauth.socialaccount.providers.base import AuthProcess
from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import IntegrityError, transaction
from django.http import HttpRequest
from django.shortcuts import render

from audit.events import EventType
from audit.record import record
from workspaces import members
from workspaces.identity import linking, links
from workspaces.identity.id_token import Identity
from workspaces.identity.provider_http import ProviderSession
from workspaces.models import User
from workspaces.secrets import seal


class ProviderAdapter(DefaultSocialAccountAdapter):
    """What django-allauth asks us about providers. Its own way of signing up stays closed."""

    def is_open_for_signup(self, request: HttpRequest, sociallogin: Any) -> bool:
        return False

    def get_requests_session(self) -> ProviderSession:
        return ProviderSession()

    def pre_social_login(self, request: HttpRequest, sociallogin: SocialLogin) -> None:
        """The person is proven: find or make their account, and apply their groups, before anybody is signed in."""
        identity: Identity = sociallogin.identity
        process = sociallogin.state.get("process")
        if process in {linking.LINK, linking.CONFIRM}:
            answer = linking.finish(request, identity, sociallogin.state, process)
            raise ImmediateHttpResponse(answer or refused(request, "another_person"))
        if process != AuthProcess.LOGIN:
            raise ImmediateHttpResponse(refused(request, "process"))
        account = arrive(identity)
        if account is None:
            raise ImmediateHttpResponse(refused(request, "unknown_person"))
        sociallogin.account, sociallogin.user = account, account.user
        # Kept over the second factor that may be asked for next.
        sociallogin.state["opened"] = {
            "sid": identity.session,
            "id_token": seal(sociallogin.id_token),
            "asked_at": sociallogin.asked_at,
        }

    def on_authentication_error(
        self,
        request: HttpRequest,
        provider: Any,
        error: Any = None,
        exception: Exception | None = None,
        extra_context: dict[str, Any] | None = None,
    ) -> None:
        record_refused(getattr(exception, "fault", type(exception).__name__ if exception else "state_or_error"))


def arrive(identity: Identity) -> SocialAccount | None:
    """The account of this person, with exactly the places their groups give; None if there is and may be none."""
    try:
        return _arrive(identity)
    except IntegrityError:
        # Another first sign-in of the same person, or of one with the same name, was quicker.
        return _arrive(identity)


@transaction.atomic
def _arrive(identity: Identity) -> SocialAccount | None:
    account = links.known(identity)
    if account is None:
        if not settings.OIDC_CREATE:
            return None
        account = links.attach(identity, _new_user(identity))
    links.vouched(account, identity)
    return account


def _new_user(identity: Identity) -> User:
    """An account that belongs nowhere and has no password. Its name is the provider's wish, never somebody else's."""
    name = _username(identity.username) or _username(identity.email) or "person"
    if User.objects.filter(username__iexact=name).exists():
        name = f"{name}-{secrets.token_hex(4)}"
    return members.create_user(username=name, email=_email(identity.email), display_name=identity.name, by=None)


def _username(wanted: str) -> str:
    name = User.normalize_username(wanted)[:120]
    try:
        User.username_validator(name)
    except ValidationError:
        return ""
    return name


def _email(told: str) -> str:
    try:
        validate_email(told)
    except ValidationError:
        return ""
    return told


def record_refused(fault: str) -> None:
    """A sign-in through the provider that did not come about, in the trail."""
    with transaction.atomic():
        record(EventType.SIGN_IN_FAILED, provider=settings.OIDC_PROVIDER, fault=fault)


def refused(request: HttpRequest, fault: str) -> Any:
    """The page that says that a sign-in did not come about, with its entry in the trail."""
    record_refused(fault)
    return render(
        request, "socialaccount/authentication_error.html", {"unknown": fault == "unknown_person"}, status=401
    )
