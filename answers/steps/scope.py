"""Settle what this question runs with: the asker's right, the release policy and the model."""

from answers import endpoints
from answers.exceptions import Ended, EndpointError
from answers.models import ModelEndpoint
from answers.states import AnswerStatus
from answers.steps.state import Outcome, State
from workspaces import access
from workspaces.roles import Action


def scope(state: State) -> Outcome:
    """Ends the answer when the asker may no longer ask here, or when no model is left to ask."""
    held = access.actions(state.asker, state.workspace)
    if not {Action.ASK, Action.OPEN} <= held and access.broken_glass(state.asker, state.workspace) is None:
        raise Ended(AnswerStatus.REFUSED_NO_RIGHT, missing=sorted({Action.ASK, Action.OPEN} - held))
    state.policy = state.workspace.review_policy
    state.endpoint = _endpoint(state)
    return Outcome(
        detail={
            "rights": sorted(held),
            "language": state.language,
            "policy": state.policy,
            "endpoint": endpoints.label_of(state.endpoint),
        }
    )


def _endpoint(state: State) -> ModelEndpoint:
    try:
        chosen = state.answer.endpoint
        if chosen is not None:
            endpoints.require_allowed(chosen, state.workspace)
            return chosen
        return endpoints.default_for(state.workspace)
    except EndpointError as error:
        raise Ended(AnswerStatus.FAILED_NO_ENDPOINT, reason=str(error)) from error
