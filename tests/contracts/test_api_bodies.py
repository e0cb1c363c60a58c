"""What programs send: only fields that are declared, nothing of another workspace, and no act without its entry."""

import json
from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.test.client import BOUNDARY, MULTIPART_CONTENT, encode_multipart
from ninja.operation import Operation as NinjaOperation
from pydantic import BaseModel

from inlock.api import api
from tests.contracts import trying
from tests.contracts.trying import TRIED
from tests.contracts.world import World
from tests.undone import undone

#: They share a world, which one worker makes.
pytestmark = pytest.mark.xdist_group("contracts-api_bodies")

#: What each operation with a body takes when it is done right, and the entry it leaves.
BODIES: dict[str, tuple[dict[str, Any], str]] = {
    "ask": ({"question": "How can we end it?"}, "question.asked"),
    "search": ({"query": "notice"}, "search.run"),
    "bring_draft": ({"text": "We pay with 90 days of notice."}, "examination.asked"),
    "seek_precedents": ({"text": "Notice is given 30 days before the end."}, "precedents.sought"),
    "bring_document": ({"path": "rules/notice.md"}, "document.added"),
    "delete_document": ({"reason": "Out of date."}, "document.deleted"),
}
#: Operations that are sent a form with this file,
FILES = {"bring_document": ("file", b"Notice is 30 days.")}
#: that read what they take from the address,
IN_THE_ADDRESS = {"delete_document"}
#: and whom it is done by, where a member may not.
BY = {"bring_document": "contributor", "delete_document": "manager"}
#: An id that no row has.
NOTHING = UUID("00000000-0000-4000-8000-000000000000")
#: Fields that name a thing, and one that is not to be had where it is sent.
NAMING: dict[str, dict[str, str | Callable[[World], str]]] = {
    "ask": {"model": "switched-off"},
    "bring_draft": {"model": "switched-off"},
    "seek_precedents": {"document": lambda world: str(world.elsewhere.document.pk)},
}
#: Words of a schema's fields that name a thing by its id.
_NAMES_A_THING = ("_id", "_ids", "model", "workspace", "document", "answer", "person", "reader")
HOPED_FOR = ("owner", "workspace", "is_staff", "status", "approved_by", "created_at", "id", "asked_by", "collection")


def _operations() -> list[NinjaOperation]:
    views = [view for _prefix, router in api._routers for view in router.path_operations.values()]
    return [operation for view in views for operation in view.operations]


def _schemas(operation: NinjaOperation) -> list[type[BaseModel]]:
    """What the operation reads from a body or a query, as declared."""
    found = []
    for model in operation.models:
        for field in model.model_fields.values():
            if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
                found.append(field.annotation)
    return found


WITH_A_BODY = [one for one in _operations() if set(one.methods) & {"POST", "PUT", "PATCH", "DELETE"}]
READS = [(one.view_func.__name__, schema) for one in _operations() for schema in _schemas(one)]


def test_every_operation_that_takes_a_body_has_a_row() -> None:
    assert {one.view_func.__name__ for one in WITH_A_BODY} == set(BODIES), "Say in BODIES what it takes."
    assert len(READS) >= 3


@pytest.mark.parametrize(("name", "schema"), READS)
def test_what_is_read_is_strict_and_what_names_a_thing_is_tried(name: str, schema: type[BaseModel]) -> None:
    assert schema.model_config.get("extra") == "forbid"
    naming = {field for field in schema.model_fields if field.endswith(_NAMES_A_THING)}
    assert naming == set(NAMING.get(name, {})), "Say in NAMING which field names what."


def _send(name: str, sent: dict[str, Any], world: World) -> Any:
    operation = next(one for one in WITH_A_BODY if one.view_func.__name__ == name)
    path = next(
        path
        for _prefix, router in api._routers
        for path, view in router.path_operations.items()
        if operation in view.operations
    )
    client: Client = world.client(_who(name))
    # The session's own check of where a request comes from is tried in `tests/api`.
    client.cookies["csrftoken"] = "a" * 32
    address = "/api/v1" + path.replace("{slug:slug}", "policies").replace("{uuidstr:pk}", str(_document(world)))
    headers = {"X-CSRFToken": "a" * 32}
    if name in IN_THE_ADDRESS:
        return client.generic(operation.methods[0], address, query_params=sent, headers=headers)
    if name in FILES:
        part, content = FILES[name]
        body = encode_multipart(BOUNDARY, sent | {part: SimpleUploadedFile("notice.md", content)})
        return client.generic(operation.methods[0], address, body, MULTIPART_CONTENT, headers=headers)
    return client.generic(operation.methods[0], address, json.dumps(sent), "application/json", headers=headers)


def _who(name: str) -> str:
    return BY.get(name, "member")


def _document(world: World) -> UUID:
    return world.own.document.pk


@pytest.mark.parametrize("name", BODIES)
def test_a_field_nobody_declared_is_an_error_and_nothing_is_done(name: str, world: World) -> None:
    right, _event = BODIES[name]
    before, seen = trying.rows(), trying.entries()

    for field in HOPED_FOR:
        answered = _send(name, right | {field: "1"}, world)

        assert answered.status_code == 400, (field, answered.status_code)
        assert answered["Content-Type"] == "application/problem+json"
        TRIED["fields of the API that nobody declared"] += 1
    assert trying.changed(before) == []
    assert trying.entries_since(seen) == []


@pytest.mark.parametrize(("name", "field"), [(name, field) for name, fields in NAMING.items() for field in fields])
def test_a_thing_that_is_not_to_be_had_here_is_answered_like_one_that_never_was(
    name: str, field: str, world: World
) -> None:
    right, _event = BODIES[name]
    before, named = trying.rows(), NAMING[name][field]

    answers = {
        _send(name, right | {field: sent}, world).content.decode().replace(sent, "#")
        for sent in (named(world) if callable(named) else named, str(NOTHING) if callable(named) else "nowhere")
    }

    assert len(answers) == 1
    assert trying.changed(before) == []


@pytest.mark.parametrize("name", BODIES)
def test_an_operation_leaves_its_entry_or_is_not_done(name: str, world: World) -> None:
    right, event = BODIES[name]

    with undone():
        seen = trying.entries()
        done = _send(name, right, world)
        told = [entry for entry in trying.entries_since(seen) if entry["type"] == event]
        assert done.status_code in {200, 202}, done.content
        assert {entry["actor_id"] for entry in told} == {str(world.people[_who(name)].pk)}
        assert {entry["request_id"] for entry in told} == {done["X-Request-Id"]}
    trying.refuse_entries()
    before = trying.rows()
    failed = _send(name, right, world)

    assert failed.status_code == 500
    assert trying.changed(before) == []
    TRIED["operations of the API with and without their entry"] += 1


def test_a_schema_that_drops_what_it_does_not_know_would_be_seen() -> None:
    class Easy(BaseModel):
        query: str

    with pytest.raises(AssertionError):
        test_what_is_read_is_strict_and_what_names_a_thing_is_tried("search", Easy)
