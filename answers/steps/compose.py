"""Build the prompt and let the model write. Its words reach the asker live only where nobody has to approve them."""

from answers import chat_models, leases, prompts, streaming
from answers.exceptions import Ended, EndpointError
from answers.states import AnswerStatus
from answers.steps.state import Outcome, State
from workspaces.models import ReviewPolicy


def compose(state: State) -> Outcome:
    """Ends the answer when the model says that the sources hold none. Raises ModelFailed and LeaseLost."""
    endpoint = state.endpoint
    assert endpoint is not None  # noqa: S101  (set by scope)
    state.prompt = prompts.render(state.question, state.sources)
    state.parameters = chat_models.parameters_of(endpoint)
    watch = leases.Watch(state.answer)
    writer = _Writer(state)
    try:
        for piece in chat_models.stream_chat(
            endpoint, state.prompt, question=state.question, evidence=state.sources, should_stop=watch.should_stop
        ):
            writer.write(piece)
    except EndpointError as error:
        raise Ended(AnswerStatus.FAILED_NO_ENDPOINT, reason=str(error)) from error
    finally:
        state.raw = writer.text
    if watch.lost:
        raise leases.LeaseLost(state.answer.pk)
    if state.raw.strip(" .*`\"'\n") == prompts.NO_EVIDENCE:
        raise Ended(AnswerStatus.REFUSED_NO_EVIDENCE, said_by="model")
    return Outcome(detail={"characters": len(state.raw), "prompt_characters": len(state.prompt.question)})


class _Writer:
    """Collects the model's words and, in an open workspace, streams them."""

    def __init__(self, state: State) -> None:
        self.answer_id = state.answer.pk
        # A held answer streams nothing: no reader of the stream can see what a reviewer has not approved.
        self.is_live = state.policy == ReviewPolicy.OPEN
        self.text = ""
        self._streamed = 0

    def write(self, piece: str) -> None:
        self.text += piece.replace("\0", "")  # which PostgreSQL does not store
        if not self.is_live or prompts.NO_EVIDENCE.startswith(self.text.strip()):
            return
        streaming.append(self.answer_id, streaming.TOKEN, {"text": self.text[self._streamed :]})
        self._streamed = len(self.text)
