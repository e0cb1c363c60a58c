"""Every class of the admin × everybody of the cast: forged bulk acts, edits from a list and deletions."""

import os
from typing import Any

import pytest
from django.contrib import admin
from django.db.models import Model
from django.urls import reverse
from unfold.templatetags import unfold_list

from answers.admin.queue_lists import QueueLists
from answers.endpoints import built_in
from answers.models import Budget, WorkspaceModels
from audit.events import EventType
from documents.admin import DocumentAdmin
from documents.models import Document
from tests.contracts import trying
from tests.contracts.acts_admin import ADMIN
from tests.contracts.trying import TRIED
from tests.contracts.world import VISITORS, Shelf, World
from workspaces import admin_rows
from workspaces.models import PlatformPolicy

#: They share a world, which one worker makes.
pytestmark = pytest.mark.xdist_group("contracts-admin_pages")

#: Acts on a heap of rows, and Unfold's buttons: name → the right it asks for. There are none; a class that gets one
#: needs a row here and in `acts_admin.py`.
BULK_ACTS: dict[str, str] = {}
_WHERE_ACTS_ARE_DECLARED = ("actions", "actions_list", "actions_detail", "actions_row", "actions_submit_line")

#: They govern nothing, so that no page of the admin is there for them; one of three tries everything.
OUTSIDE = {"contributor", "stranger"}
MODELS = sorted(admin.site._registry, key=lambda model: model._meta.label_lower)
DEEP = bool(os.environ.get("INLOCK_DEEP"))
ALLOWED = {(act.name, who) for act in ADMIN for who in act.may or ()}


def _bulk_acts() -> set[str]:
    declared = [name for where in _WHERE_ACTS_ARE_DECLARED for model in MODELS for name in _declared(model, where)]
    return {str(name) for name in [*declared, *(name for name, _act in admin.site.actions)]}


def _declared(model: type[Model], where: str) -> list[Any]:
    found = getattr(admin.site._registry[model], where, None) or []
    return [getattr(name, "__name__", name) for name in found]


def test_every_bulk_act_and_button_of_the_theme_has_a_row() -> None:
    assert _bulk_acts() == set(BULK_ACTS), (
        "Say in BULK_ACTS which right it asks for, and give it a row in acts_admin.py."
    )


@pytest.mark.parametrize("where", _WHERE_ACTS_ARE_DECLARED)
def test_a_bulk_act_that_nobody_wrote_down_would_be_seen(where: str, monkeypatch: Any) -> None:
    monkeypatch.setattr(DocumentAdmin, where, ["wipe"], raising=False)

    assert _bulk_acts() != set(BULK_ACTS)


# --- Tried --------------------------------------------------------------------------------------------------


def _rows(model: type[Model], world: World) -> tuple[str, str]:
    """The ids of a row of this model: one of the own workspace, and one of the other where there is one."""
    if model is PlatformPolicy:
        return "1", "1"
    own, other = (
        next((one for one in vars(shelf).values() if isinstance(one, model)), None)
        for shelf in (world.own, world.elsewhere)
    )
    if model is WorkspaceModels:
        return tuple(str(_models_of(shelf).pk) for shelf in (world.own, world.elsewhere))
    if own is None:
        own = other = model._default_manager.order_by("pk").first()
    assert own is not None, f"The world of the contracts has no {model._meta.label}: put one on its shelf."
    return str(own.pk), str(other.pk)


def _models_of(shelf: Shelf) -> WorkspaceModels:
    """The choice of models of a workspace that has made none yet."""
    made, _new = WorkspaceModels.objects.get_or_create(workspace=shelf.workspace, default_endpoint=built_in())
    return made


def _forged(model: type[Model], world: World) -> list[tuple[str, str, dict[str, Any]]]:
    """Name of the page, address, what is sent."""
    base = f"admin:{model._meta.app_label}_{model._meta.model_name}"
    own, other = _rows(model, world)
    listed = reverse(f"{base}_changelist")
    bulk = {"_selected_action": [own, other], "select_across": "1", "index": "0"}
    edited = {
        "_save": "1",
        "form-TOTAL_FORMS": "1",
        "form-INITIAL_FORMS": "1",
        "form-0-id": own,
        "form-0-title": "Mine",
    }
    pages = [(act, pk) for act in ("delete", "change") for pk in {own, other}]
    return [
        (f"{base}_changelist", listed, bulk | {"action": "delete_selected", "post": "yes"}),
        (f"{base}_changelist", listed, edited),
        *((f"{base}_{act}", reverse(f"{base}_{act}", args=[pk]), {"post": "yes"}) for act, pk in pages),
        (f"{base}_add", reverse(f"{base}_add"), {}),
    ]


