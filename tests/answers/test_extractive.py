"""The built-in model quotes, and invents nothing."""

import re
import uuid
from types import SimpleNamespace
from typing import Any

import pytest

from answers.extractive import ExtractiveChat, choose
from documents.embedding import multilingual
from documents.embedding.vector_space import ANY_LANGUAGE, Remote, Space
from documents.embeddings import built_in

HANDBOOK = """Parental leave

The first parent takes 16 weeks of paid parental leave. The second parent takes 20 working days of paid
parental leave within six months of the birth.

Working from home

• Employees may work from home three days a week
• The desk at home is checked once a year"""

LIMITS = """Role: Team lead | Approval limit: EUR 2,000
Role: Department head | Approval limit: EUR 15,000"""


def source(number: int, text: str, language: str = "en", title: str = "Handbook") -> Any:
    return SimpleNamespace(number=number, title=title, locator="page 1", text=text, language=language)


def test_the_sentence_that_answers_is_quoted_with_its_source():
    chosen = choose("How long is the parental leave of the second parent?", [source(1, LIMITS), source(2, HANDBOOK)])

    assert (
        2,
        "The second parent takes 20 working days of paid parental leave within six months of the birth.",
    ) in chosen


def test_everything_it_says_stands_in_the_evidence():
    evidence = [source(1, HANDBOOK), source(2, LIMITS)]

    chosen = choose("Who may work from home, and what may a department head approve?", evidence)

    texts = {s.number: " ".join(s.text.split()) for s in evidence}
    assert chosen
    assert all(sentence in texts[number] for number, sentence in chosen)


def test_a_row_of_a_table_and_an_item_of_a_list_count_as_sentences():
    assert choose("What is the approval limit of a department head?", [source(1, LIMITS)]) == [
        (1, "Role: Department head | Approval limit: EUR 15,000")
    ]
    assert choose("How many days a week may I work from home?", [source(1, HANDBOOK)])[0] == (
        1,
        "Employees may work from home three days a week",
    )


def test_a_heading_is_never_an_answer():
    assert all(
        sentence not in {"Parental leave", "Working from home"}
        for question in ("Parental leave?", "Working from home?")
        for _number, sentence in choose(question, [source(1, HANDBOOK)])
    )


def test_the_same_sentence_in_two_documents_is_said_once():
    chosen = choose("What is the limit of a department head?", [source(1, LIMITS), source(2, LIMITS)])

    assert len(chosen) == 1


def test_serbian_in_one_script_is_answered_from_the_other():
    rules = "Обука за виљушкаристе траје 16 часова. Обућа се замењује једном годишње."

    chosen = choose("Koliko časova traje obuka za viljuškariste?", [source(1, rules, "sr", "Правилник")])

    assert chosen == [(1, "Обука за виљушкаристе траје 16 часова.")]


@pytest.mark.skipif(not multilingual.is_installed(), reason="wants the extra “multilingual”: make multilingual")
@pytest.mark.parametrize(
    ("question", "rules"),
    [
        ("How long is the training of forklift drivers?",
         source(1, "Обућа се замењује једном годишње. Обука за виљушкаристе траје 16 часова.", "sr", "Правилник")),
        ("Колико траје обука возача виљушкара?",
         source(1, "Shoes are replaced once a year. Training for forklift drivers takes 16 hours.", "en", "Rules")),
    ],
)  # fmt: skip
def test_across_languages_the_model_that_reads_both_chooses_the_sentence(question, rules):
    assert choose(question, [rules]) == []

    chosen = choose(question, [rules], space=lambda: built_in()[1])

    assert chosen[0][1] in rules.text
    assert "16" in chosen[0][1]
    assert len(chosen) == 1


def test_no_sentence_travels_to_a_server_to_be_chosen():
    rules = source(1, "Обућа се замењује једном годишње.", "sr", "Правилник")
    remote = Remote(uuid.uuid4(), "ours", "http://127.0.0.1:9", "e5")
    space = Space("ours", "0" * 16, 384, floor=0.8, languages=frozenset({ANY_LANGUAGE}), remote=remote)

    assert choose("How often are shoes replaced?", [rules], space=lambda: space) == []


def test_a_number_in_brackets_in_a_document_does_not_become_a_citation():
    chosen = choose("What does the study show?", [source(1, "The study [12] shows that wool is warm.")])

    assert chosen == [(1, "The study (12) shows that wool is warm.")]


def test_without_a_shared_word_or_evidence_it_says_so():
    from langchain_core.messages import HumanMessage

    question = HumanMessage("?", additional_kwargs={"question": "Why?", "evidence": []})

    assert ExtractiveChat().invoke([question]).content == "NO_EVIDENCE"


def test_it_streams_a_sentence_at_a_time_and_ends_each_with_its_mark():
    from langchain_core.messages import HumanMessage

    material = {"question": "Who takes parental leave?", "evidence": [source(3, HANDBOOK)]}
    chunks = [chunk.content for chunk in ExtractiveChat().stream([HumanMessage("", additional_kwargs=material)])]

    assert all(re.search(r"\[3\]$", chunk) for chunk in chunks if chunk)


@pytest.mark.parametrize(
    "footer",
    [
        "Parental leave of the second parent, a handbook for everybody - Page 1",
        "Handbook on parental leave for the second parent | Page 2 of 2",
        "правилник о родитељском одсуству за све запослене страна 1 од 2",
    ],
)
def test_the_footer_of_a_page_is_never_quoted(footer):
    sentence = "The second parent takes 20 working days, see page 4."
    evidence = [source(1, f"{sentence}\n\n{footer}")]

    quoted = choose("What parental leave does the second parent take? родитељско одсуство запослене", evidence)

    assert quoted == [(1, sentence)]
