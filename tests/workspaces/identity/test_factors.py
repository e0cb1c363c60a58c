"""Second factors: set up, asked for, recovered, removed, kept secret, and in the trail."""

import json

import pytest
from allauth.mfa.models import Authenticator
from django.db import connection
from django.test import Client

from audit.events import EventType
from audit.exceptions import AuditError
from audit.models import Event
from tests.workspaces.sign_in_scene import (
    browser,
    code_of,
    confirm,
    give_app,
    is_signed_in,
    recovery_codes,
    set_up_app,
    sign_in,
)

pytestmark = pytest.mark.django_db
committed = pytest.mark.django_db(transaction=True)


def entries(type: EventType) -> list[dict]:
    return [json.loads(body) for body in Event.objects.filter(type=type).order_by("seq").values_list("body", flat=True)]


def test_a_person_with_an_app_is_not_in_before_the_code(member):
    secret = give_app(member)
    client = Client()

    first = sign_in(client, "member")

    assert first["Location"] == "/sign-in/code/"
    assert not is_signed_in(client)
    assert client.post("/sign-in/code/", {"code": code_of(secret, steps=1)}).status_code == 302
    assert is_signed_in(client)


def test_a_code_is_accepted_once(member):
    secret = give_app(member)
    code = code_of(secret, steps=1)
    first, second = browser("member"), browser("member")

    first.post("/sign-in/code/", {"code": code})
    again = second.post("/sign-in/code/", {"code": code})

    assert is_signed_in(first)
    assert "not right" in again.content.decode()
    assert not is_signed_in(second)


def test_a_wrong_code_is_in_the_trail_without_what_was_typed(member):
    give_app(member)
    client = browser("member")

    page = client.post("/sign-in/code/", {"code": "mynameis"})

    assert page.status_code == 200
    (entry,) = entries(EventType.SIGN_IN_FAILED)
    assert entry["details"] == {"factor": "code", "name_given": "member"}
    assert not Event.objects.filter(body__contains="mynameis").exists()
    assert not is_signed_in(client)


def test_a_recovery_code_signs_in_once_and_says_how_many_are_left(member):
    give_app(member)
    code = recovery_codes(member)[0]
    first, second = browser("member"), browser("member")

    first.post("/sign-in/code/", {"code": code})
    second.post("/sign-in/code/", {"code": code})

    assert is_signed_in(first)
    assert not is_signed_in(second)
    (entry,) = entries(EventType.RECOVERY_CODE_USED)
    assert entry["details"] == {"codes_left": 9}
    assert code not in recovery_codes(member)


def test_recovery_codes_are_shown_once(member):
    client = browser("member")
    set_up_app(client)

    shown = client.get("/account/recovery-codes/").content.decode()
    again = client.get("/account/recovery-codes/").content.decode()

    codes = recovery_codes(member)
    assert all(code in shown for code in codes)
    assert not any(code in again for code in codes)


def test_adding_and_removing_factors_is_in_the_trail(member):
    client = browser("member")
    set_up_app(client)
    client.post("/account/app/remove/")

    added, removed = entries(EventType.FACTOR_ADDED), entries(EventType.FACTOR_REMOVED)
    assert [entry["details"]["factor"] for entry in added] == ["totp", "recovery_codes"]
    assert {entry["details"]["factor"] for entry in removed} == {"totp", "recovery_codes"}
    assert {entry["actor_id"] for entry in added + removed} == {str(member.pk)}


@committed
def test_a_factor_that_cannot_be_recorded_is_not_added(member, monkeypatch):
    client = browser("member")
    confirm(client)
    secret = client.get("/account/app/").context["form"].secret

    def refuse(*args, **kwargs):
        raise AuditError("the trail is closed")

    monkeypatch.setattr("workspaces.identity.signals.record", refuse)
    client.raise_request_exception = False
    client.post("/account/app/", {"code": code_of(secret)})

    assert not Authenticator.objects.filter(user=member).exists()


@committed
def test_a_factor_added_past_the_pages_needs_a_transaction_with_the_trail(member):
    with pytest.raises(AuditError):
        Authenticator.objects.create(user=member, type=Authenticator.Type.TOTP, data={"secret": "x"})


def test_the_database_holds_no_secret_of_a_factor_in_clear(member):
    secret = set_up_app(browser("member"))
    codes = recovery_codes(member)

    with connection.cursor() as cursor:
        cursor.execute("SELECT string_agg(data::text, ' ') FROM mfa_authenticator")
        stored = cursor.fetchone()[0]
        cursor.execute("SELECT string_agg(body, ' ') FROM audit_event")
        trail = cursor.fetchone()[0]

    for clear in (secret, *codes):
        assert clear not in stored
        assert clear not in trail


def test_sealing_taken_away_would_be_seen(member, monkeypatch):
    monkeypatch.setattr("workspaces.identity.adapters.seal", str)
    secret = set_up_app(browser("member"))

    assert Authenticator.objects.get(user=member, type="totp").data["secret"] == secret


def test_setting_up_a_factor_asks_for_the_password_again(member):
    client = browser("member")

    asked = client.get("/account/app/")

    assert asked["Location"] == "/account/confirm/?next=%2Faccount%2Fapp%2F"


@committed
def test_the_first_factor_ends_sessions_that_had_none(member):
    thief, owner = browser("member"), browser("member")
    assert is_signed_in(thief)

    set_up_app(owner)

    assert is_signed_in(owner)
    assert not is_signed_in(thief)
    assert len(entries(EventType.SESSION_ENDED)) == 1


def test_nobody_touches_the_passkeys_of_another(member, stranger):
    from django.db import transaction

    with transaction.atomic():
        key = Authenticator.objects.create(
            user=stranger, type=Authenticator.Type.WEBAUTHN, data={"name": "Theirs", "credential": {}}
        )
    client = browser("member")
    confirm(client)

    for act in ("remove", "rename"):
        for method in (client.get, client.post):
            assert method(f"/account/passkeys/{key.pk}/{act}/", {"name": "mine"}).status_code == 404

    key.refresh_from_db()
    assert key.data["name"] == "Theirs"
