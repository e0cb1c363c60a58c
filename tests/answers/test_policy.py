"""Rules decide which answers are held; what is not known counts against release, and a trial says what they do."""

import random
from dataclasses import replace
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from answers import policy, questions
from answers.exceptions import PolicyError, WrongState
from answers.models import Answer, Draft, Question, ReleaseDecision, ReleaseRules
from answers.policy import facts as fact_finding
from answers.policy import trial, verdicts
from answers.policy.facts import Facts, InForce
from answers.policy.forms import models_of
from answers.policy.rules import Condition, Effect, Rule, checked, defaults, stored
from answers.policy.verdicts import Guard, by_rules, first_that_applies
from answers.states import AnswerStatus
from audit.events import EventType
from audit.models import Event
from documents.models import Document
from workspaces.classification import Classification
from workspaces.exceptions import Forbidden, Hidden
from workspaces.models import Workspace

QUESTION = "How many days of annual leave do employees have?"
HOLD_ALL = Rule("all", "Everything", Condition.REST, Effect.HOLD)
#: Known in all respects and of low risk.
PLAIN = Facts("internal", 1.0, 0.0, "built-in", "", ("member",), draw=9_999)


@pytest.fixture
def by_risk(policies: Any, manager: Any) -> Any:
    """by_risk(rule, …) → `policies` decides by these rules, written by its manager."""

    def set_rules(*rules: Rule) -> Workspace:
        Workspace.objects.filter(pk=policies.pk).update(review_policy="risk")
        policies.refresh_from_db()
        if rules:
            policy.change(policies, rules, by=manager, seen=policy.in_force(policies).number)
        return policies

    return set_rules


def rule(condition: str, value: str = "", effect: str = Effect.HOLD, **more: Any) -> Rule:
    return Rule(more.pop("code", "one"), "One", condition, effect, value, **more)


# --- One rule -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "facts", "held"),
    [
        (rule("classification", "confidential"), {"classification": "restricted"}, True),
        (rule("classification", "confidential"), {"classification": "internal"}, False),
        (rule("grounding", "60"), {"lowest_grounding": 0.59}, True),
        (rule("grounding", "60"), {"lowest_grounding": 0.6}, False),
        (rule("unsupported", "0"), {"unsupported_share": 0.1}, True),
        (rule("unsupported", "50"), {"unsupported_share": 0.5}, False),
        (rule("model", "*"), {"endpoint": "built-in"}, False),
        (rule("model", "*"), {"endpoint": "6f2e"}, True),
        (rule("model", "built-in"), {"endpoint": "built-in"}, True),
        (rule("role", "member"), {"roles": ("contributor",)}, False),
        (rule("role", "member"), {"roles": ("contributor", "member")}, True),
        (rule("template", "summary"), {"template": "summary"}, True),
        (rule("template", "summary"), {"template": ""}, False),
        (rule("sample", "5"), {"draw": 499}, True),
        (rule("sample", "5"), {"draw": 500}, False),
        (rule("rest"), {}, True),
    ],
)
def test_a_rule_holds_what_its_condition_names_and_nothing_else(given: Rule, facts: dict, held: bool) -> None:
    verdict = by_rules(InForce(1, stored([given])), replace(PLAIN, **facts), asker="x")

    assert (verdict.held, verdict.rule) == ((True, "one") if held else (False, Guard.NO_RULE))


@pytest.mark.parametrize("condition", ["classification", "grounding", "unsupported", "model", "role"])
def test_what_is_not_known_counts_against_release(condition: str) -> None:
    value = {"classification": "restricted", "model": "*", "role": "member"}.get(condition, "50")
    releasing = rule(condition, {"classification": "public"}.get(condition, value), Effect.RELEASE, code="let_out")
    nothing = Facts()

    assert first_that_applies([rule(condition, value)], nothing), "a rule that holds must hold the unknown"
    assert first_that_applies([releasing, HOLD_ALL], nothing) is HOLD_ALL, "a rule that releases must not"


