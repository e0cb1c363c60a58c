"""Who answers where the chosen model may not or cannot: the workspace's own list, in its order, or nobody."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from email.utils import format_datetime
from html import unescape
from typing import Any

import httpx
import pytest
from django.urls import reverse

from answers import chat_models, endpoints, governing
from answers.endpoints import built_in
from answers.exceptions import EndpointError, ModelFailed, ModelRefused
from answers.governing import Purpose, budgets, fallbacks, pace, standing_in
from answers.models import ModelEndpoint, Usage, WorkspaceModels
from answers.replays import sameness
from answers.states import AnswerStatus
from audit.events import EventType
from audit.models import Event
from documents.cards.classifying import classify
from inlock.health.models import models
from workspaces.endpoints import breaker
from workspaces.exceptions import Forbidden

QUESTION = "How many days of paid parental leave does the second parent take?"


@pytest.fixture
def ask(policies: Any, member: Any, prompt: Any) -> Any:
    """ask(endpoint) → the reply to a prompt without documents, read to its end."""

    def run(endpoint: Any, **options: Any) -> str:
        options = {"purpose": Purpose.ANSWER, "workspace": policies, "by": member, "documents": ()} | options
        return "".join(governing.ask(endpoint, prompt("What is there?"), **options))

    return run


@pytest.fixture
def rest_is_over(settings: Any) -> Any:
    """rest_is_over(endpoint) → the time is up for which it was left alone."""
    return lambda endpoint: breaker.client().delete(f"breaker:{endpoint.pk}:rest")


def _models(server: Any) -> list[str]:
    return [request["model"] for request in server.requests]


# --- Standing in --------------------------------------------------------------------------------------------


def test_what_is_classified_too_high_is_refused_with_a_sentence_and_an_entry(
    policies, handbook, member, manager, answered, endpoint_of, chat_server
):
    classify(handbook.document, "confidential", by=manager)
    endpoint = endpoint_of("good")

    answer = answered(policies, QUESTION, member, endpoint=endpoint)

    assert answer.status == AnswerStatus.REFUSED_MODEL_POLICY
    assert endpoint.name in answer.failure_detail
    assert chat_server.requests == []
    entry = Event.objects.get(type=EventType.MODEL_REFUSED)
    assert '"why":"classification"' in entry.body
    assert str(answer.pk) in entry.body
    assert not Usage.objects.exists()


def test_a_document_classified_while_the_prompt_is_made_is_not_sent(
    policies, handbook, member, manager, answered, endpoint_of, chat_server, monkeypatch
):
    from answers.steps import compose

    ask = compose._ask

    def raised_first(*args: Any) -> Any:
        classify(handbook.document, "restricted", by=manager)
        return ask(*args)

    monkeypatch.setattr(compose, "_ask", raised_first)

    answer = answered(policies, QUESTION, member, endpoint=endpoint_of("good"))

    assert answer.status == AnswerStatus.REFUSED_MODEL_POLICY
    assert chat_server.requests == []


def test_a_document_classified_while_a_busy_server_is_waited_for_is_not_sent_again(
    policies, handbook, member, manager, answered, endpoint_of, chat_server, monkeypatch
):
    def raised_meanwhile(_seconds: float, _should_stop: Any) -> bool:
        classify(handbook.document, "restricted", by=manager)
        return True

    monkeypatch.setattr(pace, "wait", raised_meanwhile)

    answer = answered(policies, QUESTION, member, endpoint=endpoint_of("busy-once"))

    assert answer.status == AnswerStatus.REFUSED_MODEL_POLICY
    assert len(chat_server.requests) == 1


@pytest.mark.parametrize(
    ("told", "seconds"),
    [("2.5", 2.5), ("-3", 0.0), ("soon", 1.0), (None, 1.0), ("Thu, 01 Jan 1970 00:00:10 GMT", 0.0)],
)
def test_a_server_says_how_long_to_wait_as_a_number_or_a_date(told, seconds):
    headers = {} if told is None else {"Retry-After": told}

    assert chat_models._retry_after(httpx.Response(429, headers=headers)) == seconds


def test_a_server_that_names_the_time_is_waited_for_until_then():
    then = format_datetime(datetime.now(UTC) + timedelta(seconds=90), usegmt=True)

    assert 60 < chat_models._retry_after(httpx.Response(429, headers={"Retry-After": then})) <= 90


@pytest.mark.parametrize(("model", "why"), [("busy-for-long", "failed_model_busy"), ("error", "failed_model_error")])
def test_a_model_that_fails_before_its_first_word_is_stood_in_for_and_the_record_says_so(
    model, why, policies, handbook, member, manager, answered, endpoint_of, chat_server, client_of
):
    first, second = endpoint_of(model), endpoint_of("good")
    standing_in.choose(policies, [second], by=manager)

    answer = answered(policies, QUESTION, member, endpoint=first)

    assert answer.status == AnswerStatus.ANSWERED
    assert answer.endpoint == second
    assert answer.endpoint_label == second.label
    (passed,) = answer.parameters["passed_over"]
    assert (passed["endpoint"], passed["why"]) == (f"{first.name}: {model}", why)
    assert answer.steps.get(step="compose").detail["passed_over"] == [passed]
    page = client_of(member).get(reverse("answers:provenance", args=[policies.slug, answer.pk])).content.decode()
    assert f"“{first.name}: {model}” did not answer: {passed['sentence']}" in unescape(page)
    assert chat_server.url not in page
    entry = Event.objects.get(type=EventType.MODEL_PASSED_OVER)
    assert entry.object_id == str(second.pk)
    assert f'"why":"{why}"' in entry.body
    assert _models(chat_server) == [model, "good"]
    assert list(Usage.objects.order_by("at").values_list("endpoint", flat=True)) == [first.pk, second.pk]


def test_a_refused_model_is_stood_in_for_by_one_that_may_read_it(
    policies, handbook, member, manager, answered, endpoint_of, chat_server
):
    classify(handbook.document, "restricted", by=manager)
    first, low, high = endpoint_of("good"), endpoint_of("counts"), endpoint_of("paraphrase", ceiling="restricted")
    standing_in.choose(policies, [low, high], by=manager)

    answer = answered(policies, QUESTION, member, endpoint=first)

    assert answer.endpoint == high
    WorkspaceModels.objects.get(workspace=policies).choices.clear()
    assert sameness.endpoint_of(answer) == high
    assert [one["why"] for one in answer.parameters["passed_over"]] == ["classification", "classification"]
    assert _models(chat_server) == ["paraphrase"]


def test_the_built_in_model_can_be_the_last_of_the_list(
    policies, handbook, member, manager, answered, endpoint_of, chat_server
):
    standing_in.choose(policies, [built_in()], by=manager)
    classify(handbook.document, "restricted", by=manager)

    answer = answered(policies, QUESTION, member, endpoint=endpoint_of("good"))

    assert (answer.status, answer.endpoint) == (AnswerStatus.ANSWERED, built_in())
    assert chat_server.requests == []


def test_a_model_that_broke_off_is_not_stood_in_for(
    policies, handbook, member, manager, answered, endpoint_of, chat_server
):
    first = endpoint_of("dies")
    standing_in.choose(policies, [endpoint_of("good")], by=manager)

    answer = answered(policies, QUESTION, member, endpoint=first)

    assert answer.status == AnswerStatus.FAILED_MODEL_INTERRUPTED
    assert _models(chat_server) == ["dies"]
    assert "passed_over" not in answer.parameters


def test_without_a_list_nobody_stands_in(policies, handbook, member, answered, endpoint_of, chat_server):
    first = endpoint_of("error")
    endpoint_of("good")

    answer = answered(policies, QUESTION, member, endpoint=first)

    assert (answer.status, answer.endpoint) == (AnswerStatus.FAILED_MODEL_ERROR, first)
    assert _models(chat_server) == ["error"]


def test_where_all_refuse_or_fail_the_first_ones_reason_is_told(policies, manager, endpoint_of, ask, chat_server):
    first, second = endpoint_of("error"), endpoint_of("good", input_price=Decimal(1), output_price=Decimal(1))
    standing_in.choose(policies, [second], by=manager)
    ModelEndpoint.objects.filter(pk=second.pk).update(state="retired")

    with pytest.raises(ModelFailed) as failed:
        ask(first, falls_back=True)

    assert failed.value.status == AnswerStatus.FAILED_MODEL_ERROR
    assert _models(chat_server) == ["error"]


@pytest.mark.parametrize(
    ("state", "purpose", "code"),
    [("retired", "answer", "state"), ("candidate", "answer", "state"), ("retired", "test", "state")],
)
def test_a_model_that_is_not_in_use_receives_nothing(state, purpose, code, endpoint_of, ask, chat_server, policies):
    endpoint = endpoint_of("good")
    ModelEndpoint.objects.filter(pk=endpoint.pk).update(state=state)

    with pytest.raises(ModelRefused) as refused:
        ask(endpoint, purpose=Purpose(purpose), workspace=None if purpose == "test" else policies)

    assert refused.value.code == code
    assert chat_server.requests == []


def test_only_who_manages_sets_the_list_and_only_of_models_in_use(policies, member, manager, endpoint_of):
    one, two = endpoint_of("good"), endpoint_of("counts")

    standing_in.choose(policies, [two, one], by=manager)
    standing_in.choose(policies, [two, one], by=manager)

    assert fallbacks.of(policies) == [two, one]
    (entry,) = Event.objects.filter(type=EventType.FALLBACKS_CHANGED)
    assert f'"after":["{two.name}","{one.name}"]' in entry.body
    with pytest.raises(Forbidden):
        standing_in.choose(policies, [one], by=member)
    with pytest.raises(EndpointError):
        standing_in.choose(policies, [one, one], by=manager)
    one.state = "retired"
    with pytest.raises(EndpointError):
        standing_in.choose(policies, [one], by=manager)


def test_the_page_of_stand_ins_sets_the_order(policies, manager, member, endpoint_of, client_of, monkeypatch):
    one, two = endpoint_of("good"), endpoint_of("counts")
    WorkspaceModels.objects.get(workspace=policies).choices.remove(two)
    address = reverse("answers:stand_ins", args=[policies.slug])
    newly: list[Any] = []
    monkeypatch.setattr(endpoints, "before_choice", [lambda _workspace, new, _by: newly.append(new)])

    client_of(manager).post(address, {"place_1": "", "place_2": two.pk, "place_3": one.pk})
    client_of(manager).post(address, {"place_1": one.pk, "place_2": two.pk})
    twice = client_of(manager).post(address, {"place_1": one.pk, "place_2": one.pk})

    assert fallbacks.of(policies) == [one, two]
    assert newly == [[two], []]
    assert twice.status_code == 400
    assert client_of(member).get(address).status_code == 403


def test_whether_text_may_go_can_be_asked_without_sending_anything(policies, handbook, manager, endpoint_of):
    endpoint = endpoint_of("good")
    named = {"purpose": Purpose.ANSWER, "workspace": policies, "documents": [handbook.document_id]}
    assert governing.permitted(endpoint, **named) == ""

    classify(handbook.document, "confidential", by=manager)

    assert "classified higher" in governing.permitted(endpoint, **named)
    assert "classified higher" in governing.permitted(
        endpoint, purpose=Purpose.DRAFT_REVIEW, workspace=policies, level="restricted"
    )
    assert governing.permitted(built_in(), **named) == ""
    assert not Usage.objects.exists()
    assert not Event.objects.filter(type=EventType.MODEL_REFUSED).exists()


# --- The circuit breaker ------------------------------------------------------------------------------------


def _fail(ask: Any, endpoint: Any, times: int) -> None:
    for _time in range(times):
        with pytest.raises(ModelFailed):
            ask(endpoint)


def test_a_server_that_keeps_failing_is_left_alone_then_tried_with_one_call(
    endpoint_of, ask, chat_server, rest_is_over, admin, client_of
):
    endpoint = endpoint_of("error")
    _fail(ask, endpoint, breaker.FAILURES)
    assert breaker.standing(endpoint.pk).state == "open"
    assert "Left alone" in client_of(admin).get(reverse("admin:answers_modelendpoint_changelist")).content.decode()
    assert [found.state for found in models(database_runs=True, broker_runs=True)] == ["left alone"]

    _fail(ask, endpoint, 3)

    assert len(chat_server.requests) == breaker.FAILURES
    # The rest is over: one call goes out, and what it finds decides for all.
    rest_is_over(endpoint)
    assert breaker.standing(endpoint.pk).state == "half_open"
    assert breaker.allows(endpoint.pk, seconds=60)
    assert not breaker.allows(endpoint.pk, seconds=60)
    breaker.failed(endpoint.pk)
    assert breaker.standing(endpoint.pk).state == "open"
    rest_is_over(endpoint)
    ModelEndpoint.objects.filter(pk=endpoint.pk).update(model="good")
    assert "20 working days" in ask(endpoint)
    assert breaker.standing(endpoint.pk) == breaker.Standing()


def test_a_refused_call_does_not_use_up_the_one_that_tries_a_server_again(
    policies, manager, endpoint_of, ask, rest_is_over
):
    endpoint = endpoint_of("error", input_price=Decimal(1), output_price=Decimal(1))
    _fail(ask, endpoint, breaker.FAILURES)
    rest_is_over(endpoint)
    budgets.change(policies, by=manager, day_tokens=1)
    _fail(ask, endpoint, 1)
    budgets.change(policies, by=manager)

    ModelEndpoint.objects.filter(pk=endpoint.pk).update(model="good")

    assert "20 working days" in ask(endpoint)


def test_a_server_that_is_busy_or_was_answering_is_not_ill(endpoint_of, ask):
    busy, broken = endpoint_of("busy-for-long"), endpoint_of("dies")

    _fail(ask, busy, breaker.FAILURES + 1)
    _fail(ask, broken, breaker.FAILURES + 1)

    assert breaker.standing(busy.pk).state == breaker.standing(broken.pk).state == "closed"


def test_without_valkey_servers_are_asked_as_if_they_had_never_failed(endpoint_of, ask, settings):
    endpoint = endpoint_of("good", concurrent_requests=1, requests_per_minute=1)
    settings.REDIS_URL = "redis://127.0.0.1:9/0"

    assert "20 working days" in ask(endpoint)
    assert breaker.standing(endpoint.pk).state == "closed"


# --- Pace ---------------------------------------------------------------------------------------------------


def test_no_more_are_asked_at_a_time_and_in_a_minute_than_its_owner_said(endpoint_of, ask, policies, member, prompt):
    one_at_a_time = endpoint_of("good", concurrent_requests=1, first_token_seconds=0)
    two_a_minute = endpoint_of("counts", requests_per_minute=2, first_token_seconds=60)
    reply = governing.ask(
        one_at_a_time, prompt("x"), purpose=Purpose.ANSWER, workspace=policies, by=member, documents=()
    )
    # Its clock has begun once the first word is there.
    ModelEndpoint.objects.filter(pk=one_at_a_time.pk).update(first_token_seconds=60)
    next(reply)

    with pytest.raises(ModelFailed, match="as many as it takes"):
        ask(one_at_a_time)

    reply.close()
    assert "20 working days" in ask(one_at_a_time)
    two_a_minute.first_token_seconds = 0
    ask(two_a_minute)
    ask(two_a_minute)
    with pytest.raises(ModelFailed, match="as many as it takes"):
        ask(two_a_minute)
