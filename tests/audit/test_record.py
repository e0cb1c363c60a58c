"""An entry is written in the transaction of its act, says who and what, and carries nothing it should not."""

import json
from typing import Any

import pytest
from django.db import transaction

from audit import chain, context
from audit.events import EventType
from audit.exceptions import AuditError
from audit.models import ChainHead, Event
from audit.record import SYSTEM, Entry, record, record_all
from audit.verification import verify
from workspaces.models import User, Workspace

pytestmark = pytest.mark.django_db


def body_of(event: Event) -> dict[str, Any]:
    return json.loads(Event.objects.get(pk=event.pk).body)


def test_entry_names_the_person_the_object_and_the_details(manager: User, policies: Workspace) -> None:
    event = record(EventType.MEMBER_ADDED, on=manager, workspace=policies, by=manager, reason="New.", role="member")

    body = body_of(event)
    assert (body["actor_id"], body["actor_label"]) == (str(manager.pk), "manager")
    assert (body["object_type"], body["object_id"]) == ("workspaces.user", str(manager.pk))
    assert body["details"] == {"role": "member"}
    assert body["reason"] == "New."
    assert body["chain"] == chain.workspace_chain(policies.pk)


def test_entry_without_a_workspace_goes_to_the_platforms_chain(manager: User) -> None:
    assert record(EventType.USER_CHANGED, on=manager).chain == chain.PLATFORM


def test_entry_takes_person_request_and_reason_from_who_is_acting(manager: User) -> None:
    with context.acting(manager, request_id="r-1", reason="Because."):
        event = record(EventType.TRAIL_READ)

    assert (event.actor_id, event.request_id) == (str(manager.pk), "r-1")
    assert body_of(event)["reason"] == "Because."


def test_entry_of_nobody_is_the_systems() -> None:
    event = record(EventType.INDEX_REBUILT)

    assert (event.actor_id, event.actor_label) == ("", SYSTEM)


def test_type_outside_the_vocabulary_is_an_error() -> None:
    with pytest.raises(AuditError, match="not an event type"):
        record("document.eaten")  # type: ignore[arg-type]


@pytest.mark.parametrize("value", [0.5, [1, {"deep": 2.5}]])
def test_floating_point_detail_is_an_error(value: object) -> None:
    with pytest.raises(AuditError, match="floating-point"):
        record(EventType.SEARCHED, score=value)


def test_entries_of_one_act_are_consecutive(policies: Workspace) -> None:
    first, second = record_all(
        [Entry(EventType.DRAFT_APPROVED), Entry(EventType.ANSWER_RELEASED)], workspace=policies.pk
    )

    assert second.seq == first.seq + 1
    assert second.prev_hash == first.hash


def test_entry_that_would_not_be_part_of_an_act_is_refused(transactional_db: None) -> None:
    with pytest.raises(AuditError, match="in the transaction"):
        record(EventType.TRAIL_READ)


def test_entry_goes_with_its_act_when_the_act_is_rolled_back(manager: User) -> None:
    before = Event.objects.count()

    with transaction.atomic():
        record(EventType.USER_CHANGED, on=manager)
        transaction.set_rollback(True)

    assert Event.objects.count() == before
    assert verify(chain.PLATFORM).holds


def test_time_never_runs_backwards_inside_a_chain(monkeypatch: pytest.MonkeyPatch) -> None:
    first = record(EventType.TRAIL_READ)
    earlier = first.at.replace(year=first.at.year - 1)
    monkeypatch.setattr("audit.chain.timezone.now", lambda: earlier)

    second = record(EventType.TRAIL_READ)

    assert second.at == first.at
    assert verify(chain.PLATFORM).holds


def test_labels_of_any_script_and_length_are_stored_and_verify(manager: User) -> None:
    manager.username = "Ђорђе‮ 👩‍⚖️ " + "x" * 120
    record(EventType.USER_CHANGED, on=manager, by=manager, name='\u0000\u2028 "quoted" \\')

    assert verify(chain.PLATFORM).holds


def test_head_moves_with_its_chain_and_chains_do_not_share_numbers(policies: Workspace, legal: Workspace) -> None:
    one, two = chain.workspace_chain(policies.pk), chain.workspace_chain(legal.pk)
    before = ChainHead.objects.get(chain=two).seq

    event = record(EventType.SEARCHED, workspace=policies)

    assert ChainHead.objects.get(chain=one).seq == event.seq
    assert ChainHead.objects.get(chain=two).seq == before
