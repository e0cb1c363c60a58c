"""Indexes are compared with the database by themselves, both ways, mended, and what was found is kept."""

import uuid
from datetime import timedelta

import numpy as np
import pytest
from django.utils import timezone

from audit.events import EventType
from audit.models import Event
from documents import index, library, reconcile
from documents.ceiling import AboveCeiling
from documents.deletion import erasing as deletion
from documents.embedding.spaces import space_of
from documents.index import IndexUnavailable
from documents.indexing import checks as index_checks
from documents.indexing import soundness
from documents.ingest import ingest_version
from documents.models import CheckProblem, Document, Embedding, IndexCheck, Passage
from documents.retrieval import legs
from documents.search import search
from documents.tasks import check_index_task, sweep_indexes
from tests.documents import shelf
from tests.documents.arrivals import SHORT, receive
from workspaces.dispatch import inline
from workspaces.exceptions import Refused

pytestmark = pytest.mark.django_db

LEAVE = ["Parental leave lasts sixteen weeks.", "It is paid in full."]


@pytest.fixture
def shelved(policies):
    shelf.put(policies, "leave.md", LEAVE)
    shelf.put(policies, "travel.md", ["Hotel costs are reimbursed."])
    return policies


def ids_of(workspace) -> list[str]:
    return sorted(str(id) for id in Passage.objects.filter(workspace=workspace).values_list("pk", flat=True))


def answering(workspace) -> list[str]:
    """The passages that the index finds. Raises IndexUnavailable while it is half made."""
    space = space_of(workspace.pk)
    return sorted(
        id for id, _cosine in index.query(workspace.pk, space, np.eye(1, space.dimension, dtype="<f4")[0], 50)
    )


def left_half_made(workspace, ids: list[str]) -> None:
    """As when a process is killed that makes the index anew and has put these in."""
    space = space_of(workspace.pk)
    index.anew(workspace.pk, space).__enter__()
    index.upsert(workspace.pk, space, ids, np.eye(len(ids), space.dimension, dtype="<f4"))


def test_an_index_that_agrees_is_left_alone_and_said_to_agree(shelved):
    check = index_checks.check(shelved)

    assert (check.passages, check.differed, check.agrees) == (3, 0, True)
    entry = Event.objects.filter(type=EventType.INDEX_CHECKED).get()
    assert entry.object_id == str(shelved.pk)


def test_what_is_missing_or_foreign_is_counted_and_mended(shelved):
    lost, stranger = ids_of(shelved)[0], str(uuid.uuid4())
    space = space_of(shelved.pk)
    index.delete(shelved.pk, space, [lost])
    index.upsert(shelved.pk, space, [stranger], np.eye(1, space.dimension, dtype="<f4"))

    check = index_checks.check(shelved)

    assert (check.missing, check.foreign, check.unembedded, check.left) == (1, 1, 0, 0)
    assert sorted(index.ids(shelved.pk, space)) == ids_of(shelved)
    assert index_checks.check(shelved).differed == 0


def test_of_a_document_that_lost_one_passage_that_one_is_put_back(shelved, monkeypatch):
    lost = ids_of(shelved)[0]
    index.delete(shelved.pk, space_of(shelved.pk), [lost])
    upsert, put = index.upsert, []
    monkeypatch.setattr(index, "upsert", lambda *about: put.extend(about[2]) or upsert(*about))

    index_checks.check(shelved)

    assert put == [lost]
    assert nearest(shelved, lost) == lost


def test_comparing_asks_as_much_of_the_database_however_much_there_is(
    shelved, django_assert_num_queries, django_assert_max_num_queries
):
    with django_assert_max_num_queries(2) as few:
        reconcile.compare(shelved, space_of(shelved.pk))
    for number in range(5):
        shelf.put(shelved, f"more-{number}.md", LEAVE)

    with django_assert_num_queries(len(few)):
        assert reconcile.compare(shelved, space_of(shelved.pk)).passages == 13


def test_a_passage_that_is_no_longer_current_is_neither_missing_nor_foreign_until_it_was_withdrawn(shelved):
    former = ids_of(shelved)
    before = Document.objects.get(path="leave.md").current_version
    shelf.put(shelved, "leave.md", ["Parental leave lasts twenty weeks."])
    type(before).objects.filter(pk=before.pk).update(in_index=True)

    assert reconcile.compare(shelved).ids_agree
    type(before).objects.filter(pk=before.pk).update(in_index=False)
    left = reconcile.compare(shelved)

    assert (len(left.foreign), left.foreign < set(former), left.passages) == (2, True, 2)


