"""Checkpoints outside the database catch whom nothing inside it can: the owner of the database itself."""

import base64
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.db import transaction

from audit import checkpoints, signing, tasks
from audit.chain import PLATFORM, canonical, digest
from audit.events import EventType
from audit.exceptions import ChainDamaged, KeyNotVouchedFor, SigningKeyMissing
from audit.models import ChainHead, Checkpoint, Event
from audit.record import record

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def outside(settings: Any, tmp_path: Path) -> Path:
    """The directory that the database's owner cannot reach."""
    settings.CHECKPOINTS = tmp_path / "outside"
    return settings.CHECKPOINTS


@pytest.fixture
def owner(as_superuser: psycopg.Connection) -> Iterator[psycopg.Connection]:
    """Somebody who owns the database and can switch every trigger off."""
    as_superuser.execute("SET session_replication_role = replica")
    return as_superuser


def write(count: int) -> None:
    for turn in range(count):
        with transaction.atomic():
            record(EventType.SEARCHED, turn=turn)


def found() -> list[tuple[int, str]]:
    return [(fault.seq, fault.kind) for fault in checkpoints.verify_chain(PLATFORM).faults]


def new_key() -> str:
    return base64.b64encode(signing.Ed25519PrivateKey.generate().private_bytes_raw()).decode()


def rebuild(owner: psycopg.Connection, change: Callable[[dict[str, Any]], dict[str, Any]], upto: int) -> None:
    """Rewrite the chain with fitting hashes and a fitting head: the forgery that nothing inside the database shows."""
    previous = ""
    for seq, body in Event.objects.order_by("seq").values_list("seq", "body"):
        if seq > upto:
            owner.execute("DELETE FROM audit_event WHERE seq = %s", [seq])
            continue
        text = canonical(change(json.loads(body)) | {"prev_hash": previous})
        owner.execute(
            "UPDATE audit_event SET body = %s, hash = %s, prev_hash = %s WHERE seq = %s",
            [text, digest(text), previous, seq],
        )
        previous = digest(text)
    owner.execute("UPDATE audit_chainhead SET seq = %s, hash = %s", [upto, previous])


def test_checkpoint_is_a_row_and_a_file_of_the_same_bytes(outside: Path) -> None:
    write(5)

    made = checkpoints.make(PLATFORM)

    assert made is not None
    assert [path.name for path in outside.iterdir()] == ["platform-000000000005.json"]
    assert (outside / "platform-000000000005.json").read_text() == made.document
    signed, keys = signing.opened(made.document)
    assert (signed["seq"], signed["root"], keys) == (5, made.root, {signing.current_key().public})
    assert checkpoints.verify_chain(PLATFORM).checkpoints == 1
    assert found() == []


def test_nothing_new_makes_no_second_checkpoint(outside: Path) -> None:
    write(2)
    checkpoints.make(PLATFORM)

    assert checkpoints.make(PLATFORM) is None
    assert len(list(outside.iterdir())) == 1


def test_checkpoints_continue_each_other_and_all_are_compared() -> None:
    for count in (1, 4, 7):
        write(count)
        checkpoints.make(PLATFORM)

    signed = [signing.opened(one.document)[0] for one in Checkpoint.objects.all()]
    assert [one["seq"] for one in signed] == [1, 5, 12]
    assert [one["previous"] and one["previous"]["seq"] for one in signed] == [None, 1, 5]
    assert (checkpoints.verify_chain(PLATFORM).checkpoints, found()) == (3, [])


def test_history_rewritten_with_fitting_hashes_is_not_the_one_that_was_signed(owner: psycopg.Connection) -> None:
    write(3)
    checkpoints.make(PLATFORM)
    write(3)
    checkpoints.make(PLATFORM)

    rebuild(owner, lambda body: body | ({"reason": "all is well"} if body["seq"] == 5 else {}), upto=6)

    assert found() == [(4, "replaced")]


def test_without_checkpoints_the_same_forgery_passes(owner: psycopg.Connection, outside: Path) -> None:
    """The counter-proof: it is the checkpoint that finds it."""
    write(6)
    checkpoints.make(PLATFORM)
    rebuild(owner, lambda body: body | ({"reason": "all is well"} if body["seq"] == 5 else {}), upto=6)
    assert found() == [(1, "replaced")]

    owner.execute("DELETE FROM audit_checkpoint")
    for path in outside.iterdir():
        path.unlink()

    assert found() == []


