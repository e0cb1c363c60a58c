"""The way of a workspace into another embedding space and back: questions are answered in every phase."""

import pytest
from django.db.models.functions import Now

from audit.events import EventType
from audit.models import Event
from documents import embeddings, index, reconcile
from documents.embedding import spaces
from documents.embeddings import default_space
from documents.index import IndexUnavailable
from documents.indexing import checks as index_checks
from documents.indexing.vectors import stored
from documents.ingest import ingest_version
from documents.ingestion import leases
from documents.models import Embedding, SpaceMigration, WorkspaceSpace
from documents.reembedding import building, dropping, steering
from documents.reembedding.leases import JobLease
from documents.reembedding.problems import ReembeddingError
from documents.reembedding.spaces import answering
from documents.search import search
from documents.stages import ready
from documents.states import MIGRATION_NEXT, MOVING, MigrationState, migration_may_become
from tests.documents.arrivals import Killed, again, receive
from tests.documents.reembedding.scene import QUESTIONS, SUBJECTS, to_the_end

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _settled(monkeypatch):
    """No search of a test lasts beyond a switch."""
    monkeypatch.setattr(dropping, "SETTLE", dropping.SETTLE * 0)


def found(workspace, person):
    """The passages found for each question, best first."""
    return {text: [hit.passage.pk for hit in search(person, workspace, text, 5).hits] for text in QUESTIONS}


def ids_of(workspace):
    return {str(id) for id in answering(workspace).values_list("pk", flat=True)}


def compared(migration, person):
    """As if a person had compared: the state in which a switch is allowed."""
    SpaceMigration.objects.filter(pk=migration.pk).update(state=MigrationState.READY)
    migration.refresh_from_db()
    return migration


def told(type):
    return Event.objects.filter(type=type).count()


def test_every_state_leads_somewhere_but_the_last():
    assert {state for state in MigrationState if not MIGRATION_NEXT[state]} == {MigrationState.DONE}
    assert set(MigrationState) - set(MOVING) == {MigrationState.DONE, MigrationState.CANCELLED}
    assert not migration_may_become(MigrationState.BUILDING, MigrationState.SWITCHED)


@pytest.mark.parametrize("model", ["rotated", "wide"], ids=["same dimension", "another dimension"])
def test_a_workspace_moves_and_moves_back_and_finds_the_same_all_the_way(shelved, manager, server, endpoint, model):
    golden, passages = found(shelved, manager), ids_of(shelved)
    endpoint(model)

    migration = steering.plan(shelved, to=model, by=manager)
    assert not any(text in sent for texts in SUBJECTS.values() for text in texts for sent in server.texts)
    assert migration.estimate["to_embed"] == len(passages) == 10
    assert found(shelved, manager) == golden

    steering.start(migration, by=manager)
    assert found(shelved, manager) == golden
    migration = to_the_end(migration)
    assert (migration.state, migration.done, migration.computed) == ("comparing", 10, 10)
    assert migration.tokens == sum(len(text.split()) for text in server.texts[-10:])
    target = spaces.known(migration.target)
    assert index.ids(shelved.pk, target) == passages
    assert found(shelved, manager) == golden

    steering.switch(compared(migration, manager), by=manager)
    assert spaces.space_of(shelved.pk).fingerprint == target.fingerprint
    assert found(shelved, manager) == golden
    assert reconcile.compare(shelved).is_none

    migration = steering.roll_back(migration, by=manager)
    assert spaces.space_of(shelved.pk).fingerprint == default_space().fingerprint
    assert found(shelved, manager) == golden

    paid = len(server.texts)
    steering.switch(migration, by=manager)
    migration = to_the_end(steering.drop(migration, by=manager))
    assert migration.state == "done"
    assert not Embedding.objects.filter(space=default_space().fingerprint).exists()
    assert index.ids(shelved.pk, default_space()) == set()
    assert found(shelved, manager) == golden
    assert len(server.texts) - paid == len(QUESTIONS)
    assert [told(event) for event in (
        EventType.EMBEDDING_PLANNED, EventType.EMBEDDING_STARTED, EventType.EMBEDDING_BUILT,
        EventType.EMBEDDING_SWITCHED, EventType.EMBEDDING_ROLLED_BACK, EventType.EMBEDDING_DROPPED,
    )] == [1, 1, 1, 2, 1, 1]  # fmt: skip


