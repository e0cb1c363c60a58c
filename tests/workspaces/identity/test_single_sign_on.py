"""Signing in through an identity provider, against a provider that runs in a process of its own."""

import json
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from allauth.mfa.totp.internal import auth as totp
from allauth.socialaccount.models import SocialAccount
from django.test import Client

from audit.events import EventType
from tests import oidc_provider
from tests.undone import undone
from tests.workspaces.sign_in_scene import code_of, is_signed_in
from tests.workspaces.single_sign_on_scene import CALLBACK, begin, come_back, confirm_at, entries, sign_in_as
from workspaces import claim_rules, groups, members
from workspaces.identity import id_token
from workspaces.models import Membership, PlatformPolicy, User

pytestmark = pytest.mark.django_db


def faults() -> list[str]:
    return [entry["details"]["fault"] for entry in entries(EventType.SIGN_IN_FAILED)]


def ada() -> User:
    return SocialAccount.objects.get().user


# --- Signing in ---------------------------------------------------------------------------------------------


def test_the_sign_in_page_offers_the_provider_by_its_name(provider, client):
    page = client.get("/sign-in/")

    assert "Sign in with Our directory" in page.content.decode()
    assert f"form-action 'self' {provider.issuer};" in page["Content-Security-Policy"]


def test_a_person_nobody_knows_gets_an_account_that_belongs_nowhere(provider):
    client, answer = sign_in_as(provider, "ada")

    assert answer.status_code == 302, answer.content.decode()
    assert is_signed_in(client)
    assert ada().username == "ada"
    assert not ada().has_usable_password()
    assert not ada().memberships.exists()
    [entry] = entries(EventType.PROVIDER_VOUCHED)
    assert entry["details"]["claim"] == "ok"
    assert entry["object_id"] == str(ada().pk)


def test_the_same_person_comes_back_to_the_same_account(provider):
    sign_in_as(provider, "ada")

    sign_in_as(provider, "ada")

    assert User.objects.filter(username__startswith="ada").count() == 1
    assert SocialAccount.objects.count() == 1


def test_groups_of_the_claim_give_roles_and_places_in_groups_of_people(provider, policies, legal):
    people = groups.create_group(name="Finance", by=None)
    claim_rules.add_rule(provider="oidc", claim="readers", workspace=policies, role="member", by=None)
    claim_rules.add_rule(provider="oidc", claim="finance", people_group=people, by=None)
    claim_rules.add_rule(provider="oidc", claim="lawyers", workspace=legal, role="member", by=None)

    client, _answer = sign_in_as(provider, "ada")

    assert members.roles_of(policies, ada()) == ["member"]
    assert members.roles_of(legal, ada()) == []
    assert Membership.objects.filter(user=ada(), group=people.group, source="oidc").exists()
    assert client.get("/w/policies/ask/").status_code == 200
    assert client.get("/w/legal/").status_code == 404


def test_a_sign_in_with_fewer_groups_takes_what_they_gave_from_every_session(provider, policies):
    claim_rules.add_rule(provider="oidc", claim="readers", workspace=policies, role="member", by=None)
    here, _answer = sign_in_as(provider, "ada")
    assert here.get("/w/policies/ask/").status_code == 200
    provider.knows({"ada": {"groups": ["finance"]}})

    sign_in_as(provider, "ada")

    assert here.get("/w/policies/ask/").status_code == 404
    [entry] = entries(EventType.MEMBER_REMOVED)
    assert entry["details"] == {"role": "member", "source": "oidc"}


def test_what_was_given_by_hand_stays(provider, policies):
    claim_rules.add_rule(provider="oidc", claim="readers", workspace=policies, role="member", by=None)
    sign_in_as(provider, "ada")
    members.add_member(policies, ada(), "member", by=None)
    members.add_member(policies, ada(), "auditor", by=None)
    provider.knows({"ada": {}})

    sign_in_as(provider, "ada")

    assert members.roles_of(policies, ada()) == ["auditor", "member"]
    assert not Membership.objects.filter(user=ada(), source="oidc").exists()


