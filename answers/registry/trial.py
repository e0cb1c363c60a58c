"""Try a model with a small question whose answer is known: whether it cites, how fast it is, what it says."""

import time
from collections.abc import Iterable
from dataclasses import dataclass

from django.db import transaction
from django.utils.translation import gettext as _

from answers import chat_models, governing
from answers.exceptions import EndpointError, ModelFailed
from answers.governing import Purpose
from answers.models import ModelEndpoint
from answers.prompts import render
from answers.states import AnswerStatus
from audit.events import EventType
from audit.record import record
from workspaces import access
from workspaces.models import User
from workspaces.roles import PlatformAction

_SAMPLE = 300
_QUESTION = "When is the reading room open?"


@dataclass(frozen=True, slots=True)
class EndpointTest:
    """Whether the endpoint answered, in a sentence for the administrator; how fast; and how what it said begins.

    `first_word` is seconds until the first word, None where none came.
    """

    ok: bool
    sentence: str
    seconds: float
    first_word: float | None = None
    sample: str = ""


@dataclass(frozen=True, slots=True)
class _Source:
    number: int = 1
    title: str = "Opening hours"
    locator: str = "page 1"
    text: str = "The reading room is open from 9:00 to 17:00 on working days."
    language: str = "en"


def try_endpoint(endpoint: ModelEndpoint, *, by: User) -> EndpointTest:
    """Ask the endpoint a small question whose answer is known, and say how it went; the trail keeps no word of it."""
    access.require(by, PlatformAction.MANAGE_ENDPOINTS, None)
    outcome = _Run(endpoint, by).outcome()
    with transaction.atomic():
        record(
            EventType.ENDPOINT_TESTED,
            on=endpoint,
            by=by,
            ok=outcome.ok,
            outcome=outcome.sentence,
            first_word_ms=None if outcome.first_word is None else round(outcome.first_word * 1000),
            whole_ms=round(outcome.seconds * 1000),
        )
    return outcome


class _Run:
    """One question, and the clock beside it."""

    def __init__(self, endpoint: ModelEndpoint, by: User) -> None:
        self.endpoint, self.by = endpoint, by
        # What takes seconds only once in the life of a process says nothing of the server.
        chat_models.load({endpoint.kind})
        self.started, self.said = time.monotonic(), ""
        self.first_word: float | None = None

    def outcome(self) -> EndpointTest:
        try:
            for piece in self._pieces():
                if self.first_word is None:
                    self.first_word = self._passed()
                self.said += piece
        except EndpointError as error:
            return self._told(False, str(error))
        except ModelFailed as error:
            return self._told(False, f"{AnswerStatus(error.status).label}: {error.detail}")
        if "[1]" not in self.said:
            return self._told(
                False, _("It answered, but without citing its source, so its answers would not be shown.")
            )
        return self._told(True, _("It answered the test question and cited its source."))

    def _pieces(self) -> Iterable[str]:
        source = _Source()
        return governing.ask(
            self.endpoint,
            render(_QUESTION, [source]),
            purpose=Purpose.TEST,
            workspace=None,
            by=self.by,
            documents=(),
            question=_QUESTION,
            evidence=[source],
        )

    def _told(self, ok: bool, sentence: str) -> EndpointTest:
        sample = self.said if len(self.said) <= _SAMPLE else f"{self.said[:_SAMPLE]}…"
        return EndpointTest(ok, sentence, self._passed(), self.first_word, sample)

    def _passed(self) -> float:
        return round(time.monotonic() - self.started, 3)
