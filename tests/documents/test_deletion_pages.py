"""The pages and commands of deletions, holds and retention: what managers see there, and that nobody else does."""

import io
import json

import pytest
from django.core.management import CommandError, call_command
from django.urls import reverse

from audit import verifier
from audit.events import EventType
from audit.models import Event
from documents import deletion, holds, library, proving, retention
from documents.ingest import ingest_version
from documents.models import Deletion, Document, LegalHold, RetentionRules
from tests.documents.arrivals import SHORT, receive
from workspaces.models import Workspace

pytestmark = pytest.mark.django_db


@pytest.fixture
def document(policies, contributor):
    version = receive(policies, contributor, SHORT).version
    ingest_version(version.pk)
    return version.document


def address(name, **ids):
    return reverse(f"documents:{name}", kwargs={"slug": "policies", **ids})


def test_a_manager_follows_a_document_from_the_question_to_its_receipt(
    document, policies, manager, client_of, tmp_path
):
    client = client_of(manager)
    retention.change(policies, by=manager, bin_days=30)

    asked = client.get(address("delete", pk=document.pk)).content.decode()
    assert "For 30 days it lies in the bin" in asked
    assert "No answer rests on it." in asked
    client.post(address("delete", pk=document.pk), {"reason": "Out of date."})
    gone = Deletion.objects.get()
    assert "Restore" in client.get(address("deleted")).content.decode()
    client.post(address("restore", pk=gone.pk))
    assert Document.objects.get().deleted_at is None

    retention.change(policies, by=manager, bin_days=0)
    client.post(address("delete", pk=document.pk), {"reason": "Out of date."})
    gone = Deletion.objects.get(restored_at=None)
    deletion.erase(document.pk)
    assert client.get(address("deletion_receipt", pk=gone.pk)).status_code == 404
    assert proving.prove(gone.pk) is True

    page = client.get(address("deletion", pk=gone.pk)).content.decode()
    assert "Erased and proven" in page
    response = client.get(address("deletion_receipt", pk=gone.pk))
    assert response["Content-Disposition"] == f'attachment; filename="deletion-{gone.pk}.json"'
    file = tmp_path / "receipt.json"
    file.write_bytes(response.content)
    assert verifier.main([str(file)]) == 0
    taken = Event.objects.get(type=EventType.ERASURE_RECEIPT_TAKEN)
    assert (taken.actor_id, taken.object_id) == (str(manager.pk), str(document.pk))


def test_the_page_names_where_something_is_still_found(document, policies, manager, client_of):
    library.delete(document, by=manager)
    deletion.erase(document.pk)
    Workspace.objects.filter(pk=policies.pk).update(description=f"Note: {SHORT}")

    proving.prove(Deletion.objects.get().pk)

    page = client_of(manager).get(address("deletion", pk=Deletion.objects.get().pk)).content.decode()
    assert "workspaces_workspace.description" in page
    assert "Still found" in page
    assert "Parental leave lasts" not in page
    with pytest.raises(CommandError, match="no receipt yet"):
        call_command("deletion", "receipt", "--as", "manager", str(Deletion.objects.get().pk))


def test_a_hold_is_placed_and_lifted_with_reasons_and_the_question_before_a_deletion_says_so(
    document, manager, client_of
):
    client = client_of(manager)

    assert client.post(address("place_hold"), {"document": document.pk, "reason": ""}).status_code == 400
    client.post(address("place_hold"), {"document": document.pk, "reason": "Case 12."})
    asked = client.get(address("delete", pk=document.pk)).content.decode()
    refused = client.post(address("delete", pk=document.pk), {}, follow=True).content.decode()
    client.post(address("lift_hold", pk=LegalHold.objects.get().pk), {"reason": "Closed."})

    assert "Under a legal hold since" in asked
    assert "Delete document" not in asked
    assert "is under a legal hold since" in refused
    assert "Closed." in client.get(address("holds")).content.decode()
    assert Document.objects.get().deleted_at is None


def test_rules_that_would_delete_something_are_counted_and_wait_for_a_yes(document, manager, client_of):
    client = client_of(manager)
    Document.objects.get().versions.update(created_at="2020-01-01T00:00Z")
    sent = {"bin_days": "0", "after_added_days": "30", "after_expired_days": "", "after_replaced_days": ""}

    page = client.post(address("retention"), sent).content.decode()
    assert "These rules would delete 1 document" in page
    assert not RetentionRules.objects.exists()
    client.post(address("retention"), sent | {"confirmed": "yes"})

    assert RetentionRules.objects.get().after_added_days == 30
    assert "At the moment the rules would delete 1 document" in client.get(address("retention")).content.decode()


def test_holds_and_deletions_are_managed_from_a_terminal(document, manager, capsys):
    call_command("hold", "place", "policies", "--as", "manager", "--document", str(document.pk), "--reason", "Case 12.")
    out = io.StringIO()
    call_command("hold", "--json", "list", "policies", "--as", "manager", stdout=out)
    standing = json.loads(out.getvalue())
    assert [one["reason"] for one in standing] == ["Case 12."]
    call_command("hold", "lift", "policies", standing[0]["hold"], "--as", "manager", "--reason", "Closed.")
    library.delete(document, by=manager)
    deletion.erase(document.pk)
    gone = Deletion.objects.get()
    proving.prove(gone.pk)

    out = io.StringIO()
    call_command("deletion", "--json", "list", "--as", "manager", "policies", stdout=out)
    assert json.loads(out.getvalue())[0]["found"] == {}
    out = io.StringIO()
    call_command("deletion", "--json", "receipt", "--as", "manager", str(gone.pk), stdout=out)
    assert json.loads(out.getvalue())["signed"]["deletion"] == str(gone.pk)


def test_an_auditor_reads_deletions_and_holds_in_the_admin_and_changes_none(
    document, policies, manager, auditor, client_of
):
    holds.place(policies, document, by=manager, reason="Case 12.")
    client = client_of(auditor)

    page = client.get(reverse("admin:documents_legalhold_changelist")).content.decode()
    hold = LegalHold.objects.get()
    change = reverse("admin:documents_legalhold_change", args=[hold.pk])

    assert "Case 12." in page
    assert client.get(change).status_code == 200
    assert client.post(change, {"reason": "Other."}).status_code == 403
    assert client_of(manager).get(reverse("admin:documents_deletion_changelist")).status_code == 403