def test_tail_cut_together_with_its_head_and_its_checkpoints_is_shorter_than_the_one_outside(
    owner: psycopg.Connection,
) -> None:
    write(6)
    checkpoints.make(PLATFORM)

    rebuild(owner, lambda body: body, upto=4)
    owner.execute("DELETE FROM audit_checkpoint")

    assert found() == [(5, "shortened")]


def test_checkpoint_lost_outside_is_named(outside: Path) -> None:
    write(2)
    checkpoints.make(PLATFORM)

    next(outside.iterdir()).unlink()

    assert found() == [(2, "lost")]


@pytest.mark.parametrize("change", [lambda text: text.replace('"seq": 2', '"seq": 1'), lambda text: "{}", lambda _: ""])
def test_checkpoint_changed_in_the_database_is_named(owner: psycopg.Connection, change: Callable[[str], str]) -> None:
    write(2)
    document = checkpoints.make(PLATFORM).document  # type: ignore[union-attr]

    owner.execute("UPDATE audit_checkpoint SET document = %s", [change(document)])

    assert found() == [(2, "lost"), (2, "unsigned")]


def test_checkpoint_signed_by_a_strangers_key_does_not_count(owner: psycopg.Connection, settings: Any) -> None:
    write(3)
    ours = settings.INLOCK_SIGNING_KEY
    settings.INLOCK_SIGNING_KEY = new_key()
    checkpoints.make(PLATFORM)

    settings.INLOCK_SIGNING_KEY = ours

    assert found() == [(3, "unsigned")]


def test_damaged_chain_is_not_signed(owner: psycopg.Connection, outside: Path) -> None:
    write(3)
    owner.execute("UPDATE audit_event SET actor_label = 'nobody' WHERE seq = 2")

    with pytest.raises(ChainDamaged, match="audit verify"):
        checkpoints.make(PLATFORM)

    assert not Checkpoint.objects.exists()
    assert not outside.exists()


def test_chain_that_does_not_continue_the_last_checkpoint_is_not_signed(owner: psycopg.Connection) -> None:
    write(3)
    checkpoints.make(PLATFORM)
    rebuild(owner, lambda body: body | {"reason": "all is well"}, upto=3)
    write(1)

    with pytest.raises(ChainDamaged):
        checkpoints.make(PLATFORM)


def test_new_key_is_vouched_for_by_the_one_before(settings: Any) -> None:
    write(2)
    first = checkpoints.make(PLATFORM)
    settings.INLOCK_SIGNING_KEY_BEFORE, settings.INLOCK_SIGNING_KEY = settings.INLOCK_SIGNING_KEY, new_key()
    write(1)

    second = checkpoints.make(PLATFORM)

    assert first is not None
    assert second is not None
    assert signing.opened(second.document)[1] == {first.key, second.key}
    event = Event.objects.get(type=EventType.SIGNING_KEY_CHANGED)
    assert json.loads(event.body)["details"] == {"before": first.key, "after": second.key, "vouched": True}
    settings.INLOCK_SIGNING_KEY_BEFORE = ""
    checkpoints.make(PLATFORM)
    assert (checkpoints.verify_chain(PLATFORM).checkpoints, found()) == (3, [])


def test_what_was_signed_stays_ours_while_the_key_is_replaced_and_the_new_one_is_missing(settings: Any) -> None:
    write(2)
    checkpoints.make(PLATFORM)
    settings.INLOCK_SIGNING_KEY_BEFORE, settings.INLOCK_SIGNING_KEY = settings.INLOCK_SIGNING_KEY, ""

    assert (checkpoints.verify_chain(PLATFORM).checkpoints, found()) == (1, [])
    settings.INLOCK_SIGNING_KEY_BEFORE = ""
    assert found() == [(2, "unsigned")]


def test_former_key_does_not_sign_again(settings: Any) -> None:
    former, new = settings.INLOCK_SIGNING_KEY, new_key()
    write(1)
    checkpoints.make(PLATFORM)
    settings.INLOCK_SIGNING_KEY_BEFORE, settings.INLOCK_SIGNING_KEY = former, new
    write(1)
    checkpoints.make(PLATFORM)
    write(1)
    settings.INLOCK_SIGNING_KEY_BEFORE, settings.INLOCK_SIGNING_KEY = "", former
    leaked = checkpoints.make(PLATFORM, accept_new_key=True)
    assert leaked is not None

    settings.INLOCK_SIGNING_KEY_BEFORE, settings.INLOCK_SIGNING_KEY = former, new

    assert found() == [(leaked.seq, "unsigned")]


