"""The table of acts is whole: every address either has a row there, or changes nothing whatever is sent to it."""

import os
from contextlib import suppress
from types import SimpleNamespace
from typing import Any

import pytest
from django.contrib import admin
from django.db.models import Model
from django.http import HttpResponse
from django.urls import NoReverseMatch, path, reverse

from tests.contracts import trying
from tests.contracts.acts import PORTAL, Act
from tests.contracts.acts_account import ACCOUNT, PROVED_ELSEWHERE
from tests.contracts.acts_admin import ADMIN
from tests.contracts.test_admin_pages import _rows
from tests.contracts.test_threat_model import ROOT, _tests_in
from tests.contracts.test_urls import ROUTES, Route
from tests.contracts.trying import TRIED, patterns, send
from tests.contracts.world import VISITORS, World
from tests.undone import undone

#: They share a world, which one worker makes.
pytestmark = pytest.mark.xdist_group("contracts-table")

ACTS = [*PORTAL, *ADMIN, *ACCOUNT]
NAMED = {act.name for act in ACTS} | set(PROVED_ELSEWHERE)
#: Pages of the admin that only show, whoever asks. What is posted to a list is tried in `test_admin_pages.py`.
SHOWING = {"index", "login", "password_change", "password_change_done", "autocomplete", "jsi18n", "app_list", ""}
LISTS = ("changelist", "history", "simple_history")
#: What Django's admin makes of every model, and who is asked for it.
PERMISSION = {"add": "has_add_permission", "change": "has_change_permission", "delete": "has_delete_permission"}
UNSAFE = ("post", "put", "patch", "delete")
#: What is sent beside a GET to the address of an act; views know two methods, and `make deep` tries each of the others.
NOT_A_POST = ("put", "patch", "delete") if os.environ.get("INLOCK_DEEP") else ("delete",)

#: One act of each address: variants of it differ in what they post.
ADDRESSES = list({act.name: act for act in reversed(ACTS)}.values())
READING = [route for route in ROUTES if route.name not in NAMED]


def test_the_sweep_sees_every_kind_of_address() -> None:
    names = {name for name, _pattern in patterns()}

    assert {"documents:delete", "admin:answers_draft_approve", "admin:documents_document_delete"} <= names
    assert len(names) > 180


def test_rows_say_what_reading_every_table_would(world: World, monkeypatch: Any) -> None:
    """They read what was written to in this transaction: also through a cascade, and what was taken back."""
    with undone():
        type(world.own.gap).objects.filter(pk=world.own.gap.pk).delete()
        type(world.own.document).objects.filter(pk=world.own.document.pk).update(title="Another")
        seen, read = trying.rows(), _read_whole(monkeypatch)

    assert seen == read
    assert set(trying.changed(read)) == {"documents_document", "answers_gap", "answers_gapquestion"}
    assert trying.rows() == _read_whole(monkeypatch)


def _read_whole(monkeypatch: Any) -> dict[str, str]:
    with monkeypatch.context() as patch:
        patch.setattr(trying, "_beginnings", [])
        return trying.rows()


# --- The portal ---------------------------------------------------------------------------------------------


def take_nothing_but_reading(routes: list[Route], world: World) -> None:
    before, client = trying.rows(), world.client("superuser")
    for route in routes:
        for method in UNSAFE:
            status = getattr(client, method)(route.path).status_code
            TRIED["addresses that are read × unsafe methods"] += 1

            assert status == 405, (
                f"{method.upper()} {route.name} is answered {status}: if it changes something, give it "
                "a row in tests/contracts/acts.py; if not, say so with require_GET."
            )
    assert trying.changed(before) == []


def test_an_address_without_a_row_takes_nothing_but_reading(world: World) -> None:
    take_nothing_but_reading(READING, world)


@pytest.mark.parametrize("name", PROVED_ELSEWHERE)
def test_what_is_proved_elsewhere_is(name: str) -> None:
    module, _, test = PROVED_ELSEWHERE[name].partition("::")

    assert name in {found for found, _pattern in patterns()}
    assert _tests_in(ROOT / module)
    assert not test or test in _tests_in(ROOT / module)


