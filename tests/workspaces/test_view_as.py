"""Seeing the portal as another person: what is shown, what is refused, how it ends, and what the trail keeps."""

import asyncio
import json
import re
from datetime import timedelta

import pytest
from asgiref.sync import sync_to_async
from django.db import connections
from django.http import HttpResponse, StreamingHttpResponse
from django.test import AsyncClient
from django.urls import reverse
from django.utils import timezone

from audit import context
from audit.events import EventType
from audit.models import Event
from tests.answers.review_scene import a_document
from workspaces import accounts, members
from workspaces.exceptions import Forbidden, ViewingError
from workspaces.models import User, ViewAs
from workspaces.tasks import sweep_looks
from workspaces.view_as import looks as view_as
from workspaces.view_as import viewing

pytestmark = pytest.mark.django_db

BAR = '<aside class="viewing"'


@pytest.fixture
def begin(client_of, admin):
    """begin(person) → the administrator's browser, looking as that person."""

    def begin(person, by=admin):
        client = client_of(by)
        response = client.post(address_of(person), {"reason": "They cannot find the travel rules"})
        assert response.status_code == 302, response.content.decode()
        return client

    return begin


@pytest.fixture
def superuser(make_user):
    user = make_user("root")
    User.objects.filter(pk=user.pk).update(is_superuser=True)
    return User.objects.get(pk=user.pk)


def run(coroutine):
    """What `coroutine` returns; the thread behind it keeps no connection to this test's database."""

    async def closing():
        try:
            return await coroutine
        finally:
            await sync_to_async(connections.close_all)()

    return asyncio.run(closing())


def address_of(person):
    return reverse("admin:workspaces_user_view_as", args=[person.pk])


def told(type):
    return [json.loads(event.body) for event in Event.objects.filter(type=type).order_by("seq")]


def how_it_ended():
    return [entry["details"]["how"] for entry in told(EventType.VIEW_AS_ENDED)]


# --- What a look shows --------------------------------------------------------------------------------------


def test_an_administrator_sees_what_the_person_sees_under_a_bar_that_says_so(begin, admin, member, policies):
    client = begin(member)

    home = client.get("/", follow=True).content.decode()
    people = client.get("/w/policies/people/").content.decode()

    for page in (home, people):
        assert BAR in page
        assert "<strong><bdi>member</bdi></strong>" in page
    assert "Save roles" not in people
    [started] = told(EventType.VIEW_AS_STARTED)
    assert (started["actor_label"], started["object_label"]) == ("admin", "member")
    assert started["reason"] == "They cannot find the travel rules"


def test_the_administrator_alone_would_not_see_it(client_of, admin, member, policies):
    assert client_of(admin).get("/w/policies/people/").status_code == 404


def test_the_person_notices_no_bar(begin, client_of, member, policies):
    begin(member)

    assert BAR not in client_of(member).get("/w/policies/people/").content.decode()


def test_the_text_of_a_document_stays_shut_to_who_may_not_read_it_themself(begin, admin, member, policies):
    document = a_document(policies, title="Travel rules", text="Trains before planes.").document
    address = reverse("documents:detail", args=["policies", document.pk])

    closed = begin(member).get(address)
    members.add_member(policies, admin, "member", by=None)
    opened = begin(member).get(address)

    assert closed.status_code == 403
    assert "Trains before planes" not in closed.content.decode()
    assert BAR in closed.content.decode()
    assert opened.status_code == 200
    assert "Trains before planes" in opened.content.decode()


def test_what_is_opened_in_a_look_was_opened_by_the_administrator(begin, admin, member, policies):
    document = a_document(policies, title="Travel rules", text="Trains before planes.").document
    members.add_member(policies, admin, "member", by=None)

    begin(member).get(reverse("documents:detail", args=["policies", document.pk]))

    [opened] = told(EventType.DOCUMENT_OPENED)
    assert opened["actor_label"] == "admin"
    assert opened["details"]["viewing_as"] == str(member.pk)


def test_a_look_needs_somebody_who_acts(admin, member):
    with pytest.raises(RuntimeError):
        context.look_as(member, viewer=admin)


@pytest.mark.parametrize("role", ["manager", "contributor", "reviewer", "member", "auditor"])
def test_everything_the_navigation_of_a_look_leads_to_opens(begin, policies, people, role):
    person = people[role][0] if role == "reviewer" else people[role]
    client = begin(person)

    opened = {}
    for page in ("/w/policies/people/", "/404-as-any-other/"):
        sidebar = client.get(page).content.decode().partition('id="sidebar"')[2].partition("</aside>")[0]
        new = set(re.findall(r'href="(/[^"#]*)"', sidebar)) - set(opened)
        opened |= {address: client.get(address).status_code for address in new}
        assert set(re.findall(r'<form[^>]* action="([^"]*)"', sidebar)) <= {"/sign-out/"}
    assert opened
    assert not {address: status for address, status in opened.items() if status >= 400}
    assert client.get("/admin/").status_code == 403


