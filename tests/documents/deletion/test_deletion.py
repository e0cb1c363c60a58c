"""Deleting takes effect at once in the database, and leaves nothing in the index, the rows or the disk."""

import os
from pathlib import Path

import pytest
from django.utils import timezone

from audit.events import EventType
from audit.exceptions import AuditError
from audit.models import Event
from documents import index, library
from documents.cards import metadata, tagging
from documents.deletion import erasing as deletion
from documents.deletion import tombstones
from documents.embedding import spaces
from documents.index import IndexUnavailable
from documents.ingest import ingest_version
from documents.ingestion import leases
from documents.models import Deletion, Document, Embedding, Passage, Tag, Version
from documents.tasks import erase_document_task, sweep_ingestion, withdraw_version_task
from tests.documents import factories
from tests.documents.arrivals import LONG, SHORT, Killed, Killer, again, let_lease_expire, receive
from tests.documents.proofs import assert_proven
from workspaces import access
from workspaces.dispatch import inline

pytestmark = pytest.mark.django_db

NOWHERE = "http://127.0.0.1:9"


@pytest.fixture
def document(policies, contributor):
    """A document with a replaced and a current version."""
    ingest_version(receive(policies, contributor, SHORT).version.pk)
    ingest_version(receive(policies, contributor, LONG).version.pk)
    return Document.objects.get()


def in_index(workspace) -> set[str]:
    return index.ids(workspace.pk, spaces.space_of(workspace.pk))


def test_a_deleted_document_is_gone_from_the_moment_of_the_act(document, manager, policies):
    passages = sum(version.passage_count for version in document.versions.all())

    deleted = library.delete(document, by=manager, reason="Out of date")

    assert (deleted.versions, deleted.passages) == (2, passages)
    assert not access.visible(manager, Document).exists()
    assert not access.visible(manager, Passage).exists()
    assert set(document.versions.values_list("state", flat=True)) == {"deleted"}
    event = Event.objects.get(type=EventType.DOCUMENT_DELETED)
    assert "Out of date" in event.body
    policies.refresh_from_db()
    assert policies.index_revision == 3


@pytest.mark.usefixtures("engines_elsewhere")
def test_erasing_takes_what_people_wrote_about_it_so_that_the_receipt_can_be_given(
    document, manager, contributor, policies
):
    other = factories.document(policies, "other.md", by=contributor)
    quote = " ".join(document.current_version.text.split())[40:320]
    metadata.set_review(document, timezone.localdate(), note=quote, by=manager)
    tagging.set_tags(document, ["Dismissal of one person", "Shared"], by=manager)
    tagging.tag(other, "Shared", by=manager)
    library.delete(document, by=manager)

    assert deletion.erase(document.pk)

    document.refresh_from_db()
    assert (document.review_note, list(document.tags.all())) == ("", [])
    assert [tag.name for tag in Tag.objects.all()] == ["Shared"]
    assert [tag.name for tag in other.tags.all()] == ["Shared"]
    assert_proven(Deletion.objects.get())


def test_erasing_leaves_nothing_but_a_tombstone(document, manager, policies, settings):
    vectors = len(in_index(policies))
    deleted = library.delete(document, by=manager)

    erasure = deletion.erase(document.pk)

    assert (erasure.passages, erasure.vectors_removed, erasure.files) == (deleted.passages, vectors, 2)
    assert in_index(policies) == set()
    assert not Passage.objects.exists()
    assert not Embedding.objects.exists()
    assert set(Version.objects.values_list("text", "file", "in_index")) == {("", "", False)}
    assert not [file for file in Path(settings.MEDIA_ROOT).rglob("*") if file.is_file()]
    document.refresh_from_db()
    assert document.erased_at is not None
    body = Event.objects.get(type=EventType.DOCUMENT_ERASED).body
    assert f'"passages":{deleted.passages}' in body
    assert f'"vectors_removed":{vectors}' in body


def test_erasing_twice_is_recorded_once(document, manager):
    library.delete(document, by=manager)
    deletion.erase(document.pk)

    assert deletion.erase(document.pk) is None
    assert Event.objects.filter(type=EventType.DOCUMENT_ERASED).count() == 1


def test_what_was_not_deleted_is_never_erased(document, policies):
    assert deletion.erase(document.pk) is None
    assert in_index(policies)


def test_other_documents_keep_their_vectors(document, policies, manager, contributor):
    other = receive(policies, contributor, "Contracts are kept for ten years.", "other.txt").version
    ingest_version(other.pk)
    library.delete(document, by=manager)

    deletion.erase(document.pk)

    assert in_index(policies) == {str(key) for key in other.passages.values_list("pk", flat=True)}


