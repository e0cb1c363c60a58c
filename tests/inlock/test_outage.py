"""While the database is gone nobody waits for it: a page says so in the reader's language and looks again by itself."""

from http import HTTPStatus

import pytest
from django.http import HttpResponse

from inlock import outage
from tests.portal import within

pytestmark = pytest.mark.django_db

GONE = "The portal cannot reach its database"


@pytest.fixture
def gone(monkeypatch):
    """The database takes no connections, which the web process knows for long enough; yields how it comes back."""
    monkeypatch.setattr(outage, "outage", outage._Outage())
    monkeypatch.setattr(outage, "WAITED_THROUGH", 0.0)
    monkeypatch.setattr(outage, "_LOOK_EVERY", 0.01)
    there = outage.conninfo()
    answers = outage.takes_connections
    state = {"where": b"host=/run/no-such-server"}
    monkeypatch.setattr(outage, "takes_connections", lambda _where: answers(state["where"]))
    outage.outage.notice()
    yield lambda: state.update(where=there)
    state["where"] = there
    within(10, lambda: not outage.outage.lasts())


def test_a_page_says_so_and_looks_again_without_asking_the_database(gone, client, django_assert_num_queries):
    with django_assert_num_queries(0):
        told = client.get("/w/policies/")

    assert told.status_code == HTTPStatus.SERVICE_UNAVAILABLE
    assert GONE in told.content.decode()
    assert '<meta http-equiv="refresh" content="5">' in told.content.decode()
    assert told["Retry-After"] == "5"
    assert "no-store" in told["Cache-Control"]


@pytest.mark.parametrize(
    ("language", "words"),
    [("sr", "Портал не може да дође до своје базе"), ("sr-latn", "Portal ne može da dođe do svoje baze")],
)
def test_it_says_so_in_the_readers_language(language, words, gone, client):
    told = client.get("/", headers={"accept-language": language})

    assert words in told.content.decode()
    assert told["Content-Language"] == language


def test_what_was_sent_is_not_sent_again_by_itself(gone, client):
    told = client.post("/w/policies/ask/", {"text": "How long is parental leave?"})

    assert told.status_code == HTTPStatus.SERVICE_UNAVAILABLE
    assert "refresh" not in told.content.decode()
    assert "may not have been taken" in told.content.decode()


def test_a_program_is_told_as_the_interface_tells_everything(gone, client):
    told = client.get("/api/v1/workspaces")

    assert (told.status_code, told["Content-Type"]) == (503, "application/problem+json")
    assert told.json()["detail"] == "The portal cannot reach its database. Try again in a moment."
    assert told["Retry-After"] == "5"


def test_machines_that_watch_the_portal_are_answered_as_ever(gone, client):
    assert client.get("/health/live").status_code == HTTPStatus.OK


def test_pages_are_back_when_the_database_is(gone, client):
    assert client.get("/sign-in/").status_code == HTTPStatus.SERVICE_UNAVAILABLE

    gone()
    within(10, lambda: not outage.outage.lasts())

    assert client.get("/sign-in/").status_code == HTTPStatus.OK


def test_who_waits_in_vain_is_told_the_same(gone, monkeypatch, rf):
    lasts = iter([False, True])
    monkeypatch.setattr(outage.outage, "lasts", lambda: next(lasts, False))

    told = outage.OutageMiddleware(lambda _request: HttpResponse(status=500))(rf.get("/w/policies/"))

    assert told.status_code == HTTPStatus.SERVICE_UNAVAILABLE
    assert GONE in told.content.decode()


def test_a_fault_of_ours_is_no_outage(rf):
    broken = HttpResponse("Something broke", status=500)

    assert outage.OutageMiddleware(lambda _request: broken)(rf.get("/w/policies/")) is broken


def test_a_server_that_is_there_ends_what_was_taken_for_an_outage(monkeypatch):
    """As when it is full: it answers, and only takes nobody in."""
    noticed = outage._Outage()
    monkeypatch.setattr(outage, "WAITED_THROUGH", 0.0)

    noticed.notice()

    within(10, lambda: not noticed.lasts())
    assert outage.takes_connections(outage.conninfo())


def test_a_blip_is_waited_through(gone, client, monkeypatch):
    monkeypatch.setattr(outage, "WAITED_THROUGH", 3600.0)

    assert client.get("/sign-in/").status_code == HTTPStatus.OK
