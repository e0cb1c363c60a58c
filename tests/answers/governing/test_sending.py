"""What the trail says was given to a model was given to it: the entry is written when the prompt goes out."""

import json
from typing import Any

import pytest

from answers.exceptions import ModelFailed, ModelRefused
from answers.governing import Purpose, ask, pace, standing_in
from answers.models import Evidence, Usage
from answers.states import AnswerStatus
from answers.steps.sending import Sending
from audit.events import EventType
from audit.models import Event
from documents import library
from documents.access import restriction
from documents.cards.classifying import classify
from workspaces.endpoints import breaker

QUESTION = "How many days of paid parental leave does the second parent take?"


def _given() -> list[str]:
    entries = Event.objects.filter(type=EventType.EVIDENCE_SENT).order_by("seq")
    return [json.loads(entry.body)["details"]["endpoint"] for entry in entries]


def test_what_the_policy_refused_is_nowhere_said_to_be_given(
    policies, handbook, member, manager, answered, endpoint_of
):
    classify(handbook.document, "confidential", by=manager)

    answer = answered(policies, QUESTION, member, endpoint=endpoint_of("good"))

    assert answer.status == AnswerStatus.REFUSED_MODEL_POLICY
    assert _given() == []


def test_the_entry_names_who_was_given_the_passages_and_nobody_who_was_not(
    policies, handbook, member, manager, answered, endpoint_of
):
    classify(handbook.document, "confidential", by=manager)
    low, ill = endpoint_of("good"), endpoint_of("error", ceiling="restricted")
    high = endpoint_of("paraphrase", ceiling="restricted")
    standing_in.choose(policies, [ill, high], by=manager)

    answered(policies, QUESTION, member, endpoint=low)

    assert _given() == [ill.label, high.label]


@pytest.mark.parametrize("is_asked_again", [True, False], ids=["as it is", "without the look"])
def test_what_is_closed_while_a_busy_server_is_waited_for_is_not_sent_again(
    is_asked_again, policies, handbook, member, manager, answered, endpoint_of, chat_server, monkeypatch
):
    def closed_meanwhile(_seconds: float, _should_stop: Any) -> bool:
        restriction.restrict(handbook.document, by=manager)
        return True

    monkeypatch.setattr(pace, "wait", closed_meanwhile)
    if not is_asked_again:
        monkeypatch.setattr(Sending, "_require_open", lambda self: None)

    answer = answered(policies, QUESTION, member, endpoint=endpoint_of("busy-once"))

    assert answer.status == AnswerStatus.REFUSED_NO_RIGHT
    assert len(chat_server.requests) == (1 if is_asked_again else 2)
    first = Usage.objects.order_by("at").first()
    assert (first.state, first.input_tokens) == ("settled", 0)


def test_what_lies_in_the_bin_still_guards_the_answer_that_says_it(
    policies, handbook, member, manager, answered, endpoint_of, prompt, chat_server
):
    endpoint = endpoint_of("good")
    answer = answered(policies, QUESTION, member, endpoint=endpoint)
    assert Evidence.objects.filter(answer=answer).exists()
    chat_server.requests.clear()
    classify(handbook.document, "restricted", by=manager)
    library.delete(handbook.document, by=manager)

    with pytest.raises(ModelRefused, match="classified higher"):
        "".join(
            ask(
                endpoint,
                prompt("It said so."),
                purpose=Purpose.FOLLOW_UP,
                workspace=policies,
                by=member,
                documents=(),
                answers=(answer.pk,),
            )
        )

    assert chat_server.requests == []


def test_who_asks_is_not_told_how_the_operator_calls_a_key(policies, manager, member, endpoint_of, prompt):
    keyless = endpoint_of("good", key_reference="INLOCK_KEY_GONE")
    standing_in.choose(policies, [endpoint_of("paraphrase")], by=manager)

    reply = ask(
        keyless, prompt("x"), purpose=Purpose.ANSWER, workspace=policies, by=member, documents=(), falls_back=True
    )

    assert "".join(reply)
    assert reply.passed_over[0]["why"] == "endpoint"
    assert "INLOCK_KEY" not in str(reply.passed_over)


def test_what_is_longer_than_a_model_reads_goes_to_the_next_of_the_list(
    policies, manager, member, endpoint_of, prompt, chat_server
):
    short, long = endpoint_of("good", context_tokens=256), endpoint_of("paraphrase", context_tokens=4096)
    standing_in.choose(policies, [long], by=manager)

    reply = ask(
        short,
        prompt("word " * 300),
        purpose=Purpose.ANSWER,
        workspace=policies,
        by=member,
        documents=(),
        falls_back=True,
    )

    assert "".join(reply)
    assert [request["model"] for request in chat_server.requests] == ["paraphrase"]
    assert reply.passed_over[0]["why"] == "length"


def test_prompts_that_a_server_does_not_take_do_not_close_it_to_everybody(policies, member, endpoint_of, prompt):
    endpoint = endpoint_of("refuses-prompts")

    for _time in range(breaker.FAILURES + 1):
        with pytest.raises(ModelFailed):
            "".join(ask(endpoint, prompt("x"), purpose=Purpose.ANSWER, workspace=policies, by=member, documents=()))

    assert breaker.standing(endpoint.pk) == breaker.Standing()


def test_a_busy_server_after_a_rest_is_not_barred_by_who_tried_it(policies, member, endpoint_of, prompt):
    endpoint = endpoint_of("busy-for-long")
    client = breaker.client()
    client.set(breaker._keys(endpoint.pk, "tired")[0], 1, ex=60)

    with pytest.raises(ModelFailed):
        "".join(ask(endpoint, prompt("x"), purpose=Purpose.ANSWER, workspace=policies, by=member, documents=()))

    assert breaker.allows(endpoint.pk, seconds=60)
