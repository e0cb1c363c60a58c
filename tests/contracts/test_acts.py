"""P6 and the attacks on bodies, act by act: the entry, the rollback without it, foreign ids, fields nobody asked for.

The acts are the rows of `tests/contracts/acts.py`; `test_table.py` fails for an address that changes something and
has no row.
"""

import os
import re
from contextlib import suppress
from typing import Any

import pytest
from django import forms
from django.db import DatabaseError, transaction
from django.test import Client

from answers import source_changes
from audit.events import EventType
from documents import act_views
from documents.access import restriction
from documents.cards import classifying
from documents.deletion import views as deletion_views
from documents.forms import DeleteForm
from documents.models import Document
from tests.contracts import trying
from tests.contracts.acts import PORTAL, Act
from tests.contracts.acts_account import ACCOUNT
from tests.contracts.acts_admin import ADMIN
from tests.contracts.trying import TRIED, Outcome, send
from tests.contracts.world import ROLES, VISITORS, One, World
from tests.undone import undone
from workspaces import access
from workspaces.roles import CHARTERS

#: They share a world, which one worker makes.
pytestmark = pytest.mark.xdist_group("contracts-acts")

DEEP = bool(os.environ.get("INLOCK_DEEP"))
ACTS = [*PORTAL, *ADMIN, *ACCOUNT]
#: Variants of an act post something else to the same address: whom its view refuses by the right it declares, and which
#: ids in the address it takes, is tried at the first; `make deep` tries it at each.
FIRST = ACTS if DEEP else list({act.name: act for act in reversed(ACTS)}.values())
OPEN_TO_ALL = {"account_login", "account_logout", "set_language"}
GUARDED = [act for act in ACTS if act.name not in OPEN_TO_ALL and (act.may is not None or act in FIRST)]
#: The verb behind an address that writes this entry, once.
VERBS = list({(act.name, act.event, str(act) if DEEP else ""): act for act in reversed(ACTS) if act.event}.values())
NAMING = [act for act in ACTS if (act.address and act in FIRST) or act.ones()]

#: Those whom the same line refuses: a role without the action, a superuser who has not said why, somebody from outside.
#: Each role is tried at an address of each right it lacks by `test_urls.py`; `make deep` sends everybody to every act.
PORTAL_ALIKE = (ROLES, ("superuser",), ("admin", "stranger"))
#: The admin opens for some roles, and not for the others.
ADMIN_ALIKE = (("manager", "reviewer", "auditor"), ("contributor", "member", "stranger"), ("superuser",), ("admin",))

#: What somebody might add to a form in the hope that it is set; those a form really has are left out of it.
HOPED_FOR = [
    "id",
    "pk",
    "owner",
    "user",
    "workspace",
    "role",
    "roles",
    "status",
    "state",
    "is_staff",
    "is_superuser",
    "is_active",
    "administrator",
    "approved_by",
    "released_by",
    "released_text",
    "created_by",
    "created_at",
    "asked_by",
    "edited_by",
    "assigned_to",
    "restricted",
    "classification",
    "policy",
    "deleted_at",
    "signed_by",
    "until",
    "chain",
    "sha256",
]
#: Of Django's admin: which button was pressed.
BUTTONS = {"_addanother", "_continue", "_popup", "_saveasnew", "_to_field", "_change_history", "_save", "dataset"}
#: What a page that is shown again, with what was wrong in its form, says of being read.
SHOWN_AGAIN = {EventType.DRAFT_OPENED, EventType.TRAINING_READ}
#: No row has this id, and nobody and nothing this name.
NOTHING, NO_NUMBER, NOWHERE = "00000000-0000-4000-8000-000000000000", "2147480000", "nowhere"


def do(act: Act, world: World, *, extra: dict[str, Any] | None = None) -> Outcome:
    client = _ready(act, world)
    return send(world, act.who, "post", act.path(world), act.body(world) | (extra or {}), client=client)


def _ready(act: Act, world: World) -> Client:
    if act.before is not None:
        act.before(world)
    return act.client(world) if act.client else world.client(act.who)


# --- The entry ----------------------------------------------------------------------------------------------


def leaves_its_entry(act: Act, world: World) -> None:
    """Raise AssertionError unless the act is done, says who did what to which thing, and reads its own fields only."""
    hoped_for = {name: "1" for name in HOPED_FOR if name not in _fields_of(act)}
    done = do(act, world, extra=hoped_for)

    assert not done.is_refused, (done.response.status_code, done.told, done.response.content[-300:])
    told = [entry for entry in done.entries if entry["type"] == act.event]
    assert told, ([entry["type"] for entry in done.entries], done.changed)
    assert {entry["actor_id"] for entry in told} == {str(world.people[str(act.who)].pk)}
    assert {entry["request_id"] for entry in told} == {done.response["X-Request-Id"]}
    # Entries about a chain stand in it; every other one names its thing.
    assert all(entry.get("object_id") or entry["type"].startswith("trail.") for entry in told)
    assert not trying.raw_codes(done.entries)
    _reads_its_own_fields(act, done, set(hoped_for))


