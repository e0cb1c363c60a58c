"""Real damage, done by a superuser behind the triggers' back, is found and named."""

import json
import uuid
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection, transaction

from audit import chain, export
from audit.chain import PLATFORM, canonical, digest
from audit.events import EventType
from audit.models import ChainHead, Event
from audit.record import record
from audit.verification import verify

pytestmark = pytest.mark.usefixtures("all_powerful")

LENGTH = 6


@pytest.fixture
def damage(all_powerful: None) -> Callable[..., None]:
    """damage("UPDATE …", parameters) on a platform chain of six sound entries."""
    for number in range(LENGTH):
        with transaction.atomic():
            record(EventType.SEARCHED, by=None, turn=number)
    assert verify(PLATFORM).holds

    def run(statement: str, *parameters: Any) -> None:
        with connection.cursor() as cursor:
            cursor.execute(statement, parameters)
            assert cursor.rowcount != 0

    return run


def found(chain: str = PLATFORM) -> list[tuple[int, str]]:
    return [(fault.seq, fault.kind) for fault in verify(chain).faults]


def first() -> tuple[int, str]:
    return found()[0]


def test_sound_chain_holds_and_says_how_long_it_is(damage: Callable[..., None]) -> None:
    result = verify(PLATFORM)

    assert (result.holds, result.events) == (True, LENGTH)
    assert result.head_hash == ChainHead.objects.get(chain=PLATFORM).hash


@pytest.mark.parametrize(
    "column",
    [
        "type",
        "actor_id",
        "actor_label",
        "object_type",
        "object_id",
        "object_label",
        "request_id",
        "body",
        "hash",
        "prev_hash",
    ],
)
def test_changed_text_of_any_column_of_any_row_is_found(damage: Callable[..., None], column: str) -> None:
    for seq in (1, 3, LENGTH):
        with transaction.atomic():
            damage(f"UPDATE audit_event SET {column} = left({column} || 'x', 60) WHERE seq = %s", seq)  # noqa: S608
            if column in {"hash", "prev_hash"}:
                # These are as long as their column: change the first character instead of adding one.
                other = f"'x' || substr({column}, 2, 63)"
                damage(f"UPDATE audit_event SET {column} = {other} WHERE seq = %s", seq)  # noqa: S608

            assert (seq, "changed") in found(), seq
            transaction.set_rollback(True)


def test_changed_time_and_changed_id_are_found(damage: Callable[..., None]) -> None:
    damage("UPDATE audit_event SET at = at + interval '1 microsecond' WHERE seq = 2")
    damage("UPDATE audit_event SET id = %s WHERE seq = 4", uuid.uuid4())

    assert found() == [(2, "changed"), (4, "changed")]


def test_row_moved_to_another_chain_is_missing_here_and_foreign_there(damage: Callable[..., None]) -> None:
    damage("UPDATE audit_event SET chain = 'workspace:elsewhere' WHERE seq = 3")

    assert (3, "missing") in found()
    assert (3, "reordered") in found("workspace:elsewhere")


@pytest.mark.parametrize(("gone", "named"), [("seq = 1", 1), ("seq = 3", 3), ("seq IN (3, 4)", 3)])
def test_removed_rows_are_found_wherever_they_stood(damage: Callable[..., None], gone: str, named: int) -> None:
    damage(f"DELETE FROM audit_event WHERE {gone}")  # noqa: S608

    assert first() == (named, "missing")


def test_removed_tail_makes_the_chain_shorter_than_its_head(damage: Callable[..., None]) -> None:
    damage("DELETE FROM audit_event WHERE seq > 4")

    assert found() == [(5, "shortened")]


def test_all_rows_removed_is_found(damage: Callable[..., None]) -> None:
    damage("DELETE FROM audit_event")

    assert found() == [(1, "shortened")]


def test_removed_tail_is_found_even_when_the_head_was_moved_back_without_its_hash(
    damage: Callable[..., None],
) -> None:
    damage("DELETE FROM audit_event WHERE seq = 6")
    damage("UPDATE audit_chainhead SET seq = 5")

    assert found() == [(5, "changed")]


def test_removed_head_is_found(damage: Callable[..., None]) -> None:
    damage("DELETE FROM audit_chainhead")

    assert found() == [(LENGTH, "shortened")]


def test_swapped_rows_are_found(damage: Callable[..., None]) -> None:
    damage("UPDATE audit_event SET seq = 1000 WHERE seq = 2")
    damage("UPDATE audit_event SET seq = 2 WHERE seq = 4")
    damage("UPDATE audit_event SET seq = 4 WHERE seq = 1000")

    assert {(2, "reordered"), (4, "reordered")} <= set(found())


