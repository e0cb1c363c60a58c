"""Sessions: listed, ended one by one or together, over in time, and of no use after a change of password."""

from datetime import timedelta
from types import SimpleNamespace

import pytest
from allauth.usersessions.models import UserSession
from django.conf import settings as configured
from django.test import Client

from audit.events import EventType
from audit.models import Event
from tests.conftest import PASSWORD
from tests.workspaces.sign_in_scene import age, browser, is_signed_in, sign_in
from workspaces.accounts import change_account, set_password
from workspaces.identity import sessions
from workspaces.tokens import keeping as tokens

pytestmark = pytest.mark.django_db
NEW = "an-entirely-new-sentence"


def row_of(client: Client) -> UserSession:
    return UserSession.objects.get(session_key=client.session.session_key)


def test_ones_sessions_are_listed_with_browser_and_address(member, stranger):
    here = browser("member", HTTP_USER_AGENT="Firefox on a desk", REMOTE_ADDR="192.0.2.1")
    browser("member", HTTP_USER_AGENT="Safari on a phone", REMOTE_ADDR="192.0.2.2")
    browser("stranger", HTTP_USER_AGENT="Somebody else's")

    page = here.get("/account/sessions/").content.decode()

    assert "Firefox on a desk" in page
    assert "Safari on a phone" in page
    assert "192.0.2.2" in page
    assert "Somebody else" not in page


def test_one_session_is_ended_from_another(member):
    here, there, third = browser("member"), browser("member"), browser("member")

    here.post(f"/account/sessions/{row_of(there).pk}/end/")

    assert [is_signed_in(client) for client in (here, there, third)] == [True, False, True]
    (entry,) = Event.objects.filter(type=EventType.SESSION_ENDED)
    assert (entry.actor_id, entry.object_id) == (str(member.pk), str(member.pk))


def test_all_other_sessions_are_ended_at_once(member):
    here, there, third = browser("member"), browser("member"), browser("member")

    here.post("/account/sessions/")

    assert [is_signed_in(client) for client in (here, there, third)] == [True, False, False]
    assert Event.objects.filter(type=EventType.SESSION_ENDED).count() == 2


def test_nobody_ends_the_session_of_another(member, stranger):
    theirs, mine = browser("stranger"), browser("member")

    assert mine.post(f"/account/sessions/{row_of(theirs).pk}/end/").status_code == 404
    assert is_signed_in(theirs)
    assert not Event.objects.filter(type=EventType.SESSION_ENDED).exists()


def test_changing_the_password_ends_every_other_session(member):
    here, there = browser("member"), browser("member")

    changed = here.post("/account/password/", {"old_password": PASSWORD, "new_password1": NEW, "new_password2": NEW})

    assert changed.status_code == 302
    assert is_signed_in(here)
    assert not is_signed_in(there)
    assert sign_in(Client(), "member").status_code == 200
    assert sign_in(Client(), "member", NEW).status_code == 302
    assert Event.objects.filter(type=EventType.USER_CHANGED, actor_id=str(member.pk)).exists()


def test_after_changing_the_password_the_session_can_still_be_ended(member):
    here = browser("member")
    here.post("/account/password/", {"old_password": PASSWORD, "new_password1": NEW, "new_password2": NEW})
    assert is_signed_in(here)

    sessions.end_all(member)

    assert not is_signed_in(here)


def test_a_password_given_by_another_ends_the_persons_tokens(policies, member, admin):
    token, _text = tokens.create(by=member, name="Report", workspaces=[policies], actions=["ask_questions"])

    set_password(member, NEW, by=admin)

    token.refresh_from_db()
    assert token.revoked_by == admin


def test_a_wrong_old_password_changes_nothing(member):
    client = browser("member")

    refused = client.post("/account/password/", {"old_password": "no", "new_password1": NEW, "new_password2": NEW})

    assert refused.status_code == 400
    assert sign_in(Client(), "member").status_code == 302


