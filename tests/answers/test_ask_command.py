"""`ask` on a terminal: the document it prints, and the exit code it ends with."""

import json
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from answers.models import Question
from tests.answers import library

QUESTION = "How many days of paid parental leave does the second parent take?"
OFF_TOPIC = "Which visa do I need for New Zealand?"

pytestmark = pytest.mark.django_db(transaction=True)


def run(*arguments: str) -> tuple[int, Any]:
    """The exit code and the JSON document of `ask`."""
    out, code = StringIO(), 0
    try:
        call_command("ask", *arguments, "--json", stdout=out)
    except SystemExit as ended:
        code = int(ended.code or 0)
    return code, json.loads(out.getvalue())


def test_an_answer_comes_with_everything_it_stands_on(policies, handbook, member):
    code, document = run("policies", QUESTION, "--as", "member")

    assert code == 0
    assert document["status"] == "answered"
    assert "20 working days" in document["text"]
    citation = document["citations"][0]
    assert set(citation) >= {"n", "document", "version", "sha256", "page", "quote", "start", "end", "url"}
    assert (citation["n"], citation["document"]) == (1, "employee-handbook.md")
    assert handbook.text[citation["start"] : citation["end"]] == citation["quote"]
    assert citation["url"].startswith(f"/w/policies/documents/{handbook.document_id}/?version={handbook.pk}")
    assert document["sentences"][0]["grounding"] == 1.0
    assert document["model"] == "built-in"
    steps = ["scope", "understand", "reuse", "retrieve", "compose", "cite", "ground", "route"]
    assert list(document["seconds"]) == steps


def test_a_refusal_exits_with_one_and_a_sentence(policies, handbook, member):
    code, document = run("policies", OFF_TOPIC, "--as", "member")

    assert code == 1
    assert (document["status"], document["text"], document["citations"]) == ("refused_no_evidence", "", [])
    assert document["sentence"].startswith("The documents open to you")


def test_a_held_answer_exits_with_zero_and_has_no_text(legal, member):
    library.add_document(legal, "employee-handbook.md", library.HANDBOOK)

    code, document = run("legal", QUESTION, "--as", "member")

    assert code == 0
    assert (document["status"], document["text"]) == ("held_for_review", "")


def test_a_file_of_questions_is_answered_in_order(policies, handbook, member, tmp_path):
    file = tmp_path / "questions.jsonl"
    lines = [{"id": "a", "text": QUESTION}, {"_id": "b", "text": OFF_TOPIC}]
    file.write_text("\n".join(map(json.dumps, lines)))

    code, documents = run("policies", "--questions", str(file), "--as", "member")

    assert code == 1
    assert [(d["id"], d["status"]) for d in documents] == [("a", "answered"), ("b", "refused_no_evidence")]


def test_a_file_with_a_mistake_asks_nothing(policies, member, tmp_path):
    file = tmp_path / "questions.jsonl"
    file.write_text(json.dumps({"id": "a", "text": QUESTION}) + "\nnot json")

    with pytest.raises(CommandError, match="line 2") as refused:
        call_command("ask", "policies", "--questions", str(file), "--as", "member")

    assert refused.value.returncode == 2
    assert not Question.objects.exists()


def test_a_person_reads_the_answer_and_its_sources(policies, handbook, member):
    out = StringIO()

    call_command("ask", "policies", QUESTION, "--as", "member", stdout=out)

    assert "20 working days" in out.getvalue()
    assert "[1] Employee handbook" in out.getvalue()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("policies", "--as", "member"), "one question"),
        (("nowhere", QUESTION, "--as", "member"), "nothing here"),
        (("policies", QUESTION, "--as", "stranger"), "nothing here"),
        (("policies", QUESTION, "--as", "auditor"), "role does not allow"),
        (("policies", QUESTION, "--as", "nobody"), "no active account"),
        (("policies", QUESTION, "--as", "member", "--model", "gpt-9"), "offers: built-in"),
        (("policies", "--questions", "/nowhere.jsonl", "--as", "member"), "cannot be read"),
        (("policies", " ", "--as", "member"), "Write a question"),
    ],
)
def test_bad_usage_exits_with_two_and_one_line(arguments, said, policies, member, stranger):
    with pytest.raises(CommandError, match=said) as refused:
        call_command("ask", *arguments)

    assert refused.value.returncode == 2
    assert "\n" not in str(refused.value)
