"""The cockpit's figures are those of the trail, shown to those who run or audit the workspace, at a fixed price."""

import csv
import io
import json
from collections import Counter
from datetime import timedelta
from decimal import Decimal

import pytest
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import override

from answers import review
from answers.chat.feedback import give
from answers.cockpit.figures import _most, cockpit
from answers.gaps import gathering
from answers.models import Answer, Draft, ModelEndpoint, Question, RagTemplate, Spend, TemplateVersion, Usage
from audit.events import EventType
from audit.models import Event
from audit.record import record
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
    row = {
        "workspace": workspace, "person": person, "endpoint_label": f"{name}: m at http://x", "purpose": "answer",
        "day": timezone.localdate(), "input_tokens": 1000, "output_tokens": 200, "cost": cost, "currency": "EUR",
        "open_until": timezone.now(), "state": "settled",
    }  # fmt: skip
    return Usage.objects.create(**row | fields)


@pytest.fixture
def used(policies, handbook, member, contributor, reviewer, answered):
    """A workspace where questions were answered, held, decided and judged."""
    answers = [answered(policies, text, who) for text in QUESTIONS for who in (member, contributor)]
    return policies, answers


def test_the_figures_are_those_of_the_trail_counted_one_by_one(used, member, reviewer):
    workspace, answers = used
    released = next(answer for answer in answers if answer.status == "answered" and answer.asked_by == member)
    give(released, helped=True, by=member)
    gathering.gather()
    entries = list(Event.objects.filter(chain=f"workspace:{workspace.pk}"))
    by_type = Counter(event.type for event in entries)

    found = cockpit(workspace, days=30)

    said, ended = totals(found), figure(found, "endings")
    askers = {event.actor_id for event in entries if event.type == EventType.QUESTION_ASKED}
    assert said["questions"] == by_type[EventType.QUESTION_ASKED] == len(answers)
    assert said["people_7"] == said["people_30"] == len(askers) == 2
    assert said["coverage"] == round(100 * by_type[EventType.ANSWER_RELEASED] / len(answers))
    assert ended["Answered"] == by_type[EventType.ANSWER_RELEASED] > 0
    assert ended["Held for review"] == by_type[EventType.ANSWER_HELD]
    assert ended["Refused"] == by_type[EventType.ANSWER_REFUSED] > 0
    assert ended["Failed"] == by_type[EventType.ANSWER_FAILED] == 0
    assert said["judged"] == by_type[EventType.FEEDBACK_GIVEN] == 1
    assert said["helped"] == 100
    assert sum(figure(found, "gaps").values()) == by_type[EventType.GAP_OPENED] > 0
    assert sum(figure(found, "questions").values()) == said["questions"]
    assert sum(figure(found, "templates").values()) == said["questions"]


def test_what_was_held_failed_and_decided_is_what_the_trail_tells(
    policies, handbook, member, contributor, reviewer, answered, endpoint_of
):
    policies.review_policy = "review"
    policies.save()
    held = [answered(policies, QUESTIONS[0], who) for who in (member, contributor)]
    answered(policies, QUESTIONS[1], member)
    answered(policies, QUESTIONS[0], member, endpoint=endpoint_of("error"))
    review.reject(Draft.objects.get(answer=held[0]), reason="Not ours to answer.", by=reviewer)
    by_type = Counter(Event.objects.filter(chain=f"workspace:{policies.pk}").values_list("type", flat=True))

    found = cockpit(policies)

    said, ended = totals(found), figure(found, "endings")
    assert by_type[EventType.ANSWER_HELD] == 2
    assert ended["Held for review"] == by_type[EventType.ANSWER_HELD] - by_type[EventType.DRAFT_REJECTED] == 1
    assert ended["Failed"] == by_type[EventType.ANSWER_FAILED] == 1
    # What a reviewer rejects is a refusal with an entry of its own.
    assert ended["Refused"] == by_type[EventType.ANSWER_REFUSED] == 2
    assert said["decisions"] == by_type[EventType.DRAFT_REJECTED] == 1
    assert said["waiting"] == ended["Held for review"]
    assert sum(figure(found, "grounding").values()) == by_type[EventType.ANSWER_HELD]
    assert sum(ended.values()) == said["questions"] == by_type[EventType.QUESTION_ASKED] == 4


