"""The pages and commands of deletions, holds and retention: what managers see there, and that nobody else does."""

import io
import json

import pytest
from django.core.management import CommandError, call_command
from django.urls import reverse

from audit import verifier
from audit.events import EventType
from audit.models import Event
from documents import library
from documents.access import restriction
from documents.deletion import erasing as deletion
from documents.deletion import holds, proving, retention
from documents.ingest import ingest_version
from documents.models import Deletion, Document, LegalHold, RetentionRules
from tests.documents.arrivals import SHORT, receive
from tests.documents.proofs import assert_proven
from workspaces import members
from workspaces.models import Workspace
from workspaces.roles import Role

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("engines_elsewhere")]


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
    assert_proven(gone)

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


@pytest.fixture
def osprey(policies, contributor, manager):
    """A document that was closed to everybody but one manager, and a second manager without a grant."""
    version = receive(policies, contributor, "Osprey ends in spring.", "osprey layoffs.txt").version
    ingest_version(version.pk)
    restriction.restrict(version.document, by=manager)
    other = members.create_user(username="second-manager", by=None)
    members.add_member(policies, other, Role.MANAGER, by=None)
    return version.document, other


def shown(client, name, **ids):
    return client.get(address(name, **ids)).content.decode()


def said(*call):
    out = io.StringIO()
    call_command(*call, stdout=out)
    return out.getvalue()


def test_the_bin_and_the_holds_do_not_name_what_is_closed_to_the_reader(
    osprey, policies, manager, auditor, client_of, tmp_path
):
    document, other = osprey
    retention.change(policies, by=manager, bin_days=9)
    holds.place(policies, document, by=manager, reason="Osprey, case 12.")
    mine, theirs = client_of(manager), client_of(other)

    held = shown(theirs, "holds"), said("hold", "list", "policies", "--as", other.username)
    holds.lift(LegalHold.objects.get(), by=manager, reason="Osprey is over.")
    gone = library.delete(document, by=manager, reason="Osprey was leaked.").deletion
    asked = client_of(other).get(address("holds"), {"document": str(document.pk)}).content.decode()
    binned = shown(theirs, "deleted"), shown(theirs, "deletion", pk=gone.pk), shown(theirs, "holds")
    told = said("deletion", "list", "--as", other.username, "policies")
    restored = theirs.post(address("restore", pk=gone.pk), follow=True).content.decode()

    for page in (*held, asked, *binned, told, restored):
        assert "osprey" not in page.lower()
    assert "A document" in held[0]
    assert "A document" in binned[0]
    assert "Restore" in binned[0]
    assert f'value="{document.pk}"' in asked
    assert f'value="{document.pk}"' not in held[0]
    assert Document.objects.get(pk=document.pk).deleted_at is None
    assert "osprey" in shown(mine, "holds").lower()

    # After the erasure nobody has a grant any more: whoever deleted it keeps its name and its receipt.
    retention.change(policies, by=manager, bin_days=0)
    gone = library.delete(document, by=manager, reason="Osprey was leaked.").deletion
    deletion.erase(document.pk)
    assert_proven(gone)
    assert "osprey" in shown(mine, "deletion", pk=gone.pk).lower()
    assert mine.get(address("deletion_receipt", pk=gone.pk)).status_code == 200
    assert theirs.get(address("deletion_receipt", pk=gone.pk)).status_code == 404
    assert "osprey" not in (shown(theirs, "deletion", pk=gone.pk) + shown(theirs, "deleted")).lower()
    with pytest.raises(CommandError):
        said("deletion", "receipt", "--as", other.username, str(gone.pk))


def test_an_auditor_does_not_read_or_find_the_name_of_what_is_closed(
    osprey, document, policies, manager, auditor, client_of
):
    closed, _ = osprey
    hold = holds.place(policies, closed, by=manager, reason="Osprey, case 12.")
    holds.lift(hold, by=manager, reason="Osprey is over.")
    gone = library.delete(closed, by=manager, reason="Osprey was leaked.").deletion
    library.delete(document, by=manager, reason="Old.")
    client = client_of(auditor)
    lists = [reverse(f"admin:documents_{name}_changelist") for name in ("deletion", "legalhold")]

    pages = [client.get(one).content.decode() for one in lists]
    pages += [
        client.get(reverse("admin:documents_deletion_change", args=[gone.pk])).content.decode(),
        client.get(reverse("admin:documents_legalhold_change", args=[hold.pk])).content.decode(),
    ]
    sought = [client.get(one, {"q": "osprey"}).content.decode() for one in lists]
    named = client.get(lists[0], {"q": document.title}).content.decode()

    assert not [page for page in pages if "osprey" in page.lower()]
    assert all("A document" in page for page in pages)
    assert not [page for page in sought if "A document" in page]
    assert document.title in pages[0]
    assert document.title in named


def test_a_platform_administrator_holds_a_whole_workspace_from_its_page(policies, manager, admin, client_of):
    client = client_of(admin)
    page = reverse("admin:documents_legalhold_workspace", args=[policies.pk])
    place = reverse("admin:documents_legalhold_place", args=[policies.pk])
    lift = reverse("admin:documents_legalhold_lift", args=[policies.pk])

    assert page in client.get(reverse("admin:workspaces_workspace_change", args=[policies.pk])).content.decode()
    assert "State a reason" in client.post(place, {"reason": ""}, follow=True).content.decode()
    client.post(place, {"reason": "Court order."})
    hold = LegalHold.objects.get()
    shown = client.get(page).content.decode()
    assert (hold.placed_under, hold.document) == ("hold_workspaces", None)
    assert "Court order." in shown
    assert client.post(lift, {"hold": "none", "reason": "Over."}).status_code == 404
    client.post(lift, {"hold": hold.pk, "reason": "The court is done."})

    assert "The court is done." in client.get(page).content.decode()
    assert client_of(manager).get(page).status_code == 403
    assert (
        page
        not in client_of(manager).get(reverse("admin:workspaces_workspace_change", args=[policies.pk])).content.decode()
    )
