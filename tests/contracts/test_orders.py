"""Every command and every background task: who may, what the trail says, what is left when it cannot say it."""

import inspect
import io
import json
import uuid
from argparse import ArgumentParser, _SubParsersAction
from contextlib import suppress
from typing import Any

import pytest
from celery import Task
from django.core.management import CommandError, call_command, get_commands, load_command_class
from django.db import DatabaseError

from audit.events import EventType
from inlock.celery import app
from tests.contracts import trying
from tests.contracts.orders import ORDERS, WORK, Order, Work
from tests.contracts.test_doors import APPS
from tests.contracts.test_threat_model import ROOT, _tests_in
from tests.contracts.trying import TRIED
from tests.contracts.world import World
from tests.undone import undone
from workspaces import access

#: They share a world, which one worker makes.
pytestmark = pytest.mark.xdist_group("contracts-orders")

RUN_HERE = [order for order in ORDERS if not order.proved]
PROOFS = sorted({one.proved for one in ORDERS if one.proved} | {work.rechecked for work in WORK if work.rechecked})


# --- The table ----------------------------------------------------------------------------------------------


def _acts(parser: ArgumentParser) -> list[str]:
    """What stands behind a command's name: its sub-commands, or the choices of its first word."""
    for action in parser._actions:
        if isinstance(action, _SubParsersAction) or (action.dest == "act" and action.choices):
            return [str(choice) for choice in action.choices or ()]
    return []


def _commands() -> set[str]:
    found = set()
    for name, package in get_commands().items():
        if package in APPS:
            parser = load_command_class(str(package), name).create_parser("manage.py", name)
            found |= {f"{name} {act}" for act in _acts(parser)} or {name}
    return found


def test_every_command_has_a_row() -> None:
    assert _commands() == {order.name for order in ORDERS}, "Say in tests/contracts/orders.py what it does, as whom."


def test_an_act_of_a_command_is_found_by_its_parser() -> None:
    parser = ArgumentParser()
    parser.add_argument("act", choices=["list", "burn"])

    assert _acts(parser) == ["list", "burn"]


@pytest.mark.parametrize("order", ORDERS, ids=str)
def test_what_acts_for_a_person_says_so(order: Order) -> None:
    name, _, act = order.name.partition(" ")
    command = load_command_class(str(get_commands()[name]), name)
    parser = command.create_parser("manage.py", name)
    parsers = [one.choices[act] for one in parser._actions if isinstance(one, _SubParsersAction)] or [parser]
    options = {option for one in parsers for action in one._actions for option in action.option_strings}

    assert ("--as" in options) is (order.who is not None)
    assert "--json" in options


@pytest.mark.parametrize("proof", PROOFS)
def test_what_is_proved_elsewhere_is(proof: str) -> None:
    module, _, test = proof.partition("::")

    assert _tests_in(ROOT / module)
    assert not test or test in _tests_in(ROOT / module)


# --- Tried --------------------------------------------------------------------------------------------------


def run(order: Order, world: World, who: str | None = None) -> None:
    out = io.StringIO()
    name, *words = order.typed(world, who)
    with suppress(SystemExit):  # what was checked does not hold
        call_command(name, *words, "--json", stdout=out)
    json.loads(out.getvalue())


@pytest.mark.parametrize("order", RUN_HERE, ids=str)
def test_a_command_leaves_its_entry_or_changes_nothing(order: Order, world: World) -> None:
    if order.before is not None:
        order.before(world)
    before, seen = trying.rows(), trying.entries()

    run(order, world)

    told = [entry for entry in trying.entries_since(seen) if entry["type"] == order.event]
    TRIED["commands run"] += 1
    if order.event is None:
        assert set(trying.changed(before)) <= {"audit_checkpoint"}
        return
    assert told, order.name
    assert {entry["actor_id"] for entry in told} == {str(world.people[order.who].pk) if order.who else ""}
    assert all(entry["request_id"] for entry in told)


@pytest.mark.parametrize("order", [order for order in ORDERS if order.event or order.who], ids=str)
def test_a_command_whose_entry_cannot_be_written_did_nothing(order: Order, world: World) -> None:
    if order.name in {"review list", "search", "hold list", "deletion list"}:
        return  # they read
    if order.before is not None:
        order.before(world)
    trying.refuse_entries()
    before = trying.rows()

    with pytest.raises(DatabaseError, match="no entry can be written"):
        run(order, world)

    assert trying.changed(before) == []
    TRIED["commands undone without their entry"] += 1


@pytest.mark.parametrize("order", [order for order in ORDERS if order.refused], ids=str)
def test_a_command_is_refused_with_a_sentence_and_in_the_trail(order: Order, world: World) -> None:
    if order.before is not None:
        order.before(world)
    for who in order.refused:
        is_refused(order, who, world)
        TRIED["commands × people refused"] += 1


def is_refused(order: Order, who: str, world: World) -> None:
    with undone():
        before, seen = trying.rows(), trying.entries()
        with pytest.raises(CommandError) as refusal:
            run(order, world, who)

        assert refusal.value.returncode == 2
        assert str(refusal.value).strip()
        assert trying.changed(before) == [], who
        told = trying.entries_since(seen)
        assert {(one["type"], one["actor_id"]) for one in told} == {
            (EventType.ACCESS_DENIED, str(world.people[who].pk))
        }, who


def test_a_command_that_asks_nobody_would_be_seen(world: World, monkeypatch: Any) -> None:
    monkeypatch.setattr(access, "find", lambda user, action, model, **lookup: model.objects.get(**lookup))
    monkeypatch.setattr(access, "require", lambda *args: None)
    order = next(order for order in ORDERS if order.name == "review show")

    with pytest.raises((AssertionError, pytest.fail.Exception)):
        is_refused(order, "member", world)


# --- Background work ----------------------------------------------------------------------------------------


def _tasks() -> dict[str, Task[Any, Any]]:
    app.loader.import_default_modules()
    return {name: task for name, task in app.tasks.items() if name.partition(".")[0] in APPS}


def test_every_task_has_a_row() -> None:
    assert set(_tasks()) == {work.name for work in WORK}, "Say in tests/contracts/orders.py what it takes."


@pytest.mark.parametrize("work", WORK, ids=lambda work: work.name)
def test_a_task_takes_an_id_and_nothing_else(work: Work) -> None:
    parameters = inspect.signature(_tasks()[work.name].run).parameters

    assert {name: one.annotation for name, one in parameters.items()} == ({f"{work.of}_id": str} if work.of else {})
    assert app.conf.accept_content == ["json"]


@pytest.mark.parametrize("work", [work for work in WORK if work.of], ids=lambda work: work.name)
def test_a_forged_id_makes_a_task_do_nothing(work: Work, world: World) -> None:
    before, seen = trying.rows(), trying.entries()

    _tasks()[work.name].run(str(uuid.UUID(int=7)))

    assert trying.changed(before) == []
    assert trying.entries_since(seen) == []
    TRIED["tasks with a forged id"] += 1
