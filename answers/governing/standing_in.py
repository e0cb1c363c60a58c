"""Set which models stand in for others in a workspace, and in which order."""

from collections.abc import Sequence

from django.db import transaction
from django.utils.translation import gettext as _

from answers import endpoints
from answers.exceptions import EndpointError
from answers.governing import fallbacks
from answers.models import Fallback, ModelEndpoint
from audit.events import EventType
from audit.record import record
from workspaces import access
from workspaces.models import User, Workspace
from workspaces.roles import Action

#: Nobody waits for more than this to fail one after the other.
MOST = 4


@transaction.atomic
def choose(workspace: Workspace, chosen: Sequence[ModelEndpoint], *, by: User) -> None:
    """Set the list.

    Raises Hidden or Forbidden as access does, EndpointError for a model that is not in use, and what the gate of a
    workspace raises for one that has not passed it: who stands in answers people.
    """
    access.require(by, Action.MANAGE, workspace)
    if not all(endpoint.usable for endpoint in chosen):
        raise EndpointError(_("Only a model that is approved can stand in for another."))
    if len({endpoint.pk for endpoint in chosen}) < len(chosen):
        raise EndpointError(_("A model stands in the list once."))
    # Locked by its workspace: there may be no row yet.
    Workspace.objects.select_for_update(no_key=True).get(pk=workspace.pk)
    stored = fallbacks.of(workspace)
    before, after = [one.name for one in stored], [one.name for one in chosen]
    if before == after:
        return
    answering = endpoints.names_for(workspace)
    new = [endpoint for endpoint in chosen if endpoint not in stored and endpoint.name not in answering]
    for ask in endpoints.before_choice:
        ask(workspace, new, by)
    Fallback.objects.filter(workspace=workspace).delete()
    Fallback.objects.bulk_create(
        Fallback(workspace=workspace, endpoint=endpoint, position=position)
        for position, endpoint in enumerate(chosen, start=1)
    )
    record(EventType.FALLBACKS_CHANGED, on=workspace, workspace=workspace, by=by, before=before, after=after)
