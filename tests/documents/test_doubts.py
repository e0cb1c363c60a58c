"""A search that meets what the database contradicts says that it is limited, and has the index looked at at once."""

import time
import uuid
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest
from django.db import connection
from django.db.backends.base.base import BaseDatabaseWrapper
from django.utils import timezone

from audit.events import EventType
from audit.models import Event
from documents import agreement, index
from documents.embedding.spaces import space_of
from documents.embeddings import embed_passages, embed_query
from documents.indexing import doubts
from documents.models import Embedding, IndexCheck, Passage
from documents.retrieval import legs
from documents.search import SearchResult, search
from documents.tasks import check_doubted_index_task, check_index_task
from tests.documents import shelf
from tests.documents.test_index import LINKS, MANY, Server, blotted, halved, written

pytestmark = pytest.mark.django_db

QUESTION = "How long does parental leave last?"


@pytest.fixture
def server(tmp_path_factory) -> Iterator[Server]:
    server = Server(tmp_path_factory.mktemp("chroma"))
    server.start()
    yield server
    server.stop()


@pytest.fixture
def bells(monkeypatch) -> list[str]:
    """The workspaces whose index is to be looked at; nobody does."""
    rung: list[str] = []
    monkeypatch.setattr(doubts, "_rung", {})
    monkeypatch.setattr(doubts, "dispatch", lambda task, *ids: rung.append(task.name) or rung.extend(map(str, ids)))
    return rung


@pytest.fixture
def indexed(policies, bells, monkeypatch):
    """Three passages, which searches ask the index for as if they were too many to be looked at one by one."""
    for name, few in {"EXACT_AT_ONCE": -1, "EXACT_UP_TO": -1, "ENOUGH": 1}.items():
        monkeypatch.setattr(legs, name, few)
    monkeypatch.setattr(legs, "_widths", type(legs._widths)())
    shelf.put(policies, "leave.md", ["Parental leave lasts sixteen weeks.", "It is paid in full."])
    shelf.put(policies, "travel.md", ["Hotel costs are reimbursed."])
    return policies


def passage(path: str) -> str:
    return str(Passage.objects.filter(version__document__path=path).order_by("position")[0].pk)


def shelf_ids(workspace, path: str) -> list[uuid.UUID]:
    return list(Passage.objects.filter(workspace=workspace, version__document__path=path).values_list("pk", flat=True))


def paths(result: SearchResult) -> list[str]:
    return [hit.document.path for hit in result.hits]


def test_an_index_that_agrees_is_not_doubted(indexed, member, bells):
    result = search(member, indexed, QUESTION)

    assert not result.degraded
    assert paths(result)[0] == "leave.md"
    assert bells == []


def test_a_similarity_that_the_stored_vector_does_not_have_is_doubted_and_corrected(indexed, member, bells):
    space = space_of(indexed.pk)
    asked = embed_query(QUESTION, space)
    index.upsert(indexed.pk, space, [passage("travel.md")], np.array([asked]))

    result = search(member, indexed, QUESTION)

    assert result.degraded
    assert paths(result)[0] == "leave.md"
    assert [hit.cosine < 0.9 for hit in result.hits if hit.document.path == "travel.md"] in ([], [True])
    assert bells == ["documents.tasks.check_doubted_index_task", str(indexed.pk)]


@pytest.mark.parametrize("stranger", ["0199b1d2-0000-7000-8000-000000000000", "no passage at all"])
def test_an_id_without_a_row_is_doubted_and_not_shown(stranger, indexed, member, bells):
    space = space_of(indexed.pk)
    index.upsert(indexed.pk, space, [stranger], np.array([embed_query(QUESTION, space)]))

    result = search(member, indexed, QUESTION)

    assert result.degraded
    assert paths(result)[0] == "leave.md"
    assert bells[1:] == [str(indexed.pk)]


def test_fewer_passages_than_there_are_is_doubted(indexed, member, bells):
    index.delete(indexed.pk, space_of(indexed.pk), [passage("leave.md")])

    result = search(member, indexed, QUESTION)

    assert result.degraded
    assert bells[1:] == [str(indexed.pk)]


