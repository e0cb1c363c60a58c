"""The cockpit's figures are those of the trail, shown to those who run or audit the workspace, at a fixed price."""

import csv
import io
from collections import Counter
from decimal import Decimal

import pytest
from django.utils import timezone

from answers import review
from answers.cockpit.figures import cockpit
from answers.feedback import give
from answers.models import ModelEndpoint, Usage
from audit.events import EventType
from audit.models import Event
from tests.answers.review_scene import a_held_answer

PAGE = "/w/policies/cockpit/"
QUESTIONS = (
    "How many weeks of paid parental leave does the first parent take?",
    "Which penguins juggle marmalade on the moon?",
)


def totals(found):
    return {total.code: total.number for total in found.totals}


def figure(found, code):
    return {bar.label: bar.number for one in found.figures if one.code == code for bar in one.bars}


def spend(workspace, person, name, cost, **fields):
    return Usage.objects.create(
        workspace=workspace, person=person, endpoint_label=f"{name}: m at http://x", purpose="answer",
        day=timezone.localdate(), input_tokens=1000, output_tokens=200, cost=cost, currency="EUR",
        open_until=timezone.now(), **({"state": "settled"} | fields),
    )  # fmt: skip


@pytest.fixture
def used(policies, handbook, member, contributor, reviewer, answered):
    """A workspace where questions were answered, held, decided and judged."""
    answers = [answered(policies, text, who) for text in QUESTIONS for who in (member, contributor)]
    return policies, answers


def test_the_figures_are_those_of_the_trail_counted_one_by_one(used, member, reviewer):
    workspace, answers = used
    released = next(answer for answer in answers if answer.status == "answered" and answer.asked_by == member)
    give(released, helped=True, by=member)
    entries = list(Event.objects.filter(chain=f"workspace:{workspace.pk}"))
    by_type = Counter(event.type for event in entries)

    found = cockpit(workspace, days=30)

    said, ended = totals(found), figure(found, "endings")
    askers = {event.actor_id for event in entries if event.type == EventType.QUESTION_ASKED}
    assert said["questions"] == by_type[EventType.QUESTION_ASKED] == len(answers)
    assert said["people_7"] == said["people_30"] == len(askers) == 2
    assert ended["Answered"] == by_type[EventType.ANSWER_RELEASED] > 0
    assert ended["Held for review"] == by_type[EventType.ANSWER_HELD]
    assert ended["Refused"] == by_type[EventType.ANSWER_REFUSED] > 0
    assert ended["Failed"] == by_type[EventType.ANSWER_FAILED] == 0
    assert said["helped"] == 100 * by_type[EventType.FEEDBACK_GIVEN]
    assert sum(figure(found, "questions").values()) == said["questions"]
    assert sum(figure(found, "templates").values()) == said["questions"]


def test_time_to_review_and_what_waits_follow_the_decisions(legal, reviewer, member):
    first, _second = a_held_answer(legal, member), a_held_answer(legal, member)
    before = totals(cockpit(legal))

    review.reject(first, reason="Not ours to answer.", by=reviewer)

    after = totals(cockpit(legal))
    assert (before["waiting"], after["waiting"], before["overdue"]) == (2, 1, 0)
    assert before["review_time"] is None
    assert after["review_time"] is not None


def test_costs_are_told_by_model_and_only_what_was_counted(policies, legal, member):
    spend(policies, member, "dear", Decimal("1.25"))
    spend(policies, member, "dear", Decimal("0.75"))
    spend(policies, member, "dear", Decimal("9"), state="open")
    spend(policies, member, "unpriced", None)
    spend(legal, member, "elsewhere", Decimal("5"))

    found = cockpit(policies)

    assert figure(found, "costs") == {"dear: m": Decimal(2), "unpriced: m": None}
    assert figure(cockpit(None), "costs")["elsewhere: m"] == Decimal(5)


def test_the_number_of_queries_does_not_depend_on_what_there_is(policies, used, django_assert_num_queries):
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    with CaptureQueriesContext(connection) as asked:
        cockpit(policies)

    assert len(asked) <= 12
    with django_assert_num_queries(len(asked)):
        cockpit(policies, days=365)


def test_those_who_run_or_audit_a_workspace_see_it_and_nobody_else(
    policies, manager, auditor, member, reviewer, contributor, stranger, client_of
):
    for who, status in (
        (manager, 200),
        (auditor, 200),
        (member, 403),
        (reviewer, 403),
        (contributor, 403),
        (stranger, 404),
    ):
        for page in (PAGE, f"{PAGE}table.csv"):
            assert client_of(who).get(page).status_code == status, (who, page)
    assert PAGE in client_of(auditor).get(PAGE).content.decode()


def test_the_installation_is_seen_by_its_administrators_alone(policies, legal, admin, manager, member, client_of):
    shown = client_of(admin).get("/cockpit/").content.decode()

    assert "All workspaces together" in shown
    for who in (manager, member):
        assert client_of(who).get("/cockpit/").status_code == 403
        assert client_of(who).get("/cockpit/table.csv").status_code == 403


def test_nobody_is_named_and_no_question_is_shown(used, manager, client_of, member):
    answers = used[1]

    shown = client_of(manager).get(PAGE).content.decode()

    main = shown[shown.index("<main") :]
    assert member.username not in main
    assert not any(answer.question.text in shown for answer in answers)


def test_the_table_holds_the_same_figures_and_no_cell_that_a_spreadsheet_runs(policies, member, manager, client_of):
    spend(policies, member, "=HYPERLINK(1)", Decimal("1"))

    told = client_of(manager).get(f"{PAGE}table.csv?days=7")

    rows = list(csv.reader(io.StringIO(told.content.decode())))
    assert rows[0] == ["figure", "what", "number"]
    assert not any(cell[:1] in tuple("=+-@\t\r") and not cell.lstrip("-").isdigit() for row in rows for cell in row)
    entry = Event.objects.get(type=EventType.COCKPIT_EXPORTED)
    assert '"days":7' in entry.body
    assert ModelEndpoint.objects.exists()
