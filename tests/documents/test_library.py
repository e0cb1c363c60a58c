"""What people do with documents: who may, what it changes, and what the trail says of it."""

import threading
from io import BytesIO
from pathlib import Path

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection

from audit.events import EventType
from audit.exceptions import AuditError
from audit.models import Event
from documents import library
from documents.access import restriction
from documents.exceptions import DocumentError
from documents.ingest import ingest_version
from documents.models import Document, DocumentUserGrant, Version
from documents.states import VersionState
from tests.documents.arrivals import LONG, SHORT, Killed, Killer, again, receive
from workspaces import access, members
from workspaces.exceptions import Forbidden, Hidden

pytestmark = pytest.mark.django_db


@pytest.fixture
def document(policies, contributor):
    return receive(policies, contributor).version.document


def trail(*types) -> int:
    return Event.objects.filter(type__in=types).count()


def files(settings) -> list[Path]:
    return [file for file in Path(settings.MEDIA_ROOT).rglob("*") if file.is_file()]


# --- Receiving ----------------------------------------------------------------------------------------------


def test_new_bytes_are_stored_under_a_random_name_and_recorded(policies, contributor, settings):
    received = receive(policies, contributor, SHORT, "guides/leave.txt")

    version = again(received.version)
    assert (received.outcome, version.state, version.number) == ("added", "received", 1)
    assert (version.document.path, version.document.title, version.filename) == (
        "guides/leave.txt",
        "leave",
        "leave.txt",
    )
    assert [file.read_text() for file in files(settings)] == [SHORT]
    assert "leave" not in version.file.name
    assert trail(EventType.DOCUMENT_ADDED) == trail(EventType.VERSION_RECEIVED) == 1


def test_other_bytes_at_the_same_path_are_the_next_version(policies, contributor, document):
    received = receive(policies, contributor, LONG)

    assert (received.outcome, received.version.number) == ("new_version", 2)
    assert received.version.document == document
    assert (trail(EventType.DOCUMENT_ADDED), trail(EventType.VERSION_RECEIVED)) == (1, 2)


def test_the_same_bytes_twice_are_one_version_one_file_and_one_entry(policies, contributor, document, settings):
    received = receive(policies, contributor)

    assert received.outcome == "same"
    assert Version.objects.count() == len(files(settings)) == trail(EventType.VERSION_RECEIVED) == 1


def test_an_upload_from_a_browser_is_received(policies, contributor):
    received = library.receive(
        workspace=policies,
        path="leave.txt",
        file=SimpleUploadedFile("leave.txt", SHORT.encode()),
        filename="leave.txt",
        by=contributor,
    )

    assert received.version.size == len(SHORT)


@pytest.mark.parametrize(
    ("path", "content", "sentence"),
    [
        ("tool.exe", b"MZ", "cannot be read here. These can: csv, doc, docx"),
        ("README", b"words", "cannot be read here"),
        ("empty.txt", b"", "The file is empty"),
        ("big.txt", b"x" * 2001, "larger than"),
        ("\n\t", b"x", "empty or longer"),
        ("x" * 1000 + ".txt", b"x", "empty or longer"),
    ],
)
def test_what_cannot_be_taken_in_is_refused_with_a_sentence_and_leaves_nothing(
    path, content, sentence, policies, contributor, settings
):
    settings.MAX_UPLOAD_BYTES = 2000

    with pytest.raises(DocumentError, match=sentence):
        receive(policies, contributor, content, path)

    assert not Document.objects.exists()
    assert files(settings) == []


def test_an_archived_workspace_takes_nothing_in(policies, contributor, manager):
    members.set_archived(policies, archived=True, by=manager)

    with pytest.raises(DocumentError, match="archived"):
        receive(policies, contributor)


def test_a_path_is_a_label_and_never_a_place_on_the_disk(policies, contributor, settings):
    version = receive(policies, contributor, SHORT, "../../etc/\u202epasswd\r\n.txt").version

    assert version.document.path == "../../etc/passwd.txt"
    assert all(file.is_relative_to(settings.MEDIA_ROOT) for file in files(settings))


def test_a_stranger_is_told_of_no_workspace_and_a_member_that_it_is_not_theirs_to_add(
    policies, stranger, member, settings
):
    with pytest.raises(Hidden):
        receive(policies, stranger)
    with pytest.raises(Forbidden):
        receive(policies, member)

    assert files(settings) == []


def test_a_restricted_document_is_not_overwritten_by_somebody_it_is_closed_to(policies, contributor, manager, document):
    restriction.restrict(document, by=manager)

    with pytest.raises(Hidden):
        receive(policies, contributor, LONG)

    assert document.versions.count() == 1


def test_bytes_that_cannot_be_recorded_are_not_kept(policies, contributor, settings, monkeypatch):
    def fail(*args, **kwargs):
        raise AuditError("no room")

    monkeypatch.setattr(library, "record_all", fail)

    with pytest.raises(AuditError):
        receive(policies, contributor)

    assert not Document.objects.exists()
    assert files(settings) == []


