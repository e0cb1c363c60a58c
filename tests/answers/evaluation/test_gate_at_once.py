"""Two people at one gate at the same moment, on connections of their own: what one read, the other may have changed."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from django.db import connection, transaction

from answers import endpoints
from answers.checks import settings as checks
from answers.evaluation import gate, terms
from answers.evaluation.figures import Metric
from answers.evaluation.thresholds import Threshold
from answers.exceptions import EvaluationError, GateHolds
from answers.governing import Purpose, policy
from answers.models import CandidateState, GateCandidate, ModelEndpoint
from audit.events import EventType
from audit.models import Event
from tests.answers.evaluation.conftest import answer
from tests.endpoints_in_use import in_use
from workspaces.exceptions import PortalError

_PATIENCE = 30
LIMITS = [Threshold(Metric.FACTS, 0.5)]


@dataclass
class Ended:
    """How the second act ended, and whether it had to wait for the first one's commit."""

    error: BaseException | None
    waited: bool


def inside(first: Callable[[], object], second: Callable[[], object]) -> Ended:
    """Do `second` on another connection while `first` is done and not committed."""
    ended, pid = Ended(None, waited=False), []

    def run() -> None:
        try:
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_backend_pid()")
                pid.append(cursor.fetchone()[0])
            second()
        except PortalError as error:
            ended.error = error
        finally:
            connection.close()

    other = threading.Thread(target=run)
    with transaction.atomic():
        first()
        other.start()
        until = time.monotonic() + _PATIENCE
        while other.is_alive() and not ended.waited and time.monotonic() < until:
            ended.waited = bool(pid) and _waits(pid[0])
            other.join(timeout=0.01)
    other.join(timeout=_PATIENCE)
    assert not other.is_alive()
    return ended


def _waits(pid: int) -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT cardinality(pg_blocking_pids(%s)) > 0", [pid])
        return bool(cursor.fetchone()[0])


def strict(policies: Any, by: Any, *, right: int = 4) -> GateCandidate:
    """A change to another strictness that was run with so many right answers of four."""
    for waiting in GateCandidate.objects.filter(workspace=policies, state=CandidateState.WAITING):
        gate.withdraw(waiting, by=by)
    now = checks.of(policies).strictness
    target = next(one for one in ("strict", "lenient") if one != now)
    candidate = gate.propose(policies, kind="strictness", target=target, by=by)
    answer(gate.run(candidate, by=by)[0], right=right)
    return candidate


@pytest.mark.django_db(transaction=True)
def test_two_people_at_once_pass_no_gate_that_one_alone_would_not(
    policies: Any, asked: Any, manager: Any, second: Any, admin: Any
) -> None:
    made = ModelEndpoint(name="local", model="small", base_url="http://127.0.0.1:9/v1")
    local = in_use(endpoints.save_endpoint(made, by=admin), by=admin)
    endpoints.choose_models(policies, default=local, by=manager)
    terms.choose(policies, enabled=True, question_set=asked, thresholds=LIMITS, by=manager)

    _what_passed_and_is_edited_meanwhile_answers_nobody(policies, local, manager, admin)
    _a_limit_that_is_raised_meanwhile_holds_back(policies, asked, manager, second)
    _an_override_is_decided_once(policies, manager, second)
    _a_wish_that_is_edited_is_not_what_was_agreed_to(policies, asked, manager, second)


def _what_passed_and_is_edited_meanwhile_answers_nobody(policies: Any, local: Any, manager: Any, admin: Any) -> None:
    def edit(tokens: int) -> None:
        fresh = ModelEndpoint.objects.get(pk=local.pk)
        fresh.max_output_tokens = tokens
        endpoints.save_endpoint(fresh, by=admin)

    def refusal() -> str:
        return policy.permitted(local, purpose=Purpose.ANSWER, workspace=policies)

    for tokens, order in ((5, "passes first"), (50, "is edited first")):
        edit(tokens)
        candidate = gate.propose(policies, kind="model", target=str(local.pk), by=manager)
        for run in gate.run(candidate, by=manager):
            answer(run)

        def go(change: GateCandidate = candidate) -> None:
            gate.go_live(change, by=manager)

        def change_it(to: int = tokens + 1) -> None:
            edit(to)

        ended = inside(go, change_it) if order == "passes first" else inside(change_it, go)

        assert ended.error is None or isinstance(ended.error, GateHolds), order
        assert "changed since it passed" in refusal(), order


def _a_limit_that_is_raised_meanwhile_holds_back(policies: Any, asked: Any, manager: Any, second: Any) -> None:
    candidate = strict(policies, manager, right=3)
    high = [Threshold(Metric.FACTS, 0.9)]

    ended = inside(
        lambda: terms.choose(policies, enabled=True, question_set=asked, thresholds=high, by=second),
        lambda: gate.go_live(candidate, by=manager),
    )

    assert ended.waited
    assert isinstance(ended.error, GateHolds)
    candidate.refresh_from_db()
    assert (candidate.state, checks.of(policies).strictness) == (CandidateState.WAITING, "balanced")


def _an_override_is_decided_once(policies: Any, manager: Any, second: Any) -> None:
    candidate = strict(policies, manager, right=0)
    gate.ask_override(candidate, reason="Needed today.", by=manager)
    candidate.refresh_from_db()
    seen = gate.mark_of(candidate)

    ended = inside(
        lambda: gate.agree(candidate, seen=seen, by=second),
        lambda: gate.agree(candidate, seen=seen, by=second),
    )

    assert ended.waited
    assert isinstance(ended.error, EvaluationError)
    assert Event.objects.filter(type=EventType.GATE_OVERRIDDEN).count() == 1

    # Another reason that comes while somebody agrees to the first is not what they agreed to.
    candidate = strict(policies, manager, right=0)
    gate.ask_override(candidate, reason="Needed today.", by=manager)
    candidate.refresh_from_db()
    seen = gate.mark_of(candidate)

    ended = inside(
        lambda: gate.ask_override(candidate, reason="Because I say so.", by=manager),
        lambda: gate.agree(candidate, seen=seen, by=second),
    )

    assert (ended.waited, "since you read it" in str(ended.error)) == (True, True)
    candidate.refresh_from_db()
    assert candidate.state == CandidateState.WAITING


def _a_wish_that_is_edited_is_not_what_was_agreed_to(policies: Any, asked: Any, manager: Any, second: Any) -> None:
    def wish(limit: float | None) -> None:
        enabled = limit is not None
        asks = [Threshold(Metric.FACTS, limit or 0.9)]
        terms.choose(policies, enabled=enabled, question_set=asked, thresholds=asks, reason="May.", by=manager)

    wish(0.8)
    seen = terms.mark_of(gate.of(policies))

    ended = inside(lambda: wish(None), lambda: terms.agree(policies, seen=seen, by=second))

    assert (ended.waited, "since you read it" in str(ended.error)) == (True, True)
    assert gate.is_on(policies)

    # The other way round: what was agreed to holds, and the edit is held against that.
    seen = terms.mark_of(gate.of(policies))
    wish_now = gate.of(policies).wanted
    ended = inside(lambda: terms.agree(policies, seen=seen, by=second), lambda: wish(0.7))
    assert (wish_now["enabled"], ended.waited, ended.error) == (False, True, None)
