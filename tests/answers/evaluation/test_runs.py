"""A run asks every question of its set once, with the rights of who started it, and survives its worker."""

from threading import Event as ThreadEvent
from time import sleep
from typing import Any

import pytest
from django.apps import apps
from django.db.models.functions import Now

from answers.evaluation import runs, sets, trial, working
from answers.evaluation.querysets import cases_in
from answers.evaluation.sets import Case, sha256_of
from answers.exceptions import EvaluationError
from answers.models import CaseResult, EvaluationRun, RunState
from audit.events import EventType
from audit.models import Event
from tests.answers.evaluation.conftest import work
from tests.threads import threads
from workspaces.exceptions import Forbidden, Hidden
from workspaces.models import Notification
from workspaces.places import Places


def test_a_run_measures_what_people_would_get_and_names_all_it_ran_with(evaluated: Any, questions: Any) -> None:
    run = evaluated()

    results = {result.case.code: result for result in run.results.select_related("case")}
    assert run.state == RunState.DONE, run.problem
    assert run.cases_sha256 == sha256_of(cases_in(questions, 2))
    assert {code: result.outcome for code, result in results.items()} == {
        "leave": "answered",
        "parental": "answered",
        "approval": "answered",
        "enzyme": "refused_no_evidence",
    }
    assert (results["leave"].recall, results["leave"].facts, results["leave"].grounding) == (1.0, 1.0, 1.0)
    assert "25 working days" in results["leave"].text
    assert run.figures["refusal"]["value"] == 1.0
    assert 0 < run.figures["refusal"]["low"] < 1.0
    assert run.figures["counts"] == {"cases": 4, "answered": 3, "refused": 1, "closed": 0, "faults": 0}
    assert {"model", "space", "template", "prompt", "strictness", "judge", "reranker", "surroundings"} <= set(run.setup)
    ended = Event.objects.filter(type=EventType.EVALUATION_ENDED).get()
    assert ended.object_id == str(run.pk)


def test_nothing_of_a_run_is_an_answer_for_anybody(evaluated: Any, questions: Any, policies: Any) -> None:
    from answers.gaps import gathering
    from answers.reuse import offering

    kept = {"EvaluationRun", "CaseResult"}
    models = [model for model in apps.get_app_config("answers").get_models() if model.__name__ not in kept]
    before = {model: model.objects.count() for model in models}
    told = Notification.objects.count()

    evaluated()
    gathering.gather()
    offering.take_up()

    assert CaseResult.objects.count() == 4
    assert {model: model.objects.count() for model in models} == before
    assert Notification.objects.count() == told