def test_the_first_rule_that_applies_decides_and_one_that_is_off_does_not() -> None:
    off = rule("rest", code="off", is_on=False)
    rules = [off, rule("role", "member", Effect.RELEASE, code="members"), HOLD_ALL]

    verdict = by_rules(InForce(1, stored(rules)), PLAIN, asker="x")

    assert (verdict.held, verdict.rule) == (False, "members")


@pytest.mark.parametrize("kept", [[{"code": "x"}], [{"nonsense": 1}], [{**stored([HOLD_ALL])[0], "condition": "moon"}]])
def test_rules_that_cannot_be_read_hold_everything(kept: list[dict]) -> None:
    verdict = by_rules(InForce(3, kept), PLAIN, asker="x")

    assert (verdict.held, verdict.rule) == (True, Guard.UNREADABLE)


@pytest.mark.parametrize(
    "wrong",
    [
        rule("grounding", "101"),
        rule("sample", "x"),
        rule("sample", "٣"),
        rule("classification", "secret"),
        rule("model", "some model"),
        rule("role", ""),
        rule("rest", second_from="restricted", effect=Effect.RELEASE),
        Rule("one", "  ", "rest", "hold"),
        Rule("One!", "One", "rest", "hold"),
    ],
)
def test_a_rule_that_says_nothing_sound_is_refused(wrong: Rule, db: None) -> None:
    with pytest.raises(PolicyError, match="Rule 1"):
        checked([wrong])


def test_the_built_in_rules_are_sound_and_hold_guarded_and_unsupported_texts(db: None) -> None:
    rules = checked(defaults())

    assert first_that_applies(rules, PLAIN) is None
    assert first_that_applies(rules, Facts("restricted", 1.0, 0.0, "built-in", "", ("member",), 9_999)) is rules[0]
    assert (
        first_that_applies(rules, Facts("public", 1.0, 0.5, "built-in", "", ("member",), 9_999)).code == "unsupported"
    )


def test_asking_again_is_not_another_draw(policies: Any, member: Any, contributor: Any) -> None:
    first = questions.ask(workspace=policies, text=QUESTION, by=member)
    again = Answer.objects.create(
        question=first.question, workspace=policies, asked_by=member, status="stopped_by_asker"
    )
    other = Answer(question=first.question, workspace=policies, asked_by=contributor)

    drawn = fact_finding.draw(first, QUESTION)

    assert fact_finding.draw(again, f"{QUESTION.upper()}  ") == drawn
    assert fact_finding.draw(other, QUESTION) != drawn
    assert fact_finding.draw(first, "Who approves a purchase?") != drawn


def test_draws_need_this_installations_key(policies: Any, member: Any, settings: Any) -> None:
    answer = questions.ask(workspace=policies, text=QUESTION, by=member)
    drawn = fact_finding.draw(answer, QUESTION)

    settings.SECRET_KEY = "another-installation"

    assert fact_finding.draw(answer, QUESTION) != drawn


# --- In the pipeline ----------------------------------------------------------------------------------------


def test_a_workspace_by_risk_holds_what_a_rule_names_and_says_which(
    by_risk: Any, handbook: Any, member: Any, answered: Any
) -> None:
    by_risk(rule("classification", "confidential", code="guarded", second_from="restricted"))
    Document.objects.filter(pk=handbook.document_id).update(classification="confidential")

    answer = answered(Workspace.objects.get(slug="policies"), QUESTION, member)

    assert answer.status == AnswerStatus.HELD_FOR_REVIEW
    told = policy.why(answer)
    assert (told.name, told.rules_number, told.held) == ("One", 1, True)
    assert told.sentence == "Hold when a source is “Confidential” or higher. Two approve from “Restricted” on."
    assert answer.steps.get(step="route").detail == {"policy": "risk", "held": True, "rule": "guarded", "rules": 1}
    assert '"rule":"guarded"' in Event.objects.get(type=EventType.ANSWER_HELD).body


def test_a_workspace_by_risk_releases_the_rest_at_once(by_risk: Any, handbook: Any, member: Any, answered: Any) -> None:
    answer = answered(by_risk(rule("classification", "restricted")), QUESTION, member)

    assert answer.status == AnswerStatus.ANSWERED
    assert policy.why(answer).sentence == "No rule of the workspace holds it."


