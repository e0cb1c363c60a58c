"""A PDF of which some pages are pictures: they are read where words can be recognised, and named where not."""

import io

import pytest
from django.core.cache import cache
from django.urls import reverse
from PIL import Image, ImageChops, ImageDraw, ImageFont
from reportlab.lib.pagesizes import A4
from reportlab.lib.utils import ImageReader
from reportlab.pdfgen import canvas

from documents import sandbox
from documents.ingest import ingest_version
from documents.models import Version
from documents.parse import ParseFailed, ocr, parse_file, picture, places
from documents.render import MARK
from documents.viewer import findings
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


class Shown(str):
    """A picture that says this, a line every fifth of its height from the top."""

    height = 100


class Reads:
    """An engine that is shown what it says."""

    def read(self, said):
        lines = []
        behind = 0
        for number, line in enumerate(said.split("\n")):
            lines.append(ocr.Line(behind, behind + len(line), [(line, 0, 20 * number, 90, 20 * number + 5)]))
            behind += len(line) + 1
        return ocr.Recognised(said, lines)


@pytest.mark.parametrize(
    ("other", "textless"),
    [(scanned, (2,)), (in_outlines, (2,)), (nothing, ()), (with_a_seal, ()), (typed, ())],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_a_page_that_shows_something_and_says_nothing_is_named(tmp_path, other, textless):
    assert parse_file(pdf(tmp_path / "a.pdf", typed, other), "a.pdf").textless == textless


def test_words_are_recognised_on_those_pages_alone(mixed, monkeypatch):
    drawn = []
    monkeypatch.setattr(picture, "Engine", Reads)
    monkeypatch.setattr(picture, "_of_pdf", lambda path, pages: drawn.extend(pages) or [Shown(), Shown(SCANNED)])

    parsed = picture.complete(mixed, [2, 5])

    assert drawn == [2, 5]
    assert parsed.textless == (2,)
    assert parsed.text == f"{TYPED}\n\n{TYPED}\n\n{SCANNED}"


def test_recognising_stops_while_there_is_time_to_answer(mixed, monkeypatch):
    monkeypatch.setattr(picture, "Engine", Reads)
    monkeypatch.setattr(picture, "_of_pdf", lambda path, pages: iter([Shown(SCANNED), Shown(SCANNED)]))
    monkeypatch.setattr(picture.resource, "getrlimit", lambda what: (0, 0))

    assert picture.complete(mixed, [2, 5]).textless == (5,)


HEADED = [f"Leave rules, edition 2027\nRule {name} of many\n\n\n\nPage {n}" for n, name in enumerate("abcd", 1)]


def test_headers_and_footers_that_a_scan_repeats_stay_on_its_first_page_alone(tmp_path, monkeypatch):
    path = pdf(tmp_path / "scan.pdf", scanned, scanned, scanned, scanned)
    monkeypatch.setattr(picture, "Engine", Reads)
    monkeypatch.setattr(picture, "_of_pdf", lambda path, pages: map(Shown, HEADED))

    parsed = picture.recognise(path, "pdf")

    texts = [parsed.text[section.start : section.end] for section in parsed.sections]
    assert texts == [
        "Leave rules, edition 2027\nRule a of many\n\nPage 1",
        "Rule b of many",
        "Rule c of many",
        "Rule d of many",
    ]
    assert parsed.repeated == 6


def test_typed_and_scanned_pages_of_a_document_repeat_the_same_header(tmp_path, monkeypatch):
    def headed(drawing):
        drawing.drawString(72, 810, "Leave rules, edition 2027")
        typed(drawing)

    path = pdf(tmp_path / "mixed.pdf", headed, scanned, headed, scanned)
    monkeypatch.setattr(picture, "Engine", Reads)
    monkeypatch.setattr(picture, "_of_pdf", lambda path, pages: [Shown(HEADED[1]), Shown(HEADED[3])])

    parsed = picture.complete(path, [2, 4])

    assert parsed.text.count("Leave rules, edition 2027") == 1
    assert parsed.text.count(TYPED) == 2
    assert "Rule b of many" in parsed.text
    assert "Rule d of many" in parsed.text


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


# --- Where the words stand ----------------------------------------------------------------------------------


def marked_box(image):
    """The box around everything that has the colour of the mark, in shares of the page."""
    shown = Image.open(io.BytesIO(image)).convert("RGB")
    unlike = ImageChops.difference(shown, Image.new("RGB", shown.size, MARK)).convert("L")
    left, top, right, bottom = unlike.point(lambda value: 255 if value == 0 else 0).getbbox()
    return left / shown.width, top / shown.height, right / shown.width, bottom / shown.height


def test_words_are_found_again_in_their_order_and_other_texts_are_not():
    said = [("Leave", 0, 0, 10, 10), ("lasts", 20, 0, 30, 10), ("~", 31, 0, 33, 10), ("lasts", 40, 0, 50, 10)]

    assert places.found_again(said, "Leave lasts lasts", 100, 20) == [
        (0, 5, 0.0, 0.0, 0.1, 0.5),
        (6, 11, 0.2, 0.0, 0.3, 0.5),
        (12, 17, 0.4, 0.0, 0.5, 0.5),
    ]
    assert places.found_again(said, "Something else stands on this page, which is another.", 100, 20) == []


def test_a_cited_word_of_a_scan_and_of_a_picture_is_marked_where_it_stands(tmp_path):
    if not has_an_engine():
        with pytest.raises(ParseFailed, match="scanned"):
            sandbox.word_places(pdf(tmp_path / "a.pdf", scanned), page=1, name="a.pdf", page_text=SCANNED)
        return
    image = Image.new("L", (1240, 400), 255)
    ImageDraw.Draw(image).text((60, 90), SCANNED, font=ImageFont.load_default(60), fill=0)
    image.save(tmp_path / "a.png")
    pdf(tmp_path / "a.pdf", scanned)
    weeks = SCANNED.index("26"), len(SCANNED)

    boxes = {}
    for ending, kind in (("pdf", "pdf"), ("png", "picture")):
        path = tmp_path / f"a.{ending}"
        found = sandbox.word_places(path, page=1, name=path.name, page_text=SCANNED)
        assert [SCANNED[start:end] for start, end, *_box in found] == SCANNED.split()
        asked = {"page": 1, "page_text": SCANNED, "kind": kind, "highlight": [weeks]}
        with pytest.raises(sandbox.HighlightMismatch):
            sandbox.render_page(path, **asked)
        boxes[kind] = marked_box(sandbox.render_page(path, places=found, **asked))

    # "26 weeks." are the last two of five words on one line that begins at 60 of 1240 and 90 of 400.
    left, top, right, bottom = boxes["picture"]
    assert 0.4 < left < right < 0.85
    assert 0.2 < top < bottom < 0.45
    # The same picture lies on the page from 60 to 540 of 595, and from 187 to 342 of 842 from above.
    assert boxes["pdf"] == pytest.approx(
        ((60 + 480 * left) / 595, (187 + 155 * top) / 842, (60 + 480 * right) / 595, (187 + 155 * bottom) / 842),
        abs=0.01,
    )


def test_a_word_of_a_header_that_was_left_out_is_not_taken_for_one_of_the_text():
    body = "The office is closed in May.\nLeave rules, edition 2027, hold for all of it."
    words = [(word, 10 * place, 50, 10 * place + 5, 55) for place, word in enumerate(body.split())]
    first, second = words[:6], words[6:]
    top = "Leave rules, edition 2027"
    header = [(word, 10 * place, 1, 10 * place + 5, 5) for place, word in enumerate(top.split())]
    said = ocr.Recognised(
        f"{top}\n{body}\n",
        [ocr.Line(0, 25, header), ocr.Line(26, 54, first), ocr.Line(55, 26 + len(body), second)],
    )

    assert places._kept(said, body, 100) == words
    assert places._kept(said, said.text.strip(), 100) == header + words
    assert places._kept(said, "Another text than it was.", 100) == header + words


def test_on_a_scan_whose_headers_were_left_out_every_word_is_found_again(tmp_path):
    if not has_an_engine():
        assert failure_of(tmp_path) == "scanned"
        return
    font, frames = ImageFont.load_default(36), []
    for name in ("first", "second", "third"):
        frames.append(Image.new("L", (1240, 1000), 255))
        drawing = ImageDraw.Draw(frames[-1])
        drawing.text((100, 30), "Annual leave rules", font=font, fill=0)
        drawing.text((100, 300), f"The {name} rule is on annual leave.", font=font, fill=0)
    path = tmp_path / "scan.tiff"
    frames[0].save(path, save_all=True, append_images=frames[1:])

    parsed = sandbox.recognise(path, name="scan.tiff")

    second = parsed.sections[1]
    text = parsed.text[second.start : second.end]
    assert text == "The second rule is on annual leave."
    found = sandbox.word_places(path, page=2, name="scan.tiff", page_text=text)
    assert [text[start:end] for start, end, *_box in found] == text.split()
    assert all(0.28 < top < bottom < 0.36 for *_, top, _right, bottom in found)


def failure_of(tmp_path):
    Image.new("L", (60, 60), 255).save(tmp_path / "a.png")
    with pytest.raises(ParseFailed) as caught:
        sandbox.recognise(tmp_path / "a.png", name="a.png")
    return caught.value.code


@pytest.mark.django_db
def test_the_page_image_of_a_citation_on_a_scan_is_marked_and_its_words_are_looked_for_once(
    policies, contributor, client_of, tmp_path, monkeypatch
):
    version = receive(policies, contributor, pdf(tmp_path / "a.pdf", scanned).read_bytes(), "scan.pdf").version
    Version.objects.filter(pk=version.pk).update(
        text=SCANNED,
        sections=[{"kind": "page", "number": 1, "label": "1", "heading": [], "start": 0, "end": len(SCANNED)}],
    )
    asked = []

    def found(path, *, page, name, page_text):
        asked.append((page, name, page_text))
        return [(0, 8, 0.1, 0.2, 0.3, 0.25)] if asked[1:] else sandbox_found(path, page=page, name=name)

    def sandbox_found(path, **about):
        raise ParseFailed("scanned")

    monkeypatch.setattr(sandbox, "word_places", found)
    client = client_of(contributor)
    url = reverse("documents:page", args=["policies", version.document_id, version.pk, 1])

    def shown():
        response = client.get(url, {"start": 0, "end": 8})
        assert response.status_code == 200
        return Image.open(io.BytesIO(response.content)).convert("RGB").getpixel((150, 370))

    # Without an engine the page is shown as it is, and nobody tries again for a day.
    assert [shown(), shown()] == [(255, 255, 255)] * 2
    cache.delete(f"scan:{version.pk}:1")
    assert [shown(), shown()] == [MARK] * 2
    assert asked == [(1, "scan.pdf", SCANNED)] * 2