def test_a_run_goes_on_where_its_killed_worker_was(
    evaluated: Any, questions: Any, manager: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = runs.start(questions, by=manager)
    asked: list[str] = []
    attempt = trial.attempt

    def killed_at_the_third(state: Any) -> Any:
        asked.append(state.question)
        if len(asked) == 3:
            raise KeyboardInterrupt
        return attempt(state)

    monkeypatch.setattr(trial, "attempt", killed_at_the_third)
    with pytest.raises(KeyboardInterrupt):
        working.work(run.pk)
    assert run.results.count() == 2
    # As if it had been killed: the lease stands until it runs out.
    EvaluationRun.objects.filter(pk=run.pk).update(lease_until=Now())

    work(run)

    run.refresh_from_db()
    assert (run.state, run.results.count(), run.attempt) == (RunState.DONE, 4, 2)
    assert len(asked) == 5


def test_a_case_that_kills_its_worker_three_times_ends_the_run(questions: Any, manager: Any) -> None:
    run = runs.start(questions, by=manager)
    # A lease that stands is a worker that died.
    EvaluationRun.objects.filter(pk=run.pk).update(
        state=RunState.WORKING, lease_until=Now(), deaths=working.MOST_DEATHS - 1
    )

    work(run)

    run.refresh_from_db()

    assert run.state == RunState.FAILED
    assert "Three attempts" in run.problem


def test_a_stopped_run_writes_nothing_more_and_can_be_gone_on_with(
    questions: Any, manager: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = runs.start(questions, by=manager)
    attempt, count = trial.attempt, []

    def stopped_meanwhile(state: Any) -> Any:
        count.append(1)
        if len(count) == 2:
            runs.stop(run, by=manager)
        return attempt(state)

    monkeypatch.setattr(trial, "attempt", stopped_meanwhile)
    assert not working.work(run.pk)
    run.refresh_from_db()
    assert (run.state, run.results.count()) == (RunState.STOPPED, 1)
    with pytest.raises(EvaluationError):
        runs.stop(run, by=manager)
    monkeypatch.setattr(trial, "attempt", attempt)

    runs.resume(run, by=manager)
    work(run)

    run.refresh_from_db()
    assert (run.state, run.results.count()) == (RunState.DONE, 4)


def test_a_document_that_is_closed_to_who_started_the_run_closes_its_case(
    policies: Any, questions: Any, evaluated: Any, handbook: Any, manager: Any, contributor: Any
) -> None:
    from documents.access.restriction import grant, restrict, revoke_grant

    restrict(handbook.document, by=manager)
    grant(handbook.document, contributor, by=manager)
    revoke_grant(handbook.document, manager, by=manager)

    run = evaluated()

    closed = run.results.filter(outcome="closed").values_list("case__code", flat=True)
    assert sorted(closed) == ["leave", "parental"]
    assert run.figures["counts"]["closed"] == 2
    assert not run.results.filter(documents__contains=[handbook.document_id]).exists()


def test_a_run_ends_when_its_starter_may_not_ask_any_more_or_its_model_was_changed(
    policies: Any, questions: Any, manager: Any, make_user: Any
) -> None:
    from answers.checks import settings as checks
    from workspaces.members import add_member, remove_member

    changed = runs.start(questions, by=manager)
    checks.choose(policies, strictness="strict", judge=None, by=manager)
    work(changed)
    left = runs.start(questions, by=manager)
    add_member(policies, make_user("second-manager"), "manager", by=None)
    remove_member(policies, manager, "manager", by=None)
    work(left)

    changed.refresh_from_db()
    left.refresh_from_db()
    assert (changed.state, left.state) == (RunState.FAILED, RunState.FAILED)
    assert "was changed" in changed.problem
    assert not left.results.exists()


def test_only_who_manages_starts_runs_and_only_the_starter_goes_on(
    policies: Any, questions: Any, manager: Any, member: Any, stranger: Any, make_user: Any
) -> None:
    from workspaces.members import add_member

    second = make_user("second-manager")
    add_member(policies, second, "manager", by=None)
    for outsider in (member, stranger):
        with pytest.raises(Hidden):
            runs.start(questions, by=outsider)
    run = runs.start(questions, by=manager)
    runs.stop(run, by=second)
    with pytest.raises(Forbidden):
        runs.resume(run, by=second)
    with pytest.raises(EvaluationError):
        runs.start(sets.create(policies, name="Empty", by=manager), by=manager)


def test_two_runs_are_under_way_at_most(questions: Any, manager: Any) -> None:
    runs.start(questions, by=manager)
    runs.start(questions, by=manager)

    with pytest.raises(EvaluationError):
        runs.start(questions, by=manager)


def test_a_changed_case_is_another_version_and_a_run_keeps_its_own(
    evaluated: Any, questions: Any, manager: Any
) -> None:
    run = evaluated()
    case = Case("Who approves purchases up to EUR 2,000?", "approval", facts=["team lead"])

    changed = sets.put(questions, [case], by=manager)
    again = sets.put(questions, [case], by=manager)

    assert (changed.version, again.version) == (3, 3)
    assert sha256_of(cases_in(questions, run.set_version)) == run.cases_sha256
    assert [one.question for one in cases_in(questions, 3) if one.code == "approval"] == [case.question]
    sets.remove(questions, ["enzyme"], by=manager)
    assert "enzyme" not in {one.code for one in cases_in(questions, 4)}


def test_a_run_gives_its_place_on_after_each_question_while_somebody_waits_for_one(
    asked: Any, manager: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    places = Places(1)
    monkeypatch.setattr(working, "PLACES", places)
    run = runs.start(asked, by=manager)
    came = ThreadEvent()

    def wait_for_a_place() -> None:
        with places.taken():
            came.set()

    with threads(60) as start:
        with places.taken():
            start(wait_for_a_place)
            while not places.waiting:
                sleep(0.01)
            # It is this thread's place, and somebody waits.
            assert working.work(run.pk)
            assert run.results.count() == 1
        assert came.wait(60)

    assert not working.work(run.pk)
    assert run.results.count() == 4
