"""Small files that are ingested together end as each would alone, and whoever is not as the others leaves."""

import json
import threading
import time
from contextlib import suppress
from dataclasses import replace
from io import BytesIO
from pathlib import Path

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from audit.chain import workspace_chain
from audit.events import EventType
from audit.exceptions import AuditError
from audit.models import Event
from audit.verification import verify
from documents import embeddings, index, ingest, library, sandbox
from documents.deletion import holds
from documents.embedding import spaces
from documents.embedding.vector_space import EmbeddingUnavailable
from documents.exceptions import DocumentError
from documents.ingest import MAX_DEATHS, ingest_version
from documents.ingestion import company, leases, readers
from documents.models import Document, Embedding, StageRun, Version
from documents.parse import ParseFailed
from documents.stages import embedded, ready
from documents.tasks import ingest_version_task, withdraw_version_task
from tests.documents.arrivals import LONG, Killed, Killer, again, let_lease_expire, receive
from workspaces.dispatch import inline
from workspaces.exceptions import Forbidden, Hidden
from workspaces.models import Workspace

pytestmark = pytest.mark.django_db

#: Five files are three that are embedded while the other two are read.
POINTS = [
    "company_taken",
    "before_parsed:3",
    "company_read",
    "company_split",
    "embedding_batch",
    "company_embedded",
    "company_read:2",
    "company_split:2",
    "embedding_batch:3",
    "company_embedded:2",
    "upserted",
    "company_indexed",
    "company_ready",
]


def texts(count: int, first: int = 1) -> list[str]:
    return [f"Leave of kind {number} is paid after {number + 3} days." for number in range(first, first + count)]


@pytest.fixture
def waiting(policies, contributor):
    """Five files of one passage that nobody began with."""
    return [receive(policies, contributor, text, f"{n}.txt").version for n, text in enumerate(texts(5))]


def outcomes(results) -> dict[object, str]:
    return {result.version_id: result.outcome for result in results}


def states(versions) -> list[str]:
    return [again(version).state for version in versions]


def indexed(workspace) -> set[str]:
    return index.ids(workspace.pk, embeddings.default_space())


def passage_ids(*versions) -> set[str]:
    return {str(key) for version in versions for key in version.passages.values_list("pk", flat=True)}


def alone_to_the_end(versions) -> list[str]:
    return [ingest_version(version.pk).outcome for version in versions]


# --- The ordinary way ---------------------------------------------------------------------------------------


def test_files_that_wait_become_ready_with_the_one_whose_bell_rang(policies, waiting, monkeypatch):
    upserts = []
    real = index.upsert
    monkeypatch.setattr(index, "upsert", lambda *given: upserts.append(len(given[2])) or real(*given))

    results = company.ingest_waiting(waiting[2].pk)

    assert outcomes(results) == {version.pk: "ready" for version in waiting}
    assert upserts == [5]
    assert indexed(policies) == passage_ids(*waiting)
    for version in map(again, waiting):
        assert (version.state, version.attempt, version.deaths, version.lease_until) == ("ready", 1, 0, None)
        assert version.document.current_version_id == version.pk
        assert version.passage_count == version.done == 1


def test_what_stands_of_each_is_what_would_stand_of_it_alone(policies, legal, contributor):
    files = {"a.txt": texts(1)[0], "b.md": "# Rules for travelling\n\nBook early.", "c.html": "<h1>Pay</h1><p>Monthly."}
    together = [receive(policies, contributor, text, name).version for name, text in files.items()]
    alone = [receive(legal, contributor, text, name).version for name, text in files.items()]

    company.ingest_waiting(together[0].pk)
    alone_to_the_end(alone)

    for one, other in zip(map(again, together), map(again, alone), strict=True):
        fields = "state text sections format page_count findings language passage_count done in_index pipeline attempt"
        assert [getattr(one, field) for field in fields.split()] == [getattr(other, field) for field in fields.split()]
        assert one.document.title == other.document.title
        assert one.document.folded == other.document.folded
        assert shape(one) == shape(other)
        assert vectors(one) == vectors(other)
        assert said(one) == said(other)
    assert verify(workspace_chain(policies.pk)).holds


def shape(version):
    passages = version.passages.values_list("position", "start", "end", "text", "page", "locator", "language")
    runs = version.stages.order_by("stage").values_list("stage", "pipeline", "attempt", "detail")
    return list(passages), list(runs)