def test_a_vector_the_database_lost_is_made_again(shelved):
    lost = ids_of(shelved)[0]
    index.delete(shelved.pk, space_of(shelved.pk), [lost])
    Embedding.objects.filter(passage=lost).delete()

    check = index_checks.check(shelved)

    assert (check.unembedded, check.left) == (1, 0)
    assert Embedding.objects.filter(passage=lost).exists()
    assert sorted(index.ids(shelved.pk, space_of(shelved.pk))) == ids_of(shelved)


def test_what_was_only_under_way_at_the_first_look_is_no_difference(shelved, monkeypatch):
    looks = []
    compare = reconcile.compare

    def lagging(workspace, *about):
        found = compare(workspace, *about)
        looks.append(found)
        if len(looks) == 1:
            index.delete(workspace.pk, space_of(workspace.pk), ids_of(workspace)[:1])
            found = compare(workspace, *about)
            reconcile.mend(workspace, found)
        return found

    monkeypatch.setattr(reconcile, "compare", lagging)

    assert index_checks.check(shelved).differed == 0
    assert len(looks) == 2


def test_what_is_erased_while_vectors_are_put_back_is_not_put_back(policies, contributor, manager, monkeypatch):
    ingest_version(receive(policies, contributor, SHORT).version.pk)
    document, space = Document.objects.get(), space_of(policies.pk)
    index.delete(policies.pk, space, ids_of(policies)[:1])
    found = reconcile.compare(policies)
    upsert = index.upsert
    erased = []

    def late(*vectors):
        # Read from the database before the erasure, and with the index only after it.
        monkeypatch.setattr(index, "upsert", upsert)
        library.delete(document, by=manager)
        erased.append(deletion.erase(document.pk))
        assert index.ids(policies.pk, space) == set()
        upsert(*vectors)

    monkeypatch.setattr(index, "upsert", late)
    reconcile.mend(policies, found)

    assert [erasure.vectors_removed for erasure in erased] == [0]
    assert index.ids(policies.pk, space) == set()


def test_an_index_lost_after_the_comparison_is_put_back_whole(shelved):
    space = space_of(shelved.pk)
    index.delete(shelved.pk, space, ids_of(shelved)[:1])
    found = reconcile.compare(shelved)
    index.drop(shelved.pk, space)

    reconcile.mend(shelved, found)

    assert answering(shelved) == ids_of(shelved)


def test_looking_changes_nothing_and_a_comparison_by_the_clock_completes_what_was_left(shelved):
    left_half_made(shelved, ids_of(shelved))

    looked = reconcile.compare(shelved)

    assert (looked.ids_agree, looked.partial, looked.is_none) == (True, True, False)
    with pytest.raises(IndexUnavailable):
        answering(shelved)
    index_checks.check(shelved)
    assert answering(shelved) == ids_of(shelved)


def test_a_passage_that_may_not_be_embedded_keeps_no_index_from_being_whole(shelved, monkeypatch):
    def above(_version):
        raise AboveCeiling

    kept, *others = ids_of(shelved)
    Embedding.objects.filter(passage=kept).delete()
    monkeypatch.setattr(reconcile, "embed_again", above)
    left_half_made(shelved, [])

    check = index_checks.check(shelved)

    assert check.left == 1
    assert answering(shelved) == others


@pytest.mark.parametrize("before", [[], LEAVE], ids=["nothing", "something"])
def test_what_arrives_in_an_index_left_half_made_completes_it(before, policies, contributor):
    if before:
        shelf.put(policies, "leave.md", before)
    left_half_made(policies, ids_of(policies)[:1])

    ingest_version(receive(policies, contributor, SHORT).version.pk)

    assert answering(policies) == ids_of(policies)


def test_no_comparison_is_fresh_while_the_index_is_half_made(shelved):
    index_checks.check(shelved)
    left_half_made(shelved, [])

    assert shelved.pk in index_checks.due()

    index_checks.check(shelved)
    assert shelved.pk not in index_checks.due()


def test_no_comparison_is_fresh_once_the_index_is_gone(shelved, django_capture_on_commit_callbacks):
    index_checks.check(shelved)
    index.drop(shelved.pk, space_of(shelved.pk))

    assert index_checks.being_made([shelved.pk]) == [shelved.pk]
    with inline(), django_capture_on_commit_callbacks(execute=True):
        sweep_indexes()

    assert answering(shelved) == ids_of(shelved)
    assert index_checks.being_made([shelved.pk]) == []


def test_a_workspace_that_has_nothing_to_find_lacks_no_index(policies, contributor, manager):
    assert index_checks.being_made([policies.pk]) == []
    ingest_version(receive(policies, contributor, SHORT).version.pk)
    library.delete(Document.objects.get(), by=manager)
    index.drop(policies.pk, space_of(policies.pk))

    assert index_checks.being_made([policies.pk]) == []


