"""A legal hold keeps what is under it from being deleted and erased, and one of hold and erasure wins cleanly."""

import io
import json
import threading
from datetime import timedelta

import pytest
from django.core.management import call_command
from django.db import connection
from django.utils import timezone

from audit.events import EventType
from audit.models import Event
from documents import library
from documents.deletion import erasing as deletion
from documents.deletion import holds, retention, tombstones
from documents.exceptions import DocumentError, Held, HoldError, RetentionFailed
from documents.index import IndexUnavailable
from documents.ingest import ingest_version
from documents.models import Deletion, Document, LegalHold, Version
from documents.states import VersionState
from tests.documents.arrivals import LONG, SHORT, receive
from tests.documents.proofs import assert_proven
from workspaces import access
from workspaces.exceptions import Refused
from workspaces.models import Workspace


@pytest.fixture
def document(policies, contributor):
    version = receive(policies, contributor, SHORT).version
    ingest_version(version.pk)
    return version.document


@pytest.mark.django_db
@pytest.mark.parametrize("whole", [False, True])
def test_nothing_under_a_hold_is_deleted_until_it_is_lifted(document, policies, manager, whole):
    hold = holds.place(policies, None if whole else document, by=manager, reason="Case 12.")

    with pytest.raises(Held, match="legal hold since"):
        library.delete(document, by=manager)
    assert access.visible(manager, Document).exists()
    holds.lift(hold, by=manager, reason="The case is closed.")
    library.delete(document, by=manager)

    kinds = Event.objects.filter(type__in=[EventType.HOLD_PLACED, EventType.HOLD_LIFTED]).order_by("seq")
    assert [(event.type, event.actor_id) for event in kinds] == [
        (EventType.HOLD_PLACED, str(manager.pk)),
        (EventType.HOLD_LIFTED, str(manager.pk)),
    ]
    assert "Case 12." in kinds[0].body


@pytest.mark.django_db
def test_what_lies_in_the_bin_is_held_there_and_erased_after(document, policies, manager):
    deleted = library.delete(document, by=manager)
    hold = holds.place(policies, document, by=manager, reason="Case 12.")

    held = deletion.erase(document.pk)
    holds.lift(hold, by=manager, reason="Closed.")

    assert held is None
    assert deletion.erase(document.pk).passages == deleted.passages
    with pytest.raises(HoldError, match="erasure has begun"):
        holds.place(policies, document, by=manager, reason="Too late.")


@pytest.mark.django_db
def test_a_hold_that_is_not_asked_for_would_let_the_document_go(document, policies, manager, monkeypatch):
    """The counter-proof: without the question, a held document is deleted."""
    holds.place(policies, document, by=manager, reason="Case 12.")
    monkeypatch.setattr(tombstones.holds, "require_none", lambda document: None)

    library.delete(document, by=manager)

    assert Document.objects.get().deleted_at is not None


@pytest.mark.django_db
def test_only_who_holds_the_right_places_a_hold_and_an_administrator_holds_whole_workspaces(
    document, policies, contributor, member, reviewer, auditor, stranger, admin
):
    for person in (contributor, member, reviewer, auditor, stranger):
        with pytest.raises(Refused):
            holds.place(policies, document, by=person, reason="No.")
    with pytest.raises(Refused):
        holds.place(policies, document, by=admin, reason="Not one by one.")

    holds.place(policies, by=admin, reason="Case 12.")

    assert LegalHold.objects.get().placed_by == admin
    assert holds.holds_known_to(auditor).count() == 1
    assert not holds.holds_known_to(member).exists()


@pytest.mark.django_db
def test_a_hold_without_a_reason_is_none(document, policies, manager):
    with pytest.raises(HoldError, match="reason"):
        holds.place(policies, document, by=manager, reason="  ")

    assert not LegalHold.objects.exists()


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("first", ["hold", "erasure"])
def test_of_a_hold_and_the_beginning_of_an_erasure_one_wins(document, policies, manager, first, monkeypatch):
    """Both lock the document: the second waits for the first and then sees what it did."""
    library.delete(document, by=manager)
    entered, go_on = threading.Event(), threading.Event()
    told: dict[str, object] = {}

    def pause(name):
        if threading.current_thread().name == "first":
            entered.set()
            assert go_on.wait(20)

    def place():
        try:
            told["hold"] = holds.place(policies, document, by=manager, reason="Case 12.")
        except DocumentError as error:
            told["hold"] = error
        finally:
            connection.close()

    def erase():
        try:
            told["erasure"] = deletion.erase(document.pk)
        finally:
            connection.close()

    # The first is stopped inside its transaction, behind its locks.
    where = holds if first == "hold" else deletion
    real = where.record
    monkeypatch.setattr(where, "record", lambda *args, **kwargs: (pause(first), real(*args, **kwargs))[1])
    acts = {"hold": place, "erasure": erase}
    second = "erasure" if first == "hold" else "hold"
    one = threading.Thread(target=acts[first], name="first")
    other = threading.Thread(target=acts[second], name="second")

    one.start()
    assert entered.wait(20)
    other.start()
    go_on.set()
    one.join(60)
    other.join(60)

    row = Deletion.objects.get()
    if first == "hold":
        assert isinstance(told["hold"], LegalHold)
        assert (told["erasure"], row.begun_at) == (None, None)
    else:
        assert told["erasure"] is not None
        assert isinstance(told["hold"], HoldError)
        assert row.erased_at is not None


