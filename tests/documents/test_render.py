import io
import re

import pytest
from PIL import Image, ImageChops

from documents import forking, render
from documents.forking import Forker
from documents.parse import ParseFailed, parse_file
from documents.render import MARK
from documents.sandbox import HighlightMismatch, render_page
from tests.documents import samples

LINES = ["The information is kept. Every infor-", "mation request is answered."]


@pytest.fixture
def policy(tmp_path):
    return samples.pdf(tmp_path / "a.pdf", [[LINES, ["Leave is paid."]], [["Second page."]]])


def text_of(path, number=1):
    parsed = parse_file(path, path.name)
    section = parsed.sections[number - 1]
    return parsed.text[section.start : section.end]


def marked_box(image: bytes):
    """The box around everything that has the colour of the mark, in pixels."""
    picture = Image.open(io.BytesIO(image)).convert("RGB")
    unlike = ImageChops.difference(picture, Image.new("RGB", picture.size, MARK)).convert("L")
    return unlike.point(lambda value: 255 if value == 0 else 0).getbbox()


def test_the_cited_words_are_marked_where_they_stand(policy):
    text = text_of(policy)
    start = text.index("Leave is paid.")

    image = render_page(policy, page=1, highlight=[(start, start + 14)], page_text=text, scale=1)

    left, top, right, bottom = marked_box(image)
    # A4 is 842 points high; the third line is drawn at 72 from the left and 842 - 72 - 42 from below.
    assert 66 <= left <= 74
    assert 130 <= right <= 155
    assert 98 <= top <= 110
    assert 110 <= bottom <= 122


def test_a_range_over_a_broken_word_and_two_lines_is_marked_on_both(policy):
    text = text_of(policy)
    assert "Every information request" in text
    start = text.index("Every information")

    image = render_page(policy, page=1, highlight=[(start, start + 25)], page_text=text, scale=1)

    left, top, right, bottom = marked_box(image)
    assert left < 80
    assert right > 200
    assert 20 <= bottom - top <= 32


def slide(path, stored, **marks):
    return render_page(path, page=1, page_text=stored, scale=1, kind="slides", **{"highlight": [], **marks})


def test_of_a_line_that_stands_twice_on_a_slide_the_cited_one_is_marked(tmp_path):
    path = samples.pdf(tmp_path / "a.pdf", [[["Total", "Leave", "Total"]]])
    stored = "Total\nLeave\nTotal"

    boxes = [marked_box(slide(path, stored, highlight=[span])) for span in ((0, 5), (12, 17))]

    assert boxes[0][3] < boxes[1][1]
    # Where the page holds it another number of times, nobody knows which one is meant.
    assert marked_box(slide(path, "Total\nLeave", highlight=[(0, 5)]))[3] > boxes[1][1]


def test_however_often_a_word_is_found_a_slide_is_read_once_and_searched_once(tmp_path, monkeypatch):
    path = samples.pdf(tmp_path / "a.pdf", [[["leave " * 12] * 20]])
    stored = "\n".join(["leave " * 12] * 20)
    spans = [(match.start(), match.end()) for match in re.finditer("leave", stored)]
    done = []
    for name, real in (("read_page", render.read_page), ("boxes", render.boxes)):
        monkeypatch.setattr(render, name, lambda *given, name=name, real=real: done.append(name) or real(*given))
    patterns = []
    compiled = re.compile
    monkeypatch.setattr(render.re, "compile", lambda *given: patterns.append(given) or compiled(*given))
    monkeypatch.setattr(render, "MOST_MARKS", 100)

    assert len(spans) == 240
    image = render.draw(path, page=1, highlight=[], found=[*spans, *spans], page_text=stored, scale=1, kind="slides")

    assert image.startswith(b"\x89PNG")
    assert (done.count("read_page"), done.count("boxes"), patterns.count(("leave",))) == (1, 100, 1)


def test_a_page_without_highlight_is_drawn_plain(policy):
    image = render_page(policy, page=2, highlight=[], page_text="", scale=2)

    assert image.startswith(b"\x89PNG")
    assert samples.png_size(image) == (1191, 1684)
    assert marked_box(image) is None


def test_a_rotated_page_is_marked_where_its_words_are(tmp_path):
    path = samples.pdf(tmp_path / "a.pdf", [[["Leave is paid."]]], rotation=90)
    text = text_of(path)

    image = render_page(path, page=1, highlight=[(0, len(text))], page_text=text, scale=1)

    left, top, right, bottom = marked_box(image)
    assert samples.png_size(image) == (596, 842)
    assert right - left < 30 < bottom - top


def test_text_of_another_page_is_never_marked(policy):
    with pytest.raises(HighlightMismatch):
        render_page(policy, page=2, highlight=[(0, 5)], page_text=text_of(policy, 1))


@pytest.mark.parametrize("page", [0, 3])
def test_a_page_that_is_not_there_has_no_image(policy, page):
    with pytest.raises(ParseFailed) as caught:
        render_page(policy, page=page, highlight=[], page_text="")

    assert caught.value.code == "unsupported"


def test_a_very_large_page_is_drawn_smaller(policy):
    image = render_page(policy, page=1, highlight=[], page_text="", scale=100)

    width, height = samples.png_size(image)
    assert width * height <= 12_100_000


def test_drawing_runs_in_the_child(policy, monkeypatch):
    aborting = "from documents.parse import child, zygote\nimport os\nchild.main = os.abort\nzygote.main()"
    monkeypatch.setattr(forking, "forker", Forker(("-c", aborting)))

    with pytest.raises(ParseFailed) as caught:
        render_page(policy, page=1, highlight=[], page_text="")
    forking.forker.close()

    assert caught.value.detail == "SIGABRT"


def test_words_of_a_line_are_marked_in_one_stroke_and_lines_apart(tmp_path):
    Image.new("RGB", (200, 100), "white").save(tmp_path / "a.png")
    places = [(0, 3, 0.1, 0.1, 0.2, 0.2), (4, 7, 0.4, 0.1, 0.5, 0.2), (8, 11, 0.1, 0.5, 0.2, 0.6)]
    asked = {"page": 1, "kind": "picture", "page_text": "one two six", "places": places, "scale": 1}

    picture = Image.open(io.BytesIO(render_page(tmp_path / "a.png", highlight=[(0, 11)], **asked))).convert("RGB")

    assert picture.getpixel((60, 15)) == MARK
    assert picture.getpixel((60, 35)) == picture.getpixel((60, 55)) == (255, 255, 255)
    two = render_page(tmp_path / "a.png", highlight=[(4, 7)], **asked)
    assert marked_box(two)[0] > 70