def test_days_are_told_as_their_reader_writes_them_and_plainly_in_the_table(policies, member, manager, client_of):
    a_held_answer(policies, member)
    client, day = client_of(manager), timezone.localdate()

    told = set()
    for language in ("en", "sr"):
        page = client.get(PAGE, headers={"accept-language": language}).text
        with override(language):
            told.add(date_format(day, "SHORT_DATE_FORMAT"))
            assert f"<bdi>{date_format(day, 'SHORT_DATE_FORMAT')}</bdi>" in page
        assert f"<bdi>{day}</bdi>" not in page
    assert len(told) == 2
    assert f"questions,{day},1" in client.get(f"{PAGE}table.csv").text


def test_decisions_and_what_waits_follow_the_trail_and_the_time_is_that_from_draft_to_decision(
    legal, reviewer, second_reviewer, member
):
    first, second, _third = (a_held_answer(legal, member) for _ in range(3))
    for draft, hours in ((first, 3), (second, 5)):
        Draft.objects.filter(pk=draft.pk).update(created_at=timezone.now() - timedelta(hours=hours))
    before = totals(cockpit(legal))

    review.reject(first, reason="Not ours to answer.", by=reviewer)
    review.reject(second, reason="Not ours to answer.", by=second_reviewer)

    after = totals(cockpit(legal))
    assert (before["waiting"], after["waiting"], before["overdue"]) == (3, 1, 0)
    assert after["decisions"] == Event.objects.filter(type=EventType.DRAFT_REJECTED).count() == 2
    assert before["review_time"] is None
    assert round(after["review_time"] / timedelta(hours=1)) == 4
    # Whoever decides is active as well as whoever asks.
    assert after["people_7"] - before["people_7"] == 2


def test_what_failed_or_was_stopped_is_not_called_covered(policies, member):
    def ended(status):
        asked = Question.objects.create(workspace=policies, asked_by=member, text="?")
        Answer.objects.create(
            question=asked, workspace=policies, asked_by=member, status=status, ended_at=timezone.now()
        )

    for status in ("failed_search", "stopped_by_asker", "refused_no_right"):
        ended(status)
    assert totals(cockpit(policies))["coverage"] is None

    ended("refused_no_evidence")
    ended("refused_by_reviewer")

    assert totals(cockpit(policies))["coverage"] == 50


def test_costs_are_those_of_the_ledger_by_model_and_currency_and_only_what_was_counted(policies, legal, member):
    spend(policies, member, "dear", Decimal("1.25"))
    spend(policies, member, "dear", Decimal("0.75"))
    spend(policies, member, "dear", None)
    spend(policies, member, "dear", Decimal("9"), state="open")
    spend(policies, member, "abroad", Decimal("3"), currency="USD")
    spend(policies, member, "unpriced", None)
    spend(legal, member, "elsewhere", Decimal("5"))

    found = cockpit(policies)

    assert figure(found, "costs") == {"dear: m": Decimal(2), "abroad: m": Decimal(3), "unpriced: m": None}
    told = [bar.told for one in found.figures if one.code == "costs" for bar in one.bars]
    assert told == [
        "3.00 USD · calls: 1 · tokens: 1,200",
        "2.00 EUR · calls: 3, of them without a price: 1 · tokens: 3,600",
        "no price known · calls: 1 · tokens: 1,200",
    ]
    assert figure(cockpit(None), "costs")["elsewhere: m"] == Decimal(5)


