"""Signing out: here and at the provider, and when the provider says so."""

from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from allauth.socialaccount.models import SocialAccount
from allauth.usersessions.models import UserSession
from django.db import OperationalError
from django.test import Client

from audit.events import EventType
from tests.workspaces.sign_in_scene import browser, code_of, give_app, is_signed_in
from tests.workspaces.single_sign_on_scene import begin, come_back, confirm_at, entries, sign_in_as
from workspaces import members
from workspaces.identity import back_channel, id_token, logout_token, sign_out
from workspaces.roles import Action
from workspaces.tokens import keeping as tokens

pytestmark = pytest.mark.django_db
BACK_CHANNEL = "/sign-in/with/oidc/logout/"
EVENT = "http://schemas.openid.net/event/backchannel-logout"


# --- From here ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("address", ["/sign-out/", "/admin/logout/"])
def test_a_session_of_the_provider_ends_there_too(provider, address):
    client, _answer = sign_in_as(provider, "ada")
    if "admin" in address:
        user = client.get("/account/").wsgi_request.user
        user.is_superuser = True
        user.save()

    page = client.post(address)

    assert not is_signed_in(client)
    assert page.status_code == 200
    way = page["Refresh"].removeprefix("0; url=")
    asked = parse_qs(urlsplit(way).query)
    assert asked["post_logout_redirect_uri"] == ["http://testserver/sign-in/"]
    back = httpx.get(way)
    assert (back.status_code, back.headers["Location"]) == (302, "http://testserver/sign-in/")


def test_the_hint_is_sealed_in_the_session(provider):
    client, _answer = sign_in_as(provider, "ada")

    assert client.session[sign_out.ID_TOKEN].startswith("gAAAA")


def test_a_session_of_a_password_ends_here_alone(provider, member):
    client = browser("member")

    assert client.post("/sign-out/")["Location"] == "/sign-in/"


@pytest.mark.parametrize(
    "told",
    [
        {"configuration": {"end_session_endpoint": None}},
        {"configuration": {"end_session_endpoint": "https://evil.example/"}},
        {"redirect": "https://evil.example/"},
    ],
)
def test_a_provider_that_ends_no_sessions_or_fails_keeps_nobody_in(provider, told):
    client, _answer = sign_in_as(provider, "ada")
    provider.spoil(**told)

    assert client.post("/sign-out/")["Location"] == "/sign-in/"
    assert not is_signed_in(client)


# --- From there ---------------------------------------------------------------------------------------------


def send(token):
    return Client(enforce_csrf_checks=True).post(BACK_CHANNEL, {"logout_token": token})


def test_the_provider_ends_the_session_it_names(provider):
    provider.knows({"ada": {}, "bea": {}})
    ada, bea = sign_in_as(provider, "ada")[0], sign_in_as(provider, "bea")[0]

    answer = send(provider.logout_token(claims={"sid": "session-of-ada"}, headers={"typ": "logout+jwt"}))

    assert (answer.status_code, answer["Cache-Control"]) == (200, "private, no-store")
    assert not is_signed_in(ada)
    assert is_signed_in(bea)
    [entry] = entries(EventType.PROVIDER_SIGNED_OUT)
    assert entry["details"] == {"sessions": 1}
    assert len(entries(EventType.SESSION_ENDED)) == 1


def test_the_provider_ends_all_sessions_it_opened_for_a_person_and_no_other(provider, policies, member):
    first, second = sign_in_as(provider, "ada")[0], sign_in_as(provider, "ada")[0]
    password = browser("member")
    user = first.get("/account/").wsgi_request.user
    members.add_member(policies, user, "member", by=None)
    _token, text = tokens.create(by=user, name="A program", workspaces=[policies], actions=[Action.ASK])

    assert send(provider.logout_token(claims={"sub": "ada"})).status_code == 200

    assert [is_signed_in(client) for client in (first, second, password)] == [False, False, True]
    assert Client(headers={"Authorization": f"Bearer {text}"}).get("/api/v1/me").status_code == 200


def test_a_session_that_showed_a_second_factor_here_ends_too(provider):
    client, _answer = sign_in_as(provider, "ada")
    confirm_at(provider, client, "ada")
    secret = set_up_app_alone(client)
    client, answer = sign_in_as(provider, "ada")
    assert answer["Location"] == "/sign-in/code/"
    client.post("/sign-in/code/", {"code": code_of(secret, steps=1)})
    assert is_signed_in(client)

    send(provider.logout_token(claims={"sid": "session-of-ada"}))

    assert not is_signed_in(client)


