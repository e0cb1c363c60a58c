"""API tokens: shown once, kept as a hash, never wider than the person, and over at once when they are over."""

import json
from datetime import timedelta
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from django.core.management import call_command
from django.db import connection
from django.test import Client
from django.utils import timezone

from audit import context
from audit.events import EventType
from audit.models import Event
from tests.workspaces.sign_in_scene import browser, confirm
from tests.workspaces.single_sign_on_scene import come_back, sign_in_as
from workspaces import accounts, claim_rules, members
from workspaces.exceptions import Forbidden, Hidden, TokenError, TokenRefused
from workspaces.models import ApiToken
from workspaces.roles import Action
from workspaces.tokens import keeping as tokens
from workspaces.tokens import vouching

pytestmark = pytest.mark.django_db


@pytest.fixture
def made(member: Any, policies: Any) -> tuple[ApiToken, str]:
    return tokens.create(by=member, name="Reporting", workspaces=[policies], actions=[Action.ASK])


def details(type: str) -> dict[str, Any]:
    return json.loads(Event.objects.filter(type=type).latest("seq").body)["details"]


# --- Making one ---------------------------------------------------------------------------------------------


def test_only_the_hash_and_the_first_characters_of_a_token_are_kept(made: Any) -> None:
    token, text = made

    assert text.startswith("inl_")
    assert len(text) == 47
    row = ApiToken.objects.filter(pk=token.pk).values().get()
    assert text not in str(row)
    assert text.startswith(row["prefix"])
    assert len(row["prefix"]) == 12
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM audit_event WHERE body LIKE %s", [f"%{text[12:]}%"])
        assert cursor.fetchone() == (0,)


def test_a_token_is_made_for_oneself_with_its_scope_in_the_trail(made: Any, member: Any, policies: Any) -> None:
    token, _text = made

    assert token.user == member
    assert token.actions == [Action.ASK, Action.ENTER, Action.OPEN]
    assert token.expires_at - timezone.now() > timedelta(days=89)
    assert details(EventType.TOKEN_CREATED)["workspaces"] == [str(policies.pk)]


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"name": "  "}, "name"),
        ({"workspaces": []}, "workspace"),
        ({"actions": []}, "may do"),
        ({"actions": [Action.MANAGE_PEOPLE]}, "cannot be given"),
        ({"actions": ["become_king"]}, "cannot be given"),
        ({"days": 0}, "from 1 to 365"),
        ({"days": 366}, "from 1 to 365"),
    ],
)
def test_a_token_that_cannot_be_had_is_refused_with_a_sentence(
    changed: Any, says: str, member: Any, policies: Any
) -> None:
    wanted = {"name": "X", "workspaces": [policies], "actions": [Action.OPEN], "days": 30} | changed

    with pytest.raises(TokenError, match=says):
        tokens.create(by=member, **wanted)

    assert not ApiToken.objects.exists()
    assert not Event.objects.filter(type=EventType.TOKEN_CREATED).exists()


def test_nobody_makes_a_token_for_a_workspace_they_do_not_know(stranger: Any, policies: Any) -> None:
    with pytest.raises(Hidden):
        tokens.create(by=stranger, name="X", workspaces=[policies], actions=[Action.OPEN])

    assert not ApiToken.objects.exists()


def test_a_token_makes_no_other_token(made: Any, member: Any, policies: Any) -> None:
    with context.acting(member, scope=tokens.scope_of(made[0])), pytest.raises(Forbidden):
        tokens.create(by=member, name="Child", workspaces=[policies], actions=[Action.OPEN])


def test_a_token_whose_entry_cannot_be_written_is_not_made(monkeypatch: Any, member: Any, policies: Any) -> None:
    def broken(*args: Any, **kwargs: Any) -> None:
        raise OSError

    monkeypatch.setattr(tokens, "record", broken)

    with pytest.raises(OSError):  # noqa: PT011 (the sabotage itself)
        tokens.create(by=member, name="X", workspaces=[policies], actions=[Action.OPEN])

    assert not ApiToken.objects.exists()


# --- Using one ----------------------------------------------------------------------------------------------


def test_a_token_is_found_by_its_whole_text_alone(made: Any) -> None:
    token, text = made

    assert tokens.authenticate(text) == token
    for wrong in ("", "inl_", text[:-1], text + "x", text.upper(), token.sha256, token.prefix):
        with pytest.raises(TokenRefused, match="unknown"):
            tokens.authenticate(wrong)


def test_the_first_use_is_in_the_trail_once(made: Any, member: Any) -> None:
    _token, text = made

    tokens.authenticate(text)
    tokens.authenticate(text)

    entries = Event.objects.filter(type=EventType.TOKEN_USED)
    assert [entry.actor_id for entry in entries] == [str(member.pk)]


def test_the_last_use_is_written_at_most_once_a_minute(made: Any) -> None:
    token, text = made
    tokens.authenticate(text)
    first = ApiToken.objects.get(pk=token.pk).last_used_at

    tokens.authenticate(text)
    assert ApiToken.objects.get(pk=token.pk).last_used_at == first

    ApiToken.objects.filter(pk=token.pk).update(last_used_at=first - timedelta(minutes=2))
    tokens.authenticate(text)
    assert ApiToken.objects.get(pk=token.pk).last_used_at >= first


def test_a_token_is_refused_once_it_is_revoked_expired_or_its_account_closed(
    made: Any, admin: Any, member: Any
) -> None:
    token, text = made

    accounts.change_account(member, by=admin, is_active=False)
    with pytest.raises(TokenRefused, match="account_closed"):
        tokens.authenticate(text)

    ApiToken.objects.filter(pk=token.pk).update(expires_at=timezone.now())
    with pytest.raises(TokenRefused, match="expired"):
        tokens.authenticate(text)

    tokens.revoke(token, by=None)
    with pytest.raises(TokenRefused, match="revoked"):
        tokens.authenticate(text)
    assert tokens.still_open(token.pk) is None


