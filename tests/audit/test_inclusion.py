"""An entry's way to the signed root is the one of the whole tree, and costs a few short reads at any length."""

from typing import Any

import psycopg
import pytest
from django.db import transaction

from audit import checkpoints
from audit.chain import PLATFORM, append
from audit.events import EventType
from audit.exceptions import NotIncluded
from audit.inclusion import Inclusion
from audit.merkle import WholeTree
from audit.models import Checkpoint, Event, TreeNode


def write(count: int) -> None:
    with transaction.atomic():
        append(PLATFORM, [{"type": EventType.SEARCHED.value, "details": {}}] * count)


def paths_of_the_whole_tree(size: int) -> list[list[bytes]]:
    tree = WholeTree([bytes.fromhex(event.hash) for event in entries(size)])
    return [tree.path(index) for index in range(size)]


def paths(checkpoint: Checkpoint) -> list[list[bytes]]:
    inclusion = Inclusion(checkpoint)
    return [inclusion.path(event.seq, event.body) for event in entries(checkpoint.seq)]


def entries(size: int) -> Any:
    return Event.objects.filter(chain=PLATFORM, seq__lte=size).order_by("seq")


@pytest.fixture
def low_strides(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every second height is kept, so that a short chain has as many of them as one of millions of entries."""
    monkeypatch.setattr("audit.merkle.STRIDE", 2)
    monkeypatch.setattr("audit.inclusion.STRIDE", 2)
    monkeypatch.setattr("audit.inclusion._WINDOW", 4)


@pytest.mark.django_db
def test_every_entry_has_the_path_of_the_whole_tree_under_every_checkpoint(low_strides: None) -> None:
    for count in (1, 1, 2, 1, 3, 8, 5, 43, 1, 7):
        write(count)
        checkpoints.make(PLATFORM)

    for checkpoint in Checkpoint.objects.order_by("seq"):
        assert paths(checkpoint) == paths_of_the_whole_tree(checkpoint.seq)
    assert set(TreeNode.objects.values_list("height", flat=True)) == {2, 4, 6}


@pytest.mark.django_db
def test_path_in_a_long_chain_takes_one_read_for_each_eight_heights(django_assert_num_queries: Any) -> None:
    write(700)
    checkpoint = checkpoints.make(PLATFORM)
    assert checkpoint is not None
    assert TreeNode.objects.count() == 2
    entry = entries(700)[300]

    with django_assert_num_queries(2):
        path = Inclusion(checkpoint).path(entry.seq, entry.body)

    assert path == paths_of_the_whole_tree(700)[300]


@pytest.mark.django_db
@pytest.mark.parametrize("seq", [0, 4, -1])
def test_entry_that_the_checkpoint_does_not_cover_has_no_path(seq: int) -> None:
    write(3)
    checkpoint = checkpoints.make(PLATFORM)
    assert checkpoint is not None
    write(1)

    with pytest.raises(NotIncluded, match="audit verify"):
        Inclusion(checkpoint).path(seq, entries(4)[0].body)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    "damage",
    [
        "UPDATE audit_event SET body = body || ' ' WHERE seq = 2",
        "UPDATE audit_event SET hash = reverse(hash) WHERE seq = 1",
        "UPDATE audit_event SET hash = 'x' WHERE seq = 1",
        "DELETE FROM audit_event WHERE seq < 3",
        "UPDATE audit_treenode SET hash = reverse(hash) WHERE place = 3",
        "DELETE FROM audit_treenode WHERE height = 4",
        "UPDATE audit_checkpoint SET root = reverse(root)",
    ],
)
def test_nothing_that_is_read_is_believed(low_strides: None, as_superuser: psycopg.Connection, damage: str) -> None:
    write(23)
    checkpoints.make(PLATFORM)
    entry = entries(23)[1]
    Inclusion(Checkpoint.objects.get()).path(entry.seq, entry.body)
    as_superuser.execute("SET session_replication_role = replica")
    as_superuser.execute(damage)  # type: ignore[arg-type]
    body = Event.objects.filter(seq=2).values_list("body", flat=True).first() or entry.body

    with pytest.raises(NotIncluded):
        Inclusion(Checkpoint.objects.get()).path(2, body)