def test_while_the_index_is_down_the_document_stays_deleted_and_the_sweep_erases_it_later(
    document, manager, policies, settings, django_capture_on_commit_callbacks
):
    library.delete(document, by=manager)
    address, settings.CHROMA_URL = settings.CHROMA_URL, NOWHERE
    erase_document_task(str(document.pk))
    left = Passage.objects.count()

    settings.CHROMA_URL = address
    with django_capture_on_commit_callbacks(execute=True), inline():
        sweep_ingestion()

    assert left > 0
    assert (Passage.objects.count(), in_index(policies)) == (0, set())


def test_vectors_that_the_index_keeps_are_not_called_erased(document, manager, monkeypatch):
    library.delete(document, by=manager)
    monkeypatch.setattr(index, "delete", lambda *args: None)

    with pytest.raises(IndexUnavailable, match="still holds"):
        deletion.erase(document.pk)

    document.refresh_from_db()
    assert document.erased_at is None


@pytest.mark.parametrize("point", ["erased_vectors", "erased_files"])
def test_an_erasure_killed_half_way_is_finished(point, document, manager, policies, monkeypatch):
    library.delete(document, by=manager)
    killer = Killer(monkeypatch)
    killer.at(point)
    with pytest.raises(Killed):
        deletion.erase(document.pk)
    killer.never()

    deletion.erase(document.pk)

    document.refresh_from_db()
    assert document.erased_at is not None
    assert in_index(policies) == set()


def test_an_erasure_waits_for_the_worker_that_still_holds_a_version(policies, contributor, manager):
    version = receive(policies, contributor).version
    lease = leases.take(version.pk)
    library.delete(version.document, by=manager)

    early = deletion.erase(version.document_id)
    lease.release()

    assert early is None
    assert deletion.erase(version.document_id).files == 1


def test_the_same_path_is_free_for_a_new_document(document, manager, policies, contributor):
    library.delete(document, by=manager)

    received = receive(policies, contributor, SHORT)
    ingest_version(received.version.pk)

    assert received.outcome == "added"
    assert again(received.version).document_id != document.pk
    assert again(received.version).state == "ready"


def test_a_deletion_that_cannot_be_recorded_does_not_happen(document, manager, monkeypatch):
    def fail(*args, **kwargs):
        raise AuditError("no room")

    monkeypatch.setattr(tombstones, "record", fail)

    with pytest.raises(AuditError):
        library.delete(document, by=manager)

    document.refresh_from_db()
    assert document.deleted_at is None
    assert document.current_version is not None


# --- The sweep ----------------------------------------------------------------------------------------------


def test_the_sweep_finishes_what_a_dead_worker_left(
    policies, contributor, monkeypatch, django_capture_on_commit_callbacks
):
    version = receive(policies, contributor).version
    killer = Killer(monkeypatch)
    killer.at("after_split")
    with pytest.raises(Killed):
        ingest_version(version.pk)
    killer.never()
    let_lease_expire(version)

    with django_capture_on_commit_callbacks(execute=True), inline():
        sweep_ingestion()

    assert again(version).state == "ready"


def test_the_sweep_leaves_alone_what_a_worker_holds(policies, contributor, django_capture_on_commit_callbacks):
    version = receive(policies, contributor).version
    leases.take(version.pk)

    with django_capture_on_commit_callbacks() as bells:
        sweep_ingestion()

    assert bells == []


def test_the_sweep_withdraws_vectors_that_no_longer_answer(
    policies, contributor, monkeypatch, django_capture_on_commit_callbacks
):
    ingest_version(receive(policies, contributor, SHORT).version.pk)
    new = receive(policies, contributor, LONG).version
    killer = Killer(monkeypatch)
    killer.at("after_ready")
    with pytest.raises(Killed):
        ingest_version(new.pk)
    killer.never()
    before = len(in_index(policies))

    with django_capture_on_commit_callbacks(execute=True), inline():
        sweep_ingestion()

    assert before == again(new).passage_count + 1
    assert in_index(policies) == {str(key) for key in new.passages.values_list("pk", flat=True)}


def test_a_version_that_answers_is_never_withdrawn(policies, contributor):
    version = receive(policies, contributor).version
    ingest_version(version.pk)

    withdraw_version_task(str(version.pk))

    assert len(in_index(policies)) == 1


def test_the_sweep_removes_what_a_dead_upload_left_and_nothing_younger(policies, contributor, monkeypatch, settings):
    killer = Killer(monkeypatch)
    killer.at("received_file")
    monkeypatch.setattr(Path, "unlink", lambda *args, **kwargs: None)
    with pytest.raises(Killed):
        receive(policies, contributor)
    monkeypatch.undo()
    (left,) = (Path(settings.MEDIA_ROOT) / "incoming").iterdir()

    sweep_ingestion()
    young = left.exists()
    os.utime(left, (0, 0))
    sweep_ingestion()

    assert (young, left.exists()) == (True, False)
