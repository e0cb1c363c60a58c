"""A file of questions is read whole or not at all, and a mistake in it is named by its line."""

from pathlib import Path

import pytest

from workspaces.question_file import QuestionFileError, read_questions


@pytest.fixture
def a_file(tmp_path: Path) -> Path:
    return tmp_path / "questions.jsonl"


def test_both_spellings_of_the_fields_are_read_in_order(a_file: Path) -> None:
    a_file.write_text('{"id": "a", "text": "One?"}\n\n{"_id": 2, "question": "Два?"}\r\n', encoding="utf-8")

    assert read_questions(a_file) == [("a", "One?"), ("2", "Два?")]


def test_a_line_ends_where_the_file_says_and_not_inside_a_text(a_file: Path) -> None:
    a_file.write_text('\ufeff{"id": "a", "text": "One\u2028or two?"}', encoding="utf-8")

    assert read_questions(a_file) == [("a", "One\u2028or two?")]


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (b'{"id": "b", "text": "caf\xe9"}', "line 2: this is not UTF-8"),
        (b"id,text", "line 2: this is not JSON"),
        (b'{"id": "b", "text": "cut o', "line 2: this is not JSON"),
        (b'["b", "Two?"]', "line 2: write an object"),
        (b'{"id": "b"}', "line 2: write an object"),
        (b'{"text": "Two?"}', "line 2: write an object"),
        (b'{"id": null, "text": "Two?"}', "line 2: write an object"),
        (b'{"id": "b", "text": ["Two?"]}', "line 2: write an object"),
    ],
)
def test_a_line_that_is_none_is_named(a_file: Path, line: bytes, said: str) -> None:
    a_file.write_bytes(b'{"id": "a", "text": "One?"}\n' + line)

    with pytest.raises(QuestionFileError, match=said):
        read_questions(a_file)


def test_a_file_that_is_not_there_is_said(a_file: Path) -> None:
    with pytest.raises(QuestionFileError, match="cannot be read: No such file"):
        read_questions(a_file)
