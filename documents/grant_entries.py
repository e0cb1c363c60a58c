"""Who granted a restricted document to whom and when, as the trail tells it: a grant itself does not know."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from audit.chain import workspace_chain
from audit.events import EventType
from audit.export import content_of
from audit.models import Event
from documents.models import Document


@dataclass(frozen=True, slots=True)
class Told:
    """The last grant of each document to each person, and the documents of which an entry cannot be read any more."""

    _last: dict[tuple[str, str], tuple[str, datetime]]
    _damaged: frozenset[str]

    def of(self, document: UUID, person: UUID) -> tuple[str, datetime] | None:
        """The user name of who granted `document` to `person`, and when; None where no entry tells."""
        return self._last.get((str(document), str(person)))

    def is_damaged(self, document: UUID) -> bool:
        """Whether an entry about a grant of `document` was damaged, so that it does not say whose."""
        return str(document) in self._damaged


def told_in(workspaces: Collection[UUID], documents: Collection[Document] | None = None) -> Told:
    """What the chains of `workspaces` tell of grants, of all their documents or of some. One query."""
    events = Event.objects.filter(
        chain__in=[workspace_chain(workspace) for workspace in workspaces], type=EventType.DOCUMENT_GRANTED
    )
    if documents is not None:
        events = events.filter(object_id__in=[str(document.pk) for document in documents])
    last, damaged = {}, set()
    for event in events.order_by("seq"):
        details = content_of(event).get("details")
        if isinstance(details, dict):
            last[event.object_id, str(details.get("person", ""))] = event.actor_label, event.at
        else:
            damaged.add(event.object_id)
    return Told(last, frozenset(damaged))