def set_up_app_alone(client):
    secret = client.get("/account/app/").context["form"].secret
    assert client.post("/account/app/", {"code": code_of(secret)}).status_code == 302
    return secret


def test_a_session_that_is_over_already_is_no_mistake(provider):
    assert send(provider.logout_token(claims={"sub": "nobody"})).status_code == 200
    assert entries(EventType.PROVIDER_SIGNED_OUT) == []


REFUSED = {
    "a key that is not the provider's": ({"key": "foreign"}, "signature"),
    "no signature": ({"alg": "none"}, "alg"),
    "a shared secret for a signature": ({"alg": "HS256"}, "alg"),
    "a key that nobody has": ({"kid": "key-2"}, "kid"),
    "another kind of token": ({"headers": {"typ": "at+jwt"}}, "typ"),
    "another issuer": ({"claims": {"iss": "https://evil.example"}}, "iss"),
    "another audience": ({"claims": {"aud": "another-portal"}}, "aud"),
    "a nonce, as an ID token has": ({"claims": {"nonce": "x"}}, "nonce"),
    "an empty nonce": ({"claims": {"nonce": ""}}, "nonce"),
    "no event": ({"without": ["events"]}, "unreadable"),
    "another event": ({"claims": {"events": {"http://evil.example": {}}}}, "events"),
    "events that are no object": ({"claims": {"events": [EVENT]}}, "events"),
    "an event that is no object": ({"claims": {"events": {EVENT: True}}}, "events"),
    "a token that ended": ({"claims": {"exp": 1_700_000_000}}, "exp"),
    "no end": ({"without": ["exp"]}, "unreadable"),
    "a token of last year that never ends": ({"claims": {"iat": 1_700_000_000, "exp": 9_000_000_000}}, "stale"),
    "no time": ({"without": ["iat"]}, "unreadable"),
    "no id": ({"without": ["jti"]}, "unreadable"),
    "an empty id": ({"claims": {"jti": ""}}, "jti"),
    "nobody": ({"claims": {"sub": "", "sid": ""}}, "nobody"),
    "a session that is no text": ({"claims": {"sid": 7}}, "sid"),
}


def test_a_token_that_proves_nothing_ends_nothing(provider, settings, subtests):
    settings.ATTEMPTS_PER_ADDRESS = 2 * len(REFUSED)
    client, _answer = sign_in_as(provider, "ada")

    for case, (how, fault) in REFUSED.items():
        with subtests.test(case):
            how = {**how, "claims": {"sub": "ada"} | how.get("claims", {})}
            answer = send(provider.logout_token(**how))

            assert (answer.status_code, answer.json()["error_description"]) == (400, fault)
            assert is_signed_in(client)
            assert entries(EventType.PROVIDER_SIGN_OUT_REFUSED)[-1]["details"]["fault"] == fault

    assert len(entries(EventType.PROVIDER_SIGN_OUT_REFUSED)) == len(REFUSED)


def test_a_token_ends_sessions_once(provider):
    token = provider.logout_token(claims={"sub": "ada"})
    assert send(token).status_code == 200
    client, _answer = sign_in_as(provider, "ada")

    answer = send(token)

    assert answer.json()["error_description"] == "replayed"
    assert is_signed_in(client)


@pytest.mark.parametrize(
    ("protection", "how"), [("nonce", {"claims": {"nonce": "x"}}), ("signature", {"key": "foreign"})]
)
def test_what_keeps_a_wrong_token_from_ending_sessions(provider, monkeypatch, protection, how):
    """Counter-proof: with the check taken away the same token ends the session."""
    client, _answer = sign_in_as(provider, "ada")
    real = id_token.jwt.decode
    if protection == "signature":
        monkeypatch.setattr(
            "workspaces.identity.id_token.jwt.decode",
            lambda token, key, **kwargs: real(token, options={"verify_signature": False}),
        )
    else:
        verified = id_token.verified
        monkeypatch.setattr(
            logout_token.id_token,
            "verified",
            lambda *args, **kwargs: {n: told for n, told in verified(*args, **kwargs).items() if n != "nonce"},
        )

    send(provider.logout_token(**{**how, "claims": {"sub": "ada"} | how.get("claims", {})}))

    assert not is_signed_in(client)


def test_refusals_are_counted(provider, settings):
    settings.ATTEMPTS_PER_ADDRESS = 3

    assert [send("no token").status_code for _ in range(4)] == [400, 400, 400, 429]


