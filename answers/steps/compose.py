"""Build the prompt and let the model write. Its words reach the asker live only where nobody has to approve them."""

from typing import Any

from answers import chat_models, governing, leases, prompts, streaming
from answers.exceptions import Ended, EndpointError, LeaseLost
from answers.governing import Purpose, Reply
from answers.models import ModelEndpoint, Shape
from answers.rag_templates import shapes
from answers.rag_templates.task import task_of
from answers.states import AnswerStatus
from answers.steps.sending import Closed, Sending
from answers.steps.state import Outcome, State
from workspaces.models import ReviewPolicy

_THINKS, _HAS_THOUGHT = "<think>", "</think>"


def compose(state: State) -> Outcome:
    """Ends the answer when the model says that the sources hold none. Raises ModelFailed and LeaseLost."""
    endpoint = state.endpoint
    if endpoint is None:
        raise Ended(AnswerStatus.FAILED_NO_ENDPOINT)
    task = task_of(state.template)
    state.prompt = prompts.render(state.question, state.sources, task)
    watch = leases.Watch(state.answer)
    writer = _Writer(state)
    reply = _ask(state, endpoint, state.prompt, watch)
    try:
        for piece in reply:
            writer.write(piece)
    except EndpointError as error:
        raise Ended(AnswerStatus.FAILED_NO_ENDPOINT, reason=str(error)) from error
    except Closed as closed:
        raise Ended(AnswerStatus.REFUSED_NO_RIGHT, at="compose") from closed
    finally:
        state.raw = writer.text
        state.endpoint = reply.endpoint
        state.parameters = chat_models.parameters_of(reply.endpoint) | _passed_over(reply)
    if watch.lost:
        raise LeaseLost(state.answer.pk)
    state.written = spoken(state.raw)
    if _says_no_evidence(state.written):
        raise Ended(AnswerStatus.REFUSED_NO_EVIDENCE, said_by="model")
    sizes = {"characters": len(state.raw), "prompt_characters": len(state.prompt.question)}
    return Outcome(detail=sizes | _used(reply) | _passed_over(reply) | _form(state))


def _ask(state: State, endpoint: ModelEndpoint, prompt: prompts.Prompt, watch: leases.Watch) -> Reply:
    """The model's words, once the policy lets this prompt go; of a real answer the workspace's list stands in."""
    is_real = state.trial is None
    # The question may say what a model put in from an earlier answer; what that rests on is evidence of this one.
    own = (state.answer.pk,) if is_real else ()
    return governing.ask(
        endpoint,
        prompt,
        purpose=Purpose.ANSWER if state.trial is None else Purpose(state.trial.purpose),
        workspace=state.workspace,
        by=state.asker,
        documents={source.document_id for source in state.sources},
        answers=own if state.asked_as else (),
        question=state.question,
        evidence=state.sources,
        answer=state.answer.pk if is_real else None,
        should_stop=watch.should_stop,
        sending=Sending(state, state.sources),
        # A template that names its model is answered by that one or not at all.
        falls_back=is_real and (state.template is None or state.template.endpoint_id is None),
    )


def _used(reply: Reply) -> dict[str, Any]:
    """The tokens that a server told of, and what they cost."""
    if not reply.usage or reply.usage["estimated"]:
        return {}
    tokens = {name: reply.usage[name] for name in ("input", "output")}
    return {"tokens": tokens} | ({"cost": reply.usage["cost"]} if reply.usage["cost"] else {})


def _form(state: State) -> dict[str, Any]:
    """Whether the text keeps the form its template asks for; one that does not is shown as sentences."""
    if state.template is None or state.template.shape == Shape.ANSWER:
        return {}
    kept = shapes.read(state.template.shape, state.template.columns, state.written) is not None
    return {"form": state.template.shape, "form_kept": kept}


def _passed_over(reply: Reply) -> dict[str, Any]:
    """Who would have written, and why it did not."""
    return {"passed_over": reply.passed_over} if reply.passed_over else {}


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
