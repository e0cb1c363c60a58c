"""Every entry reads as a sentence, whatever it holds."""

from typing import Any

import pytest

from audit import timeline
from audit.events import EventType
from audit.models import Event
from audit.record import record


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


def test_damaged_entry_can_still_be_listed() -> None:
    event = Event(type=EventType.DRAFT_APPROVED, actor_id="1", actor_label="reviewer", body="not json")

    assert timeline.sentence(event) == "reviewer approved a draft."
    assert timeline.reason(event) == ""
