"""Draft review from another program and from a terminal: the same rights, the same release, the same entries."""

import json
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command

from answers.models import Examination
from answers.tasks import examine_draft
from audit.events import EventType
from audit.models import Event
from documents.access import restriction
from tests.answers.draft_review.conftest import DRAFT
from workspaces.models import ReviewPolicy
from workspaces.roles import Action

SENT = {"title": "Leave rules", "text": DRAFT}


def test_a_program_brings_a_draft_and_reads_what_was_found_as_far_as_its_token_goes(
    policies: Any,
    handbook: Any,
    member: Any,
    manager: Any,
    program: Any,
) -> None:
    ours, narrow = program(member, policies), program(member, policies)
    narrow.token.actions = [Action.ENTER, Action.ASK]
    narrow.token.save()

    taken = ours.post("workspaces/policies/examinations", SENT)
    place = taken["Location"].removeprefix("/api/v1/")
    examine_draft(taken.json()["examination_id"])
    found, seen = ours.get(place).json(), narrow.get(place).json()

    assert (taken.status_code, taken.json()["findings"]) == (202, [])
    assert found["state"] == "released"
    conflict = next(one for one in found["findings"] if one["category"] == "conflict")
    assert DRAFT[conflict["start"] : conflict["end"]] == conflict["words"] == "30"
    assert "20 working days" in conflict["quote"]
    # A token that may open no document is told of nothing that rests on one.
    assert {one["document"] for one in seen["findings"]} == {None}
    assert Event.objects.filter(type=EventType.EXAMINATION_READ).count() == 2
    assert narrow.post("workspaces/policies/examinations", SENT).status_code == 403
    assert ours.post("workspaces/policies/examinations", SENT | {"classification": "secret"}).status_code == 400
    restriction.restrict(handbook.document, by=manager)
    assert "20 working days" not in json.dumps(ours.get(place).json())


def test_what_is_held_is_read_by_nobodys_program(
    policies: Any,
    handbook: Any,
    member: Any,
    manager: Any,
    program: Any,
    examined: Any,
) -> None:
    policies.review_policy = ReviewPolicy.REVIEW
    policies.save()
    held = examined(member)

    assert program(member, policies).get(f"examinations/{held.pk}").json()["findings"] == []
    assert program(manager, policies).get(f"examinations/{held.pk}").status_code == 404


@pytest.mark.django_db(transaction=True)
def test_a_terminal_examines_a_file_and_prints_what_was_found(
    policies: Any, handbook: Any, member: Any, tmp_path: Any
) -> None:
    (tmp_path / "leave.md").write_text(DRAFT, encoding="utf-8")
    out = StringIO()

    call_command("examine", "policies", str(tmp_path / "leave.md"), "--as", "member", "--json", stdout=out)

    told = json.loads(out.getvalue())
    assert (told["state"], told["examination_id"]) == ("released", str(Examination.objects.get().pk))
    assert "20 working days" in next(one["quote"] for one in told["findings"] if one["category"] == "conflict")