CLAIMS = {
    "no groups": ({}, "missing"),
    "nothing": ({"groups": None}, "malformed"),
    "a text": ({"groups": "readers"}, "malformed"),
    "an object": ({"groups": {"readers": True}}, "malformed"),
    "a list in the list": ({"groups": ["readers", ["readers"]]}, "malformed"),
    "a number in the list": ({"groups": ["readers", 7]}, "malformed"),
    "lists without end": ({"groups": json.loads("[" * 500 + '"readers"' + "]" * 500)}, "malformed"),
    "a nul": ({"groups": ["readers", "nul\x00"]}, "malformed"),
    "half a letter": ({"groups": ["readers", "\ud800"]}, "malformed"),
    "too many": ({"groups": ["readers"] * 6000}, "malformed"),
    "an empty list": ({"groups": []}, "ok"),
    "names that are nearly right": ({"groups": ["Readers", "readers ", "reader", "*", "x" * 100_000]}, "ok"),
}


def test_a_claim_that_is_missing_or_makes_no_sense_only_takes(provider, policies, subtests):
    claim_rules.add_rule(provider="oidc", claim="readers", workspace=policies, role="member", by=None)
    sign_in_as(provider, "ada")
    assert members.roles_of(policies, ada()) == ["member"]

    for case, (told, state) in CLAIMS.items():
        with subtests.test(case), undone():
            provider.knows({"ada": told})

            client, _answer = sign_in_as(provider, "ada")

            assert is_signed_in(client)
            assert members.roles_of(policies, ada()) == []
            assert entries(EventType.PROVIDER_VOUCHED)[-1]["details"]["claim"] == state

    assert members.roles_of(policies, ada()) == ["member"]


def test_a_closed_account_is_not_let_in_and_gets_nothing(provider, policies):
    sign_in_as(provider, "ada")
    User.objects.filter(pk=ada().pk).update(is_active=False)
    claim_rules.add_rule(provider="oidc", claim="readers", workspace=policies, role="member", by=None)

    client, _answer = sign_in_as(provider, "ada")

    assert not is_signed_in(client)
    assert members.roles_of(policies, ada()) == []


def test_nobody_new_comes_in_where_accounts_are_not_made(provider, settings):
    settings.OIDC_CREATE = False

    client, answer = sign_in_as(provider, "ada")

    assert answer.status_code == 401
    assert "Ask an administrator" in answer.content.decode()
    assert not is_signed_in(client)
    assert not User.objects.exists()
    assert faults() == ["unknown_person"]


def test_without_a_provider_in_the_settings_there_is_no_way_in(client, settings):
    settings.OIDC_ISSUER = ""

    assert client.post("/sign-in/with/oidc/login/").status_code == 404
    assert client.get("/sign-in/with/oidc/login/callback/?code=x&state=y").status_code == 404


def test_the_sign_in_and_its_trail_are_one_transaction(provider, policies, monkeypatch):
    claim_rules.add_rule(provider="oidc", claim="readers", workspace=policies, role="member", by=None)

    def refuse(*args: Any, **kwargs: Any) -> None:
        raise RuntimeError("the trail cannot be written")

    monkeypatch.setattr("workspaces.identity.links.record", refuse)
    client = Client()
    with pytest.raises(RuntimeError):
        sign_in_as(provider, "ada", client)

    assert not is_signed_in(client)
    assert not User.objects.filter(username="ada").exists()
    assert not Membership.objects.filter(source="oidc").exists()


@pytest.mark.parametrize(
    ("claims", "shown"),
    [
        ({"amr": ["pwd", "otp"]}, True),
        ({"acr": "otp"}, True),
        ({"amr": ["pwd"]}, False),
        ({"amr": "otp"}, False),
        ({"amr": [["otp"]]}, False),
        ({}, False),
    ],
)
def test_a_second_factor_shown_to_the_provider_counts_where_its_token_says_so(
    provider, settings, policies, claims, shown
):
    settings.OIDC_SECOND_FACTOR = ["otp"]
    PlatformPolicy.objects.create(second_factor_roles=["member"])
    claim_rules.add_rule(provider="oidc", claim="readers", workspace=policies, role="member", by=None)
    provider.knows({"ada": {"groups": ["readers"]} | claims})

    client, _answer = sign_in_as(provider, "ada")

    assert (client.get("/w/policies/ask/").status_code == 200) is shown


