"""The models that may stand in for others in a workspace: its manager's own list, in its order, and nothing else."""

from answers.models import Fallback, ModelEndpoint
from workspaces.models import Workspace


def of(workspace: Workspace) -> list[ModelEndpoint]:
    """Who is asked where the chosen model cannot answer, first to last; each is asked only if the policy lets it."""
    rows = Fallback.objects.filter(workspace=workspace).select_related("endpoint").order_by("position")
    return [row.endpoint for row in rows]
