"""Ask a model, as the policy lets us: the chosen one first, then the workspace's own list, and never anybody else."""

import logging
import random
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from time import monotonic
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext as _

from answers import chat_models
from answers.exceptions import EndpointError, ModelBusy, ModelFailed, ModelRefused, ModelResting
from answers.governing import amounts, fallbacks, ledger, pace
from answers.governing.policy import Call, permit
from answers.models import EndpointKind, ModelEndpoint, Purpose
from answers.permit import Permit
from answers.prompts import Prompt
from answers.states import AnswerStatus
from audit.events import EventType
from audit.record import record
from workspaces.endpoints import breaker
from workspaces.models import User, Workspace
from workspaces.places import PLACES

logger = logging.getLogger(__name__)

#: Tries where the server says it is busy, which it can only do before its first word.
_TRIES = 2
#: What says that a server is ill, and not only that it is asked too often.
_ILL = (AnswerStatus.FAILED_MODEL_ERROR, AnswerStatus.FAILED_MODEL_TIMEOUT)
#: Before the first word these cost nothing: the server did not take the prompt.
_UNREAD = (AnswerStatus.FAILED_MODEL_ERROR, AnswerStatus.FAILED_MODEL_BUSY)


def ask(
    endpoint: ModelEndpoint,
    prompt: Prompt,
    *,
    purpose: Purpose,
    workspace: Workspace | None,
    by: User | None,
    documents: Collection[UUID],
    answers: Collection[UUID] = (),
    classification: str = "",
    question: str = "",
    evidence: Sequence[chat_models.Evidence] = (),
    answer: UUID | None = None,
    should_stop: Callable[[], bool] = lambda: False,
    sending: Callable[[ModelEndpoint], None] = lambda endpoint: None,
    falls_back: bool = False,
) -> "Reply":
    """What the model writes, piece by piece, once the policy let the prompt go.

    `documents` are all whose text the prompt holds, `answers` earlier answers whose text it holds, `classification` the
    level of text in it that is no document. The policy is asked when the first piece is taken, and for each endpoint
    and each try anew. Between its word and the first byte `sending` is called in a transaction, with who is sent the
    prompt now; what it raises keeps it here. With `falls_back` the workspace's list stands in where the endpoint
    refuses, rests or fails before its first word. Raises ModelRefused, ModelFailed and EndpointError, of several models
    what the first one raised; and what `sending` raises.
    """
    call = Call(
        purpose, workspace, by, prompt, frozenset(documents), frozenset(answers), level=classification, answer=answer
    )
    return Reply(endpoint, call, _Asked(question, evidence, should_stop, sending), falls_back=falls_back)


@dataclass(frozen=True, slots=True)
class _Asked:
    question: str
    evidence: Sequence[chat_models.Evidence]
    should_stop: Callable[[], bool]
    sending: Callable[[ModelEndpoint], None]