def vectors(version):
    return [bytes(each) for each in Embedding.objects.filter(passage__version=version).values_list("vector", flat=True)]


def said(version):
    """The entries of the trail without what is each version's own."""
    bodies = Event.objects.filter(object_id=str(version.pk)).order_by("seq")
    own = {"document": None}
    return [(event.type, event.actor_label, json.loads(event.body)["details"] | own) for event in bodies]


def test_the_number_of_statements_does_not_grow_with_the_files(policies, contributor):
    first = [receive(policies, contributor, text, f"a{n}.txt").version for n, text in enumerate(texts(9))]
    with CaptureQueriesContext(connection) as few:
        company.ingest_waiting(first[0].pk)
    then = [receive(policies, contributor, text, f"b{n}.txt").version for n, text in enumerate(texts(24, 20))]
    with CaptureQueriesContext(connection) as many:
        company.ingest_waiting(then[0].pk)

    assert set(states([*first, *then])) == {"ready"}
    assert len(many) <= len(few)


def test_the_one_whose_bell_rang_is_among_them_however_many_are_older(policies, contributor, monkeypatch):
    monkeypatch.setattr(company, "MOST", 3)
    versions = [receive(policies, contributor, text, f"{n}.txt").version for n, text in enumerate(texts(6))]

    company.ingest_waiting(versions[-1].pk)

    assert states(versions) == ["ready", "ready", "received", "received", "received", "ready"]


def test_a_newer_version_whose_bell_rang_does_not_wait_for_the_files_beside_it(policies, contributor, waiting):
    """It is of no company, and no other bell rings for it: as long as new files arrive it would never be read."""
    company.ingest_waiting(waiting[0].pk)
    newer = receive(policies, contributor, texts(1, 50)[0], "1.txt").version
    beside = [receive(policies, contributor, text, f"b{n}.txt").version for n, text in enumerate(texts(2, 60))]

    results = company.ingest_waiting(newer.pk)

    assert outcomes(results)[newer.pk] == "ready"
    assert states([newer, *beside]) == ["ready", "ready", "ready"]


def test_files_of_other_workspaces_and_long_ones_are_not_taken_along(policies, legal, contributor, monkeypatch):
    monkeypatch.setattr(company, "MOST_BYTES", 500)
    one, other = (receive(policies, contributor, text, f"{n}.txt").version for n, text in enumerate(texts(2)))
    long = receive(policies, contributor, LONG, "long.txt").version
    elsewhere = receive(legal, contributor).version

    company.ingest_waiting(one.pk)

    assert states([one, other, long, elsewhere]) == ["ready", "ready", "received", "received"]


def test_a_company_is_no_larger_than_its_bytes(policies, contributor, monkeypatch):
    monkeypatch.setattr(company, "MOST_BYTES", 100)
    versions = [receive(policies, contributor, text, f"{n}.txt").version for n, text in enumerate(texts(4))]

    results = company.ingest_together([version.pk for version in versions], policies.pk)

    assert [outcomes(results)[version.pk] for version in versions] == ["ready", "ready", "alone", "alone"]


# --- Newer versions -----------------------------------------------------------------------------------------


@pytest.fixture
def replacing(policies, contributor, waiting):
    """Newer versions of the first three of five documents that answer, and a new document beside them."""
    company.ingest_waiting(waiting[0].pk)
    newer = [receive(policies, contributor, text, f"{n}.txt").version for n, text in enumerate(texts(3, 30))]
    return [*newer, receive(policies, contributor, texts(1, 50)[0], "new.txt").version]


def test_newer_versions_travel_together_and_take_the_place_of_the_former(policies, waiting, replacing, monkeypatch):
    upserts = []
    real = index.upsert
    monkeypatch.setattr(index, "upsert", lambda *given: upserts.append(len(given[2])) or real(*given))

    results = company.ingest_waiting(replacing[1].pk)

    assert outcomes(results) == {version.pk: "ready" for version in replacing}
    assert upserts == [4], "they went to the index together"
    assert states(waiting) == ["superseded"] * 3 + ["ready"] * 2
    assert indexed(policies) == passage_ids(*waiting[3:], *replacing), "the former ones left it"
    for version in map(again, replacing):
        assert (version.attempt, version.deaths, version.lease_until) == (1, 0, None)
        assert version.document.current_version_id == version.pk
    assert verify(workspace_chain(policies.pk)).holds


