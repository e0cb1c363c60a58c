"""Whatever a model's server does, the answer ends in a named state with a sentence, and never in a spinner."""

from typing import Any

import pytest

from answers import chat_models, governing, prompts, streaming
from answers.exceptions import ModelFailed
from answers.governing import Purpose, pace
from answers.language import speaking
from answers.models import EndpointKind, ModelEndpoint
from answers.states import WORDING, AnswerStatus
from audit.events import EventType
from audit.models import Event
from documents.analysis import script
from tests.permits import permit_for

QUESTION = "How many days of paid parental leave does the second parent take?"

ENDINGS = {
    "good": AnswerStatus.ANSWERED,
    "liar": AnswerStatus.ANSWERED,
    "busy-once": AnswerStatus.ANSWERED,
    "thinks": AnswerStatus.ANSWERED,
    "no-evidence": AnswerStatus.REFUSED_NO_EVIDENCE,
    "no-evidence-and-more": AnswerStatus.REFUSED_NO_EVIDENCE,
    "uncited": AnswerStatus.FAILED_MODEL_UNCITED,
    "only-lies": AnswerStatus.FAILED_MODEL_UNCITED,
    "silent": AnswerStatus.FAILED_MODEL_TIMEOUT,
    "stalls": AnswerStatus.FAILED_MODEL_TIMEOUT,
    "busy": AnswerStatus.FAILED_MODEL_BUSY,
    "busy-for-long": AnswerStatus.FAILED_MODEL_BUSY,
    "error": AnswerStatus.FAILED_MODEL_ERROR,
    "wrong-key": AnswerStatus.FAILED_MODEL_ERROR,
    "elsewhere": AnswerStatus.FAILED_MODEL_ERROR,
    "empty": AnswerStatus.FAILED_MODEL_ERROR,
    "garbage": AnswerStatus.FAILED_MODEL_ERROR,
    "other-shape": AnswerStatus.FAILED_MODEL_ERROR,
    "endless": AnswerStatus.FAILED_MODEL_ERROR,
    "dies": AnswerStatus.FAILED_MODEL_INTERRUPTED,
    "trails-off": AnswerStatus.FAILED_MODEL_INTERRUPTED,
    "too-long": AnswerStatus.FAILED_MODEL_INTERRUPTED,
}


@pytest.mark.parametrize(("model", "status"), ENDINGS.items())
def test_a_model_that_does_this_ends_in_a_named_state(
    model: str,
    status: AnswerStatus,
    policies: Any,
    handbook: Any,
    member: Any,
    answered: Any,
    endpoint_of: Any,
) -> None:
    patience = 1 if status == AnswerStatus.FAILED_MODEL_TIMEOUT else 60
    endpoint = endpoint_of(model, first_token_seconds=patience, total_seconds=2 * patience)

    answer = answered(policies, QUESTION, member, endpoint=endpoint)

    assert answer.status == status, answer.failure_detail
    assert str(WORDING[answer.status].sentence)
    assert bool(answer.released_text) == (status == AnswerStatus.ANSWERED)
    assert streaming.read(answer.pk)[-1][1:] == ("end", {"status": status})
    family = {"answered": "released", "refused": "refused", "failed": "failed"}[status.family]
    assert Event.objects.filter(object_id=str(answer.pk), type=f"answer.{family}").count() == 1


@pytest.mark.parametrize(
    "model", ["error", "garbage", "empty", "busy-for-long", "dies", "trails-off", "too-long", "endless", "silent"]
)
def test_what_went_wrong_is_said_in_the_askers_language(model: str, endpoint_of: Any) -> None:
    endpoint = endpoint_of(model, first_token_seconds=1 if model == "silent" else 60)
    prompt = prompts.render(QUESTION, [])

    with speaking("sr"), pytest.raises(ModelFailed) as failed:
        list(chat_models.stream_chat(permit_for(endpoint, prompt), prompt, question=QUESTION, evidence=[]))

    sentence, _, _fault = failed.value.detail.partition(" (")
    assert script(sentence) == "cyrl"


def test_a_server_that_nobody_runs_ends_in_a_model_error(
    policies: Any, handbook: Any, member: Any, answered: Any, offer: Any
) -> None:
    endpoint = offer(
        policies,
        ModelEndpoint(name="gone", kind=EndpointKind.OPENAI, base_url="http://127.0.0.1:9/v1", model="any"),
    )

    answer = answered(policies, QUESTION, member, endpoint=endpoint)

    assert answer.status == AnswerStatus.FAILED_MODEL_ERROR
    assert "reached" in answer.failure_detail


def test_a_busy_server_is_tried_twice_and_no_more(
    policies: Any, handbook: Any, member: Any, answered: Any, endpoint_of: Any, chat_server: Any
) -> None:
    answered(policies, QUESTION, member, endpoint=endpoint_of("busy"))

    assert len(chat_server.requests) == 2