@pytest.mark.parametrize("point", ["received_file", "file_kept", "row_committed"])
def test_an_upload_killed_half_way_succeeds_when_it_is_repeated(point, policies, contributor, monkeypatch):
    killer = Killer(monkeypatch)
    killer.at(point)
    with pytest.raises(Killed):
        receive(policies, contributor)
    killer.never()

    received = receive(policies, contributor)
    ingest_version(received.version.pk)

    assert again(received.version).state == "ready"
    assert Document.objects.count() == Version.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_the_same_bytes_from_two_people_at_once_are_one_version(policies, contributor, manager):
    start, outcomes = threading.Barrier(2), []

    def bring(person):
        try:
            start.wait(10)
            outcomes.append(receive(policies, person).outcome)
        finally:
            connection.close()

    people = [threading.Thread(target=bring, args=[person]) for person in (contributor, manager)]
    for person in people:
        person.start()
    for person in people:
        person.join()

    assert sorted(outcomes) == ["added", "same"]
    assert Document.objects.count() == Version.objects.count() == 1


# --- Trying again -------------------------------------------------------------------------------------------


@pytest.fixture
def failed(policies, contributor):
    version = receive(policies, contributor, " . ", "scan.txt").version
    ingest_version(version.pk)
    return again(version)


def test_a_failed_version_is_sent_through_again(failed, contributor):
    library.retry(failed, by=contributor)

    version = again(failed)
    assert (version.state, version.failure_sentence, version.deaths) == ("received", "", 0)
    assert trail(EventType.VERSION_RETRIED) == 1


def test_uploading_a_failed_file_again_retries_it(failed, policies, contributor):
    received = receive(policies, contributor, " . ", "scan.txt")

    assert (received.outcome, again(failed).state) == ("same", "received")


def test_what_did_not_fail_is_not_tried_again(document, contributor):
    with pytest.raises(DocumentError, match="Only a version that failed"):
        library.retry(document.versions.get(), by=contributor)


def test_everything_that_failed_is_tried_again_at_once(failed, policies, contributor):
    ingest_version(receive(policies, contributor, " ! ", "other.txt").version.pk)
    ingest_version(receive(policies, contributor).version.pk)

    count = library.retry_all_failed(policies, by=contributor)

    assert count == trail(EventType.VERSION_RETRIED) == 2
    assert Version.objects.filter(state=VersionState.RECEIVED).count() == 2


def test_a_failed_version_whose_bytes_were_replaced_is_left_as_it_is(failed, policies, contributor):
    newer = receive(policies, contributor, "Leave lasts 26 weeks.", "scan.txt").version
    ingest_version(newer.pk)

    assert library.retry_all_failed(policies, by=contributor) == 0
    assert again(failed).state == "failed"


def test_what_a_person_cannot_see_is_not_retried_for_them(failed, policies, contributor, manager):
    restriction.restrict(failed.document, by=manager)

    assert library.retry_all_failed(policies, by=contributor) == 0
    assert library.retry_all_failed(policies, by=manager) == 1


def test_retrying_is_for_those_who_may_add(failed, policies, member, stranger):
    with pytest.raises(Forbidden):
        library.retry(failed, by=member)
    with pytest.raises(Hidden):
        library.retry(failed, by=stranger)
    with pytest.raises(Forbidden):
        library.retry_all_failed(policies, by=member)

    assert again(failed).state == "failed"


# --- Restricting and granting -------------------------------------------------------------------------------


def is_open_to(document, person) -> bool:
    return access.visible(person, Document).filter(pk=document.pk).exists()


def test_a_restricted_document_is_open_to_whoever_restricted_it_alone(document, manager, contributor, member):
    restriction.restrict(document, by=manager)

    assert [is_open_to(document, person) for person in (manager, contributor, member)] == [True, False, False]
    assert trail(EventType.DOCUMENT_RESTRICTED) == trail(EventType.DOCUMENT_GRANTED) == 1


def test_restricting_twice_changes_and_says_nothing(document, manager):
    restriction.restrict(document, by=manager)
    restriction.restrict(document, by=manager)

    assert trail(EventType.DOCUMENT_RESTRICTED) == DocumentUserGrant.objects.count() == 1


def test_a_grant_opens_a_restricted_document_and_taking_it_back_closes_it(document, manager, member):
    restriction.restrict(document, by=manager)

    restriction.grant(document, member, by=manager)
    opened = is_open_to(document, member)
    restriction.revoke_grant(document, member, by=manager)

    assert (opened, is_open_to(document, member)) == (True, False)
    assert (trail(EventType.DOCUMENT_GRANTED), trail(EventType.DOCUMENT_REVOKED)) == (2, 1)


