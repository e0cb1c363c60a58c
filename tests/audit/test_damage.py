"""Random logs × every row × every kind of damage: the first bad entry and the kind of damage are named.

The damage is done as a database superuser with triggers and constraints off, and undone by rolling back.
"""

import json
import random
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from itertools import product
from typing import Any

import pytest
from django.db import connection, transaction

from audit.chain import PLATFORM, SEARCHED, append, canonical, digest
from audit.events import EventType
from audit.verification import Fault, verify

COLUMNS = (*SEARCHED, "body", "hash", "prev_hash", "at", "id")
SEEDS = range(4)
WORDS = ("", "officer", "Ђорђе", "=cmd()", '"quoted"\\', "\x00\x1f\u2028", "👩‍⚖️")


@dataclass
class Log:
    """A chain under damage. `run` executes SQL on the connection that verification reads from."""

    length: int

    def run(self, statement: str, *parameters: Any) -> None:
        with connection.cursor() as cursor:
            cursor.execute(statement, parameters)
            assert cursor.rowcount != 0, statement

    def row(self, seq: int) -> dict[str, Any]:
        with connection.cursor() as cursor:
            cursor.execute("SELECT * FROM audit_event WHERE seq = %s", [seq])
            names = [column.name for column in cursor.description]
            return dict(zip(names, cursor.fetchone(), strict=True))

    def insert(self, row: dict[str, Any]) -> None:
        places = ", ".join(["%s"] * len(row))
        self.run(f"INSERT INTO audit_event ({', '.join(row)}) VALUES ({places})", *row.values())  # noqa: S608

    def move(self, old: int, new: int) -> None:
        self.run("UPDATE audit_event SET seq = %s WHERE seq = %s", new, old)


@pytest.fixture(params=SEEDS)
def log(request: pytest.FixtureRequest, all_powerful: None) -> Log:
    """A sound chain of two to six random entries, which no constraint keeps unique."""
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE audit_event DROP CONSTRAINT event_chain_seq")
        cursor.execute("ALTER TABLE audit_event DROP CONSTRAINT event_chain_prev_hash")
    chance = random.Random(request.param)
    length = chance.randint(2, 6)
    for _number in range(length):
        with transaction.atomic():
            append(PLATFORM, [_random_body(chance)])
    assert verify(PLATFORM).holds
    return Log(length)


def _random_body(chance: random.Random) -> dict[str, Any]:
    searched = {column: chance.choice(WORDS).replace("\x00", "") for column in SEARCHED if chance.random() < 0.7}
    return {**searched, "type": chance.choice(EventType.values), "reason": chance.choice(WORDS), "details": {"n": 1}}


def first_fault(damage: Callable[[], None]) -> Fault | None:
    """The first fault that verification names after `damage`, which is undone again."""
    with transaction.atomic():
        damage()
        faults = verify(PLATFORM).faults
        transaction.set_rollback(True)
    return faults[0] if faults else None


def named(damage: Callable[[], None]) -> tuple[int, str] | None:
    fault = first_fault(damage)
    return (fault.seq, fault.kind) if fault else None


def each_row(log: Log) -> range:
    return range(1, log.length + 1)


def _flipped(value: Any) -> Any:
    """`value` with one bit of it changed, or something in place of nothing."""
    if isinstance(value, uuid.UUID):
        return uuid.UUID(int=value.int ^ 1)
    if not value:
        return "x"
    return value[:-1] + chr(ord(value[-1]) ^ 1)


def test_one_bit_of_any_column_of_any_row_is_changed(log: Log) -> None:
    for seq, column in product(each_row(log), COLUMNS):

        def flip(seq: int = seq, column: str = column) -> None:
            if column == "at":
                log.run("UPDATE audit_event SET at = at + interval '1 microsecond' WHERE seq = %s", seq)
                return
            value = _flipped(log.row(seq)[column])
            log.run(f"UPDATE audit_event SET {column} = %s WHERE seq = %s", value, seq)  # noqa: S608

        assert named(flip) == (seq, "changed"), column


def test_any_row_deleted_is_missing_and_the_last_one_shortens(log: Log) -> None:
    for seq in each_row(log):
        kind = "missing" if seq < log.length else "shortened"

        assert named(lambda seq=seq: log.run("DELETE FROM audit_event WHERE seq = %s", seq)) == (seq, kind)


def test_any_two_rows_swapped_are_reordered(log: Log) -> None:
    for one in each_row(log):
        for other in range(one + 1, log.length + 1):

            def swap(one: int = one, other: int = other) -> None:
                log.move(one, 1000)
                log.move(other, one)
                log.move(1000, other)

            assert named(swap) == (one, "reordered")


def test_any_row_stored_twice_is_duplicated(log: Log) -> None:
    for seq in each_row(log):

        def double(seq: int = seq) -> None:
            log.insert(log.row(seq) | {"id": uuid.uuid4()})

        assert named(double) == (seq, "duplicated")


def test_any_row_copied_behind_the_last_one_is_duplicated(log: Log) -> None:
    for seq in each_row(log):

        def copy(seq: int = seq) -> None:
            log.insert(log.row(seq) | {"id": uuid.uuid4(), "seq": log.length + 1})

        assert named(copy) in {(log.length + 1, "duplicated"), (log.length + 1, "inserted")}


def test_forged_row_pushed_in_before_any_row_is_duplicated(log: Log) -> None:
    for seq in each_row(log):

        def push_in(seq: int = seq) -> None:
            forged = log.row(seq)
            for later in range(log.length, seq - 1, -1):
                log.move(later, later + 1)
            log.insert(_forged(forged))
            log.run("UPDATE audit_chainhead SET seq = seq + 1")

        assert named(push_in) == (seq, "duplicated")


def test_any_row_replaced_by_a_forged_one_is_changed(log: Log) -> None:
    for seq in each_row(log):

        def replace(seq: int = seq) -> None:
            forged = _forged(log.row(seq))
            log.run("DELETE FROM audit_event WHERE seq = %s", seq)
            log.insert(forged)

        assert named(replace) == (seq, "changed")


def test_tail_cut_anywhere_is_shortened(log: Log) -> None:
    for seq in each_row(log):
        assert named(lambda seq=seq: log.run("DELETE FROM audit_event WHERE seq >= %s", seq)) == (seq, "shortened")


def test_any_row_under_another_number_is_found_at_the_first_hole(log: Log) -> None:
    for seq in each_row(log):
        kind = "missing" if log.length > 1 or seq > 1 else "shortened"

        assert named(lambda seq=seq: log.move(seq, log.length + 5)) == (seq, kind)


def test_rolled_back_damage_leaves_a_sound_chain(log: Log) -> None:
    """The counter-proof: what the tests above find is their damage, and not something that was there."""
    assert first_fault(lambda: None) is None
    assert named(lambda: log.run("DELETE FROM audit_event WHERE seq = 1")) == (1, "missing")
    assert verify(PLATFORM).holds


def _forged(row: dict[str, Any]) -> dict[str, Any]:
    """The row with other content and a hash that fits."""
    identity = uuid.uuid4()
    body = canonical(json.loads(row["body"]) | {"id": str(identity), "reason": "all is well"})
    return row | {"id": identity, "body": body, "hash": digest(body)}