# --- What it refuses ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", ["post", "put", "patch", "delete"])
def test_nothing_is_done_as_another(begin, manager, policies, stranger, method):
    client = begin(manager)

    response = getattr(client, method)("/w/policies/people/add/", {"username": "stranger", "roles": ["member"]})

    assert response.status_code == 403
    assert "you can only look" in response.content.decode()
    assert BAR in response.content.decode()
    assert members.roles_of(policies, stranger) == []
    denied = told(EventType.ACCESS_DENIED)[-1]
    assert denied["actor_label"] == "admin"


@pytest.mark.parametrize(
    "address", ["/admin/", "/admin/workspaces/user/", "/account/", "/workspaces/new/", "/sign-in/"]
)
def test_the_administration_and_the_persons_own_account_stay_closed(begin, admin, manager, policies, address):
    members.set_platform_administrator(manager, by=None)

    assert begin(manager).get(address).status_code == 403


def test_without_the_middleware_the_act_would_go_through(begin, manager, policies, stranger, monkeypatch):
    """The counter-proof: what refuses is the middleware, not the form."""
    client = begin(manager)
    monkeypatch.setattr(viewing, "_refuse", lambda *args: None)
    monkeypatch.setattr(context, "look_as", lambda person, viewer: None)
    monkeypatch.setattr(viewing, "_become", lambda request, look: setattr(request, "user", look.person))

    class Everything(frozenset):
        def __contains__(self, item):
            return True

    monkeypatch.setattr(viewing, "_READING", Everything())
    client.post("/w/policies/people/add/", {"username": "stranger", "roles": ["member"]})

    assert members.roles_of(policies, stranger) == ["member"]


def test_a_stream_is_refused_before_its_first_word(rf, admin, member):
    sent = []

    def words():
        sent.append("a word")
        yield "data: a word\n\n"

    look = view_as.start(member, by=admin, reason="Why")
    request = rf.get("/")
    request.look, request.user = look, member
    middleware = viewing.ViewAsMiddleware(
        lambda request: StreamingHttpResponse(words(), content_type="text/event-stream; charset=utf-8")
    )

    response = middleware(request)

    assert response.status_code == 403
    assert b"a word" not in response.content
    assert sent == []


def test_without_a_look_the_same_stream_is_let_through(rf, member):
    """The counter-proof."""
    request = rf.get("/")
    request.look, request.user = None, member
    stream = StreamingHttpResponse(iter(["data: a word\n\n"]), content_type="text/event-stream")

    assert viewing.ViewAsMiddleware(lambda request: stream)(request) is stream


def test_an_ordinary_answer_passes(rf, admin, member):
    request = rf.get("/")
    request.look = view_as.start(member, by=admin, reason="Why")

    assert viewing.ViewAsMiddleware(lambda request: HttpResponse("fine"))(request).content == b"fine"


def test_a_look_cannot_begin_inside_another(begin, admin, member, manager, policies):
    client = begin(member)

    assert client.post(address_of(manager), {"reason": "Further"}).status_code == 403
    with context.acting(member, viewer=admin), pytest.raises(ViewingError, match="already"):
        view_as.start(manager, by=admin, reason="Further")
    assert ViewAs.objects.filter(ended_at=None).count() == 1


# --- Who may ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("who", ["manager", "reviewer", "auditor", "member", "stranger"])
def test_nobody_else_looks_as_another(who, client_of, request, policies, contributor):
    somebody = request.getfixturevalue(who)
    client = client_of(somebody)

    assert client.get(address_of(contributor)).status_code in {403, 404}
    assert client.post(address_of(contributor), {"reason": "Curious"}).status_code in {403, 404}
    with pytest.raises(Forbidden):
        view_as.start(contributor, by=somebody, reason="Curious")
    assert not ViewAs.objects.exists()


def test_nobody_below_a_superuser_looks_as_one(client_of, admin, superuser, make_user):
    assert client_of(admin).post(address_of(superuser), {"reason": "Curious"}).status_code == 403
    assert not ViewAs.objects.exists()

    other = make_user("other-root")
    other.is_superuser = True
    other.save()
    view_as.start(superuser, by=other, reason="They asked me to")
    assert ViewAs.objects.get().person == superuser


@pytest.mark.parametrize(("reason", "sentence"), [("", "Say why"), ("   ", "Say why")])
def test_a_look_needs_a_reason(client_of, admin, member, reason, sentence):
    response = client_of(admin).post(address_of(member), {"reason": reason})

    assert sentence in response.content.decode()
    assert not ViewAs.objects.exists()


