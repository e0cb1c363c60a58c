"""Signing in as a browser does, and second factors as their owners hold them."""

from datetime import timedelta
from typing import Any

from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal import auth as totp
from django.db import transaction
from django.http import HttpResponse
from django.test import Client

from tests.conftest import PASSWORD


def browser(username: str, password: str = PASSWORD, **options: Any) -> Client:
    """A browser that has sent the sign-in form."""
    client = Client(**options)
    sign_in(client, username, password)
    return client


def sign_in(client: Client, username: str, password: str = PASSWORD, **fields: str) -> HttpResponse:
    return client.post("/sign-in/", {"username": username, "password": password, **fields})


def is_signed_in(client: Client) -> bool:
    return client.get("/account/").status_code == 200


def confirm(client: Client, password: str = PASSWORD) -> None:
    """Say once more that it is you, as the pages that change factors ask."""
    assert client.post("/account/confirm/", {"password": password}).status_code == 302


def set_up_app(client: Client) -> str:
    """Set up an authenticator app through the pages; the secret that the phone now holds."""
    confirm(client)
    page = client.get("/account/app/")
    secret = page.context["form"].secret
    done = client.post("/account/app/", {"code": code_of(secret)})
    assert done.status_code == 302, done.content.decode()
    return secret


def give_app(user: Any) -> str:
    """What `set_up_app` leaves behind, without its pages; the secret that the phone now holds."""
    secret = totp.generate_totp_secret()
    with transaction.atomic():
        totp.TOTP.activate(user, secret)
        RecoveryCodes.activate(user)
    return secret


def code_of(secret: str, steps: int = 0) -> str:
    """What the app shows now, or `steps` of thirty seconds later."""
    counter = list(totp.yield_hotp_counters_from_time())[1] + steps
    return totp.format_hotp_value(totp.hotp_value(secret, counter))


def recovery_codes(user: Any) -> list[str]:
    return Authenticator.objects.get(user=user, type=Authenticator.Type.RECOVERY_CODES).wrap().get_unused_codes()


def age(client: Client, *, started: timedelta = timedelta(), seen: timedelta = timedelta()) -> None:
    """Make the client's session older than it is."""
    session = client.session
    session["signed_in_at"] -= int(started.total_seconds())
    session["seen_at"] -= int(seen.total_seconds())
    session.save()
