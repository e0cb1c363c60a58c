"""Who opens which document, as entries of the trail tell it and as the tables hold it: see `workspaces/auditing`."""

from collections.abc import Iterator

from audit.events import EventType
from documents.models import Document, DocumentBar, DocumentGroupGrant, DocumentUserGrant
from workspaces.auditing.replay import Held, Right, Told, has, tells
from workspaces.models import Workspace


@tells(EventType.DOCUMENT_RESTRICTED)
def _restricted(held: Held, told: Told) -> None:
    held.give("restricted", "everybody", f"document:{told.about}")


@tells(EventType.DOCUMENT_GRANTED, EventType.DOCUMENT_REVOKED)
def _granted(held: Held, told: Told) -> None:
    details = told.details
    holder = f"person:{details['person']}" if "person" in details else f"group:{details.get('group')}"
    if told.type == EventType.DOCUMENT_GRANTED:
        held.give("document", holder, f"document:{told.about}")
    else:
        held.take("document", holder=holder, what=f"document:{told.about}")


@tells(EventType.DOCUMENT_UNRESTRICTED, EventType.DOCUMENT_DELETED)
def _open_or_gone(held: Held, told: Told) -> None:
    """A document that is open to its workspace has no grants, and a deleted one opens to nobody."""
    kinds = ("restricted", "document", "bar") if told.type == EventType.DOCUMENT_DELETED else ("restricted", "document")
    for kind in kinds:
        held.take(kind, what=f"document:{told.about}")


@has
def _grants(workspace: Workspace | None) -> Iterator[Right]:
    """Those on documents that are there; what a deleted one leaves behind opens nothing."""
    if workspace is None:
        return
    here = Document.objects.filter(workspace=workspace, deleted_at=None)
    for document in here.filter(restricted=True).values_list("pk", flat=True):
        yield Right("restricted", "everybody", f"document:{document}")
    for document, user in DocumentUserGrant.objects.filter(content_object__in=here).values_list(
        "content_object", "user"
    ):
        yield Right("document", f"person:{user}", f"document:{document}")
    of_groups = DocumentGroupGrant.objects.filter(content_object__in=here)
    for document, group in of_groups.values_list("content_object", "group"):
        yield Right("document", f"group:{group}", f"document:{document}")
    for bar in DocumentBar.objects.filter(document__in=here):
        holder = f"person:{bar.user_id}" if bar.user_id else f"group:{bar.group_id}"
        yield Right("bar", holder, f"document:{bar.document_id}", str(bar.pk))
