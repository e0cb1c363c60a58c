"""The forms of signing in and of second factors, in our words and counted by our throttle."""

from typing import Any

from allauth.account.forms import LoginForm
from allauth.account.forms import ReauthenticateForm as PasswordAgainForm
from allauth.core import context
from allauth.mfa.base.forms import AuthenticateForm, ReauthenticateForm
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.forms import ActivateTOTPForm
from allauth.mfa.webauthn.forms import (
    AddWebAuthnForm,
    AuthenticateWebAuthnForm,
    EditWebAuthnForm,
    LoginWebAuthnForm,
    ReauthenticateWebAuthnForm,
)
from django import forms
from django.contrib.auth.forms import PasswordChangeForm, UsernameField
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext_lazy as _

from audit.events import EventType
from audit.record import record
from workspaces import accounts
from workspaces.identity import throttle
from workspaces.identity.adapters import WRONG_CODE
from workspaces.models import User


class SignInForm(LoginForm):
    """User name and password."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["login"] = UsernameField(label=_("User name"), max_length=150)
        self.fields["password"] = _password(_("Password"))
        self.fields["remember"].label = _("Stay signed in when the browser closes")
        self.order_fields(["login", "password", "remember"])

    def add_prefix(self, field_name: str) -> str:
        # What the field is called in the page: password managers know `username`.
        return super().add_prefix("username" if field_name == "login" else field_name)


class OwnPasswordForm(PasswordChangeForm):
    """Another password for oneself, which ends one's other sessions. Guesses at the old one are counted."""

    def clean_old_password(self) -> str:
        attempt = throttle.Attempt(throttle.by_account(self.user.get_username()))
        password = super().clean_old_password()
        attempt.succeeded()
        return password

    def save(self, commit: bool = True) -> User:
        accounts.set_password(self.user, self.cleaned_data["new_password1"], by=self.user)
        return self.user


class ConfirmPasswordForm(PasswordAgainForm):
    """The password once more, before something that outlasts the session."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["password"] = _password(_("Your password"))


class _CountedCode:
    """A code from an app or from the recovery list: every try is counted, and a right one is spent."""

    user: User
    authenticator: Authenticator
    fields: dict[str, forms.Field]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["code"] = _code(_("Code from your app, or a recovery code"))

    def clean_code(self) -> str:
        attempt = throttle.Attempt(throttle.by_code(self.user.pk))
        try:
            code = self._spent_code()
        except ValidationError:
            record_refused(self.user, "code")
            raise
        attempt.succeeded()
        return code

    @transaction.atomic
    def _spent_code(self) -> str:
        code = super().clean_code()  # type: ignore[misc]
        if not throttle.first_use(self.user.pk, code):
            raise ValidationError(WRONG_CODE)
        if self.authenticator.type == Authenticator.Type.RECOVERY_CODES:
            self.authenticator.refresh_from_db(fields=["data"])
            left = len(self.authenticator.wrap().get_unused_codes())
            record(EventType.RECOVERY_CODE_USED, on=self.user, by=self.user, codes_left=left)
        return code

    def _emit_authentication_failed(self, authenticator: Authenticator) -> None:
        """`clean_code` writes the entry, outside of the transaction that the error undoes."""


class CodeForm(_CountedCode, AuthenticateForm):
    """The second step of a sign-in."""


class ConfirmCodeForm(_CountedCode, ReauthenticateForm):
    """A code once more, before something that outlasts the session."""


class _CountedKey:
    """A passkey's answer; one that does not fit is counted and in the trail."""

    user: User | None

    def clean_credential(self) -> Authenticator:
        attempt = throttle.Attempt(self._counter())
        try:
            authenticator = super().clean_credential()  # type: ignore[misc]
        except ValidationError:
            record_refused(self.user, "passkey")
            raise
        attempt.succeeded()
        return authenticator

    def _counter(self) -> throttle.Counter:
        # Without a password before it, the credential alone names the account: counting by account would let anybody
        # lock anybody out.
        return throttle.by_code(self.user.pk) if self.user else throttle.by_address(context.request)


class PasskeyForm(_CountedKey, LoginWebAuthnForm):
    """A sign-in by passkey alone."""


class KeyForm(_CountedKey, AuthenticateWebAuthnForm):
    """A passkey as the second step of a sign-in."""


class ConfirmKeyForm(_CountedKey, ReauthenticateWebAuthnForm):
    """A passkey once more, before something that outlasts the session."""


class NewAppForm(ActivateTOTPForm):
    """The first code of a new authenticator app proves that it was set up."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["code"] = _code(_("Code that the app shows now"))


class NewPasskeyForm(AddWebAuthnForm):
    """A new passkey and its name."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["name"].label = _("Name")
        self.fields["name"].max_length = 60
        self.fields["name"].help_text = _("By which you will know it, such as the device it lives on.")
        self.fields["passwordless"].label = _("Sign in with it alone, without user name and password")
        self.fields["passwordless"].help_text = _("The device then asks for your finger, face or PIN each time.")
        self.fields["passwordless"].initial = True


class RenamePasskeyForm(EditWebAuthnForm):
    """Another name for a passkey."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["name"] = forms.CharField(label=_("Name"), max_length=60, initial=self.fields["name"].initial)


def record_refused(user: User | None, factor: str) -> None:
    """A second factor that did not fit, in the trail: never what was typed."""
    with transaction.atomic():
        name = {"name_given": user.get_username()} if user else {}
        record(EventType.SIGN_IN_FAILED, on=user, factor=factor, **name)


def _password(label: Any) -> forms.CharField:
    widget = forms.PasswordInput(attrs={"autocomplete": "current-password"})
    return forms.CharField(label=label, strip=False, max_length=4096, widget=widget)


def _code(label: Any) -> forms.CharField:
    attributes = {"autocomplete": "one-time-code", "autocapitalize": "none", "spellcheck": "false", "autofocus": True}
    return forms.CharField(label=label, max_length=32, widget=forms.TextInput(attrs=attributes))