def test_a_call_to_a_model_costs_here_what_the_budget_counted(policies, member, endpoint_of, answered, handbook):
    endpoint = endpoint_of("counts", input_price=Decimal(100), output_price=Decimal(300))

    answered(policies, QUESTIONS[0], member, endpoint=endpoint)

    counted = Spend.objects.get(workspace=policies, person=None, period="day")
    assert counted.cost > 0
    assert sum(figure(cockpit(policies), "costs").values()) == counted.cost


def test_nothing_is_missing_from_a_whole_with_many_parts():
    counted = {f"template {n:02}": 100 - n for n in range(20)}

    lines = _most(counted)

    assert len(lines) == 12
    assert lines[-1][0] == "9 others"
    assert sum(number for _name, number in lines) == sum(counted.values())


def test_from_outside_no_name_is_told_that_a_workspace_gave(policies, member, manager, admin, client_of):
    made = RagTemplate.objects.create(workspace=policies, code="mine", created_by=manager)
    version = TemplateVersion.objects.create(
        template=made, number=1, name="Takeover of Oplenac", purpose="?", made_by=manager, sha256="4" * 64
    )
    RagTemplate.objects.filter(pk=made.pk).update(current=version)
    asked = Question.objects.create(workspace=policies, asked_by=member, text="?")
    Answer.objects.create(
        question=asked, workspace=policies, asked_by=member, status="stopped_by_asker", ended_at=timezone.now(),
        template=version,
    )  # fmt: skip

    assert figure(cockpit(policies), "templates") == {"Takeover of Oplenac": 1}
    for address in ("/cockpit/", "/cockpit/?workspace=policies", "/cockpit/table.csv"):
        shown = client_of(admin).get(address).content.decode()
        assert "Oplenac" not in shown
        assert "Written in workspaces" in shown


def test_one_template_or_model_is_told_apart_and_what_cannot_be_told_of_it_is_left_out(used, manager, client_of):
    workspace, answers = used
    model = answers[0].endpoint_id
    Answer.objects.filter(pk=answers[0].pk).update(endpoint=None)
    client, page = client_of(manager), f"/w/{workspace.slug}/cockpit/"

    shown = [
        client.get(page, {"model": chosen}).context["cockpit"] for chosen in ("", str(model), "0" * 8, workspace.pk)
    ]
    by_template = client.get(page, {"template": "knowledge", "days": 7})
    table = client.get(f"{page}table.csv", {"model": model}).content.decode()

    all_of_it, of_the_model = totals(shown[0]), totals(shown[1])
    assert (all_of_it["questions"], of_the_model["questions"]) == (len(answers), len(answers) - 1)
    assert sum(figure(shown[1], "endings").values()) == sum(figure(shown[0], "endings").values()) - 1
    assert sum(figure(shown[1], "questions").values()) == len(answers) - 1
    assert set(all_of_it) - set(of_the_model) == {"examined", "examined_waiting", "examined_overdue"}
    assert {one.code for one in shown[0].figures} - {one.code for one in shown[1].figures} == {
        "costs",
        "gaps",
        "documents",
    }
    # What is not offered chooses nothing.
    assert [totals(one) for one in shown[2:]] == [all_of_it] * 2
    assert totals(by_template.context["cockpit"])["questions"] == len(answers)
    assert "days=30&amp;template=knowledge" in by_template.content.decode()
    assert f"total,questions,{len(answers) - 1}" in table
    assert str(model) in Event.objects.get(type=EventType.COCKPIT_EXPORTED).body