@pytest.mark.django_db
def test_what_is_in_the_bin_comes_back_as_it_was(document, policies, manager, contributor):
    retention.change(policies, by=manager, bin_days=7)
    ingest_version(receive(policies, contributor, LONG).version.pk)
    states = dict(document.versions.values_list("pk", "state"))
    deleted = library.delete(document, by=manager)

    assert deletion.erase(document.pk) is None
    assert not access.visible(manager, Document).exists()
    tombstones.restore(deleted.deletion, by=manager)
    for version in Version.objects.filter(state=VersionState.RECEIVED):
        ingest_version(version.pk)

    document.refresh_from_db()
    assert dict(document.versions.values_list("pk", "state")) == states
    assert document.current_version.text == LONG
    assert Event.objects.get(type=EventType.DOCUMENT_RESTORED).actor_id == str(manager.pk)


@pytest.mark.django_db
def test_what_was_begun_is_not_restored_nor_where_another_took_its_path(document, policies, manager, contributor):
    deleted = library.delete(document, by=manager)
    receive(policies, contributor, LONG)
    with pytest.raises(DocumentError, match="another document"):
        tombstones.restore(deleted.deletion, by=manager)
    with pytest.raises(Refused):
        tombstones.restore(deleted.deletion, by=contributor)
    deletion.erase(document.pk)

    with pytest.raises(DocumentError, match="has begun"):
        tombstones.restore(deleted.deletion, by=manager)


@pytest.mark.django_db
def test_the_rules_delete_what_they_name_and_nothing_that_is_held(policies, manager, contributor):
    old, kept, young = (
        receive(policies, contributor, f"{name}. {SHORT}", f"{name}.txt").version for name in ("old", "kept", "young")
    )
    for version in (old, kept, young):
        ingest_version(version.pk)
    Version.objects.filter(pk__in=[old.pk, kept.pk]).update(created_at=timezone.now() - timedelta(days=40))
    holds.place(policies, kept.document, by=manager, reason="Case 12.")
    rules = retention.change(policies, by=manager, after_added_days=30)

    due = retention.preview(rules)
    done = retention.run(policies)

    assert (due.documents, due.versions, due.held) == (1, 0, 1)
    assert done == 1
    assert set(Document.objects.filter(deleted_at=None)) == {kept.document, young.document}
    entry = Event.objects.get(type=EventType.DOCUMENT_DELETED)
    assert (entry.actor_id, entry.object_id) == ("", str(old.document_id))
    assert "Last changed more than 30 days ago." in entry.body


@pytest.mark.django_db
def test_a_former_version_goes_by_the_rules_and_the_document_stays(document, policies, manager, contributor):
    ingest_version(receive(policies, contributor, LONG).version.pk)
    former = document.versions.get(number=1)
    Version.objects.filter(number=2).update(ready_at=timezone.now() - timedelta(days=31))
    retention.change(policies, by=manager, after_replaced_days=30)

    assert retention.run(policies) == 1
    erased = deletion.erase(document.pk)

    former.refresh_from_db()
    document.refresh_from_db()
    assert (former.state, former.text, str(former.file)) == (VersionState.DELETED, "", "")
    assert (erased.files, document.deleted_at, document.erased_at) == (1, None, None)
    assert document.current_version.text == LONG
    assert Workspace.objects.get(pk=policies.pk).deletions.get().version_id == former.pk


@pytest.fixture
def aged(policies, contributor):
    """Two documents that came a hundred days ago."""
    versions = [receive(policies, contributor, f"{name}. {SHORT}", f"{name}.txt").version for name in ("one", "two")]
    for version in versions:
        ingest_version(version.pk)
    Version.objects.update(created_at=timezone.now() - timedelta(days=100))
    return versions


@pytest.mark.django_db
@pytest.mark.parametrize("kept_by", ["its new date", "other rules"])
def test_what_is_kept_longer_while_the_rules_are_carried_out_stays(aged, policies, manager, monkeypatch, kept_by):
    today = timezone.localdate()
    Document.objects.update(valid_until=today - timedelta(days=30))
    retention.change(policies, by=manager, after_expired_days=10)
    real = retention.entomb

    def entomb(document, **options):
        done = real(document, **options)
        if kept_by == "other rules":
            retention.change(policies, by=manager, after_expired_days=None)
        else:
            Document.objects.filter(deleted_at=None).update(valid_until=today + timedelta(days=300))
        return done

    monkeypatch.setattr(retention, "entomb", entomb)

    assert retention.run(policies) == 1
    assert Document.objects.filter(deleted_at=None).count() == 1


