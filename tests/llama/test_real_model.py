"""The door to models against a real one: streaming, stopping, running out of time, counting, a trial, a question."""

import itertools
import time
from typing import Any

import pytest

from answers import governing
from answers.endpoints import try_endpoint
from answers.exceptions import ModelFailed
from answers.governing import Purpose
from answers.models import Usage
from answers.prompts import Prompt
from answers.states import AnswerStatus

STORY = Prompt(
    system="You tell long stories.", question="Tell a long story about a ship.", version="v", template_sha256=""
)


def ask(endpoint: Any, workspace: Any, by: Any, **options: Any) -> Any:
    return governing.ask(
        endpoint, STORY, purpose=Purpose.ANSWER, workspace=workspace, by=by, documents=(), question="", **options
    )


def test_it_streams_word_by_word_and_tells_its_tokens(small, policies, member):
    endpoint = small(max_output_tokens=40, input_price=1, output_price=2)
    arrived: list[str] = []

    with pytest.raises(ModelFailed, match="longer than 40 tokens"):
        arrived.extend(ask(endpoint, policies, member))

    assert len(arrived) > 10
    counted = Usage.objects.get()
    assert (counted.output_tokens, counted.is_estimated) == (40, False)
    assert 10 < counted.input_tokens < 200
    assert counted.cost > 0


def test_a_stop_ends_it_in_the_middle(small, policies, member):
    taken: list[str] = []
    reply = ask(small(max_output_tokens=2000), policies, member, should_stop=lambda: len(taken) >= 5)

    for piece in itertools.islice(reply, 500):
        taken.append(piece)

    assert 5 <= len(taken) < 50


def test_an_answer_that_takes_too_long_is_cut_there(small, policies, member):
    endpoint = small(max_output_tokens=3000, total_seconds=2)
    started = time.monotonic()

    with pytest.raises(ModelFailed) as failed:
        "".join(ask(endpoint, policies, member))

    assert failed.value.status == AnswerStatus.FAILED_MODEL_TIMEOUT
    assert time.monotonic() - started < 30


def test_the_live_test_shows_its_speed_and_what_it_said(small, admin):
    outcome = try_endpoint(small(), by=admin)

    assert outcome.first_word is not None
    assert 0 < outcome.first_word <= outcome.seconds
    assert outcome.sample


def test_a_question_goes_through_the_whole_pipeline_and_nothing_unproven_is_shown(
    small,
    policies,
    handbook,
    member,
    answered,
):
    endpoint = small(max_output_tokens=120)

    answer = answered(policies, "How many days may employees work from home?", member, endpoint=endpoint)

    assert answer.endpoint == endpoint
    # It is too small to be relied on: whatever it says ends in a named way and is shown only if proven.
    assert answer.status not in {AnswerStatus.FAILED_INTERNAL, AnswerStatus.FAILED_MODEL_ERROR, AnswerStatus.WORKING}
    if answer.status == AnswerStatus.ANSWERED:
        assert all(sentence["citations"] for sentence in answer.sentences)