def test_an_index_that_is_down_is_said_and_tried_again_soon(shelved, monkeypatch):
    def down(*_about):
        raise IndexUnavailable

    monkeypatch.setattr(index, "ids", down)
    check = index_checks.check(shelved)

    assert check.problem == CheckProblem.INDEX
    assert not check.agrees
    assert shelved.pk not in index_checks.due()
    IndexCheck.objects.filter(pk=check.pk).update(started_at=timezone.now() - timedelta(minutes=20))
    assert shelved.pk in index_checks.due()


def test_every_index_is_compared_once_a_day_and_not_more(shelved, legal, settings, django_capture_on_commit_callbacks):
    with inline(), django_capture_on_commit_callbacks(execute=True):
        sweep_indexes()
    with inline(), django_capture_on_commit_callbacks(execute=True):
        sweep_indexes()

    assert sorted(index_checks.latest([shelved.pk, legal.pk])) == sorted([shelved.pk, legal.pk])
    assert IndexCheck.objects.filter(workspace=shelved).count() == 1
    IndexCheck.objects.update(started_at=timezone.now() - timedelta(hours=settings.RECONCILE_HOURS, minutes=1))
    assert {shelved.pk, legal.pk} <= set(index_checks.due())


def test_only_the_last_comparisons_are_kept(shelved, monkeypatch):
    monkeypatch.setattr(index_checks, "KEPT", 2)
    checks = [index_checks.check(shelved) for _ in range(3)]

    assert list(IndexCheck.objects.filter(workspace=shelved)) == [checks[2], checks[1]]


@pytest.mark.parametrize("who", ["manager", "member", "auditor", "stranger"])
def test_asking_for_one_takes_the_right_to_watch_the_installation(shelved, who, request):
    with pytest.raises(Refused):
        index_checks.check(shelved, by=request.getfixturevalue(who))

    assert not IndexCheck.objects.exists()


def test_an_administrator_who_asks_is_named(shelved, admin):
    assert index_checks.check(shelved, by=admin).started_by == admin


# --- Damage that ids do not tell --------------------------------------------------------------------------


@pytest.fixture
def damaged(shelved, monkeypatch):
    """The workspace after its index lost the bytes of one vector, and the passage whose vector that is."""
    monkeypatch.setattr(index_checks, "EXACT_AT_ONCE", 0)
    lost = ids_of(shelved)[0]
    space = space_of(shelved.pk)
    index.upsert(shelved.pk, space, [lost], -vectors_of([lost]))
    return shelved, lost


def vectors_of(ids: list[str]) -> np.ndarray:
    """What the database has of them."""
    rows = dict(Embedding.objects.filter(passage__in=ids).values_list("passage_id", "vector"))
    return np.array([np.frombuffer(rows[uuid.UUID(id)], dtype="<f4") for id in ids])


def nearest(workspace, passage: str) -> str:
    """What the index finds for a passage's own vector. Raises IndexUnavailable while it is made anew."""
    return index.query(workspace.pk, space_of(workspace.pk), vectors_of([passage])[0], 1)[0][0]


def test_a_vector_that_is_not_the_stored_one_is_noticed_and_the_index_made_anew(damaged, monkeypatch):
    workspace, lost = damaged
    monkeypatch.setattr(reconcile, "embed_again", None)

    check = index_checks.check(workspace)

    assert nearest(workspace, lost) == lost
    assert check.agrees
    assert check.differed == 3
    assert '"passages":3,"unreadable":false,"wrong":1' in Event.objects.get(type=EventType.INDEX_DAMAGED).body
    assert index_checks.check(workspace).differed == 0


def test_without_a_look_at_the_vectors_the_damage_is_taken_for_agreement(damaged, monkeypatch):
    workspace, lost = damaged
    monkeypatch.setattr(soundness, "look", lambda *_about, **_how: soundness.Look())

    check = index_checks.check(workspace)

    assert check.differed == 0
    assert nearest(workspace, lost) != lost


def test_searches_say_that_they_are_limited_until_a_damaged_index_is_made_anew(damaged, member, monkeypatch):
    workspace, lost = damaged
    for name, few in {"EXACT_AT_ONCE": -1, "EXACT_UP_TO": -1, "ENOUGH": 1}.items():
        monkeypatch.setattr(legs, name, few)

    sweep_indexes()

    meanwhile = search(member, workspace, "How long does parental leave last?")
    assert (meanwhile.degraded, meanwhile.hits[0].document.path) == (True, "leave.md")
    assert index_checks.being_made([workspace.pk]) == [workspace.pk]
    # The next round of the schedule, in a worker of its own.
    with inline():
        check_index_task(str(workspace.pk))
    assert not search(member, workspace, "How long does parental leave last?").degraded
    assert nearest(workspace, lost) == lost
