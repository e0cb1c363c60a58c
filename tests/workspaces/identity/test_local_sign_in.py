"""Where people sign in at the provider alone: no password opens anything, but for one account in an emergency."""

import logging
import re

import pytest
from allauth.mfa.models import Authenticator
from django.contrib.auth import hashers
from django.core.management import call_command
from django.test import Client

from audit.events import EventType
from inlock import health
from tests.conftest import PASSWORD
from tests.workspaces.sign_in_scene import browser, code_of, give_app, is_signed_in
from tests.workspaces.single_sign_on_scene import entries, sign_in_as
from workspaces import accounts, members
from workspaces.exceptions import MembershipError
from workspaces.identity import local_sign_in
from workspaces.roles import Action
from workspaces.tokens import keeping as tokens

pytestmark = pytest.mark.django_db
EMERGENCY = "/sign-in/emergency/"
VARYING = re.compile(r'name="csrfmiddlewaretoken" value="[^"]+"|name="username" value="[^"]+"')


@pytest.fixture
def glass(make_user):
    """The account for emergencies, whole; its `secret` is in the app."""
    user = make_user("glass")
    user.secret = give_app(user)
    return user


@pytest.fixture
def provider_only(provider, settings, glass):
    settings.LOCAL_SIGN_IN, settings.EMERGENCY_ACCOUNT = False, "glass"
    return provider


def enter(client, username, password=PASSWORD):
    return client.post(EMERGENCY, {"username": username, "password": password})


def test_the_sign_in_page_offers_the_provider_and_nothing_else(provider_only, client):
    page = client.get("/sign-in/").content.decode()

    assert "Sign in with Our directory" in page
    assert "password" not in page
    assert "passkey-form" not in page
    client, _answer = sign_in_as(provider_only, "ada")
    assert is_signed_in(client)


@pytest.mark.parametrize("address", ["/sign-in/", "/sign-in/passkey/"])
def test_no_password_and_no_passkey_is_taken(provider_only, client, member, address):
    answer = client.post(address, {"username": "member", "password": PASSWORD})

    assert answer.status_code == 404
    assert not is_signed_in(client)


@pytest.mark.parametrize("address", ["/account/password/", "/account/confirm/"])
def test_pages_about_the_password_are_gone(provider_only, address):
    client, _answer = sign_in_as(provider_only, "ada")

    assert client.get(address).status_code == 404
    assert client.post(address, {"password": PASSWORD}).status_code == 404
    assert "/account/password/" not in client.get("/account/").content.decode()


def test_a_session_that_a_password_opened_before_has_ended(provider, member, settings):
    client = browser("member")
    assert is_signed_in(client)

    settings.LOCAL_SIGN_IN = False

    assert not is_signed_in(client)


def test_an_administrator_gives_nobody_a_password(provider_only, admin, member):
    with pytest.raises(MembershipError, match="identity provider"):
        accounts.set_password(member, "another-horse-battery", by=admin)
    assert member.check_password(PASSWORD)


def test_api_tokens_of_those_alone_whom_the_provider_vouches_for_go_on(provider_only, member, policies):
    client, _answer = sign_in_as(provider_only, "ada")
    person = client.get("/account/").wsgi_request.user
    members.add_member(policies, person, "member", by=None)

    def status(user):
        _token, text = tokens.create(by=user, name="A program", workspaces=[policies], actions=[Action.ASK])
        return Client(headers={"Authorization": f"Bearer {text}"}).get("/api/v1/me").status_code

    assert (status(person), status(member)) == (200, 401)


# --- The emergency account ----------------------------------------------------------------------------------


def test_the_emergency_account_signs_in_with_password_and_second_factor(provider_only, glass, caplog):
    client = Client()

    asked = enter(client, "glass")
    assert asked["Location"] == "/sign-in/code/"
    assert not is_signed_in(client)
    assert entries(EventType.EMERGENCY_SIGN_IN) == []
    with caplog.at_level(logging.WARNING):
        client.post("/sign-in/code/", {"code": code_of(glass.secret, steps=1)})

    assert is_signed_in(client)
    [entry] = entries(EventType.EMERGENCY_SIGN_IN)
    assert entry["object_id"] == str(glass.pk)
    assert f"The emergency account {glass.pk} has signed in." in caplog.messages


def test_each_use_is_told_to_whoever_looks_after_the_installation(provider_only, glass):
    assert local_sign_in.emergency_used_at() is None
    client = Client()
    enter(client, "glass")
    client.post("/sign-in/code/", {"code": code_of(glass.secret, steps=1)})

    [found] = [one for one in health.findings() if one.name == "emergency account glass"]

    assert found.state.startswith("used on ")
    assert "beside the identity provider" in found.fault