def _fields_of(act: Act) -> set[str]:
    """What the rows of this address say that its form has; one with ids in the names of fields is gone through."""
    names = {name for one in ACTS if one.name == act.name for name in one.fields()}
    return names | {trying.WHOLE} if any("#" in name for name in names) else names


def _reads_its_own_fields(act: Act, done: Outcome, hoped_for: set[str]) -> None:
    known = _fields_of(act) | BUTTONS
    assert not done.read & hoped_for
    assert done.read <= known, f"{act.name} reads {done.read - known}: name them in its row, ids as One(…)."


@pytest.mark.parametrize("act", [act for act in ACTS if act.event], ids=str)
def test_an_act_leaves_its_entry_and_sets_nothing_that_was_not_asked_for(act: Act, world: World) -> None:
    leaves_its_entry(act, world)
    TRIED["acts that leave their entry"] += 1


@pytest.mark.parametrize("act", [act for act in ACTS if not act.event], ids=str)
def test_an_act_without_an_entry_says_why_and_changes_nothing_that_is_guarded(act: Act, world: World) -> None:
    done = do(act, world)

    assert act.why_no_entry
    assert not done.is_refused
    assert set(done.changed) <= {"mfa_authenticator", "workspaces_correspondence", "workspaces_notification"}


def is_undone_without_its_entry(act: Act, world: World) -> None:
    """Raise AssertionError if anything is left of the act when the database takes no entry."""
    client = _ready(act, world)
    trying.refuse_entries()

    done = send(world, act.who, "post", act.path(world), act.body(world), client=client)

    assert done.response.status_code == 500, (done.response.status_code, done.told)
    assert set(done.changed) <= act.may_stay
    assert done.entries == []


@pytest.mark.parametrize("act", VERBS, ids=str)
def test_an_act_whose_entry_cannot_be_written_did_not_happen(act: Act, world: World) -> None:
    is_undone_without_its_entry(act, world)
    TRIED["acts undone without their entry"] += 1


CLASSIFY = next(act for act in ACTS if act.name == "documents:classify")
RESTRICT = next(act for act in ACTS if act.name == "documents:restrict")


def test_an_act_without_an_entry_would_be_seen(world: World, monkeypatch: Any) -> None:
    monkeypatch.setattr(classifying, "record", lambda *args, **details: None)
    monkeypatch.setattr(source_changes, "record_all", lambda entries, **details: None)

    with undone(), pytest.raises(AssertionError):
        leaves_its_entry(CLASSIFY, world)
    with undone(), pytest.raises(AssertionError):
        is_undone_without_its_entry(CLASSIFY, world)


def test_a_view_that_goes_on_without_the_entry_would_be_seen(world: World, monkeypatch: Any) -> None:
    strict = classifying.record

    def easy(*args: Any, **details: Any) -> None:
        with suppress(DatabaseError), transaction.atomic():
            strict(*args, **details)

    monkeypatch.setattr(classifying, "record", easy)
    monkeypatch.setattr(source_changes, "record_all", lambda entries, **details: None)

    with pytest.raises(AssertionError):
        is_undone_without_its_entry(CLASSIFY, world)


def test_a_field_that_is_read_and_not_in_the_table_would_be_seen(world: World, monkeypatch: Any) -> None:
    monkeypatch.setattr(deletion_views, "DeleteForm", _Greedy)

    with pytest.raises(AssertionError, match="owner"):
        leaves_its_entry(next(act for act in ACTS if act.name == "documents:delete"), world)


class _Greedy(DeleteForm):
    """Takes who owns the document from whoever deletes it."""

    owner = forms.CharField(required=False)


# --- Who ----------------------------------------------------------------------------------------------------


def refused(act: Act) -> list[str]:
    """Who of the cast may not do it: by the row, or by the right that the view declares."""
    if act.may is not None:
        return [who for who in VISITORS if who not in act.may]
    action = trying.view_of(act.name).required_action
    return [who for who in VISITORS if who not in ROLES or action not in CHARTERS[who].actions]


def one_of_each_kind(act: Act) -> list[str]:
    """Of those who may not do it, one of each who are refused alike: another one for the next act."""
    number = GUARDED.index(act)
    alike = ADMIN_ALIKE if act.name.startswith("admin:") else PORTAL_ALIKE
    kinds = [[who for who in kind if who in refused(act)] for kind in alike]
    return [kind[number % len(kind)] for kind in kinds if kind]