def test_what_has_its_vector_is_never_embedded_again(shelved, manager, server, built):
    migration = steering.cancel(built(), by=manager)
    assert migration.state == "cancelled"
    server.texts.clear()

    again_ = steering.plan(shelved, to="rotated", by=manager)
    assert (again_.estimate["to_embed"], again_.estimate["reused"], again_.estimate["tokens"]) == (0, 10, 0)
    sampled = len(server.texts)
    again_ = to_the_end(steering.start(again_, by=manager))

    assert (again_.state, again_.computed) == ("comparing", 0)
    assert len(server.texts) == sampled


def test_an_index_that_is_gone_comes_back_from_stored_vectors(shelved, manager, server, built):
    migration = compared(built(), manager)
    target = spaces.known(migration.target)
    asked = len(server.texts)
    index.drop(shelved.pk, target)

    reconcile.rebuild(shelved)
    assert SpaceMigration.objects.get(pk=migration.pk).covered_revision is None
    with pytest.raises(ReembeddingError, match="on their way"):
        steering.switch(migration, by=manager)
    migration = to_the_end(migration)

    assert index.ids(shelved.pk, target) == ids_of(shelved)
    assert len(server.texts) == asked
    assert steering.switch(migration, by=manager).state == "switched"


def test_an_index_beside_that_lost_vectors_is_noticed_by_the_comparison_by_the_clock(shelved, manager, built):
    migration = compared(built(), manager)
    target = spaces.known(migration.target)
    index_checks.check(shelved)
    assert SpaceMigration.objects.get(pk=migration.pk).covered_revision is not None
    index.delete(shelved.pk, target, sorted(ids_of(shelved))[:2])

    index_checks.check(shelved)
    to_the_end(migration)

    assert index.ids(shelved.pk, target) == ids_of(shelved)


def test_the_old_space_stays_while_a_version_that_arrived_before_the_switch_is_worked_on(
    built, shelved, manager, contributor
):
    migration = built()
    arrived = receive(shelved, contributor).version
    lease = leases.take(arrived.pk)
    SpaceMigration.objects.update(state=MigrationState.READY)
    steering.switch(migration, by=manager)
    steering.drop(migration, by=manager)

    assert building.work(migration.pk) == "waiting"
    assert Embedding.objects.filter(space_id=migration.source_id).exists()

    lease.release()
    SpaceMigration.objects.update(retry_at=None)
    assert to_the_end(migration).state == MigrationState.DONE
    assert not Embedding.objects.filter(space_id=migration.source_id).exists()


# --- Killed, doubled, paused --------------------------------------------------------------------------------


@pytest.mark.parametrize("point", ["space_batch:3", "space_indexed"])
def test_a_killed_build_goes_on_where_it_was_and_pays_nothing_twice(building_to, server, killer, monkeypatch, point):
    monkeypatch.setattr(building, "BATCH", 2)
    migration = building_to(batch=2)
    sampled = len(server.texts)
    killer.at(point)
    with pytest.raises(Killed):
        to_the_end(migration)

    assert building.work(migration.pk) == "settled"
    killer.never()
    SpaceMigration.objects.filter(pk=migration.pk).update(lease_until=Now())
    migration = to_the_end(migration)

    assert migration.state == "comparing"
    assert index.ids(migration.workspace_id, spaces.known(migration.target)) == ids_of(migration.workspace)
    embedded = [text for text in server.texts[sampled:] if "harbour brings it" not in text]
    assert len(embedded) == len(set(embedded)) == 10


