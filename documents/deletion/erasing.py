"""Erase what a deleted document left: vectors, words, passages, texts, files, quotes. The rows stay as a tombstone.

Deleting (`tombstones.py`) is at once and decided in the database; erasing follows in the background, when the bin is
over and no legal hold stands, and is tried again until nothing is left to remove. That nothing is left indeed is
proven by `proving.py`.
"""

import logging
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import timedelta
from uuid import UUID

from django.conf import settings
from django.core.files.storage import default_storage
from django.db import transaction
from django.db.models import QuerySet
from django.db.models.functions import Now
from django.utils import timezone

from audit.events import EventType
from audit.record import record
from documents import index
from documents.deletion import dependants, holds, probes
from documents.exceptions import Held
from documents.indexing import replicas
from documents.indexing import writing as indexing
from documents.indexing.writing import Withdrawal
from documents.ingestion.leases import is_free
from documents.models import (
    HEAVY,
    Deletion,
    Document,
    DocumentGroupGrant,
    DocumentTag,
    DocumentUserGrant,
    Embedding,
    Passage,
    RetentionRules,
    Sketch,
    Tag,
    Version,
)
from documents.viewer import slides
from workspaces.killpoints import killpoint
from workspaces.models import Workspace

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Erasure:
    """What one erasure removed."""

    passages: int
    vectors_removed: int
    vectors_absent: int
    files: int


def to_erase() -> QuerySet[Deletion]:
    """Deletions whose time in the bin is over and that still have something left."""
    return Deletion.objects.filter(restored_at=None, erased_at=None, erase_after__lte=Now())


def erase(document_id: UUID | str) -> Erasure | None:
    """Erase what was deleted of a document; None when nothing can be done now (hold, bin, worker).

    Raises IndexUnavailable when the vectors cannot be removed now; nothing else is removed before them.
    """
    done: Erasure | None = None
    due = list(to_erase().filter(document=document_id).order_by("deleted_at").values_list("pk", flat=True))
    if due:
        # Before any of it begins: while the index is away nothing of it goes, and it can still be held or restored.
        index.version()
    for pk in due:
        done = _erase(pk) or done
    return done


def versions_of(deletion: Deletion) -> QuerySet[Version]:
    """The versions that go, without their text: one former version, or all of the document's."""
    versions = Version.objects.filter(document=deletion.document_id).defer(*HEAVY)
    return versions if deletion.version_id is None else versions.filter(pk=deletion.version_id)


# --- Inside -------------------------------------------------------------------------------------------------


def _erase(deletion_id: UUID) -> Erasure | None:
    deletion = _take(deletion_id)
    if deletion is None:
        return None
    try:
        versions = list(versions_of(deletion))
        withdrawn = indexing.remove([version.pk for version in versions], deletion.workspace_id)
        replicas.purge(deletion.workspace_id)
        killpoint("erased_vectors")
        files = _remove_files(versions)
        killpoint("erased_files")
        return _erase_rows(deletion, withdrawn, files)
    finally:
        Deletion.objects.filter(pk=deletion.pk, attempt=deletion.attempt).update(lease_until=None)


@transaction.atomic
def _take(deletion_id: UUID) -> Deletion | None:
    """Begin, or go on where another attempt ended; from the first beginning on no hold and no restoring stops it."""
    row = Deletion.objects.filter(pk=deletion_id).values_list("document", "workspace").first()
    if row is None:
        return None
    # Document, workspace, row: the order in which deleting, holding and restoring lock.
    document = Document.objects.select_for_update(no_key=True).get(pk=row[0])
    Workspace.objects.select_for_update(no_key=True).get(pk=row[1])
    deletion = to_erase().filter(is_free(), pk=deletion_id).select_for_update(no_key=True).first()
    if deletion is None:
        return None
    if versions_of(deletion).exclude(is_free()).exists():
        logger.info("Document %s is erased later: a worker still holds it", document.pk)
        return None
    if deletion.begun_at is None:
        try:
            holds.require_none(document)
        except Held:
            logger.info("Document %s is erased later: it is under a legal hold", document.pk)
            return None
        deletion.begun_at = timezone.now()
        # While all of it is still there: a later attempt may find only the half.
        deletion.sealed_probes = probes.seal(probes.taken_from(versions_of(deletion)))
        record(EventType.ERASURE_BEGUN, on=document, workspace=deletion.workspace_id, deletion=deletion.pk)
    deletion.attempt += 1
    deletion.lease_until = timezone.now() + timedelta(seconds=settings.LEASE_SECONDS)
    deletion.save(update_fields=["begun_at", "sealed_probes", "attempt", "lease_until"])
    return deletion


def _remove_files(versions: Sequence[Version]) -> int:
    names = [str(version.file) for version in versions if version.file]
    names += [slides.name_of(version) for version in versions]
    there = [name for name in names if default_storage.exists(name)]
    for name in there:
        default_storage.delete(name)
    return len(there)


@transaction.atomic
def _erase_rows(deletion: Deletion, withdrawn: Withdrawal, files: int) -> Erasure | None:
    document = Document.objects.select_for_update(no_key=True).get(pk=deletion.document_id)
    ours = Deletion.objects.filter(pk=deletion.pk, attempt=deletion.attempt, erased_at=None)
    if ours.select_for_update(no_key=True).first() is None:
        return None
    versions = versions_of(deletion).order_by()
    passages = Passage.objects.filter(version__in=versions.values("pk"))
    count = passages.count()
    quoted = _erase_what_rests(deletion)
    # Embeddings by themselves first: one statement instead of one per batch of passages.
    Embedding.objects.filter(passage__in=passages).delete()
    passages.delete()
    Sketch.objects.filter(version__in=versions.values("pk")).delete()
    versions.update(text="", sections=[], findings={}, file="", in_index=False, lease_until=None)
    if deletion.version_id is None:
        DocumentUserGrant.objects.filter(content_object=document).delete()
        DocumentGroupGrant.objects.filter(content_object=document).delete()
        _forget_said_about(document)
        document.erased_at = timezone.now()
        document.save(update_fields=["erased_at", "review_note"])
    erasure = Erasure(count, withdrawn.removed, withdrawn.absent, files)
    removed = asdict(erasure) | quoted
    ours.update(erased_at=timezone.now(), removed=removed)
    record(
        EventType.DOCUMENT_ERASED,
        on=document,
        workspace=deletion.workspace_id,
        deletion=deletion.pk,
        version=deletion.version_id,
        **removed,
    )
    return erasure


def _forget_said_about(document: Document) -> None:
    """What people wrote about it, which may quote it: the note of its review, and tags that nothing else bears."""
    document.review_note = ""
    borne = Tag.objects.filter(documents=document).values_list("pk", flat=True)
    # Locked in the order in which tagging locks: nobody gives a tag to another document while it goes.
    tags = Tag.objects.filter(pk__in=list(borne)).order_by("folded").select_for_update(no_key=True)
    ids = [tag.pk for tag in tags]
    DocumentTag.objects.filter(document=document).delete()
    Tag.objects.filter(pk__in=ids, tagging=None).delete()


def _erase_what_rests(deletion: Deletion) -> dict[str, int]:
    """Have the apps above erase what quotes it; counts by name."""
    kept = RetentionRules.objects.filter(workspace=deletion.workspace_id, keeps_answers=True).exists()
    phrases = probes.unseal(deletion.sealed_probes).phrases
    counts: dict[str, int] = {}
    for kind in dependants.kinds:
        counts |= kind.erase(deletion, phrases, kept)
    return counts
