"""Talk to a model: the only door to langchain, for the built-in model and for any OpenAI-compatible server.

What a server may do wrong is turned into one `ModelFailed` with the ending the asker is told. Nothing is retried
here, and nothing runs past the endpoint's limits.
"""

import asyncio
import logging
from collections.abc import Callable, Collection, Iterator, Sequence
from email.utils import parsedate_to_datetime
from functools import partial
from time import monotonic, time
from typing import TYPE_CHECKING, Any, Protocol
from uuid import UUID

from django.utils.translation import gettext as _

from answers.exceptions import ModelBusy, ModelFailed
from answers.models import EndpointKind, ModelEndpoint
from answers.permit import Permit
from answers.prompts import Prompt, Quotable
from answers.registry import wire
from answers.registry.hosts import require_allowed
from answers.registry.keys import key_of
from answers.states import AnswerStatus
from documents.embedding.spaces import space_of

if TYPE_CHECKING:
    import httpx
    from langchain_core.messages import AIMessageChunk, BaseMessage

logger = logging.getLogger(__name__)

TEMPERATURE = 0.0
#: More than any answer needs; a server that never stops is cut here.
MOST_CHARACTERS = 40_000
#: No prompt or answer has so many; a server that says so is wrong.
_MOST_TOKENS = 10**9
_POLL_SECONDS = 0.2
_BUSY = {429, 503}
#: What a server says of a prompt that is too long for it, or that it does not take.
_OF_THE_PROMPT = {400, 413, 422}
_UNHEARD = ("openai-organization", "openai-project", "x-stainless-")


class Evidence(Quotable, Protocol):
    """A source as the built-in model reads it."""

    @property
    def language(self) -> str: ...


def stream_chat(
    permit: Permit,
    prompt: Prompt,
    *,
    question: str,
    evidence: Sequence[Evidence],
    should_stop: Callable[[], bool] = lambda: False,
    usage: dict[str, int] | None = None,
    workspace: UUID | None = None,
) -> Iterator[str]:
    """What the model writes, piece by piece; ends early, without an error, once `should_stop()` says so.

    Only `answers/governing` calls this: `permit` is the policy's word that this prompt may go to that endpoint, once.
    `usage` is filled with the tokens of "input" and "output" by a server that tells them; none is asked to, since some
    refuse a request that asks. The built-in model compares sentences with the embedding model of `workspace` where its
    own does not read them. Raises ModelFailed, PermitVoid, and EndpointError when the endpoint's key is missing.
    """
    endpoint = permit.use(prompt)
    if endpoint.kind == EndpointKind.EXTRACTIVE:
        pieces = _quote(prompt, question, evidence, workspace)
    else:
        pieces = _ask_server(endpoint, prompt, should_stop, {} if usage is None else usage)
    length = 0
    for piece in pieces:
        length += len(piece)
        if length > MOST_CHARACTERS:
            raise ModelFailed(AnswerStatus.FAILED_MODEL_ERROR, _("The model did not stop writing."))
        yield piece
        if should_stop():
            return


def load(kinds: Collection[str]) -> None:
    """Import what stands behind these kinds of endpoint: it takes seconds, and a question should not wait for it."""
    if EndpointKind.EXTRACTIVE in kinds:
        import answers.extractive  # noqa: F401
    if EndpointKind.OPENAI in kinds:
        import langchain_openai  # noqa: F401


def parameters_of(endpoint: ModelEndpoint) -> dict[str, Any]:
    """What the model is asked with, for the answer's record."""
    if endpoint.kind == EndpointKind.EXTRACTIVE:
        return {}
    return wire.parameters(endpoint, temperature=TEMPERATURE)


# --- The built-in model -----------------------------------------------------------------------------------------


def _quote(prompt: Prompt, question: str, evidence: Sequence[Evidence], workspace: UUID | None) -> Iterator[str]:
    from answers.extractive import ExtractiveChat

    material: dict[str, Any] = {"question": question, "evidence": list(evidence), "items": prompt.items}
    if workspace is not None:
        material["space"] = partial(space_of, workspace)
    for chunk in ExtractiveChat().stream(_messages(prompt, material)):
        yield _text(chunk)