def test_a_passage_without_a_stored_vector_does_not_count_as_lost(indexed, member, bells):
    # As where its text may not be sent to whoever makes the vectors.
    kept_back = passage("travel.md")
    index.delete(indexed.pk, space_of(indexed.pk), [kept_back])
    Embedding.objects.filter(passage=kept_back).delete()

    assert not search(member, indexed, QUESTION).degraded
    assert bells == []


def test_few_open_passages_are_searched_by_stored_vectors_and_nothing_is_missing(indexed, member, bells, monkeypatch):
    monkeypatch.setattr(legs, "EXACT_UP_TO", 5000)
    monkeypatch.setattr(legs, "ENOUGH", 30)
    index.delete(indexed.pk, space_of(indexed.pk), [passage("leave.md")])

    result = search(member, indexed, QUESTION)

    assert (result.degraded, paths(result)[0]) == (False, "leave.md")
    assert bells[1:] == [str(indexed.pk)]


def test_a_bell_is_not_rung_by_every_question(indexed, member, bells):
    index.delete(indexed.pk, space_of(indexed.pk), [passage("leave.md")])

    for _time in range(3):
        assert search(member, indexed, QUESTION).degraded

    assert bells[1:] == [str(indexed.pk)]


def test_the_task_mends_what_was_doubted_and_lets_the_next_doubt_be(indexed, member, bells):
    index.delete(indexed.pk, space_of(indexed.pk), [passage("leave.md")])

    check_doubted_index_task(str(indexed.pk))
    check_doubted_index_task(str(indexed.pk))
    check_doubted_index_task(str(uuid.uuid4()))

    assert not search(member, indexed, QUESTION).degraded
    assert IndexCheck.objects.get().missing == 1


def test_what_was_erased_after_the_index_answered_is_no_damage(indexed, member, bells, monkeypatch):
    query, answers = index.query, []

    def first_as_it_was(*about):
        answers.append([(str(uuid.uuid4()), 0.9)] * (not answers) + query(*about))
        return answers[-1]

    monkeypatch.setattr(index, "query", first_as_it_was)

    assert not search(member, indexed, QUESTION).degraded
    assert (len(answers), bells) == (2, [])


def test_an_index_that_was_asked_for_much_and_leaves_some_out_is_not_doubted(indexed):
    """As a sound one does, where many passages have the same vector."""
    space, vectors = space_of(indexed.pk), scattered(200)
    shelf.put(indexed, "forms.md", [f"Form {n}." for n in range(200)], vectors=vectors)
    found = index.query(indexed.pk, space, vectors[50], 1000)
    assert len(found) == 203

    assert agreement.agrees(indexed.pk, space, vectors[50], found[:100], 1000)
    assert not agreement.agrees(indexed.pk, space, vectors[50], found[:99], 1000)


@pytest.fixture
def another_worker() -> Iterator[BaseDatabaseWrapper]:
    """Its connection to the database."""
    own = connection.copy()
    yield own
    own.close()


@pytest.mark.parametrize("task", [check_doubted_index_task, check_index_task])
def test_an_index_that_another_worker_compares_is_left_to_it(task, indexed, another_worker):
    index.delete(indexed.pk, space_of(indexed.pk), [passage("leave.md")])
    with another_worker.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(hashtextextended(%s, 0))", [f"index check {indexed.pk}"])

    task(str(indexed.pk))

    assert not IndexCheck.objects.exists()
    with another_worker.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_unlock_all()")
    task(str(indexed.pk))
    assert IndexCheck.objects.get().missing == 1
    # And it let go when it was done.
    with another_worker.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(hashtextextended(%s, 0))", [f"index check {indexed.pk}"])
        assert cursor.fetchone() == (True,)


@pytest.mark.parametrize(("minutes", "seconds", "made"), [(4, 1, 1), (10, 1, 2), (10, 60, 1), (25, 60, 2)])
def test_a_doubt_rests_after_a_comparison_and_longer_after_a_long_one(minutes, seconds, made, indexed):
    started = timezone.now() - timedelta(minutes=minutes)
    IndexCheck.objects.create(workspace=indexed, started_at=started, seconds=seconds)

    check_doubted_index_task(str(indexed.pk))

    assert IndexCheck.objects.count() == made


#: Passages that bear on the question.
FEW = 12