@pytest.mark.parametrize("act", ADDRESSES, ids=str)
def test_only_a_post_does_it(act: Act, world: World) -> None:
    if act.before is not None:
        act.before(world)
    client = act.client(world) if act.client else world.client(act.who)
    before = trying.rows()

    read = send(world, act.who, "get", act.path(world), {}, before=before, client=client)
    assert read.changed == []
    assert act.event not in {entry["type"] for entry in read.entries}

    seen = trying.entries()
    for method in NOT_A_POST:
        getattr(client, method)(act.path(world))
    # The library's pages of factors take another unsafe method for the same act.
    told = {entry["type"] for entry in trying.entries_since(seen)}
    assert trying.changed(before) == [] or act.event in told
    TRIED["acts × methods that do nothing"] += 1 + len(NOT_A_POST)


def test_a_page_that_changes_something_when_it_is_read_would_be_seen(world: World, monkeypatch: Any) -> None:
    restrict = next(act for act in ACTS if act.name == "documents:restrict")
    pattern = next(pattern for name, pattern in patterns() if name == "documents:restrict")

    def eager(request: Any, **given: Any) -> HttpResponse:
        type(world.own.document).objects.filter(pk=given["pk"]).update(restricted=True)
        return HttpResponse()

    monkeypatch.setattr(pattern, "callback", eager)

    with pytest.raises(AssertionError):
        test_only_a_post_does_it(restrict, world)


# --- The admin ----------------------------------------------------------------------------------------------


def _without_a_row(name: str, world: World) -> bool:
    """Whether an address of the admin that somebody may change something at is missing in the table."""
    if not name.startswith("admin:") or name in NAMED:
        return False
    _admin, _, page = name.partition(":")
    if page in SHOWING or page.endswith(LISTS):
        return False
    model = next(
        (one for one in admin.site._registry if page.startswith(f"{one._meta.app_label}_{one._meta.model_name}_")), None
    )
    if model is None:
        return True
    permission = PERMISSION.get(page.rpartition("_")[2])
    if permission is None:
        return not _only_shows(name, model, world)
    ask = getattr(admin.site._registry[model], permission)
    return any(ask(SimpleNamespace(user=user)) for user in map(world.people.get, VISITORS))


def _only_shows(name: str, model: type[Model], world: World) -> bool:
    """Whether a page that a class of the admin adds says itself that it takes no POST."""
    for given in ({}, {"pk": _rows(model, world)[0]}):
        with suppress(NoReverseMatch):
            return send(world, "superuser", "post", reverse(name, kwargs=given), {}).response.status_code == 405
    return False


def test_every_act_of_the_admin_has_a_row(world: World) -> None:
    missing = {name for name, _pattern in patterns() if _without_a_row(name, world)}

    assert missing == set(), "Give each a row in tests/contracts/acts_admin.py."


def test_an_address_of_the_admin_that_nobody_wrote_down_would_be_seen(world: World) -> None:
    assert _without_a_row("admin:documents_document_burn", world)
    assert not _without_a_row("admin:documents_document_delete", world)


def test_an_address_of_the_portal_that_nobody_wrote_down_would_be_seen(world: World, monkeypatch: Any) -> None:
    from inlock import urls

    def burn(request: Any) -> HttpResponse:
        return HttpResponse("Burnt.")

    monkeypatch.setattr(urls, "urlpatterns", [path("burn/", burn, name="burn"), *urls.urlpatterns])
    _forget_addresses()
    try:
        with pytest.raises(AssertionError, match="give it a row"):
            take_nothing_but_reading([Route("burn", reverse("burn"), None)], world)
    finally:
        monkeypatch.undo()
        _forget_addresses()


def _forget_addresses() -> None:
    from django.urls import clear_url_caches, get_resolver

    clear_url_caches()
    get_resolver().__dict__.pop("url_patterns", None)
