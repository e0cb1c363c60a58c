"""The moment of deletion: at once nothing of it is found or opened, whatever an index or an old answer still holds.

What follows in the background is `erasing.py`; until that begins, what lies in the bin can be restored.
"""

from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import F, Q, QuerySet, Sum
from django.utils import timezone
from django.utils.translation import gettext as _

from audit.events import EventType
from audit.record import record
from documents.deletion import dependants, holds, told
from documents.exceptions import DocumentError
from documents.ingestion import leases
from documents.models import HEAVY, Cause, Deletion, Document, RetentionRules, Version
from documents.querysets import not_barred
from documents.states import OPEN, VersionState
from documents.tasks import erase_document_task, ingest_version_task
from workspaces import access
from workspaces.dispatch import dispatch
from workspaces.models import User, Workspace
from workspaces.roles import Action


@dataclass(frozen=True, slots=True)
class Deleted:
    """What a deletion takes along: passages and vectors that are erased in the background, now or after the bin."""

    document: Document
    deletion: Deletion
    versions: int
    passages: int
    vectors: int


@transaction.atomic
def entomb(document: Document, *, by: User | None, cause: Cause = Cause.PERSON, reason: str = "") -> Deleted:
    """Delete the document; whether `by` may is the caller's question (None: the retention rules).

    Raises DocumentError when it is deleted already, and Held while a legal hold stands.
    """
    document = Document.objects.select_for_update(no_key=True).get(pk=document.pk)
    if document.deleted_at is not None:
        raise DocumentError(_("This document is deleted already."))
    # Locks the workspace too, so that a hold on all of it is there before, or sees this document deleted.
    Workspace.objects.filter(pk=document.workspace_id).update(index_revision=F("index_revision") + 1)
    holds.require_none(document)
    versions = document.versions.all()
    standing = versions.exclude(state=VersionState.DELETED)
    deletion = _begin(document, None, standing, by=by, cause=cause, reason=reason)
    deleted = Deleted(document, deletion, versions.count(), *_sizes(versions))
    # Leases are left as they are: the erasure waits until a worker in the middle of it has let go.
    standing.update(state=VersionState.DELETED)
    document.current_version = None
    document.deleted_at, document.deleted_by = deletion.deleted_at, by
    document.save(update_fields=["current_version", "deleted_at", "deleted_by"])
    # Before the entry, whose chain stays locked to the end: a decision locks its answer first and the chain after it.
    for kind in dependants.kinds:
        kind.close(deletion)
    record(
        EventType.DOCUMENT_DELETED,
        on=document,
        workspace=document.workspace_id,
        by=by,
        reason=reason,
        deletion=deletion.pk,
        cause=cause.value,
        path=document.path,
        versions={str(version.pk): version.sha256 for version in versions.only("pk", "sha256")},
        passages=deleted.passages,
        vectors=deleted.vectors,
        erase_after=deletion.erase_after,
    )
    dispatch(erase_document_task, document.pk)
    return deleted


@transaction.atomic
def entomb_version(version: Version, *, reason: str) -> Deletion:
    """Delete one replaced version by the retention rules; the document and its newest version stay.

    Raises DocumentError for a version that is not replaced, and Held while a legal hold stands.
    """
    document = Document.objects.select_for_update(no_key=True).get(pk=version.document_id)
    Workspace.objects.select_for_update(no_key=True).get(pk=document.workspace_id)
    version = Version.objects.select_for_update(no_key=True).defer(*HEAVY).get(pk=version.pk)
    if document.deleted_at is not None or version.state != VersionState.SUPERSEDED:
        raise DocumentError(_("Only a version that was replaced can be deleted by itself."))
    holds.require_none(document)
    rows = document.versions.filter(pk=version.pk)
    deletion = _begin(document, version, rows, by=None, cause=Cause.RETENTION, reason=reason)
    rows.update(state=VersionState.DELETED)
    for kind in dependants.kinds:
        kind.close(deletion)
    record(
        EventType.VERSION_DELETED,
        on=version,
        workspace=document.workspace_id,
        by=None,
        reason=reason,
        deletion=deletion.pk,
        cause=Cause.RETENTION.value,
        document=document.pk,
        versions={str(version.pk): version.sha256},
    )
    dispatch(erase_document_task, document.pk)
    return deletion


