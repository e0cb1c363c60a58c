"""The provenance page tells how an answer came about, as far as its reader's rights go; prompts are for reviewers."""

from decimal import Decimal
from typing import Any

import pytest
from django.urls import reverse

from answers.models import Answer, Usage
from answers.provenance.page import cost_of, happenings, steps_of
from audit.events import EventType
from audit.models import Event
from documents.models import Document

QUESTION = "How many days of paid parental leave does the second parent take?"


@pytest.fixture
def answer(handbook: Any, policies: Any, member: Any, answered: Any) -> Answer:
    return answered(policies, QUESTION, member)


def page(client: Any, answer: Answer, name: str = "provenance") -> Any:
    return client.get(reverse(f"answers:{name}", args=[answer.workspace.slug, answer.pk]))


def test_the_asker_reads_steps_entries_and_no_prompt(answer, member, client_of):
    shown = page(client_of(member), answer).content.decode()

    assert "Checked every quotation against its source" in shown
    assert "passages were authorised once more" in shown or "passage was authorised once more" in shown
    assert "not told by the model" in shown
    assert "A question was asked." in shown
    assert "Prompt and output" not in shown
    assert "Replays" not in shown
    assert page(client_of(member), answer, "exchange").status_code == 403


def test_a_reviewer_reads_the_very_prompt_and_the_output_and_that_leaves_an_entry(answer, reviewer, client_of):
    client = client_of(reviewer)
    assert "Prompt and output" in page(client, answer).content.decode()

    shown = page(client, answer, "exchange").content.decode()

    assert "byte for byte" in shown
    assert "&lt;source number=" in shown
    assert QUESTION in shown
    entry = Event.objects.get(type=EventType.EXCHANGE_READ)
    assert answer.prompt_sha256 in entry.body


def test_a_prompt_that_is_not_what_was_sent_is_said_to_be_another(answer, reviewer, client_of):
    Document.objects.update(title="Another title")

    assert "Its hash is not that of what was sent" in page(client_of(reviewer), answer, "exchange").content.decode()


def test_a_reviewer_who_asked_and_one_without_a_source_see_no_prompt(answer, reviewer, stranger, client_of):
    assert page(client_of(stranger), answer, "exchange").status_code == 404
    Answer.objects.filter(pk=answer.pk).update(asked_by=reviewer)
    assert page(client_of(reviewer), answer, "exchange").status_code == 403
    Document.objects.update(restricted=True)

    assert page(client_of(reviewer), answer, "exchange").status_code == 403
    assert not Event.objects.filter(type=EventType.EXCHANGE_READ).exists()


def test_whoever_a_text_is_closed_to_is_told_no_step_of_it(answer, member, client_of):
    Document.objects.update(restricted=True)

    shown = page(client_of(member), answer).content.decode()

    assert "Checked every quotation against its source" in shown
    assert "Citations that held" not in shown
    # How near the closed passages are to the question is something of their text.
    assert all(name not in shown for name in answer.evidence.first().scores)


def test_steps_are_those_of_the_attempt_that_ended_it():
    run = {"outcome": "done", "seconds": 0.1, "detail": {"citations": 2, "dropped": 1}}
    record = {
        "steps": [
            {**run, "attempt": 1, "step": "cite"},
            {**run, "attempt": 2, "step": "cite"},
            {**run, "attempt": 2, "step": "ground", "outcome": "failed_internal", "detail": {}},
        ]
    }

    lines = steps_of(record, told=True)

    assert [(line.step, line.is_done, line.outcome) for line in lines] == [
        ("cite", True, ""),
        ("ground", False, "Internal fault"),
    ]
    assert lines[0].said == ["Citations that held: 2; dropped: 1."]
    assert steps_of(record, told=False)[0].said == []


def test_alike_entries_that_follow_each_other_are_one_line(answer, member, client_of):
    for _look in range(3):
        page(client_of(member), answer)

    events = Event.objects.filter(object_id=str(answer.pk)).order_by("seq")
    lines = happenings(events)

    assert sum(line.count for line in lines) == events.count()
    assert lines[-1].count >= 3
    assert lines[-1].label == "A person read an answer."


def test_tokens_are_told_where_the_model_tells_them(handbook, policies, member, answered, endpoint_of, client_of):
    counted = answered(policies, QUESTION, member, endpoint=endpoint_of("counts"))

    shown = page(client_of(member), counted).content.decode()

    assert "321 read, 17 written" in shown
    assert "not told by the model" not in shown


def test_the_cost_is_what_was_counted_for_the_answer_and_not_for_its_replays(
    handbook, policies, member, answered, endpoint_of, client_of
):
    prices = {"input_price": Decimal(10_000), "output_price": Decimal(30_000)}
    counted = answered(policies, QUESTION, member, endpoint=endpoint_of("counts", **prices))
    [call] = Usage.objects.filter(answer=counted)
    assert call.cost == Decimal("3.72")

    replayed = Usage.objects.get(pk=call.pk)
    replayed.pk, replayed.purpose = None, "replay"
    replayed.save(force_insert=True)
    checked = Usage.objects.get(pk=call.pk)
    checked.pk, checked.purpose, checked.cost = None, "judge", Decimal("0.28")
    checked.save(force_insert=True)

    assert "<dd>4 EUR</dd>" in page(client_of(member), counted).content.decode()


def test_without_a_price_the_cost_is_not_known_and_quoting_costs_nothing(
    answer, policies, member, answered, endpoint_of, client_of
):
    unpriced = answered(policies, QUESTION, member, endpoint=endpoint_of("counts"))

    assert (cost_of(unpriced), cost_of(answer)) == ("not known", "nothing")
    assert "<dd>nothing</dd>" in page(client_of(member), answer).content.decode()


@pytest.mark.parametrize("language", ["en", "sr"])
def test_what_is_kept_as_codes_is_told_in_words(answer, reviewer, client_of, language):
    client = client_of(reviewer)
    client.cookies["django_language"] = language

    shown = page(client, answer).content.decode()

    for code in ("ask_questions", "open_documents", ">open<", "cosine", "· policy<"):
        assert code not in shown
    assert ("ask questions and read" in shown) == (language == "en")
    assert ("A question was asked." in shown) == (language == "en")