def test_what_stands_of_a_newer_version_is_what_would_stand_of_it_alone(policies, legal, contributor):
    pair = []
    for workspace in (policies, legal):
        formers = [receive(workspace, contributor, text, f"{n}.txt").version for n, text in enumerate(texts(2))]
        alone_to_the_end(formers)
        pair.append([receive(workspace, contributor, text, f"{n}.txt").version for n, text in enumerate(texts(2, 9))])
    together, alone = pair

    company.ingest_waiting(together[0].pk)
    alone_to_the_end(alone)

    for one, other in zip(map(again, together), map(again, alone), strict=True):
        assert (one.state, one.number, one.attempt) == (other.state, other.number, other.attempt) == ("ready", 2, 1)
        assert stages_of(one) == stages_of(other)
        assert vectors(one) == vectors(other)
        assert [type for type, *_rest in said(one)] == [type for type, *_rest in said(other)]


def stages_of(version):
    return list(version.stages.order_by("stage").values_list("stage", "attempt"))


def test_of_two_versions_of_one_document_only_the_latest_travels(policies, contributor, waiting):
    newer = receive(policies, contributor, texts(1, 50)[0], "1.txt").version

    results = company.ingest_waiting(newer.pk)

    assert waiting[1].pk not in outcomes(results)
    assert outcomes(results)[newer.pk] == "ready"
    assert ingest_version(waiting[1].pk).outcome == "superseded"
    assert again(waiting[1]).document.current_version_id == newer.pk
    assert indexed(policies) == passage_ids(waiting[0], newer, *waiting[2:])


@pytest.mark.django_db(transaction=True)
def test_no_switch_holds_several_documents_while_it_releases_what_rests_on_one(replacing, monkeypatch):
    """Two companies that release the same answers would wait for each other."""
    open_at = []
    monkeypatch.setattr(
        "documents.deletion.dependants.when_replaced", [lambda former: open_at.append(count_of_locked_documents())]
    )

    company.ingest_waiting(replacing[0].pk)

    assert open_at == [1, 1, 1]


def count_of_locked_documents() -> int:
    with connection.cursor() as cursor:
        # Rows bear the number of the transaction that wrote or locked them.
        cursor.execute("SELECT count(*) FROM documents_document WHERE pg_current_xact_id()::xid IN (xmin, xmax)")
        return cursor.fetchone()[0]


@pytest.mark.parametrize("point", ["company_indexed", "company_switched", "after_ready:2", "company_ready"])
def test_killed_between_two_switches_every_document_answers_and_none_twice(
    point, policies, waiting, replacing, killer, embedded_texts
):
    killer.at(point)
    with pytest.raises(Killed):
        company.ingest_waiting(replacing[0].pk)
    answering = [again(version).document.current_version.state for version in replacing[:3]]

    killer.never()
    for version in replacing:
        let_lease_expire(version)
    alone_to_the_end(replacing)
    for former in waiting[:3]:
        withdraw_version_task(str(former.pk))

    assert answering == ["ready"] * 3
    assert set(states(replacing)) == {"ready"}
    assert states(waiting) == ["superseded"] * 3 + ["ready"] * 2
    assert indexed(policies) == passage_ids(*waiting[3:], *replacing)
    assert len(embedded_texts) == 4
    assert Event.objects.filter(type=EventType.VERSION_READY).count() == 9


def test_an_error_at_one_switch_keeps_nobody_else_waiting_for_a_lease(replacing, monkeypatch):
    real, seen = ready.switch, []

    def switch(version, result):
        seen.append(version.pk)
        if len(seen) == 2:
            raise ValueError("unexpected")
        return real(version, result)

    stages = tuple(replace(stage, save=switch) if stage is ready.STAGE else stage for stage in ingest.STAGES)
    monkeypatch.setattr(ingest, "STAGES", stages)
    with pytest.raises(ValueError, match="unexpected"):
        company.ingest_waiting(replacing[0].pk)

    assert {again(version).lease_until for version in replacing} == {None}
    assert sorted(states(replacing)) == ["indexed", "indexed", "ready", "ready"]
    assert sorted(again(version).errors for version in replacing) == [0, 0, 0, 1]
    alone_to_the_end(replacing)
    assert set(states(replacing)) == {"ready"}


# --- Reading several at once --------------------------------------------------------------------------------


