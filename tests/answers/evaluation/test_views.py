"""The pages and the command, as a manager meets them."""

from io import StringIO
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from answers.evaluation import gate, runs, sets
from answers.models import EvaluationRun, GateCandidate, QuestionSet
from audit.events import EventType
from audit.models import Event
from tests.answers.evaluation.conftest import answer, work


def test_a_set_is_made_filled_run_and_compared_on_its_pages(
    client_of: Any, policies: Any, questions: Any, handbook: Any, manager: Any, evaluated: Any
) -> None:
    client, here = client_of(manager), "/w/policies/evaluation"
    before = evaluated()
    made = client.post(f"{here}/new/", {"name": "By hand"}, follow=True)
    assert "By hand" in made.text
    by_hand = QuestionSet.objects.get(name="By hand")
    wrong = client.post(f"{here}/sets/{by_hand.pk}/add/", {"question": "How long?", "documents": "no such file"})
    assert (wrong.status_code, "no such file" in wrong.text) == (400, True)
    added = client.post(
        f"{here}/sets/{by_hand.pk}/add/",
        {"question": "How many days of leave?", "documents": "employee-handbook.md :: 1 :: 25 working days"},
        follow=True,
    )
    assert "25 working days" in added.text
    mistaken = client.post(f"{here}/sets/{by_hand.pk}/import/", {"file": StringIO("id,question\n1,\n")})
    assert (mistaken.status_code, "Line 2:" in mistaken.text) == (400, True)
    taken = client.get(f"{here}/sets/{questions.pk}/file/csv/")
    assert taken["Content-Disposition"].endswith('everyday-questions-2.csv"')
    back = client.post(f"{here}/sets/{by_hand.pk}/import/", {"file": StringIO(taken.text)}, follow=True)
    assert "5 questions in version 3" in back.text

    client.post(f"{here}/sets/{questions.pk}/start/")
    run = EvaluationRun.objects.order_by("-started_at")[0]
    assert "0 of 4 questions are asked" in client.get(f"{here}/runs/{run.pk}/").text
    work(run)
    shown = client.get(f"{here}/runs/{run.pk}/?against={before.pk}")

    assert shown.status_code == 200
    assert "How the two differ" in shown.text
    assert "25 working days of annual leave" in shown.text
    assert Event.objects.filter(type=EventType.EVALUATION_READ, object_id=str(run.pk)).exists()
    assert client.get(f"{here}/").status_code == 200

    again = client.post(f"{here}/runs/{before.pk}/repeat/")
    repeated = EvaluationRun.objects.order_by("-started_at")[0]
    assert again["Location"] == f"{here}/runs/{repeated.pk}/?against={before.pk}"
    assert (repeated.setup_sha256, repeated.cases_sha256) == (before.setup_sha256, before.cases_sha256)
    assert "Both ran with the same." in shown.text


def test_words_and_texts_are_shown_only_to_who_may_open_their_documents(
    client_of: Any, policies: Any, questions: Any, handbook: Any, manager: Any, contributor: Any, evaluated: Any
) -> None:
    from documents.access.restriction import grant, restrict, revoke_grant

    run = evaluated()
    restrict(handbook.document, by=manager)
    grant(handbook.document, contributor, by=manager)
    revoke_grant(handbook.document, manager, by=manager)

    client, here = client_of(manager), "/w/policies/evaluation"
    pages = [
        client.get(f"{here}/runs/{run.pk}/").text,
        client.get(f"{here}/sets/{questions.pk}/").text,
        client.get(f"{here}/sets/{questions.pk}/file/jsonl/").text,
    ]

    for told in pages:
        assert "annual leave" not in told
        assert "25 working days" not in told
        assert "purchases above" in told


def test_the_overview_asks_the_database_no_more_of_many_sets(
    client_of: Any, policies: Any, asked: Any, manager: Any, django_assert_max_num_queries: Any
) -> None:
    client, here = client_of(manager), "/w/policies/evaluation/"
    client.get(here)
    with CaptureQueriesContext(connection) as once:
        client.get(here)
    for number in range(4):
        sets.create(policies, name=f"Another {number}", by=manager)

    with django_assert_max_num_queries(len(once)):
        shown = client.get(here)

    assert "Another 3" in shown.text


def test_a_question_that_was_asked_is_kept_with_what_its_answer_cites(
    client_of: Any, policies: Any, questions: Any, handbook: Any, manager: Any, member: Any, answered: Any
) -> None:
    answer = answered(policies, "How many days of annual leave does an employee have?", manager)
    client = client_of(manager)
    address = f"/w/policies/answers/{answer.pk}/keep-question/"

    assert "Everyday questions" in client.get(address).text
    assert address in client.get(f"/w/policies/answers/{answer.pk}/provenance/").text
    client.post(address, {"question_set": str(questions.pk)})

    kept = questions.cases.get(code=f"q-{str(answer.question_id)[:8]}")
    assert [item["document"] for item in kept.expected] == [str(handbook.document_id)]
    # Its words rest on all that the model was given.
    assert {handbook.document_id} <= set(kept.documents)
    others = answered(policies, "How long is the first parent's leave?", member)
    refused = client.post(f"/w/policies/answers/{others.pk}/keep-question/", {"question_set": str(questions.pk)})
    assert refused.status_code == 404