@pytest.mark.parametrize("lacks", ["there is no open account", "it has no password", "it has no second factor"])
def test_an_emergency_account_that_would_not_open_is_a_fault(provider_only, glass, lacks):
    if "factor" in lacks:
        Authenticator.objects.filter(user=glass).delete()
    glass.set_unusable_password() if "password" in lacks else None
    glass.is_active = "account" not in lacks
    glass.save()

    assert lacks in health.people.emergency_account()[0].fault


def test_everybody_else_gets_the_same_answer_for_the_same_work(provider_only, make_user, monkeypatch):
    make_user("member")
    make_user("with-factor").secret = None
    cases = [("glass", "wrong"), ("member", PASSWORD), ("member", "wrong"), ("nobody", PASSWORD), ("GLASS", PASSWORD)]
    hasher, work = type(hashers.get_hasher()), []
    encode = hasher.encode
    monkeypatch.setattr(hasher, "encode", lambda self, *args, **kwargs: work.append(1) or encode(self, *args, **kwargs))
    answers, costs = [], []

    for name, password in cases:
        work.clear()
        answers.append(enter(Client(), name, password))
        costs.append(len(work))

    assert {answer.status_code for answer in answers} == {200}
    assert len({VARYING.sub("", answer.content.decode()) for answer in answers}) == 1
    assert costs == [1] * len(cases)
    assert len(entries(EventType.SIGN_IN_FAILED)) == len(cases)


def test_without_a_second_factor_the_right_password_is_a_wrong_one(provider_only, glass):
    Authenticator.objects.filter(user=glass).delete()
    client = Client()

    right, wrong = enter(client, "glass"), enter(client, "glass", "wrong")

    assert VARYING.sub("", right.content.decode()) == VARYING.sub("", wrong.content.decode())
    assert not is_signed_in(client)


def test_guesses_at_the_emergency_account_are_counted(provider_only, settings):
    settings.ATTEMPTS_PER_ACCOUNT = 3

    answers = [enter(Client(), "glass", "wrong").status_code for _ in range(4)]

    assert answers == [200, 200, 200, 429]


def test_guesses_from_elsewhere_do_not_keep_the_emergency_account_out(provider_only, glass, settings):
    settings.ATTEMPTS_PER_ACCOUNT = 3
    elsewhere = Client(REMOTE_ADDR="203.0.113.7")
    assert [enter(elsewhere, "glass", "wrong").status_code for _ in range(4)][-1] == 429
    assert enter(elsewhere, "glass").status_code == 429
    assert [entry["object_label"] for entry in entries(EventType.SIGN_IN_THROTTLED)] == ["glass"]

    assert enter(Client(REMOTE_ADDR="198.51.100.9"), "glass")["Location"] == "/sign-in/code/"


@pytest.mark.parametrize(("local", "named"), [(True, "glass"), (True, ""), (False, "")])
def test_there_is_no_emergency_page_unless_it_is_needed_and_somebody_named(client, settings, local, named):
    settings.LOCAL_SIGN_IN, settings.EMERGENCY_ACCOUNT = local, named

    assert client.get(EMERGENCY).status_code == 404
    assert client.post(EMERGENCY, {"username": "glass", "password": PASSWORD}).status_code == 404


def test_the_rule_who_may_come_in_is_what_keeps_a_password_out(provider_only, member, monkeypatch, settings):
    """Counter-proof: with every account let in, the emergency page would open to anybody's password."""
    monkeypatch.setattr(local_sign_in, "lets_in", lambda user, *, by_provider: True)
    monkeypatch.setattr(local_sign_in, "is_emergency", lambda user: True)
    settings.EMERGENCY_ACCOUNT = "member"
    client = Client()

    enter(client, "member")

    assert client.get("/account/").status_code == 302  # no factor was shown, so that the session is over at once
    assert len(entries(EventType.EMERGENCY_SIGN_IN)) == 1


# --- Workspaces nobody may manage ---------------------------------------------------------------------------


def test_doctor_names_a_workspace_that_nobody_may_manage(policies, legal, manager, capsys):
    assert not members.without_manager().exists()
    manager.is_active = False
    manager.save()

    with pytest.raises(SystemExit):
        call_command("doctor")

    told = capsys.readouterr().out
    assert "Nobody may manage these workspaces: legal, policies." in told
    assert "platform administrator" in told


def test_an_archived_workspace_needs_no_manager(policies, legal, manager):
    members.set_archived(legal, archived=True, by=manager)
    manager.is_active = False
    manager.save()

    assert [workspace.slug for workspace in members.without_manager()] == ["policies"]