def test_what_a_rule_wants_two_approvals_for_takes_two(
    by_risk: Any, handbook: Any, member: Any, reviewer: Any, second_reviewer: Any, answered: Any
) -> None:
    place = by_risk(rule("rest", second_from="public"))

    answer = answered(place, QUESTION, member)

    assert Draft.objects.get(answer=answer).needs_second


def test_an_answer_ends_where_a_rule_wants_two_reviewers_and_there_is_one(
    by_risk: Any, handbook: Any, member: Any, second_reviewer: Any, answered: Any
) -> None:
    place = by_risk(rule("rest", second_from="public"))
    second_reviewer.is_active = False
    second_reviewer.save()

    assert answered(place, QUESTION, member).status == AnswerStatus.REFUSED_NO_REVIEWER


def test_nobody_is_let_out_by_rules_of_their_own(by_risk: Any, handbook: Any, manager: Any, answered: Any) -> None:
    answer = answered(by_risk(rule("classification", "restricted")), QUESTION, manager)

    assert answer.status == AnswerStatus.HELD_FOR_REVIEW
    assert ReleaseDecision.objects.get(answer=answer).rule == Guard.OWN_RULES


def test_rules_that_change_while_an_answer_is_made_hold_it(
    by_risk: Any, handbook: Any, member: Any, manager: Any, answered: Any, monkeypatch: Any
) -> None:
    place = by_risk(rule("classification", "restricted"))
    real = verdicts.gather

    def gather_and_change(answer: Answer) -> Any:
        found = real(answer)
        policy.change(place, [HOLD_ALL], by=manager, seen=1)
        return found

    monkeypatch.setattr(verdicts, "gather", gather_and_change)

    answer = answered(place, QUESTION, member)

    assert answer.status == AnswerStatus.HELD_FOR_REVIEW
    assert ReleaseDecision.objects.get(answer=answer).rule == Guard.CHANGED


def test_without_a_look_at_the_end_the_old_rules_would_release_it(
    by_risk: Any, handbook: Any, member: Any, manager: Any, answered: Any, monkeypatch: Any
) -> None:
    monkeypatch.setattr("answers.endings.verdict_stands", lambda *given: True)

    with pytest.raises(AssertionError):
        test_rules_that_change_while_an_answer_is_made_hold_it(
            by_risk, handbook, member, manager, answered, monkeypatch
        )


def test_words_are_not_streamed_where_rules_decide(
    by_risk: Any, handbook: Any, member: Any, answered: Any, raw_stream: Any
) -> None:
    answer = answered(by_risk(rule("classification", "restricted")), QUESTION, member)

    assert answer.status == AnswerStatus.ANSWERED
    assert "'token'" not in raw_stream(answer)


# --- Who changes them ---------------------------------------------------------------------------------------


def test_a_change_of_rules_keeps_both_sets_and_the_trail_has_them(policies: Any, manager: Any) -> None:
    made = policy.change(policies, [HOLD_ALL], by=manager, seen=0, reason="The regulator asks.")

    assert (made.number, policy.in_force(policies).rules) == (1, [HOLD_ALL])
    entry = Event.objects.get(type=EventType.RELEASE_RULES_CHANGED)
    assert '"guarded_sources"' in entry.body
    assert '"after":[{"code":"all"' in entry.body
    assert "The regulator asks." in entry.body


def test_who_does_not_manage_changes_and_tries_no_rules(
    policies: Any, member: Any, reviewer: Any, stranger: Any
) -> None:
    for person, refusal in ((member, Forbidden), (reviewer, Forbidden), (stranger, Hidden)):
        with pytest.raises(refusal):
            policy.change(policies, [HOLD_ALL], by=person, seen=0)
        with pytest.raises(refusal):
            policy.try_out(policies, [HOLD_ALL], by=person)
    assert not ReleaseRules.objects.exists()