def nothing_comes_of(model: type[Model], everybody: tuple[str, ...], world: World) -> None:
    """Raise AssertionError if a forged post to the pages of `model` changes a row, or a refusal is untold."""
    bulk, *others = _forged(model, world)
    before, seen = trying.rows(), trying.entries()
    refused = set()
    for who in everybody:
        refused |= (closed := _refusals(who, [bulk], world))
        if who not in OUTSIDE:
            # Where not even the list opens, each page asks for the same right: one of two is enough for `make test`.
            refused |= _refusals(who, others[1::2] if closed and not DEEP else others, world)
    assert trying.changed(before) == []
    told = [one for one in trying.entries_since(seen) if one["type"] == EventType.ACCESS_DENIED]
    assert refused <= {(one["actor_id"], one["request_id"]) for one in told}


def _refusals(who: str, forged: list[tuple[str, str, dict[str, Any]]], world: World) -> set[tuple[str, str]]:
    """Send what was forged as `who`; who and which request was refused."""
    refused = set()
    for name, address, sent in forged:
        if (name, who) in ALLOWED:
            continue  # what it does is tried in `test_acts.py`
        response = world.client(who).post(address, sent)
        TRIED["admin pages × people, forged posts"] += 1

        assert response.status_code < 500, (name, who)
        if response.status_code in {403, 404}:
            refused.add((str(world.people[who].pk), response["X-Request-Id"]))
    return refused


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model._meta.label_lower)
def test_nothing_comes_of_a_forged_post(model: type[Model], world: World) -> None:
    nothing_comes_of(model, VISITORS, world)


def test_a_bulk_act_that_asks_nobody_would_be_seen(world: World, monkeypatch: Any) -> None:
    def wipe(self: Any, request: Any, rows: Any) -> None:
        rows.update(title="Wiped")

    monkeypatch.setattr(DocumentAdmin, "delete_selected", wipe, raising=False)
    monkeypatch.setattr(DocumentAdmin, "actions", ["delete_selected"])

    with pytest.raises(AssertionError):
        nothing_comes_of(Document, ("reviewer",), world)


def test_a_deletion_that_asks_nobody_would_be_seen(world: World, monkeypatch: Any) -> None:
    def delete(self: Any, request: Any, document: Document) -> None:
        Document.objects.filter(pk=document.pk).update(title="Gone")

    monkeypatch.setattr(DocumentAdmin, "has_delete_permission", lambda *args: True)
    monkeypatch.setattr(DocumentAdmin, "get_deleted_objects", lambda *args: ([], {}, set(), []))
    monkeypatch.setattr(DocumentAdmin, "delete_model", delete)

    with pytest.raises(AssertionError):
        nothing_comes_of(Document, ("manager",), world)


# --- Drawn --------------------------------------------------------------------------------------------------


def _drawn(response: Any) -> list[tuple[str, str]]:
    """Each row of an open list as we draw it and as the theme does, without white space."""
    changelist = response.context["cl"]
    headings = [heading["text"] for heading in unfold_list.result_headers(changelist)]
    ours = admin_rows.rows(changelist, headings)
    theirs = ("".join(map(str, row)) for row in unfold_list.results(changelist))
    return [("".join(our.split()), "".join(their.split())) for our, their in zip(ours, theirs, strict=True)]


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model._meta.label_lower)
def test_rows_say_what_the_theme_would_say(model: type[Model], world: World) -> None:
    address = reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")
    query = {"o": "1", "state": "all"} if isinstance(admin.site._registry[model], QueueLists) else {"o": "1"}
    opened = [world.client(who).get(address, query) for who in world.people]
    lists = [response for response in opened if response.status_code == 200 and "cl" in response.context]
    rows = [row for response in lists for row in _drawn(response)]

    # Two of them are a form in the place of a list, and of the third a workspace gets one when it chooses.
    assert rows or model in {Budget, PlatformPolicy, WorkspaceModels}
    for ours, theirs in rows:
        assert ours == theirs