@pytest.mark.django_db
@pytest.mark.parametrize("rule", ["after_added_days", "after_expired_days"])
def test_what_was_restored_is_kept_as_long_as_what_is_new(aged, policies, manager, rule):
    Document.objects.update(valid_until=timezone.localdate() - timedelta(days=30))
    retention.change(policies, by=manager, bin_days=7, **{rule: 10})
    assert retention.run(policies) == 2
    for one in Deletion.objects.all():
        tombstones.restore(one, by=manager)
    for version in aged:
        ingest_version(version.pk)

    at_once = retention.run(policies)
    Deletion.objects.update(restored_at=timezone.now() - timedelta(days=11))

    assert (at_once, retention.run(policies)) == (0, 2)


@pytest.mark.django_db
def test_one_thing_that_cannot_be_deleted_keeps_nothing_else_from_it(aged, policies, legal, manager, monkeypatch):
    retention.change(policies, by=manager, after_added_days=10)
    for one in (policies, legal):
        retention.RetentionRules.objects.get_or_create(workspace=one)
    real, run = retention.entomb, retention.run
    broken = aged[0].document_id

    def entomb(document, **options):
        if document.pk == broken:
            raise RuntimeError("a fault")
        return real(document, **options)

    def run_or_break(workspace):
        if workspace == legal:
            raise RuntimeError("a fault")
        return run(workspace)

    monkeypatch.setattr(retention, "entomb", entomb)
    monkeypatch.setattr(retention, "run", run_or_break)

    with pytest.raises(RetentionFailed) as failed:
        retention.run_everywhere()

    assert Document.objects.get(deleted_at=None).pk == broken
    assert set(failed.value.faults) == {(broken, "RuntimeError"), (legal.pk, "RuntimeError")}
    assert "a fault" not in str(failed.value)


@pytest.mark.usefixtures("engines_elsewhere")
@pytest.mark.django_db
def test_a_text_that_was_erased_as_a_former_version_can_come_again(document, policies, manager, contributor):
    ingest_version(receive(policies, contributor, LONG).version.pk)
    Version.objects.filter(number=2).update(ready_at=timezone.now() - timedelta(days=31))
    retention.change(policies, by=manager, after_replaced_days=30)
    retention.run(policies)
    deletion.erase(document.pk)

    received = receive(policies, contributor, SHORT)
    ingest_version(received.version.pk)

    document.refresh_from_db()
    assert (received.outcome, received.version.number) == ("new_version", 3)
    assert document.current_version.text == SHORT
    assert document.versions.get(number=1).state == VersionState.DELETED
    assert_proven(Deletion.objects.get())


@pytest.mark.django_db
def test_while_the_index_is_away_no_erasure_begins_and_a_hold_is_still_placed(document, policies, manager, settings):
    library.delete(document, by=manager)
    address, settings.CHROMA_URL = settings.CHROMA_URL, "http://127.0.0.1:9"

    with pytest.raises(IndexUnavailable):
        deletion.erase(document.pk)
    hold = holds.place(policies, document, by=manager, reason="Case 12.")
    settings.CHROMA_URL = address

    assert deletion.erase(document.pk) is None
    assert Deletion.objects.get().begun_at is None
    holds.lift(hold, by=manager, reason="Closed.")
    assert deletion.erase(document.pk) is not None


@pytest.mark.django_db
def test_a_manager_does_not_lift_what_a_platform_administrator_placed(document, policies, manager, admin, client_of):
    hold = holds.place(policies, by=admin, reason="Court order.")
    own = holds.place(policies, by=manager, reason="Case 12.")
    page = client_of(manager).get("/w/policies/documents/holds/").content.decode()

    with pytest.raises(Refused):
        holds.lift(hold, by=manager, reason="In our way.")
    posted = client_of(manager).post(f"/w/policies/documents/holds/{hold.pk}/lift/", {"reason": "In our way."})
    holds.lift(own, by=manager, reason="Closed.")
    with pytest.raises(Held):
        library.delete(document, by=manager)

    assert (hold.placed_under, own.placed_under) == ("hold_workspaces", "hold_documents")
    assert posted.status_code == 403
    assert f"/holds/{own.pk}/lift/" in page
    assert f"/holds/{hold.pk}/lift/" not in page
    holds.lift(hold, by=admin, reason="The court is done.")
    library.delete(document, by=manager)


@pytest.mark.django_db
def test_a_former_version_whose_erasure_has_begun_is_counted_when_its_document_is_held(
    document, policies, manager, contributor, client_of
):
    ingest_version(receive(policies, contributor, LONG).version.pk)
    Version.objects.filter(number=2).update(ready_at=timezone.now() - timedelta(days=31))
    retention.change(policies, by=manager, after_replaced_days=30)
    retention.run(policies)
    Deletion.objects.update(begun_at=timezone.now())

    sent, said = {"document": document.pk, "reason": "Case 12."}, io.StringIO()
    page = client_of(manager).post("/w/policies/documents/holds/place/", sent, follow=True).content.decode()

    assert '"beyond_holding":1' in Event.objects.get(type=EventType.HOLD_PLACED).body
    assert "Not held, because their erasure had begun: 1" in page
    call_command("hold", "--json", "place", "policies", "--as", "manager", "--reason", "All of it.", stdout=said)
    assert json.loads(said.getvalue())["beyond_holding"] == 1