@pytest.mark.parametrize("point", ["space_collection_dropped", "space_vectors_dropped"])
def test_a_killed_removal_goes_on_where_it_was(shelved, built, manager, killer, monkeypatch, point):
    monkeypatch.setattr(dropping, "DELETED_AT_ONCE", 4)
    migration = steering.drop(steering.switch(compared(built(), manager), by=manager), by=manager)
    killer.at(point)
    with pytest.raises(Killed):
        building.work(migration.pk)
    killer.never()
    SpaceMigration.objects.filter(pk=migration.pk).update(lease_until=Now())

    assert to_the_end(migration).state == "done"

    assert not Embedding.objects.filter(space=default_space().fingerprint).exists()
    assert '"vectors":10' in Event.objects.get(type=EventType.EMBEDDING_DROPPED).body


def test_a_pause_in_the_middle_of_a_batch_keeps_it_from_being_written(building_to, manager, monkeypatch):
    migration = building_to()
    pausing = paused_while_embedding(monkeypatch, migration, manager)

    assert building.work(migration.pk) == "lost"

    assert pausing
    assert not Embedding.objects.filter(space=migration.target_id).exists()
    migration.refresh_from_db()
    assert (migration.state, migration.lease_until) == ("paused", None)
    assert to_the_end(steering.start(migration, by=manager)).state == "comparing"


def test_the_fence_is_what_keeps_it_from_being_written(building_to, manager, monkeypatch):
    """The counter-proof: without state and attempt in the condition, a paused change goes on."""
    migration = building_to()
    paused_while_embedding(monkeypatch, migration, manager)
    monkeypatch.setattr(JobLease, "_rows", lambda self: self.model.objects.filter(pk=self.row_id))

    building.work(migration.pk)

    assert Embedding.objects.filter(space=migration.target_id).exists()


def paused_while_embedding(monkeypatch, migration, person):
    real, paused = embeddings.embed_passages, []

    def embed(texts, space, **given):
        if len(texts) > 1 and not paused:
            paused.append(steering.pause(migration, by=person))
        return real(texts, space, **given)

    monkeypatch.setattr(embeddings, "embed_passages", embed)
    return paused


def test_a_workspace_has_one_change_at_a_time(building_to, shelved, manager, endpoint):
    building_to()
    endpoint("wide")

    with pytest.raises(ReembeddingError, match="on its way"):
        steering.plan(shelved, to="wide", by=manager)


# --- Documents that arrive meanwhile ------------------------------------------------------------------------

NEW = "The lighthouse keeper reports fog by radio before the ferry leaves."
ABOUT_IT = "Who reports fog?"


def arrive(workspace, person, text=NEW, path="fog.md"):
    version = receive(workspace, person, text, path).version
    ingest_version(version.pk)
    return again(version)


def test_what_arrives_before_the_switch_is_in_both_spaces_or_there_is_no_switch(shelved, manager, built):
    migration = compared(built(), manager)
    version = arrive(shelved, manager)
    assert version.state == "ready"

    with pytest.raises(ReembeddingError, match="on their way"):
        steering.switch(migration, by=manager)
    migration = to_the_end(migration)
    steering.switch(migration, by=manager)

    assert search(manager, shelved, ABOUT_IT, 1).hits[0].version == version
    assert [ids for _id, ids, _m in stored([version.pk], spaces.known(migration.target))]
    # And after it, so that there is a way back.
    later = arrive(shelved, manager, "A ferry waits for the doctor.", "ferry.md")
    with pytest.raises(ReembeddingError, match="on their way"):
        steering.roll_back(migration, by=manager)
    steering.roll_back(to_the_end(migration), by=manager)
    assert search(manager, shelved, "Who does the ferry wait for?", 1).hits[0].version == later


def test_a_version_that_was_indexed_before_the_switch_is_indexed_where_it_is_searched(
    shelved, manager, built, monkeypatch
):
    migration = compared(built(), manager)
    version = receive(shelved, manager, NEW, "fog.md").version

    switch_at_the_last_moment(monkeypatch, migration, manager)
    assert ingest_version(version.pk).outcome == "waiting"
    assert again(version).state == "embedded"
    ingest_version(version.pk)

    assert again(version).state == "ready"
    assert reconcile.compare(shelved).is_none