def test_no_second_factor_of_the_provider_counts_unless_the_settings_name_it(provider, policies):
    PlatformPolicy.objects.create(second_factor_roles=["member"])
    claim_rules.add_rule(provider="oidc", claim="readers", workspace=policies, role="member", by=None)
    provider.knows({"ada": {"groups": ["readers"], "amr": ["mfa", "otp"], "acr": "mfa"}})

    client, _answer = sign_in_as(provider, "ada")

    assert client.get("/w/policies/ask/").status_code == 302


def test_a_factor_that_was_set_up_here_is_asked_for_after_the_provider(provider, settings):
    settings.OIDC_SECOND_FACTOR = ["otp"]
    provider.knows({"ada": {"amr": ["otp"]}})
    sign_in_as(provider, "ada")
    secret = totp.generate_totp_secret()
    totp.TOTP.activate(ada(), secret)

    client, answer = sign_in_as(provider, "ada")

    assert answer["Location"] == "/sign-in/code/"
    assert not is_signed_in(client)
    assert client.post("/sign-in/code/", {"code": code_of(secret)}).status_code == 302
    assert is_signed_in(client)


@pytest.mark.django_db(transaction=True)  # what a new factor means for the session is noted on commit
def test_whoever_must_have_a_factor_sets_one_up_after_coming_from_the_provider(provider, policies):
    PlatformPolicy.objects.create(second_factor_roles=["member"])
    claim_rules.add_rule(provider="oidc", claim="readers", workspace=policies, role="member", by=None)
    client, _answer = sign_in_as(provider, "ada")

    confirm_at(provider, client, "ada")
    secret = client.get("/account/app/").context["form"].secret
    done = client.post("/account/app/", {"code": code_of(secret)})
    assert done["Location"] == "/account/recovery-codes/", done.content.decode()

    assert client.get("/w/policies/ask/").status_code == 200


# --- Who a person is ----------------------------------------------------------------------------------------


def test_the_e_mail_address_and_the_name_of_a_local_account_open_nothing(provider, make_user):
    local = make_user("ada")
    User.objects.filter(pk=local.pk).update(email="ada@bank.example")
    provider.knows({"other": {"preferred_username": "ADA", "email": "ada@bank.example", "email_verified": True}})

    client, _answer = sign_in_as(provider, "other")

    assert is_signed_in(client)
    assert ada().pk != local.pk
    assert ada().username.startswith("ADA-")
    assert not SocialAccount.objects.filter(user=local).exists()


def test_another_name_at_the_provider_is_still_the_same_person(provider):
    sign_in_as(provider, "ada")
    provider.knows({"ada": {"preferred_username": "admin", "email": "admin@bank.example"}})

    sign_in_as(provider, "ada")

    assert ada().username == "ada"
    assert User.objects.count() == 1


def test_the_same_subject_of_another_issuer_is_somebody_else(provider, settings):
    sign_in_as(provider, "ada")
    first = ada()

    with oidc_provider.running(CALLBACK) as other:
        other.knows({"ada": {"preferred_username": "ada"}})
        settings.OIDC_ISSUER, settings.OIDC_HOSTS = other.issuer, [other.issuer.removeprefix("http://")]
        app = settings.SOCIALACCOUNT_PROVIDERS["openid_connect"]["APPS"][0]
        app["settings"] = {"server_url": other.issuer}
        sign_in_as(other, "ada")

    assert SocialAccount.objects.exclude(user=first).count() == 1


@pytest.mark.parametrize("wanted", ["", "  ", "no/such name", "x" * 400, "nul\x00", 7])
def test_a_name_that_is_none_gives_way_to_one_that_is(provider, wanted):
    provider.knows({"ada": {"preferred_username": wanted, "email": "not an address"}})

    client, _answer = sign_in_as(provider, "ada")

    assert is_signed_in(client)
    assert ada().username in {"person", "x" * 120}
    assert ada().email == ""


# --- Attacks on the way back --------------------------------------------------------------------------------


def refused(client: Client, answer: Any, fault: str) -> None:
    assert answer.status_code == 401, answer.content.decode()
    assert not is_signed_in(client)
    assert not SocialAccount.objects.exists()
    assert faults() == [fault]