@pytest.mark.parametrize(
    ("password", "complaint"),
    [
        ("short-words", "12 characters"),
        ("123456qwerty", "too common"),
        ("wilhelmina-s1", "too similar"),
        ("90210555123987", "entirely numeric"),
    ],
)
def test_weak_passwords_are_refused_with_the_reason(member, password, complaint):
    member.last_name = "Wilhelmina-S"
    member.save()
    client = browser("member")

    page = client.post(
        "/account/password/", {"old_password": PASSWORD, "new_password1": password, "new_password2": password}
    )

    assert page.status_code == 400
    assert complaint in page.content.decode()


@pytest.mark.parametrize("remember", [{}, {"remember": "on"}])
def test_a_session_is_over_after_its_hours_whatever_is_done_in_it(member, remember):
    client = Client()
    sign_in(client, "member", **remember)
    age(client, started=timedelta(seconds=configured.SESSION_COOKIE_AGE + 1))

    sent = client.get("/?page=2")

    assert sent["Location"] == "/sign-in/?next=/%3Fpage%3D2"
    assert not is_signed_in(client)


@pytest.mark.parametrize("remember", [{}, {"remember": "on"}])
def test_a_session_that_lies_idle_is_over(member, remember):
    client = Client()
    sign_in(client, "member", **remember)
    age(client, seen=timedelta(seconds=configured.SESSION_IDLE_SECONDS + 1))

    assert not is_signed_in(client)


def test_using_a_session_keeps_it_from_lying_idle(member):
    client = browser("member")
    for _ in range(3):
        age(client, seen=timedelta(seconds=configured.SESSION_IDLE_SECONDS - 60))
        assert is_signed_in(client)


@pytest.mark.parametrize("remember", [{}, {"remember": "on"}])
def test_a_closed_account_is_out_at_the_next_request(member, admin, remember):
    client = Client()
    sign_in(client, "member", **remember)
    change_account(member, by=admin, is_active=False)

    assert not is_signed_in(client)


def test_the_cookie_goes_with_the_browser_unless_asked_to_stay(member):
    leaving, staying = Client(), Client()
    sign_in(leaving, "member")
    sign_in(staying, "member", remember="on")

    assert leaving.cookies[configured.SESSION_COOKIE_NAME]["max-age"] == ""
    assert int(staying.cookies[configured.SESSION_COOKIE_NAME]["max-age"]) <= 12 * 3600


def test_signing_in_gives_the_session_a_new_id(member):
    client = Client()
    session = client.session
    session["planted"] = "x"
    session.save()
    planted = session.session_key

    sign_in(client, "member")

    assert client.session.session_key != planted


def test_signing_out_is_in_the_trail_and_ends_the_session(member):
    client = browser("member")
    cookie = client.cookies[configured.SESSION_COOKIE_NAME].value

    client.post("/sign-out/")
    client.cookies[configured.SESSION_COOKIE_NAME] = cookie

    assert not is_signed_in(client)
    assert Event.objects.filter(type=EventType.USER_SIGNED_OUT, actor_id=str(member.pk)).count() == 1


def test_a_part_of_a_page_is_led_away_as_a_whole_page(member):
    client = browser("member")
    age(client, seen=timedelta(seconds=configured.SESSION_IDLE_SECONDS + 1))

    answer = client.get("/", headers={"HX-Request": "true"})

    assert answer.status_code == 204
    assert answer["HX-Redirect"].startswith("/sign-in/")


def test_who_has_no_password_here_finds_no_page_for_it(member, client_of):
    member.set_unusable_password()
    member.save()

    assert client_of(member).get("/account/password/").status_code == 404


def test_ageing_taken_away_would_be_seen(member, monkeypatch):
    monkeypatch.setattr("workspaces.identity.middleware.sessions", SimpleNamespace(is_over=bool, note_use=bool))
    monkeypatch.setattr("workspaces.identity.middleware.sessions.is_over", lambda request: False)
    client = browser("member")
    age(client, started=timedelta(days=3))

    assert is_signed_in(client)