def test_some_files_are_read_at_the_same_time_and_no_more_than_that(waiting, monkeypatch):
    real, lock, inside, most = sandbox.parse, threading.Lock(), [], []
    together = threading.Barrier(readers.READERS, timeout=60)

    def parse(path, *, name):
        with lock:
            inside.append(name)
            most.append(len(inside))
        if len(most) <= readers.READERS:
            together.wait()
        try:
            return real(path, name=name)
        finally:
            with lock:
                inside.remove(name)

    monkeypatch.setattr(sandbox, "parse", parse)

    company.ingest_waiting(waiting[0].pk)

    assert set(states(waiting)) == {"ready"}
    assert max(most) == readers.READERS > 1


def test_the_first_files_are_embedded_while_the_others_are_still_read(waiting, monkeypatch):
    real, embed, begun = sandbox.parse, embeddings.embed_passages, threading.Event()

    def parse(path, *, name):
        if name == "4.txt":
            assert begun.wait(60), "nothing is embedded before all are read"
        return real(path, name=name)

    def embed_passages(batch, space, **how):
        begun.set()
        return embed(batch, space, **how)

    monkeypatch.setattr(company, "AHEAD", 3)
    monkeypatch.setattr(sandbox, "parse", parse)
    monkeypatch.setattr(embeddings, "embed_passages", embed_passages)

    results = company.ingest_waiting(waiting[0].pk)

    assert outcomes(results) == {version.pk: "ready" for version in waiting}


def test_the_first_files_are_held_for_as_long_as_one_of_the_others_may_be_read(waiting, killer, monkeypatch, settings):
    settings.PARSE_SECONDS = 600
    monkeypatch.setattr(company, "AHEAD", 3)
    killer.at("company_read:2")
    with pytest.raises(Killed):
        company.ingest_waiting(waiting[0].pk)

    rows = [again(version) for version in waiting]
    assert [row.state for row in rows] == ["embedded"] * 3 + ["received"] * 2
    assert min(row.lease_until for row in rows[:3]) >= max(row.lease_until for row in rows[3:])


def test_when_a_company_ends_with_an_error_nothing_of_it_is_read_any_more(waiting, monkeypatch):
    real, read = sandbox.parse, []

    def parse(path, *, name):
        read.append(name)
        if name == "0.txt":
            raise ValueError("unexpected")
        return real(path, name=name)

    monkeypatch.setattr(sandbox, "parse", parse)

    with pytest.raises(ValueError, match="unexpected"):
        company.ingest_waiting(waiting[0].pk)

    assert not [thread for thread in threading.enumerate() if thread.name.startswith("reader")]
    begun = len(read)
    assert alone_to_the_end(waiting[1:]) == ["ready"] * 4
    assert len(read) == begun + 4
    assert {again(version).lease_until for version in waiting} == {None}


# --- Who leaves ---------------------------------------------------------------------------------------------


def test_a_file_that_cannot_be_read_fails_alone_with_its_reason(policies, contributor, waiting):
    blank = receive(policies, contributor, " \n . \n", "blank.txt").version
    damaged = receive(policies, contributor, b"PK\x03\x04 not at all", "damaged.docx").version

    results = company.ingest_waiting(waiting[0].pk)

    assert [outcomes(results)[version.pk] for version in (blank, damaged)] == ["failed", "failed"]
    assert "No text found" in again(blank).failure_sentence
    assert set(states(waiting)) == {"ready"}
    assert Event.objects.filter(type=EventType.VERSION_FAILED).count() == 2


def test_a_file_that_another_program_has_to_read_is_brought_on_alone(waiting, monkeypatch):
    real = sandbox.parse

    def parse(path, *, name):
        if name == "3.txt":
            raise ParseFailed("scanned")
        return real(path, name=name)

    monkeypatch.setattr(sandbox, "parse", parse)
    monkeypatch.setattr("documents.stages.parsed._BY_OTHERS", {"scanned": (real, sandbox.RECOGNISING)})

    results = company.ingest_waiting(waiting[0].pk)

    assert outcomes(results)[waiting[3].pk] == company.ALONE
    assert states(waiting).count("ready") == 4
    assert (again(waiting[3]).state, again(waiting[3]).lease_until) == ("received", None)
    assert ingest_version(waiting[3].pk).outcome == "ready"


