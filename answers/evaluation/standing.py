"""Which models answer people in a workspace, and whether they are still what passed its gate.

An endpoint keeps its row when an administrator has it lead to another server or another model. The gate remembers by a
mark what it let pass, and the model policy refuses what differs from it by now.
"""

from answers import endpoints
from answers.exceptions import EndpointError
from answers.governing import fallbacks
from answers.models import ModelEndpoint, WorkspaceGate, WorkspaceModels
from workspaces.models import Workspace


def answering(workspace: Workspace) -> list[ModelEndpoint]:
    """Every model that may answer people here: the default, what they may choose, and what stands in for these."""
    stored = WorkspaceModels.objects.select_related("default_endpoint").filter(workspace=workspace).first()
    if stored is None:
        try:
            chosen = [endpoints.default_for(workspace)]
        except EndpointError:
            chosen = []  # Nothing answers here, which asking says.
    else:
        chosen = [stored.default_endpoint, *stored.choices.all()]
    return list({one.pk: one for one in [*chosen, *fallbacks.of(workspace)]}.values())


def marks_of(workspace: Workspace) -> dict[str, str]:
    """The mark of each of them, by its id."""
    return {str(endpoint.pk): endpoint.mark for endpoint in answering(workspace)}


def changed(workspace: Workspace) -> list[ModelEndpoint]:
    """Those that the gate did not let pass as they are now; none where there is no gate or it is off."""
    gate = WorkspaceGate.objects.filter(workspace=workspace, enabled=True).first()
    if gate is None:
        return []
    return [one for one in answering(workspace) if gate.passed.get(str(one.pk)) != one.mark]
