"""A text file is called by its first line, as other files are by the title they carry."""

import pytest

from documents.access import restriction
from documents.ingest import ingest_version
from documents.models import Document
from documents.search import search
from tests.documents.arrivals import again, receive
from workspaces import access

pytestmark = pytest.mark.django_db

RULE = "Book early. Hotels are paid for up to 120 EUR a night, and trains come before flights where both are possible. "
TEXT = f"Rules for travelling\n\n{RULE * 12}"


def test_the_first_line_of_a_text_names_a_new_document_unless_a_person_did(policies, contributor):
    named_by_file = receive(policies, contributor, TEXT, "t-17.txt").version
    named_by_person = receive(policies, contributor, TEXT, "other.txt", title="Trips").version

    ingest_version(named_by_file.pk)
    ingest_version(named_by_person.pk)

    assert again(named_by_file).document.title == "Rules for travelling"
    assert again(named_by_person).document.title == "Trips"


def test_a_newer_version_does_not_rename_its_document(policies, contributor):
    first = receive(policies, contributor, TEXT, "t-17.txt").version
    ingest_version(first.pk)
    newer = receive(policies, contributor, TEXT.replace("Rules for travelling", "Draft of nothing"), "t-17.txt").version

    ingest_version(newer.pk)

    assert again(newer).document.current_version_id == newer.pk
    assert again(newer).document.title == "Rules for travelling"


def test_every_passage_of_a_text_is_found_by_its_title(policies, contributor, member):
    version = receive(policies, contributor, TEXT, "t-17.txt").version
    ingest_version(version.pk)

    hits = search(member, policies, "travelling", mode="keywords").hits

    assert {hit.passage.pk for hit in hits} == set(version.passages.values_list("pk", flat=True))
    assert len(hits) > 1
    assert {hit.locator for hit in hits} == {"Rules for travelling"}


def test_the_first_line_of_a_closed_text_stays_closed(policies, contributor, manager, member):
    version = receive(policies, contributor, TEXT, "t-17.txt").version
    restriction.restrict(version.document, by=manager)

    ingest_version(version.pk)

    assert again(version).document.title == "Rules for travelling"
    assert not access.visible(member, Document).filter(title="Rules for travelling").exists()