def test_one_that_turns_out_long_keeps_its_text_and_goes_on_alone(policies, contributor, waiting, monkeypatch):
    monkeypatch.setattr(company, "MOST_PASSAGES", 7)
    long = receive(policies, contributor, LONG, "long.txt").version

    results = company.ingest_waiting(long.pk)

    assert (outcomes(results)[long.pk], again(long).state) == (company.ALONE, "split")
    assert set(states(waiting)) == {"ready"}
    monkeypatch.setattr(sandbox, "parse", lambda path, *, name: pytest.fail("read again"))
    assert ingest_version(long.pk).outcome == "ready"


def test_behind_the_time_for_reading_no_file_is_begun(waiting, monkeypatch):
    monkeypatch.setattr(company, "READING_SECONDS", -1)

    results = company.ingest_waiting(waiting[0].pk)

    assert set(outcomes(results).values()) == {company.ALONE}
    assert alone_to_the_end(waiting) == ["ready"] * 5


def test_the_task_rings_again_for_whoever_left(
    policies, contributor, waiting, monkeypatch, django_capture_on_commit_callbacks
):
    monkeypatch.setattr(company, "MOST_PASSAGES", 7)
    long = receive(policies, contributor, LONG, "long.txt").version

    with inline(), django_capture_on_commit_callbacks(execute=True):
        ingest_version_task(str(waiting[0].pk))

    assert set(states([*waiting, long])) == {"ready"}


def test_a_lost_lease_loses_only_its_own_version(policies, waiting, monkeypatch):
    def taken_over():
        let_lease_expire(waiting[1])
        assert leases.take(waiting[1].pk).attempt == 2

    at(monkeypatch, "company_read", taken_over)

    results = company.ingest_waiting(waiting[0].pk)

    assert outcomes(results)[waiting[1].pk] == company.ALONE
    lost = again(waiting[1])
    assert (lost.state, lost.text, lost.attempt, lost.deaths) == ("received", "", 2, 1)
    assert lost.lease_until is not None, "who took it over holds it on"
    assert not StageRun.objects.filter(version=lost).exists()
    assert states(waiting).count("ready") == 4


@pytest.mark.parametrize("point", ["company_read", "company_split", "company_embedded", "upserted", "company_indexed"])
def test_a_lease_that_is_lost_at_any_point_writes_nothing_more(point, waiting, monkeypatch):
    def taken_over():
        let_lease_expire(waiting[1])
        leases.take(waiting[1].pk)

    at(monkeypatch, point, taken_over)

    results = company.ingest_waiting(waiting[0].pk)

    assert outcomes(results)[waiting[1].pk] == company.ALONE
    assert again(waiting[1]).state != "ready"
    assert states(waiting).count("ready") == 4
    let_lease_expire(waiting[1])
    assert ingest_version(waiting[1].pk).outcome == "ready"


def at(monkeypatch, point: str, act) -> None:
    monkeypatch.setattr(company, "killpoint", lambda name: act() if name == point else None)


def test_one_that_another_brought_to_the_index_before_it_is_read_ends_nobody_else(waiting, monkeypatch):
    """The whole company ended with an error; the others waited for the sweep."""

    def taken_over():
        let_lease_expire(waiting[1])
        with monkeypatch.context() as down, suppress(Killed):
            Killer(down).at("upserted")
            ingest_version(waiting[1].pk)
        assert again(waiting[1]).in_index

    at(monkeypatch, "company_taken", taken_over)

    results = company.ingest_waiting(waiting[0].pk)

    assert outcomes(results)[waiting[1].pk] == company.ALONE
    assert states(waiting) == ["ready", "embedded", "ready", "ready", "ready"]
    let_lease_expire(waiting[1])
    assert ingest_version(waiting[1].pk).outcome == "ready"


@pytest.mark.parametrize("point", ["company_read", "company_split", "company_embedded", "upserted", "company_indexed"])
def test_one_that_is_deleted_between_claim_and_switch_drops_out_alone(point, policies, manager, waiting, monkeypatch):
    at(monkeypatch, point, lambda: library.delete(again(waiting[1]).document, by=manager))

    company.ingest_waiting(waiting[0].pk)

    assert states(waiting) == ["ready", "deleted", "ready", "ready", "ready"]
    assert again(waiting[1]).lease_until is None, "its erasure does not wait"
    assert again(waiting[1]).document.current_version is None
    ready = Event.objects.filter(type=EventType.VERSION_READY).values_list("object_id", flat=True)
    assert set(ready) == {str(version.pk) for version in waiting if version is not waiting[1]}


