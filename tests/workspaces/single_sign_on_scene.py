"""Signing in through the identity provider as a browser does, step by step."""

import json
from typing import Any
from urllib.parse import parse_qs, urlsplit

from django.http import HttpResponse
from django.test import Client

from audit.events import EventType
from audit.models import Event
from tests.oidc_provider import Provider

CALLBACK = "http://testserver/sign-in/with/oidc/login/callback/"


def entries(type: EventType) -> list[dict[str, Any]]:
    """The bodies of the trail's entries of one type, in order."""
    return [json.loads(body) for body in Event.objects.filter(type=type).order_by("seq").values_list("body", flat=True)]


def begin(client: Client, **fields: str) -> str:
    """Press the provider's button; the address the browser is sent to."""
    sent = client.post("/sign-in/with/oidc/login/", fields)
    assert sent.status_code == 302, sent.content.decode()
    return sent["Location"]


def come_back(client: Client, location: str, **changed: Any) -> HttpResponse:
    """Follow the provider's answer, with some of its parameters changed or (None) left out."""
    parts = urlsplit(location)
    parameters = {name: values[0] for name, values in parse_qs(parts.query).items()} | changed
    return client.get(parts.path, {name: value for name, value in parameters.items() if value is not None})


def confirm_at(provider: Provider, client: Client, subject: str, **fields: str) -> HttpResponse:
    """Sign in at the provider once more, as whoever has nothing else must before second factors change."""
    sent = client.post("/account/confirm/provider/", fields)
    return come_back(client, provider.sign_in(sent["Location"], subject))


def sign_in_as(provider: Provider, subject: str, client: Client | None = None) -> tuple[Client, HttpResponse]:
    """A whole sign-in of `subject`; the browser, and the portal's last answer."""
    client = client or Client()
    return client, come_back(client, provider.sign_in(begin(client), subject))