# --- A server that speaks the chat-completions protocol ---------------------------------------------------------


class _Clock:
    """The limits of one answer: until the first word, and for the whole."""

    def __init__(self, endpoint: ModelEndpoint) -> None:
        self.endpoint, self.started, self.has_begun = endpoint, monotonic(), False

    def check(self) -> None:
        seconds = monotonic() - self.started
        if not self.has_begun and seconds > self.endpoint.first_token_seconds:
            detail = _("No word came within %(limit)d seconds.") % {"limit": self.endpoint.first_token_seconds}
            raise ModelFailed(AnswerStatus.FAILED_MODEL_TIMEOUT, detail)
        if seconds > self.endpoint.total_seconds:
            detail = _("The answer was not finished after %(limit)d seconds.") % {"limit": self.endpoint.total_seconds}
            raise ModelFailed(AnswerStatus.FAILED_MODEL_TIMEOUT, detail)


def _ask_server(
    endpoint: ModelEndpoint, prompt: Prompt, should_stop: Callable[[], bool], usage: dict[str, int]
) -> Iterator[str]:
    # Loaded before the clock starts: the first question of a process is not the server's fault.
    import langchain_openai  # noqa: F401

    require_allowed(endpoint.base_url)
    key = key_of(endpoint)
    clock = _Clock(endpoint)
    yield from _one_try(endpoint, key, prompt, clock, should_stop, usage)


def _one_try(
    endpoint: ModelEndpoint,
    key: str,
    prompt: Prompt,
    clock: _Clock,
    should_stop: Callable[[], bool],
    usage: dict[str, int],
) -> Iterator[str]:
    finish = ""
    for chunk in _chunks(endpoint, key, prompt, clock, should_stop):
        usage.update(_told(chunk))
        finish = chunk.response_metadata.get("finish_reason") or finish
        if text := _text(chunk):
            clock.has_begun = True
            yield text
    if should_stop():
        return
    if finish == "length":
        detail = _("The answer is longer than %(limit)d tokens.") % {"limit": endpoint.max_output_tokens}
        raise ModelFailed(AnswerStatus.FAILED_MODEL_INTERRUPTED, detail)
    if finish == "content_filter":
        raise ModelFailed(AnswerStatus.FAILED_MODEL_ERROR, _("The server's filter held the answer back."))
    if not clock.has_begun:
        raise ModelFailed(AnswerStatus.FAILED_MODEL_ERROR, _("The server sent no text."))
    if not finish:
        raise ModelFailed(AnswerStatus.FAILED_MODEL_INTERRUPTED, _("The stream ended before the answer did."))


def _chunks(
    endpoint: ModelEndpoint, key: str, prompt: Prompt, clock: _Clock, should_stop: Callable[[], bool]
) -> Iterator["AIMessageChunk"]:
    """The server's chunks. An event loop of our own lets us leave a silent connection at any moment."""
    with asyncio.Runner() as runner:
        client = _http_client(endpoint, key)
        stream = _chat_openai(endpoint, key, client).astream(_messages(prompt, {}))
        upcoming: asyncio.Task[Any] | None = None
        try:
            while True:
                upcoming = upcoming or runner.get_loop().create_task(_next(stream))
                is_here = runner.run(_within(upcoming, _POLL_SECONDS))
                if should_stop():
                    return
                clock.check()
                if not is_here:
                    continue
                chunk = _result(upcoming, clock)
                upcoming = None
                if chunk is None:
                    return
                yield chunk
        finally:
            if upcoming is not None:
                upcoming.cancel()
            runner.run(client.aclose())


async def _next(stream: Any) -> Any:
    return await anext(stream, None)


async def _within(task: "asyncio.Task[Any]", seconds: float) -> bool:
    done, _pending = await asyncio.wait({task}, timeout=seconds)
    return bool(done)


