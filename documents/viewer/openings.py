"""That somebody reads a document stands in the trail once for a reading, not once for each of its pages."""

from datetime import timedelta

from django.db import transaction
from django.utils import timezone

from audit import context
from audit.chain import workspace_chain
from audit.events import EventType
from audit.models import Event
from audit.record import record
from documents.models import Document, Version

#: Pages looked at within this time of an entry belong to the reading it tells of.
READING = timedelta(hours=1)


@transaction.atomic
def note_page(document: Document, version: Version, *, page: int) -> None:
    """Record that whoever is acting reads the version, unless an entry of the last hour tells so already.

    The viewer and the panel of a citation leave their own entry before they show a page; this one is of somebody who
    fetches a page's image past them.
    """
    if _is_told(document, version):
        return
    # The images of several pages are fetched at once: the second to get here finds the entry of the first.
    Document.objects.select_for_update(of=("self",), no_key=True).get(pk=document.pk)
    if _is_told(document, version):
        return
    record(
        EventType.DOCUMENT_OPENED,
        on=document,
        workspace=document.workspace_id,
        version=version.pk,
        number=version.number,
        place=page,
    )


def _is_told(document: Document, version: Version) -> bool:
    acting = context.current()
    reader = acting.viewer or acting.by
    entries = Event.objects.filter(
        chain=workspace_chain(document.workspace_id),
        type=EventType.DOCUMENT_OPENED,
        actor_id=str(reader.pk) if reader else "",
        object_id=str(document.pk),
        at__gt=timezone.now() - READING,
    )
    # Bodies are canonical JSON, so that a detail reads in one way only.
    return entries.filter(body__contains=f'"version":"{version.pk}"').exists()