def test_the_gate_is_set_passed_and_overridden_on_its_pages(
    client_of: Any, policies: Any, asked: Any, manager: Any, second: Any, twin: Any
) -> None:
    client, other = client_of(manager), client_of(second)
    sent = {"enabled": "on", "question_set": str(asked.pk), "limit_refusal": "80", "worse_refusal": "10"}
    assert client.post("/w/policies/settings/gate/", sent).status_code == 302
    client.post("/w/policies/evaluation/gate/propose/", {"change": f"model:{twin.pk}"})
    candidate = GateCandidate.objects.get()
    page = f"/w/policies/evaluation/gate/{candidate.pk}/"
    assert "has not been run" in client.get("/w/policies/evaluation/gate/").text
    client.post(page, {"act": "go_live"})
    client.post(page, {"act": "override", "reason": "Urgent."})
    candidate.refresh_from_db()
    seen = gate.mark_of(candidate)
    assert seen in other.get("/w/policies/evaluation/gate/").text
    client.post(page, {"act": "agree", "seen": seen})
    other.post(page, {"act": "agree", "seen": "something else"})
    candidate.refresh_from_db()
    assert (candidate.state, candidate.override_agreed_by) == ("waiting", None)

    client.post(page, {"act": "run"})
    for run in candidate.runs.all():
        answer(run)
    assert "Go live" in other.get("/w/policies/evaluation/gate/").text
    other.post(page, {"act": "go_live"})

    candidate.refresh_from_db()
    assert (candidate.state, candidate.settled_by) == ("live", second)
    assert "twin" in client.get("/w/policies/evaluation/gate/").text


def test_a_gate_that_is_to_be_easier_waits_on_its_page_for_another_person(
    client_of: Any, policies: Any, gated: Any, asked: Any, manager: Any, second: Any
) -> None:
    client, other, here = client_of(manager), client_of(second), "/w/policies/settings/gate/"
    sent = {"question_set": str(asked.pk), "limit_refusal": "70", "worse_refusal": "10", "limit_facts": "50"}
    without = client.post(here, sent)
    assert (without.status_code, "Give a reason" in without.text) == (400, True)

    client.post(here, sent | {"reason": "Nobody has time in May."})

    assert gate.is_on(policies)
    assert "has to agree" in client.get(here).text
    shown = other.get(here).text
    assert "Nobody has time in May." in shown
    assert "Changes go live without passing anything." in shown
    seen = shown.partition('name="seen" value="')[2].partition('"')[0]
    other.post(f"{here}loosen/", {"act": "agree", "seen": seen})
    assert not gate.is_on(policies)


def test_the_pages_of_settings_say_that_the_gate_holds_and_who_could_loosen_it(
    client_of: Any, policies: Any, gated: Any, manager: Any, twin: Any
) -> None:
    client = client_of(manager)
    for page, sent in (
        ("models", {"default": str(twin.pk), "choices": [str(twin.pk)], "reranker": ""}),
        ("checks", {"strictness": "strict", "judge": ""}),
    ):
        shown = client.post(f"/w/policies/settings/{page}/", sent)

        assert (shown.status_code, "Change gate" in shown.text) == (400, True), page
    assert not GateCandidate.objects.exists()
    assert "Nobody else manages this workspace" in client.get("/w/policies/settings/gate/").text
    # The name that the proposer's language gives it is not there for everybody.
    gate.propose(policies, kind="strictness", target="strict", by=manager)
    client.cookies["django_language"] = "sr-latn"
    assert "Strogost: <bdi>Strogo</bdi>" in client.get("/w/policies/evaluation/gate/").text


@pytest.mark.parametrize("who", ["member", "stranger"])
def test_nobody_else_opens_the_pages(
    client_of: Any, policies: Any, questions: Any, manager: Any, who: str, request: pytest.FixtureRequest
) -> None:
    run, client = runs.start(questions, by=manager), client_of(request.getfixturevalue(who))
    code = 403 if who == "member" else 404
    paths = ["", "gate/", f"sets/{questions.pk}/", f"sets/{questions.pk}/file/csv/", f"runs/{run.pk}/"]

    assert {client.get(f"/w/policies/evaluation/{path}").status_code for path in paths} == {code}
    assert client.post(f"/w/policies/evaluation/runs/{run.pk}/stop/").status_code == code
    assert gate.of(policies) is None
