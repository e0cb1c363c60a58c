"""What a call costs is set aside before it goes out, counted after, and never more than a budget holds."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from decimal import Decimal
from html import unescape
from typing import Any

import pytest
from django.db import connection
from django.db.models.functions import Now
from django.urls import reverse

from answers import governing
from answers.exceptions import BudgetError, ModelFailed, ModelRefused
from answers.governing import Purpose, amounts, budgets, ledger, limits, policy
from answers.governing.policy import Call
from answers.models import Period, Spend, Usage, UsageState
from answers.states import AnswerStatus
from answers.tasks import sweep_answers
from audit.events import EventType
from audit.models import Event
from workspaces.exceptions import Forbidden

THREADS = 16


@pytest.fixture
def priced(endpoint_of: Any) -> Any:
    """A model whose prices are known: 2 a million tokens read, 8 a million written."""
    return endpoint_of("counts", input_price=Decimal(2), output_price=Decimal(8), max_output_tokens=100)


@pytest.fixture
def ask(policies: Any, member: Any, prompt: Any) -> Callable[..., str]:
    """ask(endpoint) → what it writes of a prompt without documents, for the member."""

    def run(endpoint: Any, by: Any = member, **options: Any) -> str:
        options = {"purpose": Purpose.ANSWER, "workspace": policies, "documents": ()} | options
        return "".join(governing.ask(endpoint, prompt("What is there?"), by=by, **options))

    return run


def _spent(workspace: Any, person: Any = None, period: str = Period.DAY) -> tuple[int, Decimal]:
    row = Spend.objects.get(workspace=workspace, person=person, period=period)
    return row.tokens, row.cost


# --- The ledger ---------------------------------------------------------------------------------------------


def test_a_call_is_counted_with_what_the_server_says_at_the_endpoints_prices(policies, member, priced, ask):
    ask(priced)

    call = Usage.objects.get()
    assert (call.workspace, call.person, call.endpoint, call.purpose) == (policies, member, priced, "answer")
    assert (call.state, call.input_tokens, call.output_tokens, call.is_estimated) == ("settled", 321, 17, False)
    assert call.cost == (321 * Decimal(2) + 17 * Decimal(8)) / 1_000_000
    assert call.endpoint_label == priced.label
    for place in ((None, None), (policies, None), (policies, member), (None, member)):
        assert _spent(*place) == (338, call.cost)
    assert _spent(policies, None, Period.MONTH) == (338, call.cost)


@pytest.mark.parametrize(("model", "is_read", "written"), [("good", True, 17), ("error", False, 0), ("dies", True, 7)])
def test_what_no_server_counts_is_estimated_from_the_text(model, is_read, written, ask, endpoint_of, prompt):
    endpoint = endpoint_of(model)

    if model == "good":
        ask(endpoint)
    else:
        with pytest.raises(ModelFailed):
            ask(endpoint)

    call = Usage.objects.get()
    read = amounts.estimated(prompt("What is there?")) if is_read else 0
    assert (call.state, call.input_tokens, call.output_tokens) == ("settled", read, written)
    assert call.is_estimated
    assert call.cost is None


def test_a_test_of_an_endpoint_counts_for_the_installation_alone(policies, admin, priced, ask):
    ask(priced, by=admin, purpose=Purpose.TEST, workspace=None)

    assert _spent(None)[0] == 338
    assert not Spend.objects.filter(workspace=policies).exists()


# --- Limits -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("limit", budgets.LIMITS)
@pytest.mark.parametrize("whose", ["workspace", "installation"])
def test_a_call_that_a_limit_may_not_cover_is_refused_and_nothing_is_sent(
    limit, whose, policies, member, manager, admin, priced, ask, chat_server
):
    place, by = (policies, manager) if whose == "workspace" else (None, admin)
    budgets.change(place, by=by, **{limit: 0})

    with pytest.raises(ModelRefused) as refused:
        ask(priced)

    assert (refused.value.status, refused.value.code) == (AnswerStatus.REFUSED_BUDGET, "budget")
    assert chat_server.requests == []
    assert not Usage.objects.exists()
    assert "What is left" in refused.value.detail
    entry = Event.objects.get(type=EventType.MODEL_REFUSED)
    assert '"why":"budget"' in entry.body
    assert not Spend.objects.exclude(tokens=0).exists()


@pytest.mark.parametrize(
    ("limit", "whose", "said"),
    [
        ("day_tokens", "workspace", "This workspace's budget for models is spent for today."),
        ("month_cost", "workspace", "This workspace's budget for models is spent for this month."),
        ("person_day_tokens", "workspace", "Your own budget for models here is spent for today."),
        ("month_tokens", "installation", "The installation's budget for models is spent for this month."),
    ],
)
def test_who_asks_is_told_before_that_a_budget_is_spent(
    limit, whose, said, policies, member, manager, admin, priced, ask, client_of
):
    ask(priced)
    assert budgets.is_spent(policies, member) == ""
    place, by = (policies, manager) if whose == "workspace" else (None, admin)

    budgets.change(place, by=by, **{limit: 0})

    assert budgets.is_spent(policies, member) == said
    page = client_of(member).get(reverse("answers:new_conversation", args=[policies.slug]))
    assert said in unescape(page.content.decode())


def test_the_page_of_budgets_sets_them_and_shows_bars(policies, manager, member, stranger, priced, ask, client_of):
    ask(priced)
    address = reverse("answers:budgets", args=[policies.slug])

    assert client_of(stranger).get(address).status_code == 404
    assert client_of(member).get(address).status_code == 403
    client = client_of(manager)
    wrong = client.post(address, {"day_tokens": "-1"})
    saved = client.post(address, {"day_tokens": "1000", "month_cost": "0.01", "person_day_tokens": ""}, follow=True)

    assert wrong.status_code == 400
    page = unescape(saved.content.decode())
    assert "338 / 1000" in page.replace(",", "")
    assert 'value="34"' in page
    assert "338 tokens" in page
    assert budgets.of(policies).month_cost == Decimal("0.01")


def test_a_budget_in_money_holds_no_model_whose_price_nobody_knows(policies, manager, ask, endpoint_of, chat_server):
    budgets.change(policies, by=manager, day_cost=Decimal(100))

    with pytest.raises(ModelRefused, match="no price"):
        ask(endpoint_of("good"))

    assert chat_server.requests == []


def test_an_answer_that_the_budget_does_not_cover_ends_with_a_sentence(
    policies, handbook, member, manager, answered, priced, chat_server
):
    budgets.change(policies, by=manager, person_day_tokens=10)

    answer = answered(policies, "How much leave does the second parent take?", member, endpoint=priced)

    assert answer.status == AnswerStatus.REFUSED_BUDGET
    assert "your own budget" in answer.failure_detail
    assert chat_server.requests == []


def test_the_built_in_model_answers_when_every_budget_is_spent(policies, handbook, member, manager, answered):
    budgets.change(policies, by=manager, day_tokens=0, day_cost=Decimal(0))

    answer = answered(policies, "How much leave does the second parent take?", member)

    assert answer.status == AnswerStatus.ANSWERED
    assert not Usage.objects.exists()


def test_who_manages_sets_a_budget_with_before_and_after_in_the_trail(policies, manager, member, admin):
    budgets.change(policies, by=manager, day_tokens=1000, month_cost=Decimal("12.50"))
    budgets.change(policies, by=manager, day_tokens=1000, month_cost=Decimal("12.50"))

    (entry,) = Event.objects.filter(type=EventType.BUDGET_CHANGED)
    assert '"day_tokens":"1000"' in entry.body
    assert '"month_cost":"12.50"' in entry.body
    with pytest.raises(Forbidden):
        budgets.change(policies, by=member, day_tokens=None)
    with pytest.raises(Forbidden):
        budgets.change(None, by=manager, day_tokens=5)
    with pytest.raises(BudgetError):
        budgets.change(None, by=admin, day_tokens=-1)
    assert budgets.of(policies).day_tokens == 1000


def test_the_bars_show_what_is_used_and_set_aside(policies, member, manager, priced, ask):
    budgets.change(policies, by=manager, day_tokens=1000, month_cost=Decimal("0.01"), person_day_tokens=400)
    ask(priced)

    day, month = budgets.standing(policies)
    (own,) = budgets.standing_of(policies, member)

    assert (day.used, day.limit, day.percent, day.is_spent) == (338, 1000, 34, False)
    assert (month.unit, month.percent) == ("EUR", 8)
    assert (own.used, own.percent) == (338, 84)
    assert budgets.is_spent(policies, member) == ""


# --- Many at once -------------------------------------------------------------------------------------------


def _at_once(act: Callable[[], Any]) -> list[Any]:
    """What act() gives in each of 16 threads with a connection of its own; a refusal gives None."""
    together = threading.Barrier(THREADS)

    def run(_number: int) -> Any:
        try:
            together.wait(30)
            return act()
        except ModelRefused:
            return None
        finally:
            connection.close()

    with ThreadPoolExecutor(THREADS) as threads:
        return list(threads.map(run, range(THREADS)))


@pytest.mark.parametrize("is_locked", [True, False], ids=["as it is", "without the lock"])
@pytest.mark.django_db(transaction=True)
def test_sixteen_at_once_never_overspend_a_budget(is_locked, policies, member, manager, priced, prompt, monkeypatch):
    call = Call(Purpose.ANSWER, policies, member, prompt("x"))
    most = amounts.most(priced, call.prompt).tokens
    budgets.change(policies, by=manager, day_tokens=5 * most + 1)
    ledger.open_periods(call.whose)
    if not is_locked:
        together, require = threading.Barrier(THREADS), limits.require

        def all_look_first(*args: Any) -> None:
            together.wait(30)
            require(*args)

        monkeypatch.setattr(limits, "require", all_look_first)
        monkeypatch.setattr(ledger, "lock", lambda whose: list(Spend.objects.filter(ledger._any_of(whose.rows()))))

    permits = [permit for permit in _at_once(lambda: policy.permit(priced, call)) if permit]

    spent = _spent(policies)[0]
    assert spent == len(permits) * most
    assert (len(permits) == 5) == is_locked
    assert (spent <= 5 * most + 1) == is_locked


def test_what_a_dead_worker_set_aside_is_given_back_once(policies, member, priced, prompt):
    call = Call(Purpose.ANSWER, policies, member, prompt("x"))
    permit = policy.permit(priced, call)
    before = _spent(policies)
    sweep_answers()
    assert _spent(policies) == before

    Usage.objects.update(open_until=Now() - timedelta(seconds=1))
    sweep_answers()
    sweep_answers()

    assert before[0] > 0
    assert _spent(policies) == _spent(policies, member) == (0, 0)
    assert Usage.objects.get().state == UsageState.RELEASED
    # It lived after all, and says what it used.
    ledger.settle(permit.reserved, amounts.of(priced, 10, 5), estimated=False, seconds=1.0)
    assert _spent(policies)[0] == 15
    assert Usage.objects.get().state == UsageState.SETTLED