def test_what_is_sent_along_is_fresh_each_time_and_bound_to_a_verifier(provider, client):
    first, second = begin(client), begin(client)

    for name in ("state", "nonce", "code_challenge"):
        assert _parameter(first, name)
        assert _parameter(first, name) != _parameter(second, name)
    assert _parameter(first, "code_challenge_method") == "S256"
    assert _parameter(first, "redirect_uri") == CALLBACK


def test_the_way_to_the_provider_starts_at_our_own_form_alone(provider, client):
    strict = Client(enforce_csrf_checks=True)

    assert client.get("/sign-in/with/oidc/login/").status_code == 405
    assert strict.post("/sign-in/with/oidc/login/").status_code == 403


def test_the_request_cannot_bring_its_own_nonce_or_scope(provider, client):
    sent = client.post("/sign-in/with/oidc/login/?auth_params=nonce%3Dmine%26prompt%3Dnone&scope=everything")

    assert "mine" not in sent["Location"]
    assert "everything" not in sent["Location"]


@pytest.mark.parametrize("state", ["guessed", None])
def test_a_state_that_this_browser_did_not_send_is_refused(provider, client, state):
    location = provider.sign_in(begin(client), "ada")

    refused(client, come_back(client, location, state=state), "state_or_error")


def test_the_answer_to_another_browser_is_refused(provider, client):
    """Somebody who got a code for themselves must not sign another person in to their own account."""
    location = provider.sign_in(begin(Client()), "ada")

    refused(client, come_back(client, location), "state_or_error")


def test_a_code_is_good_once(provider):
    client = Client()
    location = provider.sign_in(begin(client), "ada")
    come_back(client, location)
    thief = Client()
    begin(thief)

    again = come_back(client, location)
    elsewhere = come_back(thief, location, state=_parameter(begin(thief), "state"))

    assert again.status_code == elsewhere.status_code == 401
    assert not is_signed_in(thief)


def test_a_code_that_was_caught_on_the_way_is_worth_nothing_without_the_verifier(provider):
    """The thief has the victim's unused code and a state of their own; the provider asks for the victim's verifier."""
    caught = provider.sign_in(begin(Client()), "ada")
    thief = Client()
    own = begin(thief)

    answer = come_back(thief, caught, state=_parameter(own, "state"))

    refused(thief, answer, "OAuth2Error")


def test_a_redirect_address_that_is_not_exactly_ours_is_refused_by_the_provider(provider, client):
    sent = begin(client, next="https://evil.example/")

    assert "evil" not in sent
    answer = httpx.get(sent.replace("callback%2F", "callback%2F..%2Felsewhere%2F"))
    assert answer.status_code == 400


def test_an_error_from_the_provider_signs_nobody_in(provider, client):
    state = _parameter(begin(client), "state")

    answer = client.get("/sign-in/with/oidc/login/callback/", {"error": "server_error", "state": state})

    refused(client, answer, "state_or_error")


# --- Attacks on the token -----------------------------------------------------------------------------------

SPOILED = {
    "a nonce of another sign-in": ({"claims": {"nonce": "another"}}, "nonce"),
    "no nonce": ({"without": ["nonce"]}, "nonce"),
    "an empty nonce": ({"claims": {"nonce": ""}}, "nonce"),
    "a key that is not the provider's": ({"key": "foreign"}, "signature"),
    "a key that nobody has": ({"kid": "key-2"}, "kid"),
    "no signature": ({"alg": "none"}, "alg"),
    "a shared secret for a signature": ({"alg": "HS256"}, "alg"),
    "another audience": ({"claims": {"aud": "another-portal"}}, "aud"),
    "no audience": ({"without": ["aud"]}, "unreadable"),
    "several audiences, for another of them": ({"claims": {"aud": ["inlock", "b"], "azp": "b"}}, "azp"),
    "another issuer": ({"claims": {"iss": "https://evil.example"}}, "iss"),
    "no issuer": ({"without": ["iss"]}, "unreadable"),
    "a token that ended": ({"claims": {"exp": 1_700_000_000}}, "exp"),
    "a token without an end": ({"without": ["exp"]}, "unreadable"),
    "a token of last year that never ends": ({"claims": {"iat": 1_700_000_000, "exp": 9_000_000_000}}, "stale"),
    "a token of tomorrow": ({"claims": {"iat": 9_000_000_000, "exp": 9_000_000_300}}, "iat"),
    "no subject": ({"without": ["sub"]}, "unreadable"),
    "an empty subject": ({"claims": {"sub": ""}}, "sub"),
    "a subject that is no text": ({"claims": {"sub": 7}}, "unreadable"),
    "a subject with a line end in it": ({"claims": {"sub": "ada\n"}}, "sub"),
}


