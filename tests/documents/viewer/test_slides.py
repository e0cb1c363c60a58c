"""Slides to look at: made once where there is LibreOffice, marked where they can be, and gone with the document."""

import io

import pytest
from django.core.cache import cache
from django.core.files.storage import default_storage
from django.urls import reverse
from PIL import Image

from documents import library, sandbox
from documents.deletion import erasing as deletion
from documents.parse import ParseFailed, old_office
from documents.render import MARK
from documents.viewer import slides
from tests.documents import factories, samples
from workspaces.dispatch import inline

pytestmark = pytest.mark.django_db

DECK = [("Security", ["Lock your screen.", "Report a loss within one hour."], ""), ("Travel", ["Book early."], "")]


@pytest.fixture
def deck(policies, contributor, tmp_path):
    content = samples.pptx_of(tmp_path / "deck.pptx", DECK).read_bytes()
    return factories.document(policies, "deck.pptx", content, by=contributor)


@pytest.fixture
def fake_office(monkeypatch):
    """LibreOffice as it would be: a page for each slide, whose lines break elsewhere."""
    pages = factories.pdf("Security: report a loss", "Travel")
    monkeypatch.setattr(sandbox, "as_pages", lambda path, name: pages)
    return monkeypatch


def viewer(document, client, **query):
    return client.get(reverse("documents:detail", args=["policies", document.pk]), query).content.decode()


def slide(document, client, number, **query):
    kwargs = {"slug": "policies", "pk": document.pk, "version": document.current_version.pk, "number": number}
    return client.get(reverse("documents:page", kwargs=kwargs), query)


def pixels_of(colour, image):
    colours = Image.open(io.BytesIO(image)).convert("RGB").getcolors(maxcolors=1 << 24)
    return sum(count for count, each in colours if each == colour)


def test_a_presentation_is_drawn_slide_by_slide_or_shown_as_text_where_nothing_can_draw_it(deck, member, client_of):
    client = client_of(member)
    place = factories.range_of(deck.current_version, "Report a loss within one hour.")

    with inline():
        slides.draw(deck.current_version_id)
    page = viewer(deck, client, **place)

    assert "Report a loss within one hour." in page
    if old_office.program() is None:
        assert "<img" not in page.partition("data-viewer")[2].partition("</section>")[0]
        return
    assert f"/pages/1.png?start={place['start']}" in page
    marked = slide(deck, client, 1, **place)
    assert marked.headers["Content-Type"] == "image/png"
    assert pixels_of(MARK, marked.content) > pixels_of(MARK, slide(deck, client, 1).content) + 1_000
    assert pixels_of(MARK, slide(deck, client, 2).content) == 0


def test_whoever_opens_a_presentation_first_has_its_slides_made_and_nobody_twice(
    deck, member, client_of, fake_office, django_capture_on_commit_callbacks
):
    client = client_of(member)
    with django_capture_on_commit_callbacks() as asked:
        assert "Pictures of the slides are being made." in viewer(deck, client)
        assert "Pictures of the slides are being made." in viewer(deck, client)
    assert len(asked) == 1

    version = {"slug": "policies", "pk": deck.pk, "version": deck.current_version_id}
    status = reverse("documents:status", kwargs=version) + "?slides=1"
    assert "HX-Refresh" not in client.get(status).headers

    slides.draw(deck.current_version_id)

    assert client.get(status).headers["HX-Refresh"] == "true"
    page = viewer(deck, client)
    assert "Pictures of the slides" not in page
    assert "/pages/1.png" in page


def test_pages_that_are_not_one_for_each_slide_are_not_shown(deck, member, client_of, fake_office):
    fake_office.setattr(sandbox, "as_pages", lambda path, name: factories.pdf("Security"))

    assert not slides.draw(deck.current_version_id)

    assert not slides.are_drawn(deck.current_version)
    assert not slides.claim(deck.current_version), "it is not tried again with every look"
    assert "Lock your screen." in viewer(deck, client_of(member))


def test_a_presentation_that_cannot_be_drawn_is_let_be(deck, fake_office):
    def fail(path, name):
        raise ParseFailed("old_office")

    fake_office.setattr(sandbox, "as_pages", fail)

    assert not slides.draw(deck.current_version_id)

    assert not slides.claim(deck.current_version)
    cache.clear()
    assert slides.claim(deck.current_version), "an emptied cache costs one more try"


def test_the_pages_go_with_the_document(deck, manager, fake_office):
    version = deck.current_version
    slides.draw(version.pk)
    assert default_storage.exists(slides.name_of(version))
    library.delete(deck, by=manager, reason="Out of date")

    deletion.erase(deck.pk)

    assert not default_storage.exists(slides.name_of(version))
    assert not slides.draw(version.pk)
    assert not default_storage.exists(slides.name_of(version))


def test_a_document_that_is_deleted_while_its_slides_are_made_keeps_none(deck, manager, fake_office):
    pages = sandbox.as_pages(None, None)

    def delete_meanwhile(path, name):
        library.delete(deck, by=manager, reason="Out of date")
        return pages

    fake_office.setattr(sandbox, "as_pages", delete_meanwhile)

    assert not slides.draw(deck.current_version_id)
    assert not default_storage.exists(slides.name_of(deck.current_version))


def test_a_picture_is_shown_beside_its_words(policies, contributor, member, client_of, monkeypatch):
    frames = [Image.new("L", (300, 200), shade) for shade in (40, 220)]
    file = io.BytesIO()
    frames[0].save(file, "TIFF", save_all=True, append_images=frames[1:])
    words = factories.pdf("Parental leave lasts 26 weeks.", "Second frame.")
    document = factories.document(policies, "scan.pdf", words, by=contributor)
    version = document.current_version
    version.file.storage.delete(version.file.name)
    version.file.storage.save(version.file.name, io.BytesIO(file.getvalue()))
    version.format = "tiff"
    version.save(update_fields=["format"])
    client = client_of(member)
    place = factories.range_of(version, "26 weeks")

    assert "/pages/1.png" in viewer(document, client, **place)
    images = [Image.open(io.BytesIO(slide(document, client, number, **place).content)) for number in (1, 2)]

    assert [(image.size, image.getpixel((5, 5))) for image in images] == [
        ((300, 200), (40, 40, 40)),
        ((300, 200), (220, 220, 220)),
    ]
    assert slide(document, client, 3).status_code == 404
