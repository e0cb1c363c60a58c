"""Settle what this question runs with: the asker's right, the release policy and the model."""

from typing import Any

from answers import endpoints
from answers.exceptions import Ended, EndpointError
from answers.models import ModelEndpoint
from answers.rag_templates import choosing
from answers.rag_templates.content import stricter
from answers.states import AnswerStatus
from answers.steps.state import Outcome, State
from workspaces import access
from workspaces.roles import Action


def scope(state: State) -> Outcome:
    """Ends the answer when the asker may no longer ask here, or when no model is left to ask."""
    held = _held(state)
    if not {Action.ASK, Action.OPEN} <= held and access.broken_glass(state.asker, state.workspace) is None:
        raise Ended(AnswerStatus.REFUSED_NO_RIGHT, missing=sorted({Action.ASK, Action.OPEN} - held))
    state.template = state.answer.template or choosing.standard_of(state.workspace)
    state.policy = stricter(state.workspace.review_policy, state.template.review if state.template else "")
    state.endpoint = _endpoint(state)
    return Outcome(
        detail={
            "rights": sorted(held),
            "language": state.language,
            "policy": state.policy,
            "endpoint": endpoints.label_of(state.endpoint),
            **_template(state),
        }
    )


def _template(state: State) -> dict[str, Any]:
    """The version it is made with, where that is not the built-in one."""
    version = state.template
    if version is None:
        return {}
    return {"template": {"code": version.template.code, "number": version.number, "sha256": version.sha256}}


def _held(state: State) -> frozenset[str]:
    """What the asker may do here; `leases.take` read it a moment ago, with the answer."""
    if (read := getattr(state.answer, "held", None)) is not None:
        return access.actions_as_read(state.asker, state.workspace, read)
    return access.actions(state.asker, state.workspace)


def _endpoint(state: State) -> ModelEndpoint:
    try:
        chosen = state.template.endpoint if state.template and state.template.endpoint else state.answer.endpoint
        if chosen is not None:
            endpoints.require_allowed(chosen, state.workspace)
            return chosen
        return endpoints.default_for(state.workspace, lambda: _built_in(state))
    except EndpointError as error:
        raise Ended(AnswerStatus.FAILED_NO_ENDPOINT, reason=str(error)) from error


def _built_in(state: State) -> ModelEndpoint | None:
    if hasattr(state.answer, "built_in"):
        return endpoints.built_in_as_read(state.answer.built_in)
    return endpoints.built_in()
