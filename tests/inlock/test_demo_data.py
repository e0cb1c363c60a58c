"""The demo's data agrees with itself and with the files beside it."""

from pathlib import Path

import pytest

from answers.rag_templates import built_in
from documents import sandbox
from inlock.demo.make_documents import write_all
from inlock.demo.questions import ACCOUNTS, DOCUMENTS, FOLDER, QUESTIONS, WORKSPACES

SLUGS = {workspace.slug for workspace in WORKSPACES}


def files_below(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def test_every_listed_document_is_there_and_every_file_is_listed():
    listed = {document.path for document in DOCUMENTS}

    assert files_below(FOLDER) == listed


def test_documents_stand_in_the_folder_of_their_workspace():
    for document in DOCUMENTS:
        assert document.workspace in SLUGS
        assert document.path.startswith(f"{document.workspace}/")


def test_demo_files_stay_small():
    total = sum((FOLDER / document.path).stat().st_size for document in DOCUMENTS)

    assert total < 300_000


def test_documents_and_questions_name_only_accounts_of_their_workspace():
    people = {account.username: account.roles for account in ACCOUNTS}

    for document in DOCUMENTS:
        for username in document.restricted_to:
            assert document.workspace in people[username]
    for question in QUESTIONS:
        assert question.workspace in people[question.asked_as]


def test_answers_are_expected_from_documents_the_asker_may_open():
    documents = {document.path: document for document in DOCUMENTS}

    for question in QUESTIONS:
        if question.expect == "refused_no_evidence":
            assert not question.document
            continue
        source = documents[question.document]
        assert source.workspace == question.workspace
        assert not source.restricted_to or question.asked_as in source.restricted_to


def test_the_demo_asks_one_question_of_each_kind():
    policies = {workspace.slug: workspace.policy for workspace in WORKSPACES}

    assert {question.expect for question in QUESTIONS} == {"answered", "refused_no_evidence", "held"}
    for question in QUESTIONS:
        if question.expect == "held":
            assert policies[question.workspace] == "review"


def test_making_the_documents_twice_gives_the_same_bytes(tmp_path):
    first, second = tmp_path / "first", tmp_path / "second"

    write_all(first)
    write_all(second)

    made = files_below(first)
    assert len(made) == 8
    assert made <= files_below(FOLDER)
    for name in made:
        assert (first / name).read_bytes() == (second / name).read_bytes()


@pytest.mark.parametrize("question", [q for q in QUESTIONS if q.document], ids=lambda q: q.document)
def test_the_expected_answer_stands_in_the_document_as_it_is_parsed(question):
    path = FOLDER / question.document

    parsed = sandbox.parse(path, name=path.name)

    assert question.phrase in " ".join(parsed.text.split())


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda d: d.path)
def test_every_demo_document_can_be_read(document):
    path = FOLDER / document.path

    parsed = sandbox.parse(path, name=path.name)

    assert "Velmarin" in parsed.text or document.path.endswith((".csv", ".xlsx"))
    assert parsed.page_count >= 1


def test_the_templates_of_the_demo_are_built_in():
    taken = {code for workspace in WORKSPACES for code in workspace.templates}

    assert taken <= set(built_in.CODES)
    assert taken
