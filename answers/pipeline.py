"""Answer a question: the steps in order, and the loop that runs them.

Read `STEPS` for the tour, `answers/steps/` for one file a step, `answers/states.py` for every ending. The row is the
job: this may be called twice, late, or for an answer that another worker holds, and may be killed at any point.
"""

import logging
from collections.abc import Callable
from time import perf_counter
from typing import Any
from uuid import UUID

from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from answers import endings, leases, streaming
from answers.exceptions import ApprovalGone, Ended, LeaseLost, ModelFailed
from answers.language import speaking
from answers.models import Answer, StepRun
from answers.states import AnswerStatus
from answers.steps.cite import cite
from answers.steps.compose import compose
from answers.steps.ground import ground
from answers.steps.retrieve import retrieve
from answers.steps.reuse import reuse
from answers.steps.route import route
from answers.steps.scope import scope
from answers.steps.state import Outcome, State
from answers.steps.understand import understand
from audit import context
from workspaces.killpoints import killpoint
from workspaces.places import PLACES

logger = logging.getLogger(__name__)

Step = Callable[[State], Outcome]

STEPS: tuple[Step, ...] = (scope, understand, reuse, retrieve, compose, cite, ground, route)

#: What the asker is told while a step runs.
LABELS = {
    "scope": _("Checking what is open to you"),
    "understand": _("Understanding the question"),
    "reuse": _("Looking for an approved answer to the same question"),
    "retrieve": _("Searching the documents open to you"),
    "compose": _("Writing from the evidence"),
    "cite": _("Checking every quotation against its source"),
    "ground": _("Measuring what supports each sentence"),
    "route": _("Deciding where the answer goes"),
}


def run(answer_id: UUID) -> None:
    """Bring the answer to its ending, unless it has one or another worker is at it.

    It stays in line until there is a place for it in this process.
    """
    with PLACES.taken(answer_id) as is_ours:
        if is_ours:
            _run(answer_id)


def _run(answer_id: UUID) -> None:
    answer = leases.take(answer_id)
    if answer is None:
        return
    with context.acting(None), speaking(answer.question.language):
        try:
            ended = _work(answer)
        except ApprovalGone:
            logger.info("Answer %s: the approved answer does not stand any more; it is answered anew.", answer.pk)
            leases.release(answer)
            _run(answer_id)
            return
        except LeaseLost:
            logger.info("Answer %s was stopped or taken over; attempt %s ends.", answer.pk, answer.attempt)
            return
        except (KeyboardInterrupt, SystemExit):
            # A worker that is told to stop did not die of this answer.
            leases.release(answer)
            raise
        except Exception as error:
            # Not to carry on: the worker is alive, so this is no death, and the next sweep need not wait for the lease.
            leases.release_after_error(answer)
            # Without the traceback: the message of an error may quote the question.
            told = (answer.pk, answer.attempt, type(error).__name__)
            logger.error("Answer %s: attempt %s failed with %s", *told)  # noqa: TRY400
            raise
    streaming.announce(ended)


def _work(answer: Answer) -> Answer:
    """All steps up to an ending, and the ending written down. Raises LeaseLost."""
    state = State(answer)
    if answer.attempt > 1:
        streaming.append(answer.pk, streaming.RESET, {})
    if given_up := _given_up(answer):
        return endings.conclude(state, AnswerStatus.FAILED_INTERNAL, [], {"reason": given_up})
    streaming.append(answer.pk, streaming.STATUS, streaming.status_data(answer.status, state.language))
    runs: list[StepRun] = []
    outcome = Outcome()
    for step in STEPS:
        outcome = _timed(step, state, runs)
        if outcome.ending:
            break
    killpoint("before_ending")
    ended = endings.conclude(state, outcome.ending, runs, outcome.detail)
    killpoint("after_ending")
    return ended


def _given_up(answer: Answer) -> str:
    """Why nobody tries this answer again, as a sentence; empty while somebody does."""
    if answer.deaths >= leases.MOST_DEATHS:
        return gettext("Three attempts ended the program that makes the answer.")
    if answer.errors >= leases.MOST_ERRORS:
        return gettext("Three attempts failed with an error in the portal.")
    return ""


def _timed(step: Step, state: State, runs: list[StepRun]) -> Outcome:
    """Run one step, turn the ways it may end the answer into an outcome, and note what it did."""
    name = step.__name__
    killpoint(f"before_{name}")
    streaming.append(state.answer.pk, streaming.STEP, {"step": name, "label": str(LABELS[name])})
    started = perf_counter()
    try:
        outcome = step(state)
    except Ended as ended:
        outcome = _ended(ended.status, ended.details)
    except ModelFailed as failure:
        outcome = _ended(failure.status, {"reason": failure.detail})
    runs.append(
        StepRun(
            answer=state.answer,
            attempt=state.answer.attempt,
            position=len(runs),
            step=name,
            outcome=outcome.code,
            seconds=perf_counter() - started,
            detail=outcome.detail,
        )
    )
    return outcome


def _ended(status: str, detail: dict[str, Any]) -> Outcome:
    return Outcome(code=AnswerStatus(status).value, detail=detail, ending=status)
