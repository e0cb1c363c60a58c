"""A disk that is nearly full takes no more files, by whatever way they come, and everything else goes on."""

import io

import pytest
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import SimpleUploadedFile

from answers import pipeline
from answers.models import Answer
from answers.states import AnswerStatus
from documents import library
from documents.ingestion import room
from documents.ingestion.room import NoRoom
from documents.models import Document
from tests.documents import factories

pytestmark = pytest.mark.django_db


@pytest.fixture
def full(settings):
    settings.LOW_DISK_BYTES = 2**62


def test_room_is_the_operators_line(settings):
    settings.LOW_DISK_BYTES = room.free_bytes() // 2
    assert not room.is_short()

    settings.LOW_DISK_BYTES = 2**62
    assert room.is_short()


def test_nothing_is_written_for_a_file_there_is_no_room_for(policies, contributor, full, tmp_path, settings):
    settings.MEDIA_ROOT = tmp_path / "files"

    with pytest.raises(NoRoom, match="nearly full"):
        library.receive(workspace=policies, path="a.md", file=io.BytesIO(b"Text."), filename="a.md", by=contributor)

    assert not Document.objects.filter(path="a.md").exists()
    assert not default_storage.exists("incoming")


def test_the_page_says_so_instead_of_offering_an_upload(policies, contributor, full, client_of):
    address = f"/w/{policies.slug}/documents/"
    shown = client_of(contributor).get(address).content.decode()

    assert "disk is nearly full" in shown
    assert 'type="file"' not in shown


def test_an_upload_is_told_why_and_asking_goes_on(policies, contributor, member, standing_handbook, full, client_of):
    sent = client_of(contributor).post(
        f"/w/{policies.slug}/documents/upload/",
        {"files": SimpleUploadedFile("a.md", b"Text.")},
        headers={"Accept": "application/json"},
    )

    asking, address = client_of(member), f"/w/{policies.slug}/ask/"
    asking.post(address, {"text": "How many days of annual leave does every employee have?"})
    pipeline.run(Answer.objects.get().pk)

    assert "nearly full" in sent.content.decode()
    assert not Document.objects.filter(path="a.md").exists()
    answer = Answer.objects.get()
    assert answer.status == AnswerStatus.ANSWERED
    assert answer.citations.filter(document_id=standing_handbook.document_id).exists()
    assert "25 working days" in asking.get(address).content.decode()


def test_deleting_goes_on(policies, manager, contributor, full):
    document = factories.document(policies, by=contributor)

    library.delete(document, by=manager, reason="Old.")

    assert not Document.objects.filter(pk=document.pk, deleted_at=None).exists()
