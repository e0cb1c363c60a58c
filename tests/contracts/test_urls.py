"""Every address of the portal, from the resolver: strangers find nothing, members only what their role opens."""

import uuid
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from django.urls import URLPattern, URLResolver, get_resolver

from audit.events import EventType
from audit.models import Event
from tests.contracts.trying import TRIED
from tests.contracts.world import World
from workspaces.identity.decorators import OWN_ACCOUNT
from workspaces.notification_views import OWN_NOTICES
from workspaces.roles import CHARTERS, Action, PlatformAction, Role
from workspaces.token_views import OWN_TOKENS

pytestmark = pytest.mark.xdist_group("contracts-urls")

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
METHODS = ("get", "post", "put", "patch", "delete")


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


@pytest.mark.parametrize("route", GUARDED, ids=str)
def test_every_view_declares_the_right_it_asks_for(route):
    assert route.action in {*Action.values, *PlatformAction.values, OWN_ACCOUNT, OWN_TOKENS, OWN_NOTICES}


@pytest.mark.parametrize("route", ROUTES, ids=str)
def test_nobody_gets_past_the_sign_in_page_without_an_account(route: Route, world: World) -> None:
    if route.name in {*SIGNING_IN, *FOR_MACHINES, "set_language"}:
        return
    for method in METHODS:
        response = getattr(world.client(None), method)(route.path)
        TRIED["addresses × methods × visitors"] += 1

        assert response.status_code in {302, 405}, (method, response.status_code)
        if response.status_code == 302:
            assert response["Location"].startswith("/sign-in/")


@pytest.mark.parametrize("route", INSIDE, ids=str)
def test_a_stranger_finds_nothing_and_the_trail_says_who_tried(route: Route, world: World) -> None:
    stranger, client = world.people["stranger"], world.client("stranger")

    for method in METHODS:
        response = getattr(client, method)(route.path)
        TRIED["addresses × methods × visitors"] += 1

        assert response.status_code in {404, 405}, (method, response.status_code)
    assert Event.objects.filter(type=EventType.ACCESS_DENIED, actor_id=str(stranger.pk)).exists()


@pytest.mark.parametrize("route", INSIDE, ids=str)
def test_a_role_without_the_action_is_refused_in_every_way(route: Route, world: World) -> None:
    for role in Role:
        if route.action in CHARTERS[role].actions:
            continue
        user, client = world.people[role.value], world.client(role.value)

        for method in METHODS:
            response = getattr(client, method)(route.path)
            TRIED["addresses × methods × visitors"] += 1

            assert response.status_code in {403, 405}, (role, method, response.status_code)
        event = Event.objects.filter(type=EventType.ACCESS_DENIED, actor_id=str(user.pk)).last()
        assert event is not None, role
        assert f'"action":"{route.action}"' in event.body, role
