"""Every entry reads as a sentence, whatever it holds."""

from typing import Any

import pytest
from django.utils import translation

from audit import timeline
from audit.events import EventType
from audit.models import Event
from audit.record import record
from documents.reembedding import problems


def test_every_event_type_has_a_sentence() -> None:
    assert set(timeline.SENTENCES) == set(EventType)


@pytest.mark.django_db
@pytest.mark.parametrize("type", EventType)
def test_sentence_can_be_said_without_any_detail(type: EventType) -> None:
    said = timeline.sentence(record(type))

    assert said.endswith(".")
    assert "%(" not in said


def test_sentence_names_person_object_and_details_as_they_were(manager: Any, policies: Any) -> None:
    event = record(EventType.MEMBER_ADDED, on=manager, workspace=policies, by=manager, role="reviewer")

    assert timeline.sentence(event) == "manager gave “manager” the role reviewer."


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("type", "details", "english", "serbian"),
    [
        (
            EventType.SOURCE_RUN_ENDED,
            {"kind": "sync", "state": "held"},
            "A run of the source “–” ended: sync, done, and its removals wait for a person.",
            "Завршен је рад извора „–“: усклађивање, готово, а уклањања чекају нечију одлуку.",
        ),
        (
            EventType.EMBEDDING_STOPPED,
            {"target": "m", "problem": "index"},
            "The change of “–” to m was stopped: the vector index did not answer.",
            "Прелазак простора „–“ на m је заустављен: векторски индекс није одговарао.",
        ),
        (EventType.BULK_ENDED, {"act": "retry"}, "One act on several documents ended: Read again.", None),
        (
            EventType.ANSWER_FAILED,
            {"status": "failed_search"},
            "An answer could not be made: Search unavailable.",
            None,
        ),
        # A code of a later or an earlier day is better told than none.
        (EventType.BULK_ENDED, {"act": "fold"}, "One act on several documents ended: fold.", None),
    ],
    ids=["sync", "stopped", "bulk", "answer", "unknown"],
)
def test_codes_in_an_entry_are_told_in_words(type: EventType, details: Any, english: str, serbian: str | None) -> None:
    event = record(type, **details)

    assert timeline.sentence(event) == english
    with translation.override("sr"):
        said = timeline.sentence(event)
    assert said == serbian if serbian else "%(" not in said


def test_every_reason_for_a_stopped_change_of_the_model_has_words() -> None:
    assert set(timeline.spoken[EventType.EMBEDDING_STOPPED, "problem"]) == set(problems.SENTENCES)


def test_damaged_entry_can_still_be_listed() -> None:
    event = Event(type=EventType.DRAFT_APPROVED, actor_id="1", actor_label="reviewer", body="not json")

    assert timeline.sentence(event) == "reviewer approved a draft."
    assert timeline.reason(event) == ""
