"""What we tell django-allauth: who may enter, how attempts are counted, how its secrets are kept."""

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.internal.stagekit import clear_login
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.models import Authenticator
from allauth.usersessions.adapter import DefaultUserSessionsAdapter
from allauth.usersessions.models import UserSession
from django.conf import settings
from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext_lazy as _
from qrcode import QRCode
from qrcode.image.svg import SvgPathImage

from audit.events import EventType
from audit.record import record
from workspaces import accounts
from workspaces.identity import addresses, confirming, links, local_sign_in, throttle
from workspaces.models import User
from workspaces.secrets import seal, unseal

#: The one answer to an unknown name, a wrong password and a closed account.
REFUSED = _("The user name and password do not match an open account. Both may be case-sensitive.")
WRONG_CODE = _("This code is not right, was used already, or has run out. Enter the next one.")


class AccountAdapter(DefaultAccountAdapter):
    """Accounts are made by administrators and the operator; nobody signs up."""

    error_messages = {
        **DefaultAccountAdapter.error_messages,
        "username_password_mismatch": REFUSED,
        "incorrect_password": _("This is not your password."),
    }

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False

    def authenticate(self, request: HttpRequest, **credentials: Any) -> User | None:
        """The account these credentials open, or None. Counts the attempt before the password is looked at.

        Raises TooManyAttempts and CountingUnavailable.
        """
        name = credentials["username"]
        by_name = throttle.by_account(name) if settings.LOCAL_SIGN_IN else throttle.by_emergency(request, name)
        attempt = throttle.Attempt(throttle.by_address(request), by_name)
        user = local_sign_in.person_of(request, **credentials)
        if user is not None:
            attempt.succeeded()
        return user

    def pre_login(self, request: HttpRequest, user: User, **kwargs: Any) -> HttpResponse | None:
        """Every way in passes here, before a second factor is asked for."""
        refused = super().pre_login(request, user, **kwargs)
        by_provider = "sociallogin" in (kwargs["signal_kwargs"] or {})
        if refused is None and not local_sign_in.lets_in(user, by_provider=by_provider):
            clear_login(request)
            return self.respond_user_inactive(request, user)
        return refused

    def get_reauthentication_methods(self, user: User) -> list[dict[str, Any]]:
        """No password where it opens nothing; the provider, for those who have nothing else."""
        methods = super().get_reauthentication_methods(user)
        methods = [way for way in methods if settings.LOCAL_SIGN_IN or way["id"] != "reauthenticate"]
        if not methods and settings.OIDC_ISSUER and links.of(user) is not None:
            methods.append({"id": confirming.METHOD, "description": "", "url": reverse("confirm_at_provider")})
        return methods

    def respond_user_inactive(self, request: HttpRequest, user: User) -> HttpResponse:
        # Reached with a passkey or through a provider: nobody is told that the account exists and is closed.
        messages.error(request, REFUSED)
        return redirect("account_login")

    def set_password(self, user: User, password: str) -> None:
        accounts.set_password(user, password, by=user)

    def is_safe_url(self, url: str) -> bool:
        """Only pages of the host that was asked."""
        return url_has_allowed_host_and_scheme(
            url, allowed_hosts={self.request.get_host()}, require_https=self.request.is_secure()
        )

    def get_client_ip(self, request: HttpRequest) -> str:
        return addresses.of(request)


class FactorAdapter(DefaultMFAAdapter):
    """Second factors: their secrets sealed, their names ours."""

    error_messages = {
        **DefaultMFAAdapter.error_messages,
        "incorrect_code": WRONG_CODE,
    }

    def encrypt(self, text: str) -> str:
        return seal(text)

    def decrypt(self, encrypted_text: str) -> str:
        return unseal(encrypted_text)

    def _get_user_identifier(self, user: User) -> str:
        return user.get_username()

    def generate_authenticator_name(self, user: User, type: Authenticator.Type) -> str:
        count = Authenticator.objects.filter(user=user, type=type).count()
        return str(_("Passkey %(number)s") % {"number": count + 1})

    def build_totp_svg(self, url: str) -> str:
        """The QR code as one SVG element without attributes that the content security policy forbids."""
        code = QRCode(border=2)
        code.add_data(url)
        return code.make_image(image_factory=SvgPathImage).to_string(encoding="unicode")


class SessionsAdapter(DefaultUserSessionsAdapter):
    """Ending somebody's session is in the trail, in the transaction that ends it."""

    @transaction.atomic
    def end_sessions(self, sessions: list[UserSession]) -> None:
        for session in sessions:
            record(EventType.SESSION_ENDED, on=session.user, started_at=session.created_at.isoformat())
        super().end_sessions(sessions)
