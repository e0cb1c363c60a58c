"""A change goes live when its run passed, or when two people say so; there is no way around."""

from typing import Any

import pytest

from answers import endpoints, pipeline
from answers.checks import settings as checks
from answers.evaluation import gate, kinds, sets, standing, terms, verdict
from answers.evaluation.figures import Metric
from answers.evaluation.sets import Case
from answers.evaluation.thresholds import Threshold
from answers.exceptions import EvaluationError, GateHolds, ModelRefused
from answers.governing import Purpose, policy, standing_in
from answers.models import CandidateState, EvaluationRun, ModelEndpoint, RunState, WorkspaceChecks, WorkspaceModels
from answers.steps.state import Outcome
from audit.events import EventType
from audit.models import Event
from documents.models import Passage, RerankEndpoint
from documents.reembedding import steering
from documents.reembedding.problems import ReembeddingError
from documents.reranking import endpoints as rerank_endpoints
from documents.reranking import rerankers as reranking
from tests.answers import library
from tests.answers.evaluation.conftest import answer, work
from tests.endpoints_in_use import in_use
from workspaces.endpoints import states as endpoint_states
from workspaces.exceptions import Forbidden, Hidden
from workspaces.models import Workspace


def proposed(policies: Any, endpoint: Any, by: Any) -> Any:
    return gate.propose(policies, kind="model", target=str(endpoint.pk), by=by)


def passed(candidate: Any, by: Any, right: int = 4) -> Any:
    """The candidate, run with so many right answers of four, beside what is live with all four."""
    for run in gate.run(candidate, by=by):
        answer(run, right=4 if run.replaced else right)
    return candidate


def became(workspace: Any, strictness: str) -> None:
    """As another change did that passed meanwhile."""
    WorkspaceChecks.objects.update_or_create(workspace=workspace, defaults={"strictness": strictness})


def default_of(workspace: Any) -> str:
    return str(WorkspaceModels.objects.get(workspace=workspace).default_endpoint.name)


def test_a_model_stays_a_candidate_until_its_run_passes(
    policies: Any, questions: Any, twin: Any, manager: Any, second: Any
) -> None:
    """With the real pipeline, from the proposal to the answer's model."""
    limits = [Threshold(Metric.REFUSAL, 0.8, worse_by=0.1), Threshold(Metric.RECALL, 0.5)]
    asked = terms.choose(policies, enabled=True, question_set=questions, thresholds=limits, by=manager)
    with pytest.raises(GateHolds):
        endpoints.choose_models(policies, default=twin, by=manager)
    candidate = proposed(policies, twin, manager)
    with pytest.raises(GateHolds, match="not been run"):
        gate.go_live(candidate, by=manager)

    started = gate.run(candidate, by=manager)
    for run in started:
        work(run)
        run.refresh_from_db()

    assert [(run.state, run.replaced) for run in started] == [(RunState.DONE, False), (RunState.DONE, True)]
    found = verdict.of(candidate, asked)
    assert found.passed, found.missing
    assert {(check.threshold.metric, check.asks) for check in found.checks} == {
        (Metric.REFUSAL, "limit"),
        (Metric.REFUSAL, "worse"),
        (Metric.RECALL, "limit"),
    }
    assert default_of(policies) == "built-in"
    gate.go_live(candidate, by=second)
    candidate.refresh_from_db()
    assert (candidate.state, default_of(policies)) == (CandidateState.LIVE, "twin")
    assert Event.objects.filter(type=EventType.GATE_LIVE, actor_id=str(second.pk)).count() == 1


def test_what_passed_counts_only_while_nothing_differs(policies: Any, gated: Any, twin: Any, manager: Any) -> None:
    candidate = passed(proposed(policies, twin, manager), manager)
    assert verdict.of(candidate, gated).passed

    became(policies, "strict")
    assert not verdict.of(candidate, gated).passed
    with pytest.raises(GateHolds):
        gate.go_live(candidate, by=manager)
    became(policies, "balanced")
    assert verdict.of(candidate, gated).passed