def test_key_that_nobody_vouches_for_is_taken_only_on_the_operators_word(settings: Any) -> None:
    write(2)
    checkpoints.make(PLATFORM)
    settings.INLOCK_SIGNING_KEY = new_key()
    write(1)

    with pytest.raises(KeyNotVouchedFor, match="INLOCK_SIGNING_KEY_BEFORE"):
        checkpoints.make(PLATFORM)
    checkpoints.make(PLATFORM, accept_new_key=True)

    assert json.loads(Event.objects.get(type=EventType.SIGNING_KEY_CHANGED).body)["details"]["vouched"] is False
    assert found() == []


def test_installation_without_a_key_says_so(settings: Any) -> None:
    write(1)
    settings.INLOCK_SIGNING_KEY = ""

    with pytest.raises(SigningKeyMissing, match="INLOCK_SIGNING_KEY"):
        checkpoints.make(PLATFORM)


def test_chain_is_read_without_a_key_and_its_checkpoints_then_count_for_nothing(settings: Any) -> None:
    write(1)
    checkpoints.make(PLATFORM)

    settings.INLOCK_SIGNING_KEY = ""

    assert found() == [(1, "unsigned")]


def test_file_is_never_overwritten(outside: Path) -> None:
    write(1)
    outside.mkdir()
    (outside / "platform-000000000001.json").write_text("what was there")

    checkpoints.make(PLATFORM)

    assert (outside / "platform-000000000001.json").read_text() == "what was there"
    assert (1, "lost") in found()


def test_file_that_a_crash_cut_off_is_completed(outside: Path) -> None:
    write(1)
    made = checkpoints.make(PLATFORM)
    path = next(outside.iterdir())
    path.write_text(path.read_text()[:100])

    checkpoints.make(PLATFORM)

    assert made is not None
    assert path.read_text() == made.document


def test_files_that_could_not_be_written_are_written_later(outside: Path) -> None:
    write(1)
    outside.write_text("a file in the directory's place")
    with pytest.raises(OSError, match="exists"):
        checkpoints.make(PLATFORM)
    outside.unlink()
    write(1)

    checkpoints.make(PLATFORM)

    assert [path.name for path in sorted(outside.iterdir())] == [f"platform-{seq:012d}.json" for seq in (1, 2)]
    assert found() == []


def test_database_refuses_to_change_a_checkpoint() -> None:
    write(1)
    made = checkpoints.make(PLATFORM)
    assert made is not None

    for act in (made.delete, made.save):
        with pytest.raises(Exception, match="append-only"), transaction.atomic():
            act()


def test_chain_is_due_after_so_many_entries_and_after_so_many_minutes(settings: Any) -> None:
    settings.CHECKPOINT_EVENTS, settings.CHECKPOINT_MINUTES = 3, 60
    write(2)
    assert checkpoints.due() == [PLATFORM]  # it never had one
    checkpoints.make(PLATFORM)

    write(2)
    assert checkpoints.due() == []
    settings.CHECKPOINT_MINUTES = 0
    assert checkpoints.due() == [PLATFORM]
    settings.CHECKPOINT_MINUTES = 60
    write(1)
    assert checkpoints.due() == [PLATFORM]


def test_chain_that_is_not_signed_for_long_is_late(settings: Any) -> None:
    settings.CHECKPOINT_MINUTES = 60
    write(1)
    assert checkpoints.late() == []

    settings.CHECKPOINT_MINUTES = 0

    assert checkpoints.late() == [PLATFORM]
    checkpoints.make(PLATFORM)
    assert checkpoints.late() == []


def test_sweep_signs_what_holds_and_passes_over_what_does_not(
    owner: psycopg.Connection, policies: Any, caplog: pytest.LogCaptureFixture
) -> None:
    owner.execute("UPDATE audit_event SET actor_label = 'nobody' WHERE chain LIKE 'workspace:%' AND seq = 1")

    tasks.sweep_checkpoints()

    assert list(Checkpoint.objects.values_list("chain", flat=True)) == [PLATFORM]
    assert "does not hold" in caplog.text
    assert ChainHead.objects.filter(chain__startswith="workspace:").exists()