@transaction.atomic
def restore(deletion: Deletion, *, by: User) -> Document:
    """Take a deleted document out of the bin, as it was; what was being read or answered is read once more.

    Raises DocumentError once its erasure began, or when another document has its path now.
    """
    access.require(by, Action.MANAGE_DOCUMENTS, deletion)
    document = Document.objects.select_for_update(no_key=True).get(pk=deletion.document_id)
    deletion = Deletion.objects.select_for_update(no_key=True).get(pk=deletion.pk)
    if deletion.restored_at is not None or deletion.version_id is not None:
        raise DocumentError(_("This is not in the bin."))
    if deletion.begun_at is not None:
        raise DocumentError(_("Its erasure has begun, so it cannot be restored any more."))
    standing = Document.objects.filter(workspace=document.workspace_id, path=document.path, deleted_at=None)
    if standing.exists():
        raise DocumentError(_("There is another document at its path now: delete that one first."))
    document.deleted_at = document.deleted_by = None
    document.save(update_fields=["deleted_at", "deleted_by"])
    for version_id, state in deletion.states_before.items():
        _bring_back(document.versions.filter(pk=version_id), state)
    deletion.restored_at, deletion.restored_by = timezone.now(), by
    deletion.save(update_fields=["restored_at", "restored_by"])
    for kind in dependants.kinds:
        kind.reopen(deletion)
    record(EventType.DOCUMENT_RESTORED, on=document, workspace=document.workspace_id, by=by, deletion=deletion.pk)
    return document


def deletions_known_to(user: User) -> QuerySet[Deletion]:
    """Deletions in workspaces where `user` manages documents or reads the trail, but of what is never theirs.

    What is closed to them otherwise is among them without its name (decision 12).
    """
    there = access.where_allowed(user, Action.MANAGE_DOCUMENTS) | access.where_allowed(user, Action.READ_TRAIL)
    theirs = Document.objects.filter(not_barred(user)).order_by()
    return told.telling(Deletion.objects.filter(there, document__in=theirs.values("pk")), to=user)


def bin_days(workspace_id: UUID) -> int:
    """How long a deleted document can be restored in the workspace."""
    found = RetentionRules.objects.filter(workspace=workspace_id).values_list("bin_days", flat=True).first()
    return found or 0


# --- Inside -------------------------------------------------------------------------------------------------


def _begin(
    document: Document,
    version: Version | None,
    versions: QuerySet[Version],
    *,
    by: User | None,
    cause: Cause,
    reason: str,
) -> Deletion:
    now = timezone.now()
    return Deletion.objects.create(
        workspace_id=document.workspace_id,
        document=document,
        version=version,
        cause=cause,
        reason=reason,
        deleted_at=now,
        deleted_by=by,
        # A former version was kept as long as the rules say; a bin on top would only be a longer rule.
        erase_after=now + timedelta(days=bin_days(document.workspace_id) if version is None else 0),
        states_before={str(pk): state for pk, state in versions.values_list("pk", "state")},
    )


def _sizes(versions: QuerySet[Version]) -> tuple[int, int]:
    sums = versions.aggregate(passages=Sum("passage_count"), vectors=Sum("passage_count", filter=Q(in_index=True)))
    return sums["passages"] or 0, sums["vectors"] or 0


def _bring_back(version: QuerySet[Version], state: str) -> None:
    """As it was; what answered or was on its way goes through ingestion, which finds all of its work done."""
    if state not in (VersionState.READY, *OPEN):
        version.update(state=state)
        return
    version.update(state=VersionState.RECEIVED, lease_until=None)
    leases.wake(version)
    for pk in version.values_list("pk", flat=True):
        dispatch(ingest_version_task, pk)


access.guard(Deletion, visible=deletions_known_to, workspace_of=lambda deletion: deletion.workspace, names_only=True)
