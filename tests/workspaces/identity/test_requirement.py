"""Who must have a second factor does nothing else before having one."""

import os
import subprocess
import sys

import pytest
from django.test import Client

from tests.inlock.test_settings import ROOT, SAFE
from tests.workspaces.sign_in_scene import browser, code_of, set_up_app
from workspaces.models import BreakGlass, PlatformPolicy
from workspaces.roles import PLATFORM_ADMINISTRATOR

pytestmark = pytest.mark.django_db
committed = pytest.mark.django_db(transaction=True)


@pytest.fixture
def demanding(settings):
    settings.SECOND_FACTOR_FOR_ADMIN = True


def require(*codes: str) -> None:
    PlatformPolicy.objects.update_or_create(pk=1, defaults={"second_factor_roles": list(codes)})


def is_led_to_the_set_up(client: Client, address: str) -> bool:
    response = client.get(address)
    return response.status_code == 302 and response["Location"].startswith("/account/?next=")


@pytest.mark.parametrize("address", ["/admin/", "/admin/workspaces/user/", "/admin/audit/event/", "/admin/jsi18n/"])
def test_the_admin_opens_only_with_a_second_factor(demanding, admin, address):
    assert is_led_to_the_set_up(browser("admin"), address)


@pytest.mark.parametrize("address", ["/", "/glass/policies/", "/w/policies/documents/"])
def test_who_stands_above_the_workspaces_needs_one_on_every_page(
    demanding, address, admin, superuser, member, policies
):
    assert is_led_to_the_set_up(browser("admin"), address)
    assert is_led_to_the_set_up(browser("superuser"), address)
    assert is_led_to_the_set_up(browser("member"), address) is False


def test_no_glass_is_broken_with_a_password_alone(demanding, superuser, policies):
    browser("superuser").post("/glass/policies/", {"reason": "An incident"})

    assert not BreakGlass.objects.exists()


def test_nothing_is_changed_in_the_admin_without_one(demanding, admin, member):
    client = browser("admin")

    response = client.post(f"/admin/workspaces/user/{member.pk}/change/", {"first_name": "Changed"})

    assert response.status_code == 302
    assert response["Location"].startswith("/account/?next=")
    member.refresh_from_db()
    assert member.first_name == ""


def test_the_page_says_why_one_is_there(demanding, admin):
    page = browser("admin").get("/admin/", follow=True).content.decode()

    assert "You need a second factor" in page


@committed
def test_with_a_factor_the_admin_opens_at_once_and_after_the_next_sign_in(demanding, admin):
    client = browser("admin")
    secret = set_up_app(client)
    later = browser("admin")
    later.post("/sign-in/code/", {"code": code_of(secret, steps=1)})

    assert client.get("/admin/workspaces/user/").status_code == 200
    assert later.get("/admin/workspaces/user/").status_code == 200


@committed
def test_removing_the_last_factor_closes_the_admin_again(demanding, admin):
    client = browser("admin")
    set_up_app(client)
    client.post("/account/app/remove/")

    assert is_led_to_the_set_up(client, "/admin/workspaces/user/")


def test_a_required_role_keeps_its_holder_out_of_everything_else(policies, reviewer, member):
    require("reviewer")
    held, free = browser("reviewer"), browser("member")

    for address in ("/", "/w/policies/ask/", "/w/policies/documents/", "/admin/", "/account/nothing/"):
        response = held.get(address)
        assert response.status_code in {302, 404}, address
        assert response.status_code == 404 or response["Location"].startswith("/account/?next="), address
    assert free.get("/w/policies/ask/").status_code == 200


def test_one_may_still_set_up_a_factor_sign_out_and_change_the_language(policies, reviewer):
    require("reviewer")
    client = browser("reviewer")

    for address in ("/account/", "/account/password/", "/account/sessions/", "/account/confirm/"):
        assert client.get(address).status_code == 200, address
    assert client.post("/i18n/setlang/", {"language": "sr"})["Location"] == "/"
    assert client.post("/sign-out/")["Location"] == "/sign-in/"


@committed
def test_a_factor_opens_what_the_role_may_do(policies, reviewer):
    require("reviewer")
    client = browser("reviewer")
    set_up_app(client)

    assert client.get("/w/policies/ask/").status_code == 200


def test_platform_administrators_can_be_required_too(admin, member):
    require(PLATFORM_ADMINISTRATOR)

    assert is_led_to_the_set_up(browser("admin"), "/")
    assert not is_led_to_the_set_up(browser("member"), "/")


def test_a_requirement_holds_for_sessions_that_are_open_already(policies, member):
    client = browser("member")
    assert client.get("/w/policies/ask/").status_code == 200

    require("member")

    assert is_led_to_the_set_up(client, "/w/policies/ask/")


def test_another_persons_factor_in_the_same_browser_counts_for_nobody_else(demanding, admin, reviewer, policies):
    client = browser("admin")
    session = client.session
    session["second_factor_of"] = str(reviewer.pk)
    session.save()

    assert is_led_to_the_set_up(client, "/admin/")


def test_production_demands_it_and_development_does_not(settings):
    def demanded(values: dict[str, str]) -> str:
        asked = "from django.conf import settings; print(settings.SECOND_FACTOR_FOR_ADMIN)"
        environment = {"PATH": os.environ["PATH"], "DJANGO_SETTINGS_MODULE": "inlock.settings"} | values
        run = subprocess.run(
            [sys.executable, "-c", asked], cwd=ROOT, env=environment, capture_output=True, text=True, check=True
        )
        return run.stdout.strip()

    assert demanded(SAFE | {"INLOCK_VAR": str(settings.VAR)}) == "True"
    assert demanded({"INLOCK_VAR": str(settings.VAR)}) == "False"


def test_the_gate_taken_away_would_be_seen(demanding, admin, monkeypatch):
    monkeypatch.setattr("workspaces.identity.requirement.is_missing", lambda request, in_admin: False)

    assert browser("admin").get("/admin/workspaces/user/").status_code == 200
