"""Decide where the finished answer goes: to the asker at once, or to a reviewer first."""

from answers import policy
from answers.states import AnswerStatus
from answers.steps.state import Outcome, State


def route(state: State) -> Outcome:
    """Ask the workspace's policy; one that is not known here is a fault, not a release."""
    verdict = state.release = policy.decide(state)
    ending = AnswerStatus.HELD_FOR_REVIEW if verdict.held else AnswerStatus.ANSWERED
    return Outcome(ending=ending, detail=policy.as_detail(verdict))
