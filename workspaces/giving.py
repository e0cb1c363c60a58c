"""Who gave what to whom and when, as the trail tells it: a grant itself does not know."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from audit.chain import workspace_chain
from audit.events import EventType
from audit.export import content_of
from audit.models import Event


@dataclass(frozen=True, slots=True)
class Told:
    """The last entry about each thing and person, and the things of which an entry cannot be read any more."""

    _last: dict[tuple[str, str], tuple[str, datetime]]
    _damaged: frozenset[str]

    def of(self, thing: UUID, person: UUID) -> tuple[str, datetime] | None:
        """The user name of who gave `thing` to `person`, and when; None where no entry tells."""
        return self._last.get((str(thing), str(person)))

    def is_damaged(self, thing: UUID) -> bool:
        """Whether an entry about `thing` was damaged, so that it does not say to whom it was given."""
        return str(thing) in self._damaged


def told_in(
    workspaces: Collection[UUID], type: EventType, *, things: Collection[UUID] | None = None, person: str = "person"
) -> Told:
    """What the entries of one type in the chains of `workspaces` tell, about all things or some. One query.

    `person` is the detail that names to whom it was given.
    """
    events = Event.objects.filter(chain__in=[workspace_chain(workspace) for workspace in workspaces], type=type)
    if things is not None:
        events = events.filter(object_id__in=[str(thing) for thing in things])
    last, damaged = {}, set()
    for event in events.order_by("seq"):
        details = content_of(event).get("details")
        if isinstance(details, dict):
            last[event.object_id, str(details.get(person, ""))] = event.actor_label, event.at
        else:
            damaged.add(event.object_id)
    return Told(last, frozenset(damaged))
