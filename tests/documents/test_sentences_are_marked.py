"""What a person reads of documents' errors is marked for translation, where the error is raised."""

import ast
from pathlib import Path

import pytest
from django.utils import translation

from documents.exceptions import DocumentError
from documents.library import _usable_path

DOCUMENTS = Path(__file__).resolve().parents[2] / "documents"
FOR_PEOPLE = {"PortalError", "DocumentError", "IndexUnavailable", "EmbeddingUnavailable", "StageFailed"}


def raised_for_people() -> list[tuple[str, ast.Call]]:
    """Every such error raised in the app, its commands aside, with its place."""
    found = []
    for file in sorted(DOCUMENTS.rglob("*.py")):
        if "management" in file.parts:
            continue
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if (
                isinstance(node, ast.Raise)
                and isinstance(node.exc, ast.Call)
                and isinstance(node.exc.func, ast.Name)
                and node.exc.func.id in FOR_PEOPLE
            ):
                found.append((f"{file.name}:{node.lineno}", node.exc))
    return found


def is_plain(sentence: ast.expr) -> bool:
    """Whether the words stand there unmarked, by themselves or formatted."""
    if isinstance(sentence, ast.BinOp):
        return is_plain(sentence.left)
    return isinstance(sentence, ast.JoinedStr) or (isinstance(sentence, ast.Constant) and " " in str(sentence.value))


def test_no_error_for_a_person_is_raised_in_unmarked_words():
    raised = raised_for_people()

    assert {call.func.id for _, call in raised if isinstance(call.func, ast.Name)} >= FOR_PEOPLE - {"PortalError"}
    assert [place for place, call in raised if any(is_plain(argument) for argument in call.args)] == []


def test_the_sweep_sees_unmarked_words():
    unmarked = ast.parse('f(f"The {x} is away.", "It is away.", "It is %s." % x)').body[0].value

    assert [is_plain(argument) for argument in unmarked.args] == [True, True, True]


def test_a_marked_sentence_reaches_the_person_in_their_language():
    said = []
    for language in ("en", "sr"):
        with translation.override(language), pytest.raises(DocumentError) as refusal:
            _usable_path("")
        said.append(str(refusal.value))

    assert len(set(said)) == 2
