"""A PDF of which some pages are pictures: they are read where words can be recognised, and named where not."""

import pytest
from django.urls import reverse
from PIL import Image, ImageDraw, ImageFont
from reportlab.lib.pagesizes import A4
from reportlab.lib.utils import ImageReader
from reportlab.pdfgen import canvas

from documents import findings, sandbox
from documents.ingest import ingest_version
from documents.models import Version
from documents.parse import ParseFailed, ocr, parse_file, picture
from tests.documents import mails
from tests.documents.arrivals import again, receive

TYPED, SCANNED = "Annual leave lasts 25 days.", "Parental leave lasts 26 weeks."


def scanned(drawing):
    image = Image.new("L", (1240, 400), 255)
    ImageDraw.Draw(image).text((60, 90), SCANNED, font=ImageFont.load_default(60), fill=0)
    drawing.drawImage(ImageReader(image), 60, 500, 480, 155)


def typed(drawing):
    drawing.drawString(72, 700, TYPED)


def with_a_seal(drawing):
    drawing.drawImage(ImageReader(Image.new("L", (9, 9))), 60, 500, 90, 90)
    drawing.rect(20, 20, 500, 700)


def in_outlines(drawing):
    for place in range(300):
        drawing.line(place, 400, place + 3, 410)


def nothing(drawing):
    pass


def pdf(path, *pages):
    drawing = canvas.Canvas(str(path), pagesize=A4)
    for draw in pages:
        draw(drawing)
        drawing.showPage()
    drawing.save()
    return path


@pytest.fixture
def mixed(tmp_path):
    return pdf(tmp_path / "mixed.pdf", typed, scanned, nothing, typed, scanned)


def has_an_engine():
    try:
        return bool(ocr.Engine().languages)
    except ParseFailed:
        return False


@pytest.mark.parametrize(
    ("other", "textless"),
    [(scanned, (2,)), (in_outlines, (2,)), (nothing, ()), (with_a_seal, ()), (typed, ())],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_a_page_that_shows_something_and_says_nothing_is_named(tmp_path, other, textless):
    assert parse_file(pdf(tmp_path / "a.pdf", typed, other), "a.pdf").textless == textless


def test_words_are_recognised_on_those_pages_alone(mixed, monkeypatch):
    drawn = []
    monkeypatch.setattr(picture, "Engine", lambda: None)
    monkeypatch.setattr(picture, "_of_pdf", lambda path, engine, indexes: drawn.extend(indexes) or ["", SCANNED])

    parsed = picture.complete(mixed, [2, 5])

    assert drawn == [1, 4]
    assert parsed.textless == (2,)
    assert parsed.text == f"{TYPED}\n\n{TYPED}\n\n{SCANNED}"


def test_recognising_stops_while_there_is_time_to_answer(mixed, monkeypatch):
    monkeypatch.setattr(picture, "Engine", lambda: None)
    monkeypatch.setattr(picture, "_of_pdf", lambda path, engine, indexes: iter([SCANNED, SCANNED]))
    monkeypatch.setattr(picture.resource, "getrlimit", lambda what: (0, 0))

    assert picture.complete(mixed, [2, 5]).textless == (5,)


@pytest.mark.django_db
def test_the_whole_document_is_ready_and_says_what_it_lacks(mixed, policies, contributor, client):
    version = receive(policies, contributor, mixed.read_bytes(), "mixed.pdf").version

    ingest_version(version.pk)

    version = again(version)
    assert version.state == "ready"
    assert version.text.count(TYPED) == 2
    assert version.text.count(SCANNED) == (2 if has_an_engine() else 0)
    assert findings.textless(version) == ("" if has_an_engine() else "2, 5")


@pytest.mark.django_db
def test_without_an_engine_the_readers_are_told_which_pages(mixed, policies, contributor, client, monkeypatch):
    def no_engine(path, **about):
        raise ParseFailed("scanned")

    monkeypatch.setattr(sandbox, "recognise", no_engine)
    version = receive(policies, contributor, mixed.read_bytes(), "mixed.pdf").version
    ingest_version(version.pk)
    version = again(version)

    client.force_login(contributor)
    page = client.get(reverse("documents:detail", args=[policies.slug, version.document_id])).content.decode()

    assert version.state == "ready"
    assert "Pages that hold no text: 2, 5." in page


def test_pages_in_a_row_are_named_as_one():
    assert findings.textless(Version(findings={"textless": [2, 5, 6, 7, 9]})) == "2, 5–7, 9"
    assert findings.textless(Version(findings={})) == ""


def test_pages_of_an_attachment_are_named_too(tmp_path, mixed):
    mail = mails.eml(tmp_path / "a.eml", plain="See.", attached={"mixed.pdf": mixed.read_bytes()})

    assert parse_file(mail, "a.eml").unread == (("mixed.pdf › 2", "alone"), ("mixed.pdf › 5", "alone"))