def scattered(count: int) -> np.ndarray:
    """Unit vectors that bear on nothing."""
    vectors = np.random.default_rng(11).normal(size=(count, shelf.SPACE.dimension)).astype(np.float32)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def stirred(folder: Path) -> None:
    """Every vector is there, under the name of another."""
    file = folder / "data_level0.bin"
    size = LINKS + 4 * shelf.SPACE.dimension + 8
    data = np.frombuffer(file.read_bytes(), dtype=np.uint8).copy()
    records = data[: len(data) // size * size].reshape(-1, size)
    # What is not used yet lies behind, and the label of a record is its last eight bytes.
    used = records[: int(np.count_nonzero(records[:, LINKS:-8].any(axis=1)))]
    used[:, -8:] = np.roll(used[:, -8:], 7, axis=0)
    file.write_bytes(data.tobytes())


def smeared(folder: Path) -> None:
    """Some vectors are bytes that are no numbers."""
    blotted(folder, shelf.SPACE.dimension)


@pytest.mark.parametrize("damage", [halved, stirred, smeared])
def test_files_that_were_damaged_are_noticed_by_the_first_search_and_made_anew(
    damage, server, policies, member, bells, settings, monkeypatch
):
    settings.CHROMA_URL = server.url
    for name, few in {"EXACT_AT_ONCE": -1, "EXACT_UP_TO": -1}.items():
        monkeypatch.setattr(legs, name, few)
    # What bears on the question lies in the second half of the thousand that are written to the files.
    near = [f"In case {n} parental leave lasts {n} weeks." for n in range(FEW)]
    others, behind = scattered(MANY - FEW), [f"Entry {n}." for n in range(MANY - FEW)]
    vectors = np.concatenate([others[:700], embed_passages(near, shelf.SPACE), others[700:]])
    shelf.put(policies, "rules.md", behind[:700] + near + behind[700:], vectors=vectors)
    deadline = time.monotonic() + 30
    while not (new := list(written(server))):
        assert time.monotonic() < deadline, "Chroma wrote no files"
        time.sleep(0.05)
    assert not search(member, policies, QUESTION).degraded
    server.stop()
    [folder] = new
    damage(folder)
    server.start()

    meanwhile = search(member, policies, QUESTION)

    assert meanwhile.degraded
    assert "limited" in meanwhile.sentence
    assert bells[1:] == [str(policies.pk)]
    # What a worker does when the bell rings.
    check_doubted_index_task(str(policies.pk))
    assert Event.objects.filter(type=EventType.INDEX_DAMAGED).count() == 1
    monkeypatch.setattr(index, "_resting_until", 0.0)
    assert not search(member, policies, QUESTION).degraded


def test_what_keywords_found_and_the_index_overlooked_is_doubted_once_it_is_much(indexed):
    space = space_of(indexed.pk)
    vector = embed_query(QUESTION, space)
    others = shelf.put(indexed, "more.md", ["Hotels.", "Trains.", "Ships.", "Cars."], indexed=False)
    near = [str(id) for id in shelf_ids(indexed, "leave.md")]
    far = [str(id) for id in Passage.objects.filter(version=others.current_version).values_list("pk", flat=True)]
    cosines = agreement.stored_cosines(space, vector, [*near, *far])
    ranked = sorted(cosines.items(), key=lambda find: -find[1])

    def agrees(found, elsewhere):
        return agreement.agrees(indexed.pk, space, vector, found, len(found), elsewhere)

    assert agrees(ranked[:2], [id for id, _cosine in ranked])
    # The last of all alone: five are nearer, of which two might be overlooked by any index.
    assert agrees(ranked[-1:], [id for id, _cosine in ranked[:2]])
    assert not agrees(ranked[-1:], [id for id, _cosine in ranked[:3]])


def test_what_is_held_against_the_database_costs_one_statement(indexed, django_assert_num_queries):
    space = space_of(indexed.pk)
    vector = embed_query(QUESTION, space)
    found = index.query(indexed.pk, space, vector, 3)

    with django_assert_num_queries(1):
        assert agreement.agrees(indexed.pk, space, vector, found, 3)
    with django_assert_num_queries(2):
        assert agreement.agrees(indexed.pk, space, vector, found, 50)
    assert not agreement.agrees(indexed.pk, space, vector, found[1:], 3)