@pytest.mark.django_db(transaction=True)
def test_neither_waits_for_the_other_in_a_ring_when_one_is_deleted_at_the_switch(waiting, manager, monkeypatch):
    """Whoever deletes holds document and workspace and wants the version; the switch wants the workspace."""
    deleting, faults = threading.Event(), []
    real = holds.require_none

    def when_the_other_waits(document):
        deleting.set()
        until = time.monotonic() + 20
        while not waits_for_a_lock() and time.monotonic() < until:
            time.sleep(0.02)
        real(document)

    def delete():
        try:
            library.delete(waiting[1].document, by=manager)
        except Exception as error:
            faults.append(error)
        finally:
            connection.close()

    def begin():
        monkeypatch.setattr(holds, "require_none", when_the_other_waits)
        deletion.start()
        assert deleting.wait(20)

    deletion = threading.Thread(target=delete)
    at(monkeypatch, "company_indexed", begin)

    results = company.ingest_waiting(waiting[0].pk)
    deletion.join(60)

    assert faults == []
    assert outcomes(results)[waiting[1].pk] == company.ALONE
    assert states(waiting) == ["ready", "deleted", "ready", "ready", "ready"]
    assert again(waiting[1]).lease_until is None


def waits_for_a_lock():
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT 1 FROM pg_locks JOIN pg_database ON database = pg_database.oid"
            " WHERE NOT granted AND datname = current_database()"
            " UNION ALL SELECT 1 FROM pg_locks WHERE NOT granted AND locktype = 'transactionid'"
        )
        return cursor.fetchone() is not None


def test_one_that_is_replaced_meanwhile_never_answers(policies, contributor, waiting, monkeypatch):
    def replaced():
        newer = receive(policies, contributor, texts(1, 50)[0], "1.txt").version
        assert ingest_version(newer.pk).outcome == "ready"

    at(monkeypatch, "company_embedded", replaced)

    results = company.ingest_waiting(waiting[0].pk)

    assert outcomes(results)[waiting[1].pk] == "superseded"
    assert states(waiting).count("ready") == 4
    assert not passage_ids(waiting[1]) & indexed(policies)


# --- What befalls all of them -------------------------------------------------------------------------------


def test_while_the_index_is_down_all_wait_for_it_and_keep_their_vectors(waiting, settings, embedded_texts):
    listening, settings.CHROMA_URL = settings.CHROMA_URL, "http://127.0.0.1:9"

    results = company.ingest_waiting(waiting[0].pk)

    assert set(outcomes(results).values()) == {"waiting"}
    assert {(again(version).state, again(version).lease_until) for version in waiting} == {("embedded", None)}
    settings.CHROMA_URL = listening
    assert alone_to_the_end(waiting) == ["ready"] * 5
    assert len(embedded_texts) == 5


def test_a_model_that_is_not_there_is_said_of_each(waiting, monkeypatch):
    def gone(batch, space, **how):
        raise EmbeddingUnavailable("The model is gone.")

    monkeypatch.setattr(embeddings, "embed_passages", gone)

    results = company.ingest_waiting(waiting[0].pk)

    assert set(outcomes(results).values()) == {company.ALONE}
    assert alone_to_the_end(waiting) == ["failed"] * 5
    assert {again(version).failure_code for version in waiting} == {"embedding_unavailable"}


def test_an_error_in_the_portal_lets_all_go_and_from_then_on_each_is_alone(waiting, monkeypatch):
    def broken(*given):
        raise ValueError("unexpected")

    monkeypatch.setattr("documents.stages.split.split", broken)
    with pytest.raises(ValueError, match="unexpected"):
        company.ingest_waiting(waiting[0].pk)
    monkeypatch.undo()

    for version in map(again, waiting):
        assert (version.state, version.lease_until, version.deaths, version.errors) == ("received", None, 0, 0)
    assert company.ingest_waiting(waiting[0].pk)[0].outcome == "ready"
    assert states(waiting).count("ready") == 1
    assert alone_to_the_end(waiting[1:]) == ["ready"] * 4


def test_a_ready_that_cannot_be_recorded_happens_to_none(policies, waiting, monkeypatch):
    def fail(*args, **kwargs):
        raise AuditError("no room")

    monkeypatch.setattr(company, "record_all", fail)

    with pytest.raises(AuditError):
        company.ingest_waiting(waiting[0].pk)

    assert set(states(waiting)) == {"embedded"}
    assert {again(version).document.current_version for version in waiting} == {None}