def test_row_appended_past_the_head_is_found(damage: Callable[..., None]) -> None:
    insert_copy(damage, of=LENGTH, seq=LENGTH + 1)

    assert (LENGTH + 1, "inserted") in found()


def test_row_before_the_first_is_found(damage: Callable[..., None]) -> None:
    insert_copy(damage, of=1, seq=0)

    assert (0, "inserted") in found()


def test_second_row_under_the_same_number_is_found_when_the_constraint_was_dropped(
    damage: Callable[..., None],
) -> None:
    damage("ALTER TABLE audit_event DROP CONSTRAINT event_chain_seq")
    insert_copy(damage, of=3, seq=3)

    assert first() == (3, "duplicated")


@pytest.mark.parametrize("seq", [1, 3])
def test_row_rewritten_with_a_fitting_hash_is_found_by_the_one_after_it(damage: Callable[..., None], seq: int) -> None:
    rewrite(damage, seq, lambda body: body | {"reason": "all is well"})

    assert found() == [(seq, "changed")]


def test_last_row_rewritten_with_a_fitting_hash_is_found_by_the_head(damage: Callable[..., None]) -> None:
    rewrite(damage, LENGTH, lambda body: body | {"reason": "all is well"})

    assert found() == [(LENGTH, "changed")]


@pytest.mark.parametrize("nonsense", ["", "not json", "[]", "{}", '{"seq": 3}', '{"seq":3,"chain":"platform","at":7}'])
def test_row_that_holds_nonsense_under_a_fitting_hash_is_named_and_the_rest_is_still_read(
    damage: Callable[..., None], nonsense: str
) -> None:
    damage("UPDATE audit_event SET body = %s, hash = %s WHERE seq = 3", nonsense, digest(nonsense))

    assert (3, "changed") in found()
    assert verify(PLATFORM).events == LENGTH


def test_every_row_is_read_also_beyond_the_first_thousands(damage: Callable[..., None]) -> None:
    with transaction.atomic():
        chain.append(PLATFORM, [{"type": "search.run"} for _n in range(2500)])
    damage("UPDATE audit_event SET actor_label = 'x' WHERE seq = 2499")

    assert found() == [(2499, "changed")]


def test_chain_that_never_was_does_not_pass_as_sound() -> None:
    assert [fault.kind for fault in verify("workspace:none").faults] == ["missing"]


def test_chain_whose_head_was_removed_is_still_listed(damage: Callable[..., None]) -> None:
    damage("DELETE FROM audit_chainhead")

    assert chain.chains() == [PLATFORM]


def test_export_carries_the_bytes_that_were_hashed(damage: Callable[..., None]) -> None:
    header, *entries = [json.loads(line) for line in export.json_lines(export.span_of(PLATFORM))]

    assert (header["format"], header["entries"]) == (export.FORMAT, LENGTH)
    previous = ""
    for entry in entries:
        assert digest(entry["body"]) == entry["hash"]
        assert json.loads(entry["body"])["prev_hash"] == previous
        previous = entry["hash"]
    assert previous == header["head_hash"]


def insert_copy(damage: Callable[..., None], *, of: int, seq: int) -> None:
    """Insert a row as the product would have written it at `seq`, copied from entry `of`."""
    source = Event.objects.get(chain=PLATFORM, seq=of)
    identity, previous = uuid.uuid4(), digest(f"before {seq}")
    body = canonical(json.loads(source.body) | {"seq": seq, "id": str(identity), "prev_hash": previous})
    damage(
        "INSERT INTO audit_event (id, seq, body, prev_hash, hash, chain, at, type, actor_id, actor_label, object_type,"
        " object_id, object_label, request_id) SELECT %s, %s, %s, %s, %s, chain, at, type, actor_id, actor_label,"
        " object_type, object_id, object_label, request_id FROM audit_event WHERE id = %s",
        identity,
        seq,
        body,
        previous,
        digest(body),
        source.pk,
    )


def rewrite(damage: Callable[..., None], seq: int, change: Callable[[dict[str, Any]], dict[str, Any]]) -> None:
    """Change an entry's content and make its own hash fit again."""
    body = canonical(change(json.loads(Event.objects.get(chain=PLATFORM, seq=seq).body)))
    damage("UPDATE audit_event SET body = %s, hash = %s WHERE seq = %s", body, digest(body), seq)
