import re

import pytest

from documents.parse import ParseFailed, parse_file
from tests.documents import samples


def page_text(parsed, number):
    section = parsed.sections[number - 1]
    return parsed.text[section.start : section.end]


def test_each_page_is_a_section_with_its_paragraphs(tmp_path):
    path = samples.pdf(
        tmp_path / "a.pdf",
        [[["Leave is paid.", "It lasts 25 days."], ["Ask your manager."]], [["Second page."]]],
        title="Leave policy",
    )

    parsed = parse_file(path, "a.pdf")

    assert page_text(parsed, 1) == "Leave is paid.\nIt lasts 25 days.\n\nAsk your manager."
    assert page_text(parsed, 2) == "Second page."
    assert [(section.kind, section.number, section.label) for section in parsed.sections] == [
        ("page", 1, "1"),
        ("page", 2, "2"),
    ]
    assert (parsed.title, parsed.page_count, parsed.format) == ("Leave policy", 2, "pdf")


def test_an_empty_page_keeps_its_number(tmp_path):
    path = samples.pdf(tmp_path / "a.pdf", [[["One."]], [], [["Three."]], []])

    parsed = parse_file(path, "a.pdf")

    assert [page_text(parsed, number) for number in (1, 2, 3, 4)] == ["One.", "", "Three.", ""]
    assert parsed.text == "One.\n\nThree."


def test_rows_of_a_table_stay_lines(tmp_path):
    path = samples.pdf(tmp_path / "a.pdf", [[["Net sales 3,909 3,673", "Gross profit 794 722"]]])

    assert parse_file(path, "a.pdf").text == "Net sales 3,909 3,673\nGross profit 794 722"


def test_a_word_broken_at_the_line_end_is_whole_and_a_compound_keeps_its_hyphen(tmp_path):
    lines = [
        "The information is kept. Every infor-",
        "mation request and every long-",
        "term plan is long. A term ends.",
    ]
    path = samples.pdf(tmp_path / "a.pdf", [[lines]])

    text = parse_file(path, "a.pdf").text

    assert "Every information request" in text
    assert re.search(r"long-\s?term plan", text)


def test_a_title_that_only_names_a_program_is_no_title(tmp_path):
    path = samples.pdf(tmp_path / "a.pdf", [[["Words."]]], title="Microsoft Word - draft 7.docx")

    assert parse_file(path, "a.pdf").title == ""


def test_a_scan_without_text_says_what_to_do(tmp_path):
    path = samples.scanned_pdf(tmp_path / "scan.pdf", pages=2)

    with pytest.raises(ParseFailed, match="OCR") as caught:
        parse_file(path, "scan.pdf")

    assert caught.value.code == "scanned"
    assert not caught.value.retryable


def test_a_password_is_named_as_the_reason(tmp_path):
    path = samples.pdf(tmp_path / "a.pdf", [[["Secret."]]], password="open sesame")

    with pytest.raises(ParseFailed) as caught:
        parse_file(path, "a.pdf")

    assert caught.value.code == "encrypted"


@pytest.mark.parametrize("content", [b"%PDF-1.7\nnothing more", b"%PDF-1.7\n" + b"\x00" * 4000])
def test_a_broken_file_is_damaged(tmp_path, content):
    path = samples.text(tmp_path / "a.pdf", content)

    with pytest.raises(ParseFailed) as caught:
        parse_file(path, "a.pdf")

    assert caught.value.code == "damaged"


def test_parsing_twice_gives_the_same(tmp_path):
    path = samples.pdf(tmp_path / "a.pdf", [[["One two three.", "Four five."]]])

    assert parse_file(path, "a.pdf") == parse_file(path, "a.pdf")
