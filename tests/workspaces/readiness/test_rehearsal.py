"""What the rehearsal of review walks with the officers there are, and what it says that it left out."""

from typing import Any

import pytest

from answers.models import ModelEndpoint, WorkspaceChecks
from answers.readiness.rehearsal import rehearsal
from audit.events import EventType
from audit.models import Event
from workspaces.classification import Classification
from workspaces.models import User, Workspace
from workspaces.readiness.registry import Found, Scene

#: What every walk leaves in the trail until it is rolled back.
ALWAYS = {
    EventType.DRAFT_ASSIGNED,
    EventType.DRAFT_OPENED,
    EventType.DRAFT_RETURNED,
    EventType.DRAFT_REPLIED,
    EventType.DRAFT_SUBMITTED,
    EventType.DRAFT_APPROVED,
    EventType.DRAFT_REOPENED,
    EventType.DRAFT_REJECTED,
    EventType.DRAFT_TAKEN_BACK,
}


def _walked(sound: Any) -> tuple[Found, list[str]]:
    """What it found, and the events of its steps in their order; a run rolls these back, this test at its end."""
    before = set(Event.objects.values_list("pk", flat=True))
    found = rehearsal(Scene(Workspace.objects.get(pk=sound.workspace.pk)))
    made = Event.objects.exclude(pk__in=before).filter(type__startswith="draft.").order_by("seq")
    return found, list(made.values_list("type", flat=True))


def _keep(sound: Any, officers: int) -> None:
    """Leave that many reviewers."""
    names = [f"reviewer-{number}" for number in range(officers + 1, 4)]
    User.objects.filter(username__in=names).update(is_active=False)


def test_with_three_officers_a_draft_is_edited_alone_and_on_approval(sound: Any) -> None:
    found, events = _walked(sound)

    assert (found.outcome, found.facts["people"]) == ("pass", 3), found
    assert set(events) >= {*ALWAYS, EventType.DRAFT_EDITED}
    # Once returned and edited, once with the approval.
    assert events.count(EventType.DRAFT_EDITED) == 2
    assert events.count(EventType.DRAFT_SUBMITTED) == 2
    assert "edits" not in found.sentence
    assert "they would touch other answers: suspension" in found.sentence


def test_one_officer_submits_after_a_reply_and_does_not_edit(sound: Any) -> None:
    _keep(sound, 1)

    found, events = _walked(sound)

    assert (found.outcome, found.facts["people"]) == ("pass", 1), found
    assert set(events) >= ALWAYS
    assert EventType.DRAFT_EDITED not in events
    assert "nobody would be left to approve: edits" in found.sentence


@pytest.mark.parametrize(("officers", "outcome"), [(2, "pass"), (1, "block")])
def test_where_two_approve_two_officers_are_enough_without_edits(officers: int, outcome: str, sound: Any) -> None:
    Workspace.objects.filter(pk=sound.workspace.pk).update(second_approver_from=Classification.PUBLIC)
    _keep(sound, officers)

    found, events = _walked(sound)

    assert found.outcome == outcome, found
    assert EventType.DRAFT_EDITED not in events
    assert ("nobody would be left" in found.sentence) == (outcome == "pass")


def test_a_judge_is_sent_no_rehearsed_edit(sound: Any) -> None:
    judge = ModelEndpoint.objects.create(name="judge", base_url="http://127.0.0.1:9/v1", model="judge")
    WorkspaceChecks.objects.update_or_create(workspace=sound.workspace, defaults={"judge": judge})

    found, events = _walked(sound)

    assert found.outcome == "pass", found
    assert EventType.DRAFT_EDITED not in events
    assert set(events) >= ALWAYS
    assert "the judge would be sent the text: edits" in found.sentence
