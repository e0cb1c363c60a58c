"""indexed → ready: the document's current version is switched, in one transaction. Until then the old one answers."""

from typing import Any

from django.db.models import F
from django.utils import timezone

from audit.events import EventType
from audit.record import Entry, record_all
from documents.deletion import dependants
from documents.embedding.spaces import space_of
from documents.ingestion.leases import Lease
from documents.models import Document, Version
from documents.stages import Stage
from documents.states import VersionState
from workspaces.models import Workspace


def nothing(version: Version, lease: Lease) -> None:
    """The switch is all there is to do."""


def switch(version: Version, result: None) -> dict[str, Any]:
    """Make the version the one that answers, unless bytes that arrived later already do.

    Where the workspace moved to another space since the version was indexed, it is indexed there first.
    """
    # Before the space is read: a switch to another one waits for this row, or we see what it wrote. Changed with the
    # lock, because what a replica does for nothing costs less than asking twice for every document.
    Workspace.objects.filter(pk=version.document.workspace_id).update(index_revision=F("index_revision") + 1)
    if not _is_indexed_where_it_is_searched(version):
        version.state = VersionState.EMBEDDED
        return {}
    document = version.document
    current = _answering(document)
    if current is not None and current.turn > version.turn:
        version.state = VersionState.SUPERSEDED
        return {"by": current.number}
    if current is not None and current.pk != version.pk:
        # Released together with the switch: nobody ever finds two versions answering, or none.
        Version.objects.filter(pk=current.pk).update(state=VersionState.SUPERSEDED, lease_until=None)
    version.ready_at = timezone.now()
    document.current_version = version
    document.save(update_fields=["current_version"])
    if current is not None and current.pk != version.pk:
        for follow in dependants.when_replaced:
            follow(current)
    record_all([entry(version, current)], workspace=document.workspace_id)
    return {"supersedes": str(current.pk) if current is not None else ""}


def entry(version: Version, supersedes: Version | None) -> Entry:
    """What the trail says of a version that begins to answer, in the place of another or of none."""
    return Entry(
        EventType.VERSION_READY,
        version,
        details={
            "document": version.document_id,
            "number": version.number,
            "sha256": version.sha256,
            "pages": version.page_count,
            "passages": version.passage_count,
            "supersedes": supersedes.pk if supersedes is not None else None,
        },
    )


def _is_indexed_where_it_is_searched(version: Version) -> bool:
    indexed = version.stages.filter(stage=VersionState.INDEXED, pipeline=version.pipeline).values("detail").first()
    return indexed is not None and indexed["detail"].get("space") == space_of(version.document.workspace_id).fingerprint


def _answering(document: Document) -> Version | None:
    if document.current_version_id is None:
        return None
    return Version.objects.only("turn", "number", "state", "document").get(pk=document.current_version_id)


STAGE = Stage(VersionState.READY, nothing, switch, writes=("ready_at",), lasting=False)