def test_without_that_look_it_would_be_missing(shelved, manager, built, monkeypatch):
    """The counter-proof."""
    migration = compared(built(), manager)
    version = receive(shelved, manager, NEW, "fog.md").version
    monkeypatch.setattr(ready, "_is_indexed_where_it_is_searched", lambda version: True)

    switch_at_the_last_moment(monkeypatch, migration, manager)
    ingest_version(version.pk)

    assert again(version).state == "ready"
    assert not reconcile.compare(shelved).is_none


def switch_at_the_last_moment(monkeypatch, migration, person):
    real = ready.STAGE.work

    def switched(version, lease):
        if not WorkspaceSpace.objects.exists():
            steering.switch(migration, by=person)
        return real(version, lease)

    monkeypatch.setattr("documents.ingest.STAGES", (*_all_but_ready(), _with(ready.STAGE, switched)))


def _all_but_ready():
    from documents.ingest import STAGES

    return STAGES[:-1]


def _with(stage, work):
    import dataclasses

    return dataclasses.replace(stage, work=work)


# --- Searches and the switch --------------------------------------------------------------------------------


def test_a_search_that_has_begun_ends_in_the_space_it_began_in(shelved, manager, built, monkeypatch):
    migration = compared(built("wide"), manager)
    golden = found(shelved, manager)
    real = index.query

    def switched(workspace_id, space, vector, n):
        if not WorkspaceSpace.objects.exists():
            steering.switch(migration, by=manager)
        return real(workspace_id, space, vector, n)

    # In this thread: a test's transaction is not seen by others.
    monkeypatch.setattr("documents.retrieval.legs._beside", _Here)
    monkeypatch.setattr(index, "query", switched)
    monkeypatch.setattr("documents.retrieval.legs.EXACT_AT_ONCE", 0)
    monkeypatch.setattr("documents.retrieval.legs.EXACT_UP_TO", 0)
    monkeypatch.setattr("documents.retrieval.legs.ENOUGH", 1)

    assert found(shelved, manager) == golden
    assert WorkspaceSpace.objects.get().space_id == migration.target_id


class _Here:
    def submit(self, act, *given):
        from concurrent.futures import Future

        future = Future()
        future.set_result(act(*given))
        return future


def test_vectors_of_two_models_of_one_dimension_would_find_something_else(shelved, manager, built):
    """The counter-proof of not mixing them: with the same dimension nothing but the result tells."""
    migration = built("rotated")
    golden = found(shelved, manager)

    Embedding.objects.filter(space=default_space().fingerprint).delete()
    Embedding.objects.filter(space=migration.target_id).update(space=default_space().fingerprint)
    from documents.indexing import vectors

    vectors._kept.clear()

    near = {
        text: [hit.passage.pk for hit in search(manager, shelved, text, 5, mode="vectors").hits] for text in QUESTIONS
    }
    assert near != golden


def test_while_the_server_is_out_of_order_keywords_answer_and_the_result_says_so(shelved, manager, built, server):
    steering.switch(compared(built(), manager), by=manager)
    server.refusals[:] = [(503, "")]

    result = search(manager, shelved, "How long does parental leave last?", 3)

    assert result.hits[0].document.path == "leave.md"
    assert result.degraded
    assert "limited" in result.sentence


def test_nothing_is_dropped_while_a_search_may_still_be_in_it(shelved, manager, built, monkeypatch):
    monkeypatch.undo()
    migration = steering.drop(steering.switch(compared(built(), manager), by=manager), by=manager)

    assert building.work(migration.pk) == "waiting"

    assert Embedding.objects.filter(space=default_space().fingerprint).count() == 10
    assert SpaceMigration.objects.get(pk=migration.pk).retry_at is not None


def test_an_index_that_is_down_makes_a_build_wait_and_nothing_else(building_to, monkeypatch):
    def down(*_given):
        raise IndexUnavailable("down")

    migration = building_to()
    monkeypatch.setattr(index, "ids", down)

    assert building.work(migration.pk) == "more"
    assert building.work(migration.pk) == "waiting"
    monkeypatch.undo()
    SpaceMigration.objects.filter(pk=migration.pk).update(retry_at=None)

    assert to_the_end(migration).state == "comparing"