def test_without_a_provider_there_is_no_such_address(settings):
    settings.OIDC_ISSUER = ""

    assert send("anything").status_code == 404
    assert Client().get(BACK_CHANNEL).status_code in {404, 405}


def test_the_list_of_sessions_says_what_the_provider_knows_of_each(provider):
    sign_in_as(provider, "ada")

    assert UserSession.objects.get().data["provider_sid"] == "session-of-ada"


def test_a_token_that_ended_nothing_because_of_an_error_ends_it_when_it_comes_again(provider, monkeypatch):
    client, _answer = sign_in_as(provider, "ada")
    token = provider.logout_token(claims={"sub": "ada"})

    def fail(ending):
        raise OperationalError("deadlock detected")

    with monkeypatch.context() as broken:
        broken.setattr(back_channel, "end", fail)
        with pytest.raises(OperationalError):
            send(token)
    assert is_signed_in(client)

    assert send(token).status_code == 200
    assert not is_signed_in(client)
    assert send(token).json()["error_description"] == "replayed"


@pytest.fixture
def halfway(provider):
    """A sign-in that waits for its second factor, and what finishes it."""
    sign_in_as(provider, "ada")
    secret = give_app(SocialAccount.objects.get().user)
    client, answer = sign_in_as(provider, "ada")
    assert answer["Location"] == "/sign-in/code/"

    def finish():
        page = client.post("/sign-in/code/", {"code": code_of(secret, steps=1)})
        return page.status_code, is_signed_in(client)

    return finish


ENDED = {
    "the person": {"sub": "ada"},
    "the session": {"sid": "session-of-ada"},
    "both": {"sub": "ada", "sid": "session-of-ada"},
}


@pytest.mark.parametrize("claims", ENDED.values(), ids=ENDED)
def test_a_sign_in_that_the_provider_ends_before_the_second_factor_does_not_come_about(provider, halfway, claims):
    send(provider.logout_token(claims=claims))

    assert halfway() == (401, False)
    assert entries(EventType.SIGN_IN_FAILED)[-1]["details"]["fault"] == "ended_there"


@pytest.mark.parametrize("claims", ENDED.values(), ids=ENDED)
def test_a_sign_in_that_the_provider_ends_before_the_browser_is_back_does_not_come_about(provider, claims):
    client = Client()
    back = provider.sign_in(begin(client), "ada")

    assert send(provider.logout_token(claims=claims)).status_code == 200
    answer = come_back(client, back)

    assert (answer.status_code, is_signed_in(client)) == (401, False)
    assert is_signed_in(sign_in_as(provider, "ada")[0])


@pytest.mark.parametrize(("claims", "status"), [({}, 401), ({"sub": "bea"}, 302)])
def test_a_session_that_the_provider_never_named_is_ended_halfway_by_person_and_session(provider, claims, status):
    """Which session it is was not told, so it may be the one that is named; another person's is not."""
    provider.knows({"ada": {"sid": ""}, "bea": {}})
    sign_in_as(provider, "ada")
    secret = give_app(SocialAccount.objects.get().user)
    client, answer = sign_in_as(provider, "ada")
    assert answer["Location"] == "/sign-in/code/"

    send(provider.logout_token(claims={"sub": "ada", "sid": "session-of-ada"} | claims))

    page = client.post("/sign-in/code/", {"code": code_of(secret, steps=1)})
    assert (page.status_code, is_signed_in(client)) == (status, status == 302)


@pytest.mark.parametrize("claims", [{"sub": "bea"}, {"sid": "another"}, {"sub": "ada", "sid": "another"}])
def test_what_the_provider_ends_of_others_keeps_no_sign_in_from_coming_about(provider, halfway, claims):
    send(provider.logout_token(claims=claims))

    assert halfway() == (302, True)


def test_the_memory_of_endings_is_what_ends_a_sign_in_halfway(provider, halfway, monkeypatch):
    """Counter-proof: without it the person is signed in although the provider ended that."""
    monkeypatch.setattr("workspaces.identity.endings.note", lambda ending: None)

    send(provider.logout_token(claims={"sub": "ada"}))

    assert halfway() == (302, True)


@pytest.mark.parametrize(("opened_with", "ends"), [("session-of-ada", True), ("", True), ("another", False)])
def test_a_token_with_person_and_session_ends_that_one_and_those_of_no_name(provider, opened_with, ends):
    client, _answer = sign_in_as(provider, "ada")
    session = UserSession.objects.get()
    session.data[back_channel.SID] = opened_with
    session.save()

    send(provider.logout_token(claims={"sub": "ada", "sid": "session-of-ada"}))

    assert is_signed_in(client) is not ends