@pytest.mark.parametrize(("how", "fault"), SPOILED.values(), ids=SPOILED)
def test_a_token_that_proves_nothing_signs_nobody_in(provider, how, fault):
    provider.spoil(**how)

    client, answer = sign_in_as(provider, "ada")

    refused(client, answer, fault)


def test_the_nonce_is_what_keeps_a_token_of_another_sign_in_out(provider, monkeypatch):
    """Counter-proof: without the comparison the same token signs in."""
    provider.spoil(claims={"nonce": "another"})
    monkeypatch.setattr("workspaces.identity.id_token.compare_digest", lambda told, sent: True)

    client, _answer = sign_in_as(provider, "ada")

    assert is_signed_in(client)


def test_the_signature_is_what_keeps_a_forged_token_out(provider, monkeypatch):
    """Counter-proof: django-allauth by itself would not look at the signature of a token it fetched."""
    provider.spoil(key="foreign")
    real = id_token.jwt.decode
    monkeypatch.setattr(
        "workspaces.identity.id_token.jwt.decode",
        lambda token, key, **kwargs: real(token, options={"verify_signature": False}),
    )

    client, _answer = sign_in_as(provider, "ada")

    assert is_signed_in(client)


# --- The provider's addresses -------------------------------------------------------------------------------


@pytest.mark.parametrize("endpoint", ["authorization_endpoint", "token_endpoint", "jwks_uri"])
@pytest.mark.parametrize("address", ["http://169.254.169.254/", "https://evil.example/", "file:///etc/passwd", 7])
def test_the_provider_cannot_send_us_to_another_host(provider, client, endpoint, address):
    provider.spoil(configuration={endpoint: address})

    answer = client.post("/sign-in/with/oidc/login/")

    assert answer.status_code == 401
    assert faults() == ["NotTheProvider"]


def test_a_provider_that_tells_another_issuer_is_not_believed(provider, client):
    provider.spoil(configuration={"issuer": "https://evil.example"})

    assert client.post("/sign-in/with/oidc/login/").status_code == 401


def test_redirects_of_the_provider_are_not_followed(provider, client):
    provider.spoil(redirect="http://169.254.169.254/latest/meta-data/")

    assert client.post("/sign-in/with/oidc/login/").status_code == 401
    assert faults() == ["NotTheProvider"]


def test_an_answer_without_an_end_is_cut_off(provider, client):
    provider.spoil(bytes=4_000_000)

    assert client.post("/sign-in/with/oidc/login/").status_code == 401
    assert faults() == ["NotTheProvider"]


def test_a_provider_that_does_not_answer_is_told_as_such(provider, client, settings):
    settings.OIDC_HOSTS = ["127.0.0.1:1"]
    settings.OIDC_ISSUER = "http://127.0.0.1:1"
    settings.SOCIALACCOUNT_PROVIDERS["openid_connect"]["APPS"][0]["settings"] = {"server_url": "http://127.0.0.1:1"}

    answer = client.post("/sign-in/with/oidc/login/")

    assert answer.status_code == 401
    assert faults() == ["ConnectionError"]


def test_failures_are_counted_so_that_they_cannot_fill_the_trail(provider, client, settings):
    settings.ATTEMPTS_PER_ADDRESS = 3
    answers = [client.get("/sign-in/with/oidc/login/callback/?code=x&state=y").status_code for _ in range(5)]

    assert answers == [401, 401, 401, 429, 429]
    assert len(faults()) == 3


def _parameter(address: str, name: str) -> str:
    return parse_qs(urlsplit(address).query)[name][0]
