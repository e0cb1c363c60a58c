"""Every address of the portal, from the resolver: strangers find nothing, members only what their role opens."""

import json
import os
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

from audit.events import EventType
from audit.models import Event
from tests.contracts.trying import TRIED
from workspaces.identity.decorators import OWN_ACCOUNT
from workspaces.models import User
from workspaces.notifications.views import OWN_NOTICES
from workspaces.roles import CHARTERS, Action, PlatformAction, Role
from workspaces.tokens.views import OWN_TOKENS

#: Addresses that ask for no right: signing in and out, the language, the list of one's own workspaces.
SIGNING_IN = {
    "account_login",
    "mfa_authenticate",
    "mfa_login_webauthn",
    "openid_connect_login",
    "openid_connect_callback",
    "openid_connect_back_channel_logout",
    "emergency_sign_in",
    "socialaccount_login_cancelled",
    "socialaccount_login_error",
}
#: Asked by machines that have no account; what they are told stands in tests/inlock/test_health.py.
FOR_MACHINES = {"health_live", "health_ready"}
WITHOUT_A_RIGHT = {*SIGNING_IN, *FOR_MACHINES, "account_logout", "set_language", "home"}
DEEP = bool(os.environ.get("INLOCK_DEEP"))
METHODS = ("get", "post", "put", "patch", "delete")
#: With which people who have an account ask: that no address takes another one is proved by `test_table.py`.
OF_AN_ACCOUNT = METHODS if DEEP else ("get", "post")


@dataclass(frozen=True)
class Route:
    """One address with made-up ids in it, and the right its view declares."""

    name: str
    path: str
    action: str | None

    def __str__(self) -> str:
        return self.name


def _routes(resolver: URLResolver, namespace: str = "", prefix: str = "") -> Iterator[Route]:
    for entry in resolver.url_patterns:
        route = prefix + str(entry.pattern)
        if isinstance(entry, URLResolver):
            if entry.app_name not in {"admin", "ninja"}:  # the admin and the API have sweeps of their own
                yield from _routes(entry, f"{entry.namespace}:" if entry.namespace else namespace, route)
        elif isinstance(entry, URLPattern):
            path = "/" + route
            for name, converter in entry.pattern.converters.items():
                kind = type(converter).__name__.removesuffix("Converter").lower()
                example = {"slug": "policies", "uuid": str(uuid.uuid4()), "int": "1"}.get(kind, "x")
                path = path.replace(f"<{kind}:{name}>", example)
            for _name, converter in resolver.pattern.converters.items():
                kind = type(converter).__name__.removesuffix("Converter").lower()
                path = path.replace("<slug:slug>", "policies") if kind == "slug" else path
            action = getattr(entry.callback, "required_action", None)
            yield Route(f"{namespace}{entry.name}", path, action)


ROUTES = list(_routes(get_resolver()))
GUARDED = [route for route in ROUTES if route.name not in WITHOUT_A_RIGHT]
INSIDE = [route for route in GUARDED if route.path.startswith("/w/")]


def test_the_sweep_sees_the_portal():
    names = {route.name for route in ROUTES}

    assert {"workspaces:people", "documents:upload", "documents:detail", "answers:ask"} <= names
    assert all("<" not in route.path for route in ROUTES)


def test_every_view_declares_the_right_it_asks_for():
    rights = {*Action.values, *PlatformAction.values, OWN_ACCOUNT, OWN_TOKENS, OWN_NOTICES}

    assert [route.name for route in GUARDED if route.action not in rights] == []


@pytest.mark.django_db
def test_nobody_gets_past_the_sign_in_page_without_an_account() -> None:
    client = Client()
    for route in ROUTES:
        if route.name in {*SIGNING_IN, *FOR_MACHINES, "set_language"}:
            continue
        for method in METHODS:
            response = getattr(client, method)(route.path)
            TRIED["addresses × methods × visitors"] += 1

            assert response.status_code in {302, 405}, (method, route.path, response.status_code)
            if response.status_code == 302:
                assert response["Location"].startswith("/sign-in/"), route.path


def is_refused_everywhere(client: Client, person: User, routes: list[Route], status: int) -> None:
    """Raise AssertionError unless each address answers with `status`, and the trail names the right each time."""
    refused: dict[str, Route] = {}
    for route in routes:
        for method in OF_AN_ACCOUNT:
            response = getattr(client, method)(route.path)
            TRIED["addresses × methods × visitors"] += 1

            assert response.status_code in {status, 405}, (method, route.path, response.status_code)
            if response.status_code == status:
                refused[response["X-Request-Id"]] = route
    assert set(refused.values()) == set(routes)
    denials = Event.objects.filter(type=EventType.ACCESS_DENIED, actor_id=str(person.pk))
    told = {one.request_id: json.loads(one.body)["details"]["action"] for one in denials}
    assert told == {request: route.action for request, route in refused.items()}


def test_a_stranger_finds_nothing_and_the_trail_says_who_tried(policies: Any, stranger: User, client_of: Any) -> None:
    is_refused_everywhere(client_of(stranger), stranger, INSIDE, 404)


def closed_to() -> dict[Role, list[Route]]:
    """At each address one of the roles it is closed to, and each role once for each right it lacks."""
    found: dict[Role, list[Route]] = {role: [] for role in Role}
    for number, route in enumerate(INSIDE):
        without = [role for role in Role if route.action not in CHARTERS[role].actions]
        for role in without:
            is_new = route.action not in {other.action for other in found[role]}
            if DEEP or is_new or role is without[number % len(without)]:
                found[role].append(route)
    return found


@pytest.mark.parametrize("role", Role)
def test_a_role_without_the_action_is_refused_in_every_way(
    role: Role, policies: Any, client_of: Any, request: Any
) -> None:
    person = request.getfixturevalue(role.value)

    is_refused_everywhere(client_of(person), person, closed_to()[role], 403)


def test_an_address_that_opens_to_somebody_without_the_action_would_be_seen(
    policies: Any, member: User, client_of: Any
) -> None:
    opened = next(route for route in INSIDE if route.name == "documents:list")

    with pytest.raises(AssertionError):
        is_refused_everywhere(client_of(member), member, [opened], 403)