def test_oneself_and_closed_accounts_are_not_looked_at(admin, member):
    member.is_active = False
    member.save()

    for person in (admin, member):
        with pytest.raises(ViewingError):
            view_as.start(person, by=admin, reason="Why")


# --- How it ends --------------------------------------------------------------------------------------------


def test_ending_gives_the_session_back_and_both_ends_change_its_id(client_of, admin, member, policies):
    client = client_of(admin)
    ids = [client.session.session_key]
    client.post(address_of(member), {"reason": "Why"})
    ids.append(client.session.session_key)
    response = client.post("/view-as/end/", follow=True)
    ids.append(client.session.session_key)

    assert len(set(ids)) == 3
    assert response.status_code == 200
    assert BAR not in response.content.decode()
    assert response.wsgi_request.user == admin
    assert how_it_ended() == ["ended"]
    assert client.get("/w/policies/people/").status_code == 404


def test_the_session_with_the_old_id_is_worth_nothing(client_of, client, admin, member):
    known = client_of(admin)
    before = known.session.session_key
    known.post(address_of(member), {"reason": "Why"})

    client.cookies["sessionid"] = before

    assert client.get("/").status_code == 302


def test_it_ends_by_itself(begin, member, policies):
    client = begin(member)
    ViewAs.objects.update(until=timezone.now() - timedelta(seconds=1))

    response = client.get("/", follow=True)

    assert BAR not in response.content.decode()
    assert response.wsgi_request.user.username == "admin"
    assert how_it_ended() == ["time_up"]


def test_it_ends_with_signing_out(begin, member, policies):
    client = begin(member)

    client.post("/sign-out/")

    assert how_it_ended() == ["signed_out"]
    assert [entry["actor_label"] for entry in told(EventType.USER_SIGNED_OUT)] == ["admin"]
    assert client.get("/").status_code == 302


def test_it_ends_when_the_persons_account_closes(begin, admin, member, policies):
    client = begin(member)

    accounts.change_account(member, by=admin, is_active=False)

    assert BAR not in client.get("/", follow=True).content.decode()
    assert how_it_ended() == ["account_closed"]


def test_it_ends_when_the_administrators_account_closes(begin, admin, member, policies):
    client = begin(member)
    User.objects.filter(pk=admin.pk).update(is_active=False)

    assert client.get("/").status_code == 302
    sweep_looks()
    assert how_it_ended() == ["account_closed"]


def test_it_ends_when_the_administrator_is_none_any_more(begin, admin, member, policies):
    client = begin(member)
    members.set_platform_administrator(admin, by=None, administrator=False)

    response = client.get("/w/policies/people/")

    assert response.status_code == 404
    assert how_it_ended() == ["right_lost"]


def test_a_forgotten_look_is_ended_once_by_the_sweep(begin, member, policies):
    begin(member)
    sweep_looks()
    assert how_it_ended() == []

    ViewAs.objects.update(until=timezone.now() - timedelta(seconds=1))
    sweep_looks()
    sweep_looks()

    assert how_it_ended() == ["time_up"]


def test_another_look_ends_the_one_before(admin, member, manager):
    view_as.start(member, by=admin, reason="First")
    view_as.start(manager, by=admin, reason="Second")

    assert how_it_ended() == ["another_began"]


def test_another_persons_session_cannot_take_a_look_over(begin, client_of, member, manager, policies, stranger):
    begin(member)
    client = client_of(stranger)
    session = client.session
    session["view_as"] = str(ViewAs.objects.get().pk)
    session.save()

    assert BAR not in client.get("/").content.decode()
    assert client.get("/w/policies/people/").status_code == 404


def test_nothing_begins_when_the_trail_cannot_be_written(client_of, admin, member, monkeypatch):
    def fail(*args, **kwargs):
        raise RuntimeError("no trail")

    monkeypatch.setattr("workspaces.view_as.looks.record", fail)

    with pytest.raises(RuntimeError):
        client_of(admin).post(address_of(member), {"reason": "Why"})
    assert not ViewAs.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_a_look_holds_under_the_asynchronous_server_too(admin, member, policies):
    async def looked():
        client = AsyncClient()
        await client.aforce_login(admin, backend="django.contrib.auth.backends.ModelBackend")
        await client.post(address_of(member), {"reason": "Why"})
        return await client.get("/w/policies/people/"), await client.post("/w/policies/people/add/", {})

    shown, refused = run(looked())

    assert (shown.status_code, refused.status_code) == (200, 403)
    assert BAR in shown.content.decode()
    assert context.current().viewer is None