@pytest.fixture
def two_used(used, legal, member, manager):
    """Two workspaces; a template of ours and one of their own besides the built-in way to answer, and two models."""
    policies, answers = used
    for workspace, code, built_in, name in (
        (policies, "contract_risk", "contract_risk", "Contract terms"),
        (legal, "contract_risk", "contract_risk", "What they call it here"),
        (legal, "knowledge", "knowledge", "Our way to answer"),
        (legal, "mine", "", "Takeover of Oplenac"),
    ):
        made = RagTemplate.objects.create(workspace=workspace, code=code, built_in=built_in, created_by=manager)
        version = TemplateVersion.objects.create(
            template=made, number=1, name=name, purpose="?", made_by=manager, sha256="4" * 64
        )
        RagTemplate.objects.filter(pk=made.pk).update(current=version)
        asked = Question.objects.create(workspace=workspace, asked_by=member, text="?")
        answer = Answer.objects.create(
            question=asked, workspace=workspace, asked_by=member, status="stopped_by_asker", ended_at=timezone.now(),
            template=version, endpoint=None,
        )  # fmt: skip
        record(EventType.QUESTION_ASKED, on=answer, workspace=workspace, by=member, template=code)
        record(
            EventType.ANSWER_STOPPED, on=answer, workspace=workspace, by=member, status=answer.status,
            question=asked.pk,
        )  # fmt: skip
    return policies, legal, answers


def test_of_the_installation_one_template_or_model_is_told_as_the_trail_tells_it(two_used, admin, client_of):
    policies, legal, answers = two_used
    model = answers[0].endpoint_id
    client = client_of(admin)

    def shown(**chosen):
        return client.get("/cockpit/", chosen).context["cockpit"]

    found = {code: shown(template=code) for code in ("knowledge", "contract_risk", "own")}
    every, of_the_model = shown(), shown(model=str(model))
    of_both, of_one = shown(template="knowledge", model=str(model)), shown(template="contract_risk", workspace="legal")

    # What the trail says was asked, by the template it names; of a workspace's own the code that it chose.
    entries = [json.loads(one.body)["details"] for one in Event.objects.filter(type=EventType.QUESTION_ASKED)]
    by_template = Counter(one.get("template", "knowledge").replace("mine", "own") for one in entries)
    assert {code: totals(one)["questions"] for code, one in found.items()} == dict(by_template)
    assert by_template == {"knowledge": len(answers) + 1, "contract_risk": 2, "own": 1}
    assert sum(totals(one)["questions"] for one in found.values()) == totals(every)["questions"] == len(entries)
    for code in ("endings", "workspaces", "questions"):
        parts = Counter()
        for one in found.values():
            parts.update(figure(one, code))
        assert +parts == +Counter(figure(every, code)), code
    assert figure(found["contract_risk"], "workspaces") == {policies.name: 1, legal.name: 1}
    assert totals(of_the_model)["questions"] == totals(of_both)["questions"] == len(answers)
    assert totals(of_one)["questions"] == 1
    assert "costs" not in {one.code for one in of_the_model.figures}


def test_what_the_installation_offers_to_choose_bears_no_name_that_a_workspace_gave(two_used, admin, client_of):
    client = client_of(admin)
    page = client.get("/cockpit/?template=own&days=7")
    table = client.get("/cockpit/table.csv?template=own").content.decode()
    # From outside a template is known by its code; by its number it is not offered.
    theirs = RagTemplate.objects.get(code="mine")
    not_offered = client.get("/cockpit/", {"template": theirs.pk}).context["cockpit"]

    shown = page.content.decode()
    assert "Oplenac" not in shown
    assert "What they call it here" not in shown
    assert '<option value="own" selected>Written in workspaces' in shown
    assert "days=30&amp;template=own" in shown
    assert "total,questions,1" in table
    assert '"template":"own"' in Event.objects.get(type=EventType.COCKPIT_EXPORTED).body
    assert totals(not_offered) == totals(client.get("/cockpit/").context["cockpit"])


def test_the_number_of_queries_does_not_depend_on_what_there_is(policies, used, django_assert_num_queries):
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    with CaptureQueriesContext(connection) as asked:
        cockpit(policies)

    assert len(asked) <= 17
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
    assert "Legal as it is seen" in client_of(admin).get("/cockpit/?workspace=legal").content.decode()
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