def are_refused(everybody: list[str | None], act: Act, world: World) -> None:
    """Raise AssertionError unless each is told no, nothing is changed by it, and the trail says who tried."""
    before, seen = trying.rows(), trying.entries()
    for who in everybody:
        response = world.client(who).post(act.path(world), act.body(world))

        if who is None:
            assert response["Location"].startswith(("/sign-in/", "/admin/login/"))
        else:
            assert response.status_code in {403, 404}, (who, response.status_code)
    assert trying.changed(before) == []
    told = {(entry["type"], entry["actor_id"]) for entry in trying.entries_since(seen)}
    assert told == {(EventType.ACCESS_DENIED, str(world.people[who].pk)) for who in everybody if who}


@pytest.mark.parametrize("act", GUARDED, ids=str)
def test_everybody_else_is_refused_changes_nothing_and_is_in_the_trail(act: Act, world: World) -> None:
    _ready(act, world)
    everybody = [None, *(refused(act) if DEEP else one_of_each_kind(act))]
    are_refused(everybody, act, world)
    TRIED["acts × people refused"] += len(everybody)


def test_an_act_that_asks_nobody_would_be_seen(world: World, monkeypatch: Any) -> None:
    monkeypatch.setattr(access, "_refusal", lambda *args, **known: None)

    with pytest.raises(AssertionError):
        are_refused(["contributor"], RESTRICT, world)


# --- What it names ------------------------------------------------------------------------------------------


def _of_another_workspace(act: Act, one: One, world: World) -> str | None:
    """The same thing of the other workspace; None where `who` governs that one as well, or there is no other."""
    if act.who not in ROLES:
        return None
    if world.is_local(one.name):
        return one.written(world, elsewhere=True)
    other = {"endpoint": "switched_off", "reader": "other-reader"}.get(one.name)
    return str(one.spelled(world.find(other))) if other else None


def _without(answer: tuple[Any, ...], written: str) -> str:
    return str(answer).replace(written, "#")


def _of_nobody(written: str) -> str:
    if re.fullmatch(r"\d+", written):
        return NO_NUMBER
    replaced = trying.UUID.sub(NOTHING, written)
    return replaced if replaced != written else NOWHERE


def is_as_if_it_were_not_there(act: Act, world: World, client: Client, **instead: dict[str, Any]) -> tuple[Any, ...]:
    """Send the act with another id in it; how it was answered. Raises AssertionError if anything came of it."""
    with undone():
        client = client if act.client else world.client(act.who)
        path = act.path(world, **instead.get("address", {}))
        tried = send(world, act.who, "post", path, act.body(world, **instead.get("body", {})), client=client)

        assert tried.is_refused, (instead, tried.response.status_code, tried.told)
        assert tried.changed == [], (instead, tried.changed)
        assert {entry["type"] for entry in tried.entries} <= {EventType.ACCESS_DENIED, *SHOWN_AGAIN}
        if "address" in instead:
            assert tried.response.status_code == 404
            # The library's own pages of factors say no before we are asked.
            assert tried.denials(world.people[str(act.who)]) or act.name.startswith("mfa_")
        return tried.answer


@pytest.mark.parametrize("act", NAMING, ids=str)
def test_a_foreign_id_is_answered_like_one_that_never_was(act: Act, world: World) -> None:
    places = [("address", name, one) for name, one in act.address.items() if name != "slug" and act in FIRST]
    places += [("body", name, one) for name, one in act.ones().items()]
    client = _ready(act, world)
    for place, name, one in places:
        foreign = _of_another_workspace(act, one, world)
        instead = {"absent": _of_nobody(one.written(world)), "foreign": foreign}
        answers = {
            how: is_as_if_it_were_not_there(act, world, client, **{place: {name: written}})
            for how, written in instead.items()
            if written is not None
        }
        if foreign is not None:
            assert _without(answers["foreign"], foreign) == _without(answers["absent"], NOWHERE), name
        TRIED[f"ids in the {place}, foreign or of nothing"] += len(answers)


def test_an_id_that_is_taken_as_it_comes_would_be_seen(world: World, monkeypatch: Any) -> None:
    monkeypatch.setattr(act_views, "_find", lambda request, workspace, pk, action: Document.objects.get(pk=pk))
    monkeypatch.setattr(restriction, "require_governing", lambda document, *, by: None)
    monkeypatch.setattr(access, "require", lambda *args: None)

    foreign = {"pk": str(world.elsewhere.document.pk)}
    with pytest.raises(AssertionError):
        is_as_if_it_were_not_there(RESTRICT, world, world.client("manager"), address=foreign)
