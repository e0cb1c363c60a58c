"""Build the prompt and let the model write. Its words reach the asker live only where nobody has to approve them."""

from answers import chat_models, leases, prompts, streaming
from answers.exceptions import Ended, EndpointError, LeaseLost
from answers.states import AnswerStatus
from answers.steps.state import Outcome, State
from workspaces.models import ReviewPolicy

_THINKS, _HAS_THOUGHT = "<think>", "</think>"


def compose(state: State) -> Outcome:
    """Ends the answer when the model says that the sources hold none. Raises ModelFailed and LeaseLost."""
    endpoint = state.endpoint
    if endpoint is None:
        raise Ended(AnswerStatus.FAILED_NO_ENDPOINT)
    state.prompt = prompts.render(state.question, state.sources)
    state.parameters = chat_models.parameters_of(endpoint)
    watch = leases.Watch(state.answer)
    writer = _Writer(state)
    usage: dict[str, int] = {}
    try:
        for piece in chat_models.stream_chat(
            endpoint,
            state.prompt,
            question=state.question,
            evidence=state.sources,
            should_stop=watch.should_stop,
            usage=usage,
        ):
            writer.write(piece)
    except EndpointError as error:
        raise Ended(AnswerStatus.FAILED_NO_ENDPOINT, reason=str(error)) from error
    finally:
        state.raw = writer.text
    if watch.lost:
        raise LeaseLost(state.answer.pk)
    state.written = spoken(state.raw)
    if _says_no_evidence(state.written):
        raise Ended(AnswerStatus.REFUSED_NO_EVIDENCE, said_by="model")
    sizes = {"characters": len(state.raw), "prompt_characters": len(state.prompt.question)}
    return Outcome(detail=sizes | ({"tokens": usage} if usage else {}))


def spoken(raw: str) -> str:
    """What the model says to the asker, without what some models think aloud before; "" while they still think."""
    text = raw.lstrip()
    if text.startswith(_THINKS):
        return text.partition(_HAS_THOUGHT)[2].strip()
    return "" if _THINKS.startswith(text) else text.rstrip()


def _says_no_evidence(text: str) -> bool:
    return text.lstrip("*`\"' ").startswith(prompts.NO_EVIDENCE)


class _Writer:
    """Collects the model's words and, in an open workspace, streams those that are meant for the asker."""

    def __init__(self, state: State) -> None:
        self.answer_id = state.answer.pk
        # A held answer streams nothing: no reader of the stream can see what a reviewer has not approved.
        self.is_live = state.policy == ReviewPolicy.OPEN
        self.text = ""
        self._streamed = ""

    def write(self, piece: str) -> None:
        self.text += piece.replace("\0", "")  # which PostgreSQL does not store
        if not self.is_live:
            return
        said = spoken(self.text)
        if prompts.NO_EVIDENCE.startswith(said) or _says_no_evidence(said):
            return
        if new := said.removeprefix(self._streamed):
            streaming.append(self.answer_id, streaming.TOKEN, {"text": new})
            self._streamed = said
