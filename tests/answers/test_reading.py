"""Who reads what of an answer, and what its record says it stands on."""

import hashlib
import json

import pytest
from django.core.serializers.json import DjangoJSONEncoder

from answers import reading, review
from answers.citations import marks
from answers.provenance import record as provenance
from answers.states import AnswerStatus
from audit.chain import digest
from audit.events import EventType
from audit.models import Event
from documents.access.restriction import restrict
from tests.answers import library
from workspaces.exceptions import Forbidden, Hidden

QUESTION = "How many days of paid parental leave does the second parent take?"


def test_the_asker_reads_text_and_citations_and_the_trail_knows(policies, handbook, member, answered):
    answer = answered(policies, QUESTION, member)

    seen = reading.read(answer, by=member)

    assert seen.text == answer.released_text
    assert [citation.number for citation in seen.citations] == marks.numbers(seen.text)
    assert seen.sentences[0].grounding == 1.0
    assert Event.objects.get(type=EventType.ANSWER_READ).actor_id == str(member.pk)


def test_nobody_else_in_the_workspace_knows_of_the_answer(policies, handbook, member, contributor, stranger, answered):
    answer = answered(policies, QUESTION, member)

    for person in (contributor, stranger):
        with pytest.raises(Hidden):
            reading.read(answer, by=person)


def test_a_released_text_is_withheld_once_a_source_is_closed_to_the_asker(
    policies, handbook, member, manager, answered
):
    answer = answered(policies, QUESTION, member)
    restrict(handbook.document, by=manager)

    seen = reading.read(answer, by=member)

    assert (seen.text, seen.citations, seen.is_withheld) == ("", (), True)


def test_a_held_answer_has_no_text_for_its_asker(legal, member, answered):
    library.add_document(legal, "employee-handbook.md", library.HANDBOOK)
    answer = answered(legal, QUESTION, member)

    seen = reading.read(answer, by=member)

    assert (seen.text, seen.sentences, seen.citations) == ("", (), ())
    assert seen.status.family == "held"
    assert "text" in reading.as_document(seen)
    assert "working days" not in json.dumps(reading.as_document(seen))


def test_a_reviewer_inspects_a_held_text_and_the_trail_knows_which(legal, member, reviewer, answered):
    library.add_document(legal, "employee-handbook.md", library.HANDBOOK)
    answer = answered(legal, QUESTION, member)

    assert reading.inspect(answer, by=reviewer) == answer.text

    entry = Event.objects.get(type=EventType.ANSWER_READ)
    assert (entry.object_id, entry.actor_id) == (str(answer.pk), str(reviewer.pk))
    assert digest(answer.text) in entry.body


def test_nobody_but_a_reviewer_inspects_an_answer(legal, member, manager, stranger, answered):
    library.add_document(legal, "employee-handbook.md", library.HANDBOOK)
    answer = answered(legal, QUESTION, member)

    with pytest.raises(Forbidden):
        reading.inspect(answer, by=member)
    for person in (manager, stranger):
        with pytest.raises((Hidden, Forbidden)):
            reading.inspect(answer, by=person)

    assert not Event.objects.filter(type=EventType.ANSWER_READ).exists()


def test_an_edited_text_shows_only_the_citations_it_kept_and_is_measured_again(
    legal, member, reviewer, second_reviewer, answered
):
    library.add_document(legal, "employee-handbook.md", library.HANDBOOK)
    answer = answered(legal, "What leave do the first and the second parent take, and when is it requested?", member)
    assert answer.citations.count() >= 2
    edited = "The first parent takes 16 weeks of paid parental leave, and dogs bark. [1]"
    draft = review.edit(answer.draft, text=edited, by=reviewer)
    review.approve(draft, by=second_reviewer, seen_sha256=digest(edited))
    answer.refresh_from_db()

    seen = reading.read(answer, by=member)

    assert answer.status == AnswerStatus.ANSWERED_APPROVED
    assert seen.text == edited
    assert [citation.number for citation in seen.citations] == [1]
    assert 0 < seen.sentences[0].grounding < 1


def test_the_record_says_everything_the_answer_stands_on(policies, handbook, member, answered):
    answer = answered(policies, QUESTION, member)

    record = provenance.record_of(answer)

    json.dumps(record, cls=DjangoJSONEncoder)
    assert record["question"]["sha256"] == digest(QUESTION)
    assert "ask_questions" in record["asker"]["rights"]
    assert record["prompt"]["version"] == "answer-1"
    assert len(record["prompt"]["sha256"]) == len(record["prompt"]["template_sha256"]) == 64
    assert record["model"]["output_sha256"] == digest(answer.raw_output)
    assert [row["rank"] for row in record["evidence"]] == list(range(1, len(record["evidence"]) + 1))
    first = record["evidence"][0]
    assert first["sha256"] == hashlib.sha256(handbook.text[first["start"] : first["end"]].encode()).hexdigest()
    assert first["scores"]["score"] > 0
    assert [row["number"] for row in record["citations"]] == marks.numbers(answer.text)
    citation = record["citations"][0]
    assert citation["version"]["sha256"] == handbook.sha256
    assert record["release"] == {
        "at": answer.released_at,
        "by": "policy",
        "sha256": digest(answer.released_text),
        "is_as_written": True,
    }


def test_the_record_of_a_refusal_says_how_far_it_came(policies, handbook, member, answered):
    record = provenance.record_of(answered(policies, "Which visa do I need for New Zealand?", member))

    assert record["release"] is None
    assert record["citations"] == record["evidence"] == []
    assert record["steps"][-1]["outcome"] == "refused_no_evidence"