def _result(task: "asyncio.Task[Any]", clock: _Clock) -> Any:
    import httpx
    import openai

    try:
        return task.result()
    except openai.APIStatusError as error:
        if error.status_code in _BUSY and not clock.has_begun:
            after = _retry_after(error.response)
            detail = _("The server asked to wait %(seconds).0f seconds.") % {"seconds": after}
            raise ModelBusy(AnswerStatus.FAILED_MODEL_BUSY, detail, after=after) from error
        detail = _("The server answered with status %(status)d.") % {"status": error.status_code}
        is_about_prompt = error.status_code in _OF_THE_PROMPT
        raise ModelFailed(AnswerStatus.FAILED_MODEL_ERROR, detail, is_about_prompt=is_about_prompt) from error
    except openai.APITimeoutError as error:
        raise ModelFailed(AnswerStatus.FAILED_MODEL_TIMEOUT, _("The server did not answer in time.")) from error
    # What langchain raises when a server's JSON has an unexpected shape is whatever its parsing stumbles over.
    except (openai.OpenAIError, httpx.HTTPError, ValueError, TypeError, KeyError, AttributeError, IndexError) as error:
        cause = type(error.__cause__ or error).__name__
        if clock.has_begun:
            detail = _("The stream broke off (%(cause)s).") % {"cause": cause}
            raise ModelFailed(AnswerStatus.FAILED_MODEL_INTERRUPTED, detail) from error
        detail = _("The server could not be reached or did not speak the protocol (%(cause)s).") % {"cause": cause}
        raise ModelFailed(AnswerStatus.FAILED_MODEL_ERROR, detail) from error


def _retry_after(response: "httpx.Response") -> float:
    """The seconds that a server asks to wait, told as a number or as a date; one where it tells nothing."""
    told = response.headers.get("retry-after", "1")
    try:
        return max(0.0, float(told))
    except ValueError:
        pass
    try:
        return max(0.0, parsedate_to_datetime(told).timestamp() - time())
    except ValueError:
        return 1.0


def _chat_openai(endpoint: ModelEndpoint, key: str, client: "httpx.AsyncClient") -> Any:
    import httpx
    from langchain_openai import ChatOpenAI

    from answers.registry.pinned import ClosedTransport

    return ChatOpenAI(
        base_url=endpoint.base_url,
        model=endpoint.model,
        # Never left out: the library would send OPENAI_API_KEY of the environment to whatever server this is.
        api_key=key or "none",  # type: ignore[arg-type]
        **wire.dialect(endpoint, temperature=TEMPERATURE),
        max_retries=0,
        streaming=True,
        stream_chunk_timeout=None,
        timeout=client.timeout,
        http_async_client=client,
        # The library would make one that knows of no list of hosts, and read all authorities for it.
        http_client=httpx.Client(transport=ClosedTransport(), trust_env=False),
    )


def _http_client(endpoint: ModelEndpoint, key: str) -> "httpx.AsyncClient":
    import httpx

    from answers.registry.pinned import PinnedTransport

    async def strip(request: httpx.Request) -> None:
        for name in [name for name in request.headers if name.lower().startswith(_UNHEARD)]:
            del request.headers[name]
        wire.sign(request, endpoint, key)

    return httpx.AsyncClient(
        timeout=httpx.Timeout(endpoint.total_seconds, connect=endpoint.connect_seconds),
        # Only the configured address: no proxy from the environment, and nowhere a server redirects to.
        trust_env=False,
        follow_redirects=False,
        transport=PinnedTransport(),
        event_hooks={"request": [strip]},
    )


def _messages(prompt: Prompt, material: dict[str, Any]) -> list["BaseMessage"]:
    from langchain_core.messages import HumanMessage, SystemMessage

    return [SystemMessage(prompt.system), HumanMessage(prompt.question, additional_kwargs=material)]


def _told(chunk: Any) -> dict[str, int]:
    """The tokens a server counted, where this chunk tells them; whatever is no count is not believed."""
    told = chunk.usage_metadata or {}
    counts = {name: told.get(f"{name}_tokens") for name in ("input", "output")}
    return {name: count for name, count in counts.items() if type(count) is int and 0 <= count < _MOST_TOKENS}


def _text(chunk: Any) -> str:
    return chunk.content if isinstance(chunk.content, str) else str(chunk.text)