def test_of_two_managers_one_is_told_that_the_other_was_faster(policies: Any, manager: Any) -> None:
    policy.change(policies, [HOLD_ALL], by=manager, seen=0)

    with pytest.raises(WrongState, match="faster"):
        policy.change(policies, defaults(), by=manager, seen=0)

    assert policy.in_force(policies).rules == [HOLD_ALL]


# --- The trial ----------------------------------------------------------------------------------------------


def _decided(workspace: Any, by: Any, facts: list[Facts], *, held: bool = False) -> list[ReleaseDecision]:
    """Answers that were finished with these facts; nothing else of them."""
    asked = [Question(workspace=workspace, asked_by=by, text="?") for _one in facts]
    answers = [Answer(question=one, workspace=workspace, asked_by=by, status="stopped_by_asker") for one in asked]
    Question.objects.bulk_create(asked)
    Answer.objects.bulk_create(answers)
    return ReleaseDecision.objects.bulk_create(
        ReleaseDecision(
            answer=answer,
            workspace=workspace,
            asked_by=by,
            decided_at=timezone.now(),
            policy="open",
            held=held,
            rule=Guard.OPEN,
            classification=one.classification,
            lowest_grounding=one.lowest_grounding,
            unsupported_share=one.unsupported_share,
            endpoint=one.endpoint,
            template=one.template,
            roles=list(one.roles),
            draw=one.draw,
        )
        for answer, one in zip(answers, facts, strict=True)
    )


def _some_facts(chance: random.Random) -> Facts:
    some = chance.choice
    return Facts(
        some(["", *Classification.values]),
        some([None, 0.0, 0.29, 0.3, 0.5, 1.0]),
        some([None, 0.0, 0.25, 0.5, 1.0]),
        some(["", "built-in", "1f0c5d0e-0000-4000-8000-000000000001"]),
        some(["", "summary"]),
        some([(), ("member",), ("member", "reviewer")]),
        some([0, 499, 500, 2_999, 9_999]),
    )


def _some_rule(chance: random.Random, n: int) -> Rule:
    values = {
        "classification": Classification.values,
        "grounding": ["30", "50", "100"],
        "unsupported": ["0", "25"],
        "model": ["*", "built-in", "1f0c5d0e-0000-4000-8000-000000000001"],
        "role": ["member", "auditor"],
        "template": ["summary"],
        "sample": ["5", "30"],
        "rest": [""],
    }
    condition = chance.choice(list(values))
    effect = chance.choice(Effect.values)
    return Rule(f"r{n}", "R", condition, effect, chance.choice(values[condition]), is_on=chance.random() < 0.9)


def test_a_trial_holds_exactly_what_the_rules_would_have_held(policies: Any, member: Any, manager: Any) -> None:
    chance = random.Random(5)
    facts = [_some_facts(chance) for _n in range(300)]
    _decided(policies, member, facts)

    for _set in range(25):
        rules = checked([_some_rule(chance, n) for n in range(chance.randint(1, 5))])
        tried = policy.try_out(policies, rules, by=manager)

        expected = [by_rules(InForce(1, stored(rules)), one, asker=str(member.pk)) for one in facts]
        assert (tried.total, tried.held) == (300, sum(verdict.held for verdict in expected)), rules
        for line in tried.lines:
            code = line.rule.code if line.rule else Guard.NO_RULE
            assert line.held + line.released == sum(verdict.rule == code for verdict in expected), (code, rules)
    assert Event.objects.filter(type=EventType.RELEASE_RULES_TRIED).count() == 25


def test_a_trial_that_forgot_the_unknown_would_be_seen(
    policies: Any, member: Any, manager: Any, monkeypatch: Any
) -> None:
    monkeypatch.setattr(trial, "condition", lambda rule: trial._CONDITIONS[Condition(rule.condition)](rule.value)[0])

    with pytest.raises(AssertionError):
        test_a_trial_holds_exactly_what_the_rules_would_have_held(policies, member, manager)