class Reply(Iterator[str]):
    """The pieces of what is written, and who writes."""

    def __init__(self, endpoint: ModelEndpoint, call: Call, asked: _Asked, *, falls_back: bool) -> None:
        #: Who is asked; once there is a piece, who wrote it.
        self.endpoint = endpoint
        #: Who was asked or would have been before, and why it did not answer: `{"endpoint", "why", "sentence"}`.
        self.passed_over: list[dict[str, str]] = []
        #: Tokens of "input" and "output", "cost" as text, and whether they are "estimated"; empty until the end.
        self.usage: dict[str, Any] = {}
        self._call, self._asked, self._falls_back = call, asked, falls_back
        self._has_begun = False
        #: Whether the breaker heard how the endpoint that is asked now did.
        self._is_told = False
        self._pieces = self._run()

    def __next__(self) -> str:
        return next(self._pieces)

    def close(self) -> None:
        """Take no more of it; what was written so far is counted."""
        self._pieces.close()

    def _run(self) -> Iterator[str]:
        first = self.endpoint
        try:
            yield from self._of(first)
        except (ModelFailed, EndpointError) as failure:
            if not self._may_pass(failure):
                raise
            self._pass_over(first, failure)
            yield from self._of_another(first, failure)

    def _of_another(self, first: ModelEndpoint, failure: Exception) -> Iterator[str]:
        assert self._call.workspace is not None  # noqa: S101  (_may_pass)
        for endpoint in fallbacks.of(self._call.workspace):
            if endpoint.pk == first.pk:
                continue
            self.endpoint = endpoint
            try:
                yield from self._of(endpoint)
            except (ModelFailed, EndpointError) as another:
                if not self._may_pass(another):
                    raise
                self._pass_over(endpoint, another)
            else:
                return
        self.endpoint = first
        raise failure

    def _may_pass(self, failure: Exception) -> bool:
        is_gone = isinstance(failure, ModelRefused) and failure.code == "documents"
        return self._falls_back and self._call.workspace is not None and not self._has_begun and not is_gone

    def _pass_over(self, endpoint: ModelEndpoint, failure: Exception) -> None:
        # What an asker reads names no variable of the operator's.
        why, sentence = "endpoint", _("It is not set up completely.")
        if isinstance(failure, ModelFailed):
            why = failure.code if isinstance(failure, ModelRefused) else str(failure.status)
            sentence = failure.detail
        # Without the address it is reached at, which is the operator's.
        name = endpoint.label.partition(" at ")[0]
        self.passed_over.append({"endpoint": name, "why": why, "sentence": sentence})

    def _of(self, endpoint: ModelEndpoint) -> Iterator[str]:
        if endpoint.kind == EndpointKind.EXTRACTIVE:
            permitted = permit(endpoint, self._call)
            self._note(endpoint)
            yield from self._pieces_of(permitted, {})
            return
        if not breaker.allows(endpoint.pk, seconds=endpoint.total_seconds):
            said = _("The model “%(name)s” failed again and again and is left alone for a moment.")
            raise ModelResting(AnswerStatus.FAILED_MODEL_BUSY, said % {"name": endpoint.name})
        self._is_told = False
        try:
            # Whatever waits here waits for the server: for its turn, for its words, for it to be less busy.
            with PLACES.set_aside():
                yield from self._tried(endpoint)
        finally:
            if not self._is_told:
                # Stopped, refused or too busy: if it was ours to try the server after a rest, it is another's now.
                breaker.give_back(endpoint.pk)

    def _tried(self, endpoint: ModelEndpoint) -> Iterator[str]:
        started = monotonic()
        for tries_left in reversed(range(_TRIES)):
            try:
                yield from self._once(endpoint)
            except ModelBusy as busy:
                # A little more than asked for, so that many workers do not come back in the same instant.
                pause = busy.after * random.uniform(1.0, 1.2)  # noqa: S311
                if not tries_left or pause > endpoint.total_seconds - (monotonic() - started):
                    raise
                if not pace.wait(pause, self._asked.should_stop):
                    return
            else:
                return

    def _once(self, endpoint: ModelEndpoint) -> Iterator[str]:
        """One try, for which the policy is asked anew: what it rests on may have changed while we waited."""
        with pace.turn(endpoint, self._asked.should_stop) as may_go:
            if may_go:
                yield from self._counted(permit(endpoint, self._call))

    def _counted(self, permitted: Permit) -> Iterator[str]:
        """The pieces of a server, with what they cost and how it did, written down however it ends."""
        endpoint, told, written, started = permitted.endpoint, {}, [], monotonic()
        # Until it is known to have read the prompt it costs nothing.
        status: str = AnswerStatus.FAILED_MODEL_ERROR
        try:
            self._note(endpoint)
            status = ""
            for piece in self._pieces_of(permitted, told):
                if not written:
                    self._tell(breaker.succeeded, endpoint)
                written.append(piece)
                yield piece
        except ModelFailed as failure:
            status = failure.status
            if status in _ILL and not failure.is_about_prompt and not written:
                self._tell(breaker.failed, endpoint)
            raise
        except EndpointError:
            status = AnswerStatus.FAILED_MODEL_ERROR
            raise
        finally:
            self._settle(permitted, told, "".join(written), status, monotonic() - started)

    def _tell(self, how: Callable[[UUID], None], endpoint: ModelEndpoint) -> None:
        how(endpoint.pk)
        self._is_told = True

    def _pieces_of(self, permitted: Permit, told: dict[str, int]) -> Iterator[str]:
        pieces = chat_models.stream_chat(
            permitted,
            self._call.prompt,
            question=self._asked.question,
            evidence=self._asked.evidence,
            should_stop=self._asked.should_stop,
            usage=told,
            workspace=self._call.workspace.pk if self._call.workspace else None,
        )
        for piece in pieces:
            self._has_begun = True
            self.endpoint = permitted.endpoint
            yield piece

    def _settle(self, permitted: Permit, told: dict[str, int], text: str, status: str, seconds: float) -> None:
        if status in _UNREAD and not text:
            read = wrote = 0
        else:
            read = told.get("input", amounts.estimated(self._call.prompt))
            wrote = told.get("output", amounts.tokens_in(text))
        was, is_estimated = amounts.of(permitted.endpoint, read, wrote), not {"input", "output"} <= set(told)
        ledger.settle(permitted.reserved, was, estimated=is_estimated, seconds=seconds)
        cost = None if was.cost is None else str(was.cost)
        self.usage = {"input": read, "output": wrote, "cost": cost, "estimated": is_estimated}

    @transaction.atomic
    def _note(self, endpoint: ModelEndpoint) -> None:
        """The entries that the prompt goes out, and that another model is asked, before it is."""
        self._asked.sending(endpoint)
        if self.passed_over:
            record(
                EventType.MODEL_PASSED_OVER,
                on=endpoint,
                workspace=self._call.workspace,
                by=self._call.by,
                purpose=str(self._call.purpose),
                answer=self._call.answer,
                passed_over=[{name: one[name] for name in ("endpoint", "why")} for one in self.passed_over],
            )
