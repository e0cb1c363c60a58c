"""What an answer to a sign-in tells: nothing about accounts, and no way to another site."""

import re

import pytest
from django.contrib.auth import hashers
from django.test import Client

from audit.events import EventType
from audit.models import Event
from tests.conftest import PASSWORD
from tests.workspaces.sign_in_scene import code_of, give_app, is_signed_in, sign_in

pytestmark = pytest.mark.django_db
VARYING = re.compile(r'name="csrfmiddlewaretoken" value="[^"]+"|value="(member|closed|nobody|locked)"')


@pytest.fixture
def cases(make_user):
    closed, locked = make_user("closed"), make_user("locked")
    closed.is_active = False
    closed.save()
    locked.set_unusable_password()
    locked.save()
    make_user("member")
    return {
        "unknown": ("nobody", PASSWORD),
        "wrong": ("member", "not-the-password"),
        "closed, right password": ("closed", PASSWORD),
        "closed, wrong password": ("closed", "not-the-password"),
        "without a password": ("locked", PASSWORD),
    }


def test_a_refusal_reads_the_same_whatever_the_account(cases):
    answers = {name: sign_in(Client(), *case) for name, case in cases.items()}

    assert {answer.status_code for answer in answers.values()} == {200}
    assert len({VARYING.sub("", answer.content.decode()) for answer in answers.values()}) == 1
    assert "do not match an open account" in answers["unknown"].content.decode()


def test_a_refusal_costs_the_same_work_whatever_the_account(cases, monkeypatch):
    hasher = type(hashers.get_hasher())
    encode, runs = hasher.encode, []

    def counted(self, *args, **kwargs):
        runs.append(1)
        return encode(self, *args, **kwargs)

    monkeypatch.setattr(hasher, "encode", counted)
    work = {}
    for name, case in cases.items():
        runs.clear()
        sign_in(Client(), *case)
        work[name] = len(runs)

    assert work == dict.fromkeys(cases, 1)


def test_every_refusal_is_one_entry_of_the_same_kind(cases):
    for case in cases.values():
        sign_in(Client(), *case)

    assert Event.objects.filter(type=EventType.SIGN_IN_FAILED).count() == len(cases)


ELSEWHERE = [
    "https://evil.example/",
    "//evil.example/",
    "/\\evil.example",
    "\\\\evil.example",
    "javascript:alert(1)",
    "http:evil.example",
    "https://portal.example@evil.example/",
    " https://evil.example",
]


@pytest.mark.parametrize("address", ELSEWHERE)
def test_signing_in_and_out_leads_to_no_other_site(member, address):
    client = Client()

    into = sign_in(client, "member", next=address)
    again = client.get("/sign-in/", {"next": address})
    out = client.post("/sign-out/", {"next": address})

    assert [into["Location"], again["Location"], out["Location"]] == ["/", "/", "/sign-in/"]


def test_another_host_of_ours_is_another_site_too(member, settings):
    settings.ALLOWED_HOSTS = ["testserver", "other.example"]
    settings.CSRF_TRUSTED_ORIGINS = ["https://third.example"]

    for host in ("other.example", "third.example"):
        assert sign_in(Client(), "member", next=f"https://{host}/")["Location"] == "/"


def test_the_page_asked_for_survives_the_second_step(member):
    secret = give_app(member)
    client = Client()
    sign_in(client, "member", next="/account/sessions/")

    done = client.post("/sign-in/code/", {"code": code_of(secret, steps=1)})

    assert done["Location"] == "/account/sessions/"


def test_there_is_no_way_to_sign_up_or_to_ask_for_a_mail(client):
    for address in ("/signup/", "/sign-in/signup/", "/account/email/", "/account/password/reset/", "/accounts/login/"):
        assert client.get(address).status_code in {302, 404}
        assert client.post(address).status_code in {302, 404}
    assert "sign up" not in client.get("/sign-in/").content.decode().lower()


def test_the_admin_has_no_sign_in_of_its_own(admin):
    asked = Client().get("/admin/login/?next=/admin/workspaces/user/")
    posted = Client().post("/admin/login/", {"username": "admin", "password": PASSWORD})

    assert asked["Location"] == "/sign-in/?next=/admin/workspaces/user/"
    assert posted["Location"].startswith("/sign-in/")
    client = Client()
    client.post("/admin/login/", {"username": "admin", "password": PASSWORD})
    assert not is_signed_in(client)


def test_the_sign_in_form_wants_its_token(member):
    client = Client(enforce_csrf_checks=True)

    for address in ("/sign-in/", "/sign-out/", "/sign-in/passkey/"):
        assert client.post(address, {"username": "member", "password": PASSWORD}).status_code == 403