def test_a_stop_while_waiting_for_a_busy_server_ends_the_wait(
    policies: Any, member: Any, endpoint_of: Any, chat_server: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    endpoint = endpoint_of("busy-for-a-while")
    waited: list[float] = []
    monkeypatch.setattr(pace, "sleep", waited.append)

    pieces = list(
        governing.ask(
            endpoint,
            prompts.render(QUESTION, []),
            purpose=Purpose.ANSWER,
            workspace=policies,
            by=member,
            documents=(),
            should_stop=lambda: bool(waited),
        )
    )

    assert (pieces, len(waited)) == ([], 1)
    assert len(chat_server.requests) == 1


@pytest.mark.parametrize("model", ["dies", "error"])
def test_nothing_else_is_tried_again(
    model: str, policies: Any, handbook: Any, member: Any, answered: Any, endpoint_of: Any, chat_server: Any
) -> None:
    answered(policies, QUESTION, member, endpoint=endpoint_of(model))

    assert len(chat_server.requests) == 1


def test_a_key_that_is_not_set_is_named_and_nothing_is_sent(
    policies: Any, handbook: Any, member: Any, answered: Any, endpoint_of: Any, chat_server: Any
) -> None:
    endpoint = endpoint_of("good", key_reference="INLOCK_KEY_NOWHERE")

    answer = answered(policies, QUESTION, member, endpoint=endpoint)

    assert answer.status == AnswerStatus.FAILED_NO_ENDPOINT
    assert "INLOCK_KEY_NOWHERE" in answer.failure_detail
    assert chat_server.requests == []


def test_only_the_endpoints_own_key_is_sent_and_nothing_about_this_machine(
    policies: Any,
    handbook: Any,
    member: Any,
    answered: Any,
    endpoint_of: Any,
    chat_server: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("INLOCK_KEY_HERE", "the-key-of-this-endpoint")
    monkeypatch.setenv("OPENAI_API_KEY", "a-key-for-somebody-else")
    monkeypatch.setenv("OPENAI_ORG_ID", "our-organisation")

    answered(policies, QUESTION, member, endpoint=endpoint_of("good", key_reference="INLOCK_KEY_HERE"))
    answered(policies, QUESTION, member, endpoint=endpoint_of("busy"))

    with_key, without = chat_server.headers[0], chat_server.headers[1]
    assert with_key["authorization"] == "Bearer the-key-of-this-endpoint"
    assert "authorization" not in without
    for sent in chat_server.headers:
        assert not [name for name in sent if name.startswith(("x-stainless", "openai-"))]


def test_lies_are_dropped_counted_and_never_shown_as_sources(
    policies: Any, handbook: Any, member: Any, answered: Any, endpoint_of: Any
) -> None:
    answer = answered(policies, QUESTION, member, endpoint=endpoint_of("liar"))

    assert answer.dropped_citations == 4
    (citation,) = answer.citations.select_related("version")
    assert citation.quote == citation.version.text[citation.start : citation.end]
    assert "20 working days" in " ".join(citation.quote.split())
    assert "[9]" not in answer.released_text
    assert "0f8fad5b" not in answer.released_text
    assert answer.released_text.count("[1]") == 1
    unproven = [sentence for sentence in answer.sentences if not sentence["citations"]]
    assert [sentence["grounding"] for sentence in unproven] == [0.0] * 4


def test_a_failed_answer_leaves_what_was_tried_in_its_record(
    policies: Any, handbook: Any, member: Any, answered: Any, endpoint_of: Any
) -> None:
    answer = answered(policies, QUESTION, member, endpoint=endpoint_of("only-lies"))

    assert [run.step for run in answer.steps.all()] == ["scope", "understand", "reuse", "retrieve", "compose", "cite"]
    assert answer.steps.last().outcome == AnswerStatus.FAILED_MODEL_UNCITED
    assert answer.raw_output
    assert answer.prompt_sha256
    assert Event.objects.filter(type=EventType.EVIDENCE_SENT).count() == 1


def test_what_a_model_thinks_aloud_is_neither_streamed_nor_shown(
    policies: Any, handbook: Any, member: Any, answered: Any, endpoint_of: Any, raw_stream: Any
) -> None:
    answer = answered(policies, QUESTION, member, endpoint=endpoint_of("thinks"))

    assert answer.released_text == "The second parent takes 20 working days of paid parental leave [1]."
    assert "nosy" not in raw_stream(answer)
    words = "".join(data["text"] for _id, kind, data in streaming.read(answer.pk) if kind == "token")
    assert words == answer.released_text


def test_a_model_that_finds_no_evidence_streams_nothing(
    policies: Any, handbook: Any, member: Any, answered: Any, endpoint_of: Any
) -> None:
    answer = answered(policies, QUESTION, member, endpoint=endpoint_of("no-evidence"))

    assert "token" not in [kind for _id, kind, _data in streaming.read(answer.pk)]
