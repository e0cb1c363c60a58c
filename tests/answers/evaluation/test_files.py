"""What is written can be read back; a mistake is told with its line, and then nothing is taken."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from answers.evaluation import reading_files, sets, writing_files
from answers.evaluation.querysets import cases_in
from answers.evaluation.sets import Case
from answers.models import QuestionCase
from documents.models import Document

HOSTILE = [
    '=HYPERLINK("http://evil.example")',
    "'=1+1",
    "''@SUM(A1)",
    "+49 30 1234 | -1",
    "one | two",
    "say “…”, then \u2028 stop",
]


def test_every_set_comes_back_from_either_form_as_it_was(
    policies: Any, questions: Any, handbook: Any, manager: Any
) -> None:
    place = {"document": str(handbook.document_id), "page": 1, "quote": "=25 working days"}
    cases = [Case(text, f"h{number}", facts=[text], expected=[place]) for number, text in enumerate(HOSTILE)]
    cases = [Case(one.question, one.code, facts=[" ".join(one.question.split())], expected=[place]) for one in cases]
    sets.put(questions, cases, by=manager)
    stored = list(cases_in(questions, 3))
    paths = {str(pk): path for pk, path in Document.objects.values_list("pk", "path")}

    for write in (writing_files.as_csv, writing_files.as_jsonl):
        content = write(stored, paths)
        back = reading_files.read(content.encode(), workspace=policies, by=manager)
        assert back.mistakes == []
        assert [told(case) for case in back.cases] == [told(case) for case in stored]
    lines = writing_files.as_csv(stored, paths).splitlines()
    assert not any(cell.startswith(("=", "+", "-", "@")) for line in lines for cell in line.split(","))


def told(case: Any) -> tuple[Any, ...]:
    return case.code, case.question, case.must_refuse, list(case.expected), list(case.facts)


@settings(max_examples=60, deadline=None)
@given(st.text(alphabet=st.sampled_from("'=+-@|: ,\"a\t"), min_size=1, max_size=12))
def test_no_cell_is_a_formula_and_every_cell_comes_back(cell: str) -> None:
    guarded = writing_files.guarded(cell)

    assert writing_files.unguarded(guarded) == cell
    assert not guarded.startswith(("=", "+", "-", "@", "\t"))


def test_mistakes_are_told_by_line_and_nothing_is_taken(policies: Any, handbook: Any, manager: Any) -> None:
    lines = [
        json.dumps({"id": "a", "question": "How long?", "documents": ["employee-handbook.md"]}),
        "{not json",
        json.dumps({"id": "a", "question": "Twice", "refuse": True}),
        json.dumps({"question": "Nowhere", "documents": ["missing.md"]}),
        json.dumps({"question": "Nothing is expected"}),
        json.dumps({"question": "Both", "refuse": True, "facts": ["one"]}),
        json.dumps({"question": "Unknown", "refuse": True, "answer": "x"}),
        json.dumps({"question": "", "refuse": True}),
        json.dumps({"question": "Page", "passages": [{"document": "employee-handbook.md", "page": 0}]}),
        json.dumps({"question": "No list", "facts": "one"}),
    ]

    read = reading_files.read("\n".join(lines).encode(), workspace=policies, by=manager)

    assert read.cases == []
    assert [mistake.line for mistake in read.mistakes] == [2, 3, 4, 5, 6, 7, 8, 9, 10]
    assert "missing.md" in read.mistakes[2].sentence


@pytest.mark.parametrize(
    ("content", "line"),
    [
        (b"", 1),
        (b"id,question\n\xff", 2),
        (b"id,question,wrong\n1,How?,x", 1),
        (b"id,question,facts\n1,How?,x,y", 2),
        (b'id,question,facts\n1,"How?,x', 2),
        (b"id,question,refuse\n1,How?,perhaps", 2),
    ],
)
def test_a_table_that_is_none_says_where(policies: Any, manager: Any, content: bytes, line: int) -> None:
    read = reading_files.read(content, workspace=policies, by=manager)

    assert (read.cases, [mistake.line for mistake in read.mistakes]) == ([], [line])


def test_documents_are_found_only_among_those_open_to_who_brings_the_file(
    policies: Any, handbook: Any, manager: Any, contributor: Any
) -> None:
    from documents.access.restriction import grant, restrict, revoke_grant

    restrict(handbook.document, by=manager)
    grant(handbook.document, contributor, by=manager)
    revoke_grant(handbook.document, manager, by=manager)
    line = json.dumps({"question": "How long?", "documents": [str(handbook.document_id)]})

    read = reading_files.read(line.encode(), workspace=policies, by=manager)

    assert len(read.mistakes) == 1


def test_an_erased_document_takes_the_words_of_its_cases_and_results_along(
    policies: Any, questions: Any, evaluated: Any, handbook: Any, manager: Any
) -> None:
    from answers.evaluation import forgetting
    from documents.models import Deletion

    run = evaluated()
    assert run.results.exclude(text="").filter(documents__contains=[handbook.document_id]).exists()
    deletion = Deletion(workspace=policies, document=handbook.document, deleted_by=manager)

    counts = forgetting.erase(deletion, ["25 working days of annual leave"], keeps_answers=False)

    assert counts["evaluation_cases"] == 2
    assert not run.results.exclude(text="").filter(documents__contains=[handbook.document_id]).exists()
    assert not QuestionCase.objects.filter(documents__contains=[handbook.document_id]).exclude(question="").exists()
    questions.refresh_from_db()
    assert {case.code for case in cases_in(questions, questions.version)} == {"approval", "enzyme"}