def test_an_index_that_was_lost_is_put_back_before_they_are_in_it(
    policies, contributor, waiting, django_capture_on_commit_callbacks
):
    company.ingest_waiting(waiting[0].pk)
    more = [receive(policies, contributor, text, f"more{n}.txt").version for n, text in enumerate(texts(2, 60))]
    index.drop(policies.pk, embeddings.default_space())

    with inline(), django_capture_on_commit_callbacks(execute=True):
        ingest_version_task(str(more[0].pk))

    assert set(states([*waiting, *more])) == {"ready"}
    assert indexed(policies) == passage_ids(*waiting, *more)


def test_a_workspace_that_moves_to_another_model_meanwhile_switches_none_of_them(waiting, monkeypatch):
    real = spaces.space_of

    def moved():
        def space_of(workspace_id):
            space = real(workspace_id)
            changed = {name: getattr(space, name) for name in space.__dataclass_fields__} | {"fingerprint": "f" * 16}
            return type(space)(**changed)

        monkeypatch.setattr(spaces, "space_of", space_of)

    at(monkeypatch, "company_indexed", moved)

    results = company.ingest_waiting(waiting[0].pk)

    assert set(outcomes(results).values()) == {company.ALONE}
    assert {(again(version).state, again(version).lease_until) for version in waiting} == {("embedded", None)}


# --- Workers that die ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("point", POINTS)
def test_killed_anywhere_each_goes_on_alone_without_doing_anything_twice(
    point, policies, waiting, killer, embedded_texts, monkeypatch
):
    monkeypatch.setattr(embedded, "BATCH", 2)
    monkeypatch.setattr(company, "AHEAD", 3)
    killer.at(point)
    with pytest.raises(Killed):
        company.ingest_waiting(waiting[0].pk)

    killer.never()
    for version in waiting:
        let_lease_expire(version)
    alone_to_the_end(waiting)

    assert set(states(waiting)) == {"ready"}
    assert indexed(policies) == passage_ids(*waiting)
    assert len(embedded_texts) == Embedding.objects.count() == 5
    assert Event.objects.filter(type=EventType.VERSION_READY).count() == 5
    assert max(again(version).deaths for version in waiting) == (0 if point == "company_ready" else 1)


def test_a_file_that_ends_its_worker_is_set_aside_alone_and_the_others_lose_one_attempt(waiting, monkeypatch):
    real = sandbox.parse

    def parse(path, *, name):
        if name == "2.txt":
            raise Killed
        return real(path, name=name)

    monkeypatch.setattr(sandbox, "parse", parse)
    others = [version for version in waiting if version is not waiting[2]]
    with pytest.raises(Killed):
        company.ingest_waiting(waiting[0].pk)
    for version in waiting:
        let_lease_expire(version)

    # What the sweep rings for, in its order.
    assert [each.outcome for version in others for each in company.ingest_waiting(version.pk)] == ["ready"] * 4
    for _death in range(MAX_DEATHS - 1):
        with pytest.raises(Killed):
            company.ingest_waiting(waiting[2].pk)
        let_lease_expire(waiting[2])
    company.ingest_waiting(waiting[2].pk)

    assert (again(waiting[2]).state, again(waiting[2]).deaths) == ("quarantined", MAX_DEATHS)
    assert {(again(version).state, again(version).deaths, again(version).attempt) for version in others} == {
        ("ready", 1, 2)
    }


def test_what_a_dead_company_holds_is_left_alone_until_its_leases_end(waiting, killer):
    killer.at("company_split")
    with pytest.raises(Killed):
        company.ingest_waiting(waiting[0].pk)
    killer.never()

    assert company.ingest_waiting(waiting[1].pk)[0].outcome == "held"


# --- Several at once ----------------------------------------------------------------------------------------


def test_nobody_takes_what_a_company_holds(waiting):
    seconds = 60
    taken = leases.take_together(Version.objects.all(), most=9, most_bytes=9999, seconds=seconds)

    assert len(taken) == 5
    assert {lease.attempt for lease in taken} == {1}
    assert leases.take_together(Version.objects.all(), most=9, most_bytes=9999, seconds=seconds) == []


def test_nothing_waits_for_a_document_that_somebody_has_locked(waiting, monkeypatch):
    """Whoever waited for one lock while holding others could stand in the way of who holds that one."""
    with CaptureQueriesContext(connection) as sent:
        company.ingest_waiting(waiting[0].pk)

    locking = [each["sql"] for each in sent if "FOR NO KEY UPDATE" in each["sql"] and "documents_" in each["sql"]]
    assert len(locking) >= 4
    assert all("SKIP LOCKED" in statement for statement in locking)