def test_a_grant_is_only_for_people_who_may_open_documents_here(document, manager, stranger, auditor):
    restriction.restrict(document, by=manager)

    for person in (stranger, auditor):
        with pytest.raises(DocumentError, match="no role here"):
            restriction.grant(document, person, by=manager)

    assert not {stranger, auditor} & set(restriction.people_to_grant(document))


def test_there_is_nothing_to_grant_on_a_document_open_to_all(document, manager, member):
    with pytest.raises(DocumentError, match="open to the whole workspace"):
        restriction.grant(document, member, by=manager)


def test_the_last_grant_stays(document, manager):
    restriction.restrict(document, by=manager)

    with pytest.raises(DocumentError, match="At least one person"):
        restriction.revoke_grant(document, manager, by=manager)

    assert is_open_to(document, manager)


def test_a_grant_of_somebody_who_may_not_open_it_now_does_not_count(document, manager, member):
    restriction.restrict(document, by=manager)
    restriction.grant(document, member, by=manager)
    member.is_active = False
    member.save()

    with pytest.raises(DocumentError, match="At least one person"):
        restriction.revoke_grant(document, manager, by=manager)

    assert is_open_to(document, manager)


def test_grants_end_with_the_last_role_that_opens_documents(document, policies, manager, member):
    restriction.restrict(document, by=manager)
    restriction.grant(document, member, by=manager)
    members.add_member(policies, member, "contributor", by=manager)

    members.remove_member(policies, member, "contributor", by=manager)
    still = is_open_to(document, member)
    members.remove_member(policies, member, "member", by=manager)
    members.add_member(policies, member, "member", by=manager)

    assert still
    assert not is_open_to(document, member)
    entry = Event.objects.get(type=EventType.DOCUMENT_REVOKED)
    assert (entry.object_id, entry.actor_id) == (str(document.pk), str(manager.pk))


def test_grants_end_when_the_roles_that_remain_open_nothing(document, legal, policies, manager, member):
    restriction.restrict(document, by=manager)
    restriction.grant(document, member, by=manager)

    members.change_roles(legal, member, [], by=manager)
    members.change_roles(policies, member, ["reviewer"], by=manager)
    still = is_open_to(document, member)
    members.change_roles(policies, member, ["auditor"], by=manager)
    members.change_roles(policies, member, ["member"], by=manager)

    assert still
    assert not is_open_to(document, member)
    assert trail(EventType.DOCUMENT_REVOKED) == 1


def test_opening_a_document_to_all_ends_its_grants(document, manager, contributor, member):
    restriction.restrict(document, by=manager)
    restriction.grant(document, member, by=manager)

    restriction.unrestrict(document, by=manager)
    opened = is_open_to(document, contributor)
    restriction.restrict(document, by=manager)

    assert opened
    assert not is_open_to(document, member)
    assert trail(EventType.DOCUMENT_UNRESTRICTED) == 1


@pytest.mark.parametrize("verb", [restriction.restrict, restriction.unrestrict, library.delete])
def test_managing_documents_is_for_managers(verb, document, contributor, stranger):
    with pytest.raises(Forbidden):
        verb(document, by=contributor)
    with pytest.raises(Hidden):
        verb(document, by=stranger)

    document.refresh_from_db()
    assert (document.restricted, document.deleted_at) == (False, None)


@pytest.mark.parametrize("verb", [restriction.grant, restriction.revoke_grant])
def test_granting_is_for_managers(verb, document, contributor, stranger, member):
    with pytest.raises(Forbidden):
        verb(document, member, by=contributor)
    with pytest.raises(Hidden):
        verb(document, member, by=stranger)

    assert not DocumentUserGrant.objects.exists()


def test_a_restricted_document_is_not_for_every_manager_to_open_up(document, manager, make_user, policies):
    second = make_user("second-manager")
    members.add_member(policies, second, "manager", by=None)
    restriction.restrict(document, by=manager)

    with pytest.raises(Hidden):
        restriction.unrestrict(document, by=second)


def test_a_restriction_that_cannot_be_recorded_does_not_happen(document, manager, monkeypatch):
    def fail(*args, **kwargs):
        raise AuditError("no room")

    monkeypatch.setattr("documents.access.restriction.record_all", fail)

    with pytest.raises(AuditError):
        restriction.restrict(document, by=manager)

    document.refresh_from_db()
    assert not document.restricted
    assert not DocumentUserGrant.objects.exists()


def test_a_file_that_outgrows_the_limit_while_it_arrives_is_stopped_there(policies, contributor, settings):
    settings.MAX_UPLOAD_BYTES = 3 * 1024 * 1024
    endless = BytesIO(b"x" * 20 * 1024 * 1024)

    with pytest.raises(DocumentError, match="larger than 3 MB"):
        library.receive(workspace=policies, path="a.txt", file=endless, filename="a.txt", by=contributor)

    assert endless.tell() <= 4 * 1024 * 1024