# --- Ending one ---------------------------------------------------------------------------------------------


def test_revoking_twice_is_once_and_keeps_who_did_it(made: Any, member: Any, admin: Any) -> None:
    token, _text = made

    tokens.revoke(token, by=member)
    tokens.revoke(token, by=admin)

    token.refresh_from_db()
    assert token.revoked_by == member
    assert Event.objects.filter(type=EventType.TOKEN_REVOKED).count() == 1


def test_a_platform_administrator_revokes_anybodys_and_a_manager_only_their_own(
    made: Any, manager: Any, admin: Any
) -> None:
    token, _text = made

    with pytest.raises(Hidden):
        tokens.revoke(token, by=manager)
    tokens.revoke(token, by=admin)

    token.refresh_from_db()
    assert token.revoked_by == admin


def test_somebody_elses_token_is_like_one_that_never_was(made: Any, manager: Any) -> None:
    with pytest.raises(Hidden):
        tokens.find_own(manager, made[0].pk)


# --- From the command line ----------------------------------------------------------------------------------


def test_the_operator_lists_and_revokes_tokens_without_seeing_one(made: Any, capsys: Any) -> None:
    token, text = made

    call_command("token", "list", "--json")
    listed = capsys.readouterr().out
    call_command("token", "revoke", token.prefix, "--json")

    assert text not in listed
    assert [row["prefix"] for row in json.loads(listed)["tokens"]] == [token.prefix]
    token.refresh_from_db()
    assert token.revoked_at is not None


# --- What the provider gave ---------------------------------------------------------------------------------


@pytest.fixture
def sent(provider: Any, policies: Any) -> str:
    """A program's token of somebody who holds a role through the provider alone, just signed in there."""
    claim_rules.add_rule(provider="oidc", claim="readers", workspace=policies, role="member", by=None)
    provider.knows({"ada": {"groups": ["readers"]}})
    client, _answer = sign_in_as(provider, "ada")
    user = client.get("/account/").wsgi_request.user
    _token, text = tokens.create(by=user, name="A program", workspaces=[policies], actions=[Action.OPEN], days=365)
    return text


def after(hours: int, monkeypatch: pytest.MonkeyPatch) -> None:
    later = timezone.now() + timedelta(hours=hours)
    monkeypatch.setattr("workspaces.tokens.vouching.timezone.now", lambda: later)


def test_a_token_is_refused_once_the_provider_vouched_for_its_person_too_long_ago(
    provider: Any, sent: str, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.VOUCHED_FOR = timedelta(hours=12)
    token = tokens.authenticate(sent)

    with monkeypatch.context() as patched:
        after(13, patched)
        with pytest.raises(TokenRefused, match="not_vouched"):
            tokens.authenticate(sent)
        assert tokens.still_open(token.pk) is None
        assert Client(headers={"Authorization": f"Bearer {sent}"}).get("/api/v1/me").status_code == 401
        sign_in_as(provider, "ada")
        assert tokens.authenticate(sent)


def test_the_providers_word_is_what_a_token_rests_on(sent: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Counter-proof: without the look at it the token goes on for as long as it lasts."""
    monkeypatch.setattr("workspaces.tokens.keeping.vouching.has_lapsed", lambda *_given: False)
    after(300 * 24, monkeypatch)

    assert tokens.authenticate(sent)


def test_an_answer_of_the_provider_that_applies_no_groups_prolongs_nothing(
    provider: Any, sent: str, make_user: Any
) -> None:
    token = tokens.authenticate(sent)
    other = browser(make_user("another").username)
    confirm(other)
    before = vouching.vouched_at(token.user)

    answer = come_back(other, provider.sign_in(other.post("/account/provider/link/")["Location"], "ada"))

    assert answer["Location"] == "/account/"
    assert vouching.vouched_at(ApiToken.objects.get(pk=token.pk).user) == before


def test_a_role_given_by_hand_needs_no_provider_while_passwords_open_accounts(
    policies: Any, member: Any, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    _token, text = tokens.create(by=member, name="A program", workspaces=[policies], actions=[Action.OPEN])
    after(24 * 80, monkeypatch)
    assert tokens.authenticate(text)

    settings.LOCAL_SIGN_IN = False

    with pytest.raises(TokenRefused, match="not_vouched"):
        tokens.authenticate(text)


@pytest.mark.parametrize(("way_in", "is_refused"), [("", True), ("password", False), ("passkey", False)])
def test_a_token_of_somebody_whom_only_the_directory_lets_in_lapses_although_a_person_gave_the_role(
    provider: Any, policies: Any, monkeypatch: pytest.MonkeyPatch, way_in: str, is_refused: bool
) -> None:
    client, _answer = sign_in_as(provider, "ada")
    user = client.get("/account/").wsgi_request.user
    members.add_member(policies, user, "member", by=None)
    if way_in == "password":
        user.set_password("a password of one's own here")
        user.save()
    if way_in == "passkey":
        Authenticator.objects.create(user=user, type=Authenticator.Type.WEBAUTHN, data={})
    _token, text = tokens.create(by=user, name="A program", workspaces=[policies], actions=[Action.OPEN])
    assert tokens.authenticate(text)

    after(24 * 80, monkeypatch)

    if is_refused:
        with pytest.raises(TokenRefused, match="not_vouched"):
            tokens.authenticate(text)
    else:
        assert tokens.authenticate(text)