# --- Receiving together -------------------------------------------------------------------------------------


@pytest.fixture
def folder(tmp_path):
    for number, text in enumerate(texts(3)):
        (tmp_path / f"{number}.txt").write_text(text)
    return tmp_path


def arriving(folder, *names, at=""):
    return [library.Arriving.of(f"{at}{name}", folder / name) for name in names]


def test_new_files_are_durable_and_recorded_as_each_would_be_alone(policies, legal, contributor, folder):
    names = ("0.txt", "1.txt", "2.txt")

    together = library.receive_new(workspace=policies, files=arriving(folder, *names, at="Rules/2027/"), by=contributor)
    alone = [
        library.receive(
            workspace=legal,
            path=f"Rules/2027/{name}",
            file=BytesIO((folder / name).read_bytes()),
            filename=name,
            by=contributor,
        ).version
        for name in names
    ]

    for one, other in zip(map(again, together), map(again, alone), strict=True):
        fields = "number turn sha256 size filename format state attempt created_by_id"
        assert [getattr(one, field) for field in fields.split()] == [getattr(other, field) for field in fields.split()]
        fields = "path title folded classification owner_id created_by_id restricted"
        documents = [[getattr(each.document, field) for field in fields.split()] for each in (one, other)]
        assert documents[0] == documents[1]
        assert one.document.folder.path == other.document.folder.path == "Rules/2027"
        assert one.document.latest_version_id == one.pk
        assert one.file.read() == other.file.read()
        assert said(one) == said(other)
    assert verify(workspace_chain(policies.pk)).holds


def test_what_is_no_new_document_is_left_to_be_received_by_itself(policies, contributor, folder):
    receive(policies, contributor, "Another text.", "1.txt")
    (folder / "tool.exe").write_bytes(b"MZ")
    (folder / "empty.txt").write_bytes(b"")
    files = arriving(folder, "0.txt", "1.txt", "tool.exe", "empty.txt", "missing.txt", "0.txt", "2.txt")

    found = library.receive_new(workspace=policies, files=files, by=contributor)

    assert [version is not None for version in found] == [True, False, False, False, False, False, True]
    assert Version.objects.count() == 3


def test_files_whose_entries_cannot_be_written_did_not_arrive(policies, contributor, folder, settings, monkeypatch):
    def fail(*args, **kwargs):
        raise AuditError("no room")

    monkeypatch.setattr(library, "record_all", fail)

    with pytest.raises(AuditError):
        library.receive_new(workspace=policies, files=arriving(folder, "0.txt", "1.txt"), by=contributor)

    assert not Version.objects.exists()
    assert [file for file in Path(settings.MEDIA_ROOT).rglob("*") if file.is_file()] == []


def test_a_path_that_somebody_takes_in_between_keeps_nothing_half_received(policies, contributor, folder, monkeypatch):
    """All are undone then, and received one by one, which finds the other document."""
    real = Document.objects.bulk_create

    def bulk_create(documents):
        Document.objects.create(workspace=policies, path="1.txt", title="Theirs", created_by=contributor)
        return real(documents)

    monkeypatch.setattr(Document.objects, "bulk_create", bulk_create)

    found = library.receive_new(workspace=policies, files=arriving(folder, "0.txt", "1.txt"), by=contributor)

    assert found == [None, None]
    assert not Version.objects.exists()
    assert not Event.objects.filter(type=EventType.VERSION_RECEIVED).exists()


@pytest.mark.parametrize(("who", "refusal"), [("member", Forbidden), ("stranger", Hidden)])
def test_who_may_not_add_documents_brings_in_none(who, refusal, policies, folder, request):
    with pytest.raises(refusal):
        library.receive_new(
            workspace=policies, files=arriving(folder, "0.txt", "1.txt"), by=request.getfixturevalue(who)
        )

    assert not Version.objects.exists()


def test_an_archived_workspace_takes_none(policies, contributor, folder):
    Workspace.objects.filter(pk=policies.pk).update(archived_at=timezone.now())

    with pytest.raises(DocumentError, match="archived"):
        library.receive_new(workspace=policies, files=arriving(folder, "0.txt", "1.txt"), by=contributor)