def test_a_run_that_reaches_too_little_or_left_questions_out_does_not_pass(
    policies: Any, gated: Any, twin: Any, manager: Any, subtests: Any
) -> None:
    candidate = proposed(policies, twin, manager)
    candidate_run, live_run = gate.run(candidate, by=manager)
    answer(live_run)
    for right, outcome, why in (
        (2, "answered", "at least 70.0\xa0%"),
        (3, "answered", "differs by −25.0\xa0%"),
        (4, "closed", "closed to who started"),
        (4, "failed_model_error", "ended in a fault"),
    ):
        with subtests.test(why):
            candidate_run.results.all().delete()
            answer(candidate_run, right=right, outcome=outcome)

            assert any(why in sentence for sentence in verdict.of(candidate, gated).missing)
            with pytest.raises(GateHolds):
                gate.go_live(candidate, by=manager)
    assert default_of(policies) == "built-in"


def test_few_questions_do_not_pass_where_the_worse_end_counts(
    policies: Any, asked: Any, twin: Any, manager: Any
) -> None:
    high = [Threshold(Metric.FACTS, 0.99, by_bound=True)]
    stored = terms.choose(policies, enabled=True, question_set=asked, thresholds=high, by=manager)
    candidate = passed(proposed(policies, twin, manager), manager)

    assert "at least 99.0\xa0%" in verdict.of(candidate, stored).missing[0]


def test_an_override_needs_a_reason_and_a_second_person(
    policies: Any, gated: Any, twin: Any, manager: Any, second: Any, member: Any
) -> None:
    candidate = proposed(policies, twin, manager)
    with pytest.raises(EvaluationError):
        gate.ask_override(candidate, reason="  ", by=manager)
    with pytest.raises(EvaluationError):
        gate.agree(candidate, seen="", by=second)
    gate.ask_override(candidate, reason="The old model is switched off today.", by=manager)
    candidate.refresh_from_db()
    seen = gate.mark_of(candidate)
    with pytest.raises(Forbidden):
        gate.agree(candidate, seen=seen, by=manager)
    with pytest.raises(Hidden):
        gate.agree(candidate, seen=seen, by=member)
    with pytest.raises(GateHolds):
        gate.go_live(candidate, by=manager)

    gate.agree(candidate, seen=seen, by=second)

    candidate.refresh_from_db()
    assert (candidate.state, default_of(policies)) == (CandidateState.LIVE, "twin")
    overridden = Event.objects.get(type=EventType.GATE_OVERRIDDEN)
    assert (overridden.actor_id, "switched off today" in overridden.body) == (str(second.pk), True)


def test_an_override_is_of_exactly_what_was_looked_at(
    policies: Any, gated: Any, twin: Any, manager: Any, second: Any
) -> None:
    candidate = proposed(policies, twin, manager)
    gate.ask_override(candidate, reason="Needed today.", by=manager)
    candidate.refresh_from_db()
    seen = gate.mark_of(candidate)
    became(policies, "lenient")
    with pytest.raises(EvaluationError, match="changed since"):
        gate.agree(candidate, seen=seen, by=second)

    # Who reads one reason does not agree to another one that came meanwhile.
    gate.ask_override(candidate, reason="Because I say so.", by=manager)
    with pytest.raises(EvaluationError, match="since you read it"):
        gate.agree(candidate, seen=seen, by=second)

    assert default_of(policies) == "built-in"


# --- Ways around --------------------------------------------------------------------------------------------


