"""The news of an answer: resumed where it was left, and never in the way of the answer itself."""

import asyncio
import uuid
from typing import Any

import pytest

from answers import pipeline, questions, streaming
from answers.states import AnswerStatus

QUESTION = "How many days of paid parental leave does the second parent take?"


def _all(answer_id: Any, after: str = "0") -> list[streaming.Event]:
    async def gather() -> list[streaming.Event]:
        return [event async for event in streaming.follow(answer_id, after)]

    return asyncio.run(asyncio.wait_for(gather(), 30))


def test_a_follower_sees_everything_up_to_the_end(policies, handbook, member, answered):
    answer = answered(policies, QUESTION, member)

    events = _all(answer.pk)

    assert events == streaming.read(answer.pk)
    kinds = [kind for _id, kind, _data in events]
    assert kinds[-2:] == ["status", "end"]
    steps = [data["step"] for _id, kind, data in events if kind == "step"]
    assert steps == [step.__name__ for step in pipeline.STEPS]


def test_a_follower_resumes_after_the_last_event_it_saw(policies, handbook, member, answered):
    answer = answered(policies, QUESTION, member)
    events = streaming.read(answer.pk)

    assert _all(answer.pk, after=events[3][0]) == events[4:]
    assert streaming.read(answer.pk, after=events[3][0]) == events[4:]


@pytest.mark.django_db(transaction=True)
def test_a_follower_whose_stream_is_gone_learns_the_end_from_the_row(policies, handbook, member, answered, monkeypatch):
    answer = answered(policies, QUESTION, member)
    streaming._client(_redis_url()).flushdb()
    monkeypatch.setattr(streaming, "BEAT_SECONDS", 0.1)

    assert _all(answer.pk) == [("", "end", {"status": AnswerStatus.ANSWERED})]


@pytest.mark.django_db(transaction=True)
def test_a_follower_of_a_held_answer_hears_a_beat_and_then_the_decision(legal, member, monkeypatch):
    answer = questions.ask(workspace=legal, text=QUESTION, by=member)
    monkeypatch.setattr(streaming, "BEAT_SECONDS", 0.1)

    async def gather() -> list[str]:
        kinds = []
        async for _id, kind, _data in streaming.follow(answer.pk, "0"):
            kinds.append(kind)
            if kind == "beat":
                streaming.append(answer.pk, "end", {"status": "answered_approved"})
        return kinds

    assert asyncio.run(asyncio.wait_for(gather(), 30)) == ["status", "beat", "end"]


def test_a_redis_that_is_gone_loses_the_news_and_not_the_answer(policies, handbook, member, answered, settings, caplog):
    settings.REDIS_URL = "redis://127.0.0.1:9/0"

    answer = answered(policies, QUESTION, member)

    assert answer.status == AnswerStatus.ANSWERED
    assert "was not streamed" in caplog.text
    assert "parental" not in caplog.text


def test_the_status_speaks_the_language_of_the_question():
    assert streaming.status_data("refused_no_evidence", "sr")["sentence"].startswith("Документи")
    assert streaming.status_data("refused_no_evidence", "sr-latn")["sentence"].startswith("Dokumenti")
    assert streaming.status_data("refused_no_evidence", "de")["sentence"].startswith("The documents")


def test_a_stream_is_forgotten_after_a_day():
    answer_id = uuid.uuid4()

    streaming.append(answer_id, "reset", {})

    assert 0 < streaming._client(_redis_url()).ttl(f"answer:{answer_id}") <= streaming.KEPT_SECONDS


def _redis_url() -> str:
    from django.conf import settings

    return settings.REDIS_URL
