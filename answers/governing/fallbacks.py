"""The models that may stand in for others in a workspace: its manager's own list, in its order, and nothing else."""

from collections.abc import Sequence

from django.db import transaction
from django.utils.translation import gettext as _

from answers.exceptions import EndpointError
from answers.models import Fallback, ModelEndpoint
from audit.events import EventType
from audit.record import record
from workspaces import access
from workspaces.models import User, Workspace
from workspaces.roles import Action


def of(workspace: Workspace) -> list[ModelEndpoint]:
    """Who is asked where the chosen model cannot answer, first to last; each is asked only if the policy lets it."""
    rows = Fallback.objects.filter(workspace=workspace).select_related("endpoint").order_by("position")
    return [row.endpoint for row in rows]


@transaction.atomic
def choose(workspace: Workspace, endpoints: Sequence[ModelEndpoint], *, by: User) -> None:
    """Set the list. Raises Hidden or Forbidden as access does, and EndpointError for a model that is not in use."""
    access.require(by, Action.MANAGE, workspace)
    if not all(endpoint.usable for endpoint in endpoints):
        raise EndpointError(_("Only a model that is approved can stand in for another."))
    if len({endpoint.pk for endpoint in endpoints}) < len(endpoints):
        raise EndpointError(_("A model stands in the list once."))
    # Locked by its workspace: there may be no row yet.
    Workspace.objects.select_for_update(no_key=True).get(pk=workspace.pk)
    before, after = [one.name for one in of(workspace)], [one.name for one in endpoints]
    if before == after:
        return
    Fallback.objects.filter(workspace=workspace).delete()
    Fallback.objects.bulk_create(
        Fallback(workspace=workspace, endpoint=endpoint, position=position)
        for position, endpoint in enumerate(endpoints, start=1)
    )
    record(EventType.FALLBACKS_CHANGED, on=workspace, workspace=workspace, by=by, before=before, after=after)