def test_a_trial_costs_the_same_queries_for_any_number_of_answers_and_names_only_what_one_may_see(
    policies: Any, member: Any, manager: Any
) -> None:
    _decided(policies, member, [PLAIN] * 3)
    _decided(policies, manager, [PLAIN] * 2, held=True)
    policy.try_out(policies, [HOLD_ALL], by=manager)

    with CaptureQueriesContext(connection) as few:
        tried = policy.try_out(policies, [HOLD_ALL], by=manager)
    _decided(policies, member, [PLAIN] * 60)
    with CaptureQueriesContext(connection) as many:
        policy.try_out(policies, [*defaults(), HOLD_ALL], by=manager)

    assert (tried.total, tried.held, tried.were_held) == (5, 5, 2)
    assert {answer.asked_by for answer in tried.answers} == {manager}, "others' answers are not a manager's to read"
    assert len(many) == len(few) <= 12


def test_what_a_trial_says_of_ones_own_answers_is_what_the_rules_would_do(policies: Any, manager: Any) -> None:
    _decided(policies, manager, [PLAIN] * 2)

    tried = policy.try_out(policies, [rule("classification", "restricted")], by=manager)

    assert (tried.held, tried.held_as_own) == (2, 2)


# --- The page -----------------------------------------------------------------------------------------------


def sent(*rules: dict[str, str], **more: str) -> dict[str, str]:
    fields = {"form-TOTAL_FORMS": str(len(rules)), "form-INITIAL_FORMS": "0", "act": "save", "seen": "0"} | more
    for n, one in enumerate(rules):
        full = {"code": "", "place": "", "effect": "hold", "condition": "rest", "is_on": "on", "second_from": ""} | one
        fields |= {f"form-{n}-{name}": value for name, value in full.items()}
    return fields


def test_a_manager_reads_the_rules_as_sentences_changes_and_tries_them(
    client_of: Any, policies: Any, manager: Any, member: Any
) -> None:
    client, address = client_of(manager), "/w/policies/settings/release/"
    _decided(policies, member, [PLAIN])

    page = client.get(address).content.decode()
    tried = client.post(address, sent({"name": "Everything"}, act="try")).content.decode()
    saved = client.post(
        address,
        sent(
            {"name": "Sample", "condition": "sample", "percent": "10", "place": "20"},
            {"name": "Guarded", "condition": "classification", "level": "restricted", "place": "10"},
            {"name": ""},
        ),
    )

    assert "Hold when a source is “Confidential” or higher. Two approve from “Restricted” on." in page
    assert "Of 1 answers of the last 30 days, 1 would have been held (100 %)." in tried
    assert not ReleaseRules.objects.filter(number__gt=1).exists()
    assert saved.status_code == 302
    assert [one.name for one in policy.in_force(policies).rules] == ["Guarded", "Sample"]


def test_the_page_says_what_is_wrong_with_a_rule_and_saves_nothing(client_of: Any, policies: Any, manager: Any) -> None:
    response = client_of(manager).post(
        "/w/policies/settings/release/", sent({"name": "Weak", "condition": "grounding", "percent": "300"})
    )

    assert response.status_code == 409
    assert "whole number of percent" in response.content.decode()
    assert not ReleaseRules.objects.exists()


def test_the_verdict_is_kept_under_every_policy(
    policies: Any, legal: Any, handbook: Any, member: Any, answered: Any
) -> None:
    kept = answered(policies, QUESTION, member).release

    assert (kept.policy, kept.held, kept.rule, kept.rules_number) == ("open", False, Guard.OPEN, None)
    assert (kept.classification, kept.endpoint, kept.roles) == ("internal", "built-in", ["member"])


def test_a_rule_offers_the_models_of_its_workspace_and_the_one_it_names_already(
    policies: Any, legal: Any, manager: Any, endpoint_of: Any, client_of: Any
) -> None:
    mine, foreign, gone = endpoint_of("mine"), endpoint_of("foreign", legal), endpoint_of("gone", legal)
    rules = [Rule("one", "One", Condition.MODEL, Effect.HOLD, value=str(gone.pk))]

    offered = dict(models_of(policies, rules))

    assert offered == {str(mine.pk): mine.name, str(gone.pk): gone.name}
    assert foreign.name not in client_of(manager).get("/w/policies/settings/release/").content.decode()
