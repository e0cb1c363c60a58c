"""Linking one's account to the provider's identity, and confirming there that it is still you."""

import pytest
from allauth.socialaccount.models import SocialAccount
from django.test import Client

from audit.events import EventType
from tests.workspaces.sign_in_scene import browser, confirm, is_signed_in
from tests.workspaces.single_sign_on_scene import come_back, confirm_at, entries, sign_in_as
from workspaces import claim_rules, members
from workspaces.identity import linking, links
from workspaces.models import User

pytestmark = pytest.mark.django_db
LINK, UNLINK, CONFIRM = "/account/provider/link/", "/account/provider/unlink/", "/account/confirm/provider/"


def link(provider, client, subject="ada"):
    """Press the button, sign in at the provider, come back; the account page that is shown then."""
    sent = client.post(LINK)
    assert sent.status_code == 302, sent.content.decode()
    answer = come_back(client, provider.sign_in(sent["Location"], subject))
    return client.get(answer["Location"]).content.decode() if answer.status_code == 302 else answer.content.decode()


@pytest.fixture
def person(make_user):
    return make_user("person")


@pytest.fixture
def client(person, provider):
    client = browser("person")
    confirm(client)
    return client


def test_a_linked_account_opens_either_way_and_gets_what_the_groups_give(provider, client, person, policies):
    claim_rules.add_rule(provider="oidc", claim="readers", workspace=policies, role="member", by=None)

    page = link(provider, client)

    assert "Your account is linked" in page
    assert members.roles_of(policies, person) == ["member"]
    other, _answer = sign_in_as(provider, "ada")
    assert other.get("/account/").wsgi_request.user == person
    assert is_signed_in(browser("person"))
    assert User.objects.filter(username__startswith="ada").count() == 0
    [entry] = entries(EventType.PROVIDER_LINKED)
    assert entry["actor_id"] == entry["object_id"] == str(person.pk)


def test_linking_asks_first_whether_it_is_still_you(provider, person):
    client = browser("person")

    assert client.post(LINK)["Location"].startswith("/account/confirm/")
    assert client.get(LINK).status_code == 405


def test_an_identity_that_opens_another_account_is_refused_with_a_sentence(provider, client, person):
    sign_in_as(provider, "ada")

    page = link(provider, client)

    assert "opens another account here already" in page
    assert links.of(person) is None
    assert entries(EventType.PROVIDER_LINKED) == []


def test_an_account_takes_one_identity(provider, client, person):
    provider.knows({"ada": {}, "bea": {}})
    link(provider, client)

    assert "linked to another identity" in link(provider, client, "bea")
    assert SocialAccount.objects.get().user == person


def test_a_name_and_an_address_of_an_account_link_nothing(provider, client, person):
    User.objects.filter(pk=person.pk).update(email="person@example.com")
    provider.knows({"ada": {"preferred_username": "person", "email": "person@example.com", "email_verified": True}})

    other, _answer = sign_in_as(provider, "ada")

    assert other.get("/account/").wsgi_request.user != person
    assert links.of(person) is None


def test_an_answer_that_another_session_asked_for_links_nothing(provider, client, make_user):
    make_user("victim")
    victim = browser("victim")
    answer = provider.sign_in(client.post(LINK)["Location"], "ada")

    assert come_back(victim, answer).status_code == 401
    assert not SocialAccount.objects.exists()


def test_an_answer_links_nothing_to_whoever_else_is_signed_in_by_then(provider, client, make_user):
    """The state of a session survives a sign-in to it; whose account is to be linked is in the state."""
    answer = provider.sign_in(client.post(LINK)["Location"], "ada")
    session = client.session
    for states in session["socialaccount_states"].values():
        states[0]["user"] = str(make_user("another").pk)
    session.save()

    assert come_back(client, answer).status_code == 401
    assert not SocialAccount.objects.exists()


def test_whose_account_is_linked_is_what_the_state_protects(provider, client, make_user, monkeypatch):
    """Counter-proof: without the comparison the identity would be linked to whoever came back."""
    monkeypatch.setattr(
        "workspaces.identity.providers.linking.finish",
        lambda request, identity, state, process: linking._link(request, identity),
    )
    answer = provider.sign_in(client.post(LINK)["Location"], "ada")
    session = client.session
    for states in session["socialaccount_states"].values():
        states[0]["user"] = str(make_user("another").pk)
    session.save()

    come_back(client, answer)

    assert SocialAccount.objects.exists()


def test_unlinking_takes_what_the_provider_gave_and_ends_other_sessions(provider, client, person, policies):
    claim_rules.add_rule(provider="oidc", claim="readers", workspace=policies, role="member", by=None)
    link(provider, client)
    other, _answer = sign_in_as(provider, "ada")

    page = client.post(UNLINK, follow=True).content.decode()

    assert "The link has ended" in page
    assert not is_signed_in(other)
    assert is_signed_in(client)
    assert members.roles_of(policies, person) == []
    assert entries(EventType.PROVIDER_UNLINKED)[0]["details"]["taken"] == 1
    fresh, _answer = sign_in_as(provider, "ada")
    assert fresh.get("/account/").wsgi_request.user != person


@pytest.mark.parametrize("local", [True, False])
def test_the_only_way_in_is_not_taken_away(provider, settings, local):
    settings.LOCAL_SIGN_IN = local
    client, _answer = sign_in_as(provider, "ada")
    confirm_at(provider, client, "ada")

    page = client.post(UNLINK, follow=True).content.decode()

    assert "the only way into your account" in page
    assert SocialAccount.objects.count() == 1


def test_a_link_whose_entry_cannot_be_written_is_none(provider, client, person, monkeypatch):
    def refuse(*args, **kwargs):
        raise RuntimeError("the trail cannot be written")

    monkeypatch.setattr("workspaces.identity.links.record", refuse)
    answer = provider.sign_in(client.post(LINK)["Location"], "ada")
    with pytest.raises(RuntimeError):
        come_back(client, answer)

    assert links.of(person) is None


# --- Confirming at the provider -----------------------------------------------------------------------------


def test_whoever_has_the_provider_alone_confirms_there(provider):
    client, _answer = sign_in_as(provider, "ada")
    asked = client.get("/account/app/")
    assert asked["Location"] == "/account/confirm/provider/?next=%2Faccount%2Fapp%2F"

    sent = client.post(CONFIRM, {"next": "/account/app/"})["Location"]
    assert "prompt=login" in sent
    assert "max_age=0" in sent
    answer = come_back(client, provider.sign_in(sent, "ada"))

    assert answer["Location"] == "/account/app/"
    assert client.get("/account/app/").status_code == 200


@pytest.mark.parametrize(
    ("subject", "how"),
    [("bea", {}), ("ada", {"claims": {"auth_time": 1_700_000_000}}), ("ada", {"without": ["auth_time"]})],
)
def test_somebody_else_or_an_old_session_at_the_provider_confirms_nothing(provider, subject, how):
    provider.knows({"ada": {}, "bea": {}})
    client, _answer = sign_in_as(provider, "ada")
    provider.spoil(**how)

    confirm_at(provider, client, subject)

    assert client.get("/account/app/").status_code == 302


def test_where_a_password_opens_nothing_it_confirms_nothing(provider, client, person, settings):
    link(provider, client)
    settings.LOCAL_SIGN_IN = False
    client, _answer = sign_in_as(provider, "ada", Client())

    assert client.get("/account/app/")["Location"].startswith(CONFIRM)
