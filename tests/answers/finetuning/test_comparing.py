"""A trained model beside retrieval: what it is asked alone, with whose rights, and what the page makes of it."""

import json
from typing import Any

import pytest

from answers.evaluation import sets
from answers.evaluation.sets import Case
from answers.exceptions import TrainingError
from answers.finetuning import comparing
from answers.models import CaseResult, EvaluationRun, ModelEndpoint, RunState, TuningComparison, Usage
from audit.events import EventType
from audit.models import Event
from documents.access import restriction
from tests.answers.finetuning.scene import a_model_of
from tests.answers.review_scene import a_document
from workspaces import members
from workspaces.exceptions import Hidden
from workspaces.roles import Role

pytestmark = pytest.mark.django_db

MILEAGE, SECRET = "What is the mileage rate?", "What does the sealed envelope say?"


@pytest.fixture
def closed(legal: Any, member: Any, manager: Any) -> Any:
    """A document that its manager gave out of hand."""
    document = a_document(legal, title="Envelope", text="It says yes.").document
    restriction.restrict(document, by=manager)
    restriction.grant(document, member, by=manager)
    return document


@pytest.fixture
def comparison(sealed: Any, legal: Any, manager: Any, chat_server: Any, closed: Any) -> TuningComparison:
    """One that was asked for, of a model that says one thing to everything; its runs are not begun."""
    chat_server.says = "It is forty cents a kilometre."
    made = a_model_of(sealed, manager, url=chat_server.url, model="says")
    asked = sets.create(legal, name="Everyday", by=manager)
    place = {"document": str(closed.pk), "page": None, "quote": ""}
    cases = [
        Case(MILEAGE, "mileage", facts=["forty cents"]),
        Case("Who won the cup?", "cup", must_refuse=True),
        Case(SECRET, "secret", expected=[place]),
    ]
    asked = sets.put(asked, cases, by=manager)
    restriction.revoke_grant(closed, manager, by=manager)
    return comparing.start(made.tuned_by, asked, by=manager)


def done(comparison: TuningComparison) -> TuningComparison:
    comparing.work(comparison.pk)
    comparison.refresh_from_db()
    return comparison


def test_the_model_alone_is_asked_the_question_and_nothing_else_and_no_text_is_kept(comparison, chat_server, manager):
    done(comparison)

    assert [request["messages"][-1]["content"] for request in chat_server.requests] == [MILEAGE, "Who won the cup?"]
    codes = dict(comparison.question_set.cases.values_list("pk", "code"))
    found = {codes[one.case_id]: one for one in comparing.results_of(comparison)}
    mileage, cup, secret = found["mileage"], found["cup"], found["secret"]
    assert (mileage.facts, mileage.refusal_right, cup.refusal_right, secret.outcome) == (1.0, True, False, "closed")
    assert chat_server.says not in json.dumps(comparison.tuned)
    assert (comparison.ended_at is None, comparison.problem) == (False, "")
    assert set(Usage.objects.values_list("purpose", "person")) == {("comparison", manager.pk)}
    assert comparison.retrieval_run.endpoint == comparison.job.endpoint
    assert comparison.hybrid_run.endpoint == comparison.job.result
    told = [event.type for event in Event.objects.filter(object_id=str(comparison.pk)).order_by("seq")]
    assert told == [EventType.TUNING_COMPARE_ASKED, EventType.TUNING_COMPARED]


def test_without_asking_what_is_open_a_closed_question_would_be_sent(comparison, chat_server, monkeypatch):
    monkeypatch.setattr(comparing, "readable", lambda person, rows: rows)

    done(comparison)

    assert SECRET in json.dumps(chat_server.requests)


def test_a_right_that_is_lost_ends_it_before_anything_is_sent(comparison, chat_server, legal, manager, stranger):
    members.add_member(legal, stranger, Role.MANAGER, by=None)
    members.remove_member(legal, manager, Role.MANAGER, by=None)

    done(comparison)

    assert "may not ask questions here" in comparison.problem
    assert chat_server.requests == []


def test_a_retired_model_is_sent_nothing_and_no_other_comparison_begins_meanwhile(
    comparison, chat_server, manager, stranger
):
    with pytest.raises(Hidden):
        comparing.start(comparison.job, comparison.question_set, by=stranger)
    with pytest.raises(TrainingError, match="under way"):
        comparing.start(comparison.job, comparison.question_set, by=manager)
    ModelEndpoint.objects.filter(pk=comparison.job.result_id).update(state="retired")

    assert "retired" in done(comparison).problem

    assert chat_server.requests == []
    with pytest.raises(TrainingError, match="no model"):
        comparing.start(comparison.job, comparison.question_set, by=manager)


def test_a_worker_that_went_away_leaves_what_was_asked_and_the_next_one_goes_on(comparison, chat_server, monkeypatch):
    monkeypatch.setattr(comparing, "SLICE_SECONDS", -1.0)
    assert done(comparison).ended_at is None
    monkeypatch.undo()
    with monkeypatch.context() as patch:
        patch.setattr(comparing, "_ours", lambda held: TuningComparison.objects.none())
        done(comparison)
    assert (comparison.tuned["cases"], comparison.lease_until is None) == ({}, False)
    TuningComparison.objects.filter(pk=comparison.pk).update(lease_until=None)

    assert len(done(comparison).tuned["cases"]) == 3


def test_the_page_puts_three_sides_beside_one_another_with_bars_and_differences(comparison, client_of, manager):
    page = f"/w/legal/fine-tuning/comparisons/{comparison.pk}/"
    assert 'hx-trigger="every 5s"' in client_of(manager).get(page).text
    done(comparison)
    cases = {case.code: case for case in comparison.question_set.cases.all()}
    for run, facts, text in ((comparison.retrieval_run, 0.0, "Of retrieval."), (comparison.hybrid_run, 1.0, "Both.")):
        CaseResult.objects.create(
            run=run, case=cases["mileage"], outcome="answered", facts=facts, refusal_right=True, seconds=2.0, text=text
        )
        EvaluationRun.objects.filter(pk=run.pk).update(state=RunState.DONE, ended_at=comparison.ended_at)

    shown = client_of(manager).get(page)

    rows = {str(row.label): [cell.value for cell in row.cells] for row in shown.context["rows"]}
    assert rows["Key facts"] == ["0 %", "100 %", "100 %"]
    assert rows["Refused and answered rightly"] == ["100 %", "50 %", "100 %"]
    assert [cell.bar for row in shown.context["rows"] if str(row.label) == "Key facts" for cell in row.cells] == [
        0,
        100,
        100,
    ]
    assert [one["side"].code for one in shown.context["differences"]] == ["tuned", "hybrid"]
    assert 'hx-trigger="every 5s"' not in shown.text
    assert MILEAGE not in shown.text
    assert "Of retrieval." not in shown.text
    assert page in client_of(manager).get(f"/w/legal/fine-tuning/jobs/{comparison.job_id}/").text
