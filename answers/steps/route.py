"""Decide where the finished answer goes: to the asker at once, or to a reviewer first."""

from answers.states import AnswerStatus
from answers.steps.state import Outcome, State
from workspaces.models import ReviewPolicy

_WHERE = {
    ReviewPolicy.OPEN: AnswerStatus.ANSWERED,
    ReviewPolicy.REVIEW: AnswerStatus.HELD_FOR_REVIEW,
}


def route(state: State) -> Outcome:
    """Every policy names an ending; one that is not known here is a fault, not a release."""
    return Outcome(ending=_WHERE[ReviewPolicy(state.policy)], detail={"policy": state.policy})