def test_without_the_gate_at_the_verb_a_model_would_go_live_at_once(
    policies: Any, gated: Any, twin: Any, manager: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The protection is that line: taken away, the leak is there."""
    monkeypatch.setattr(endpoints, "before_choice", [])

    endpoints.choose_models(policies, default=twin, by=manager)

    assert default_of(policies) == "twin"


def test_a_gate_keeps_the_model_that_answers_when_the_installation_chooses_another(
    policies: Any, gated: Any, twin: Any
) -> None:
    assert default_of(policies) == "built-in"


def test_a_model_that_people_may_choose_or_that_stands_in_has_to_pass_as_well(
    policies: Any, gated: Any, twin: Any, manager: Any
) -> None:
    with pytest.raises(GateHolds):
        endpoints.choose_models(policies, default=endpoints.built_in(), choices=[twin], by=manager)
    with pytest.raises(GateHolds):
        standing_in.choose(policies, [twin], by=manager)
    candidate = passed(proposed(policies, twin, manager), manager)

    standing_in.choose(policies, [twin], by=manager)

    candidate.refresh_from_db()
    assert (candidate.state, default_of(policies)) == (CandidateState.LIVE, "built-in")


@pytest.fixture
def built(policies: Any, manager: Any) -> Any:
    """A change to another embedding space that is ready to be switched to."""
    from documents.embedding.spaces import row_of
    from documents.embeddings import default_space
    from documents.models import EmbeddingSpace, SpaceMigration
    from documents.states import MigrationState

    policies.refresh_from_db()
    target = EmbeddingSpace.objects.create(fingerprint="f" * 16, name="other", dimension=8)
    figures = {"passages": 0, "reused": 0, "tokens": 0, "money": "", "currency": "", "above_ceiling": 0, "seconds": 0}
    return SpaceMigration.objects.create(
        workspace=policies,
        source=row_of(default_space()),
        target=target,
        state=MigrationState.READY,
        estimate=figures,
        planned_by=manager,
        covered_revision=policies.index_revision,
    )


def test_an_embedding_space_has_to_pass_on_its_way_there_back_and_there_again(
    policies: Any, gated: Any, built: Any, manager: Any
) -> None:
    def through(name: str) -> None:
        candidate = gate.propose(policies, kind="space", target=str(built.pk), by=manager)
        assert candidate.label == name
        gate.go_live(passed(candidate, manager), by=manager)
        built.refresh_from_db()

    for verb, name, state in (
        (steering.switch, "minilm-l6-int8 → other", "switched"),
        (steering.roll_back, "other → minilm-l6-int8", "rolled_back"),
        (steering.switch, "minilm-l6-int8 → other", "switched"),
    ):
        with pytest.raises(ReembeddingError, match="change gate"):
            verb(built, by=manager)
        through(name)
        assert built.state == state


def test_without_the_gate_at_the_verb_a_space_would_be_gone_back_to_at_once(
    policies: Any, gated: Any, built: Any, manager: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(steering, "before_switch", [])

    assert steering.roll_back(steering.switch(built, by=manager), by=manager).state == "rolled_back"


def test_every_kind_of_change_that_the_rule_names_is_known() -> None:
    assert {kind.code for kind in kinds.every()} >= {"model", "space", "template"}


def test_strictness_judge_and_reranker_have_to_pass_and_are_run_as_they_would_be(
    policies: Any, manager: Any, admin: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They decide which questions are answered and which sentences stand."""
    questions = sets.create(policies, name="One question", by=manager)
    sets.put(questions, [Case("Who holds key 1?", "q1", facts=["Nobody"])], by=manager)
    limits = [Threshold(Metric.REFUSAL, 0.1)]
    terms.choose(policies, enabled=True, question_set=questions, thresholds=limits, by=manager)
    made = ModelEndpoint(name="judge", model="small", base_url="http://127.0.0.1:9/v1", ceiling="restricted")
    judge = in_use(endpoints.save_endpoint(made, by=admin), by=admin)
    orderer = RerankEndpoint(name="order", protocol="cohere", base_url="http://127.0.0.1:9/v1", model="small")
    in_use(rerank_endpoints.save_endpoint(orderer, by=admin), by=admin)
    seen: list[tuple[str, str, str]] = []

    def retrieve(state: Any) -> Outcome:
        checks_there = state.trial.checks
        reranker = state.trial.reranker(state.workspace)
        judged_by = checks_there.judge.name if checks_there.judge else ""
        seen.append((checks_there.strictness, judged_by, rerank_endpoints.name_of(reranker)))
        return Outcome()

    monkeypatch.setattr(pipeline, "STEPS", (retrieve,))
    held = [
        lambda: checks.choose(policies, strictness="strict", judge=None, by=manager),
        lambda: checks.choose(policies, strictness="strict", judge=judge, by=manager),
        lambda: checks.choose(policies, strictness="balanced", judge=judge, by=manager),
        lambda: rerank_endpoints.choose(policies, "order", by=manager),
        lambda: endpoints.choose_models(policies, default=endpoints.built_in(), reranker="order", by=manager),
    ]
    for act in held:
        with pytest.raises(GateHolds):
            act()

    for kind, target, asked_with, live in (
        ("strictness", "strict", ("strict", "", ""), ("strict", "", "")),
        ("judge", str(judge.pk), ("strict", "judge", ""), ("strict", "judge", "")),
        ("reranker", "order", ("strict", "judge", "order"), ("strict", "judge", "order")),
        ("judge", "none", ("strict", "", "order"), ("strict", "", "order")),
        ("reranker", "none", ("strict", "", ""), ("strict", "", "")),
    ):
        candidate = gate.propose(policies, kind=kind, target=target, by=manager)
        (run,) = gate.run(candidate, by=manager)
        seen.clear()
        work(run)
        assert set(seen) == {asked_with}, (kind, target)
        gate.go_live(candidate, by=manager)
        stored = checks.of(policies)
        order = rerank_endpoints.name_of(reranking.chosen_for(policies))
        assert (stored.strictness, stored.judge.name if stored.judge else "", order) == live, (kind, target)
    assert EvaluationRun.objects.filter(state=RunState.DONE).count() == 5


def test_without_the_gate_at_the_verbs_checking_and_order_would_change_at_once(
    policies: Any, gated: Any, manager: Any, admin: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checks, "before_choice", [])

    assert checks.choose(policies, strictness="strict", judge=None, by=manager).strictness == "strict"


@pytest.fixture
def server(policies: Any, manager: Any, admin: Any, asked: Any) -> Any:
    """A model on a server that answers here, under a gate that was switched on afterwards."""
    made = ModelEndpoint(name="local", model="small", base_url="http://127.0.0.1:9/v1")
    stored = in_use(endpoints.save_endpoint(made, by=admin), by=admin)
    endpoints.choose_models(policies, default=stored, by=manager)
    limits = [Threshold(Metric.FACTS, 0.5)]
    terms.choose(policies, enabled=True, question_set=asked, thresholds=limits, by=manager)
    return stored


def refusal(endpoint: Any, workspace: Any) -> str:
    return policy.permitted(endpoint, purpose=Purpose.ANSWER, workspace=workspace)


@pytest.mark.parametrize(("field", "value"), [("model", "large"), ("max_output_tokens", 5)])
def test_a_model_that_is_edited_answers_no_more_until_it_passed_as_it_is_now(
    policies: Any, server: Any, manager: Any, admin: Any, field: str, value: Any
) -> None:
    """An administrator had another model behind the same name without the workspace's gate being asked."""
    assert refusal(server, policies) == ""

    setattr(server, field, value)
    endpoints.save_endpoint(server, by=admin)
    if not server.usable:
        in_use(server, by=admin)

    assert "changed since it passed" in refusal(server, policies)
    assert policy.permitted(server, purpose=Purpose.EVALUATION, workspace=policies) == ""
    candidate = passed(proposed(policies, server, manager), manager)
    assert "changed since it passed" in refusal(server, policies)
    gate.go_live(candidate, by=manager)
    assert (refusal(server, policies), default_of(policies)) == ("", "local")
    assert Event.objects.filter(type=EventType.GATE_LIVE).count() == 1


@pytest.fixture
def orderer(policies: Any, manager: Any, admin: Any) -> RerankEndpoint:
    """A reranker in use here."""
    made = RerankEndpoint(name="order", protocol="cohere", base_url="http://127.0.0.1:9/v1", model="small")
    stored = in_use(rerank_endpoints.save_endpoint(made, by=admin), by=admin)
    rerank_endpoints.choose(policies, "order", by=manager)
    return stored


@pytest.fixture
def judge(policies: Any, manager: Any, admin: Any) -> ModelEndpoint:
    """A judge in use here, which answers nobody."""
    made = ModelEndpoint(name="judge", model="small", base_url="http://127.0.0.1:9/v1")
    stored = in_use(endpoints.save_endpoint(made, by=admin), by=admin)
    checks.choose(policies, strictness="balanced", judge=stored, by=manager)
    return stored


def test_a_judge_that_leads_to_another_server_judges_no_more_until_it_passed_as_it_is_now(
    policies: Any, judge: Any, gated: Any, manager: Any, admin: Any, client_of: Any
) -> None:
    """An administrator had another server judge under a name that had passed."""

    def of_judge() -> str:
        return policy.permitted(judge, purpose=Purpose.JUDGE, workspace=policies)

    assert of_judge() == ""
    judge.base_url = "http://127.0.0.1:10/v1"
    in_use(endpoints.save_endpoint(judge, by=admin), by=admin)

    assert "changed since it passed" in of_judge()
    assert policy.permitted(judge, purpose=Purpose.EVALUATION, workspace=policies) == ""
    shown = client_of(manager).get(f"/w/{policies.slug}/evaluation/gate/").content.decode()
    assert "“judge” has not passed as it is now" in shown
    told = client_of(manager).get(f"/w/{policies.slug}/settings/checks/").content.decode()
    assert "“judge” has not passed as it is now" in told
    assert f"/w/{policies.slug}/evaluation/gate/" in told
    candidate = gate.propose(policies, kind="judge", target=str(judge.pk), by=manager)
    with pytest.raises(GateHolds):
        gate.go_live(candidate, by=manager)
    gate.go_live(passed(candidate, manager), by=manager)
    assert (of_judge(), checks.of(policies).judge) == ("", judge)
    assert "has not passed" not in client_of(manager).get(f"/w/{policies.slug}/settings/checks/").content.decode()


def test_a_model_that_passed_as_a_judge_did_not_pass_as_one_that_answers(
    policies: Any, judge: Any, gated: Any, manager: Any
) -> None:
    with pytest.raises(GateHolds):
        endpoints.choose_models(policies, default=judge, by=manager)
    WorkspaceModels.objects.filter(workspace=policies).update(default_endpoint=judge)

    assert "has not passed the change gate" in refusal(judge, policies)


def test_a_reranker_that_leads_to_another_server_is_given_nothing_until_it_passed_as_it_is_now(
    policies: Any, legal: Any, orderer: Any, gated: Any, manager: Any, admin: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    def score(endpoint: RerankEndpoint, _question: str, texts: Any, **_more: Any) -> list[float]:
        asked.append(endpoint.base_url)
        return [0.0] * len(texts)

    monkeypatch.setattr("documents.reranking.remote.scores", score)
    for name in ("Leave", "Requests"):
        library.add_document(policies, f"{name}.md", f"# {name}\n\nLeave is asked for in writing, says {name}.\n")

    def searched() -> str:
        chosen = reranking.chosen_for(policies)
        passages = list(Passage.objects.filter(workspace=policies).select_related("version__document"))
        assert chosen is not None
        return reranking.rerank(policies, chosen, "leave", passages, by=manager).fault

    assert searched() == ""
    orderer.base_url = "http://127.0.0.1:10/v1"
    in_use(rerank_endpoints.save_endpoint(orderer, by=admin), by=admin)

    assert "changed since it passed" in searched()
    assert asked == ["http://127.0.0.1:9/v1"]
    candidate = gate.propose(policies, kind="reranker", target="order", by=manager)
    gate.go_live(passed(candidate, manager), by=manager)
    assert searched() == ""
    assert asked == ["http://127.0.0.1:9/v1", "http://127.0.0.1:10/v1"]
    # Where there is no gate the administrator's approval is enough.
    rerank_endpoints.choose(legal, "order", by=manager)
    assert all(tell(legal, orderer) == "" for tell in reranking.withheld)


def test_a_reranker_that_the_gate_never_let_pass_is_tried_in_a_run_alone(
    policies: Any, orderer: Any, gated: Any, monkeypatch: pytest.MonkeyPatch, manager: Any
) -> None:
    monkeypatch.setattr("documents.reranking.remote.scores", lambda *_given, **_more: [0.0, 0.0])
    for name in ("Leave", "Requests"):
        library.add_document(policies, f"{name}.md", f"# {name}\n\nLeave is asked for in writing, says {name}.\n")
    terms.of(policies).__class__.objects.filter(workspace=policies).update(passed={})
    chosen = reranking.chosen_for(policies)
    assert chosen is not None
    passages = list(Passage.objects.filter(workspace=policies).select_related("version__document"))

    faults = [
        reranking.rerank(policies, chosen, "leave", passages, by=manager, is_trial=trial).fault
        for trial in (False, True)
    ]

    assert [bool(fault) for fault in faults] == [True, False]


def test_another_default_of_the_installation_waits_where_a_workspace_with_a_gate_chose_no_model(
    policies: Any, gated: Any, admin: Any
) -> None:
    made = ModelEndpoint(name="central", model="small", base_url="http://127.0.0.1:9/v1")
    central = in_use(endpoints.save_endpoint(made, by=admin), by=admin)
    WorkspaceModels.objects.filter(workspace=policies).delete()
    workspace = Workspace.objects.get(pk=policies.pk)

    endpoint_states.make_default(central, by=admin)

    assert "has not passed the change gate" in refusal(central, workspace)
    assert [one.name for one in standing.changed(workspace)] == ["central"]
    assert policy.permitted(central, purpose=Purpose.EVALUATION, workspace=workspace) == ""


def test_a_model_that_is_edited_is_refused_when_it_is_asked_and_where_there_is_no_gate_it_is_not(
    policies: Any, legal: Any, server: Any, manager: Any, admin: Any
) -> None:
    from answers.governing.policy import Call
    from answers.prompts import Prompt

    server.max_output_tokens = 5
    endpoints.save_endpoint(server, by=admin)
    call = Call(Purpose.ANSWER, policies, manager, Prompt("", "", "", ""))

    with pytest.raises(ModelRefused, match="changed since"):
        policy._require(server, call)
    endpoints.choose_models(legal, default=server, by=manager)
    assert refusal(server, legal) == ""


def test_a_model_whose_mark_was_not_kept_would_answer_whatever_it_became(
    policies: Any, server: Any, admin: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ModelEndpoint, "mark", "always the same")
    terms.of(policies).__class__.objects.filter(workspace=policies).update(passed={str(server.pk): "always the same"})
    server.max_output_tokens = 5

    endpoints.save_endpoint(server, by=admin)

    assert refusal(server, policies) == ""


def test_a_change_of_the_set_changes_nothing_that_the_gate_asks(
    policies: Any, gated: Any, asked: Any, twin: Any, manager: Any
) -> None:
    """Whoever took the hard questions out of the set made the gate wider, alone."""
    candidate = passed(proposed(policies, twin, manager), manager, right=2)

    sets.remove(asked, ["q2", "q3"], by=manager)
    sets.put(asked, [Case("Is it raining?", f"easy-{n}", must_refuse=True) for n in range(20)], by=manager)

    assert not verdict.of(candidate, gate.of(policies)).passed
    again = gate.run(candidate, by=manager)
    assert {run.case_count for run in again} == {4}


def test_a_question_whose_words_were_erased_is_not_asked_of_a_change(
    policies: Any, gated: Any, asked: Any, twin: Any, manager: Any
) -> None:
    from answers.evaluation import forgetting
    from documents.models import Deletion
    from tests.answers.review_scene import a_document

    document = a_document(policies, title="Keys", text="Who holds key 3?").document
    candidate = passed(proposed(policies, twin, manager), manager)
    forgetting.erase(
        Deletion(workspace=policies, document=document, deleted_by=manager), ["key 3"], keeps_answers=False
    )

    assert "not been run" in verdict.of(candidate, gate.of(policies)).missing[0]
    passed(candidate, manager)
    assert verdict.of(candidate, gate.of(policies)).passed


def test_only_who_manages_sets_the_gate_and_proposes(
    policies: Any, gated: Any, twin: Any, asked: Any, legal: Any, manager: Any, member: Any, stranger: Any
) -> None:
    limits = [Threshold(Metric.RECALL, 0.5)]
    for outsider, error in ((member, Forbidden), (stranger, Hidden)):
        with pytest.raises(error):
            terms.choose(policies, enabled=False, question_set=asked, thresholds=limits, by=outsider)
        with pytest.raises(error):
            terms.agree(policies, seen="", by=outsider)
        with pytest.raises(error):
            terms.withdraw(policies, by=outsider)
        with pytest.raises(error):
            proposed(policies, twin, outsider)
    with pytest.raises(EvaluationError):
        terms.choose(legal, enabled=True, question_set=asked, thresholds=limits, by=manager)
    with pytest.raises(EvaluationError):
        terms.choose(policies, enabled=True, question_set=asked, thresholds=[], by=manager)
    gate.withdraw(proposed(policies, twin, manager), by=manager)
    assert proposed(policies, twin, manager).state == CandidateState.WAITING
