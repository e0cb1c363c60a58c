"""Erase what a deleted document left: vectors, words, passages, texts, files. The rows stay as a tombstone.

Deleting (documents/library.py) is at once and decided in the database; erasing follows in the background and is
tried again until the index and the disk have nothing left.
"""

import logging
from dataclasses import dataclass
from uuid import UUID

from django.core.files.storage import default_storage
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from audit.events import EventType
from audit.record import record
from documents import indexing, replicas
from documents.indexing import Withdrawal
from documents.leases import is_free
from documents.models import Document, DocumentGroupGrant, DocumentUserGrant, Embedding, Passage, Version
from workspaces.killpoints import killpoint

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Erasure:
    """What one erasure removed."""

    passages: int
    vectors_removed: int
    vectors_absent: int
    files: int


def to_erase() -> QuerySet[Document]:
    """Deleted documents that still have something left."""
    return Document.objects.filter(deleted_at__isnull=False, erased_at=None)


def erase(document_id: UUID | str) -> Erasure | None:
    """Erase a deleted document; None when there is nothing to erase, or a worker has not let go of it yet.

    Raises IndexUnavailable when the vectors cannot be removed now; nothing else is removed before them.
    """
    document = to_erase().filter(pk=document_id).first()
    if document is None:
        return None
    versions = document.versions.all()
    if versions.exclude(is_free()).exists():
        logger.info("Document %s is erased later: a worker still holds it", document.pk)
        return None
    withdrawn = indexing.remove(list(versions.values_list("pk", flat=True)), document.workspace_id)
    replicas.purge(document.workspace_id)
    killpoint("erased_vectors")
    files = _remove_files(versions)
    killpoint("erased_files")
    return _erase_rows(document.pk, withdrawn, files)


def _remove_files(versions: QuerySet[Version]) -> int:
    names = [name for name in versions.values_list("file", flat=True) if name]
    there = [name for name in names if default_storage.exists(name)]
    for name in there:
        default_storage.delete(name)
    return len(there)


@transaction.atomic
def _erase_rows(document_id: UUID, withdrawn: Withdrawal, files: int) -> Erasure | None:
    document = to_erase().select_for_update(no_key=True).filter(pk=document_id).first()
    if document is None:
        return None
    passages = Passage.objects.filter(version__document=document)
    count = passages.count()
    # Embeddings by themselves first: one statement instead of one per batch of passages.
    Embedding.objects.filter(passage__in=passages).delete()
    passages.delete()
    document.versions.update(text="", sections=[], file="", in_index=False, lease_until=None)
    DocumentUserGrant.objects.filter(content_object=document).delete()
    DocumentGroupGrant.objects.filter(content_object=document).delete()
    document.erased_at = timezone.now()
    document.save(update_fields=["erased_at"])
    erasure = Erasure(count, withdrawn.removed, withdrawn.absent, files)
    record(
        EventType.DOCUMENT_ERASED,
        on=document,
        workspace=document.workspace_id,
        passages=erasure.passages,
        vectors_removed=erasure.vectors_removed,
        vectors_absent=erasure.vectors_absent,
        files=erasure.files,
    )
    return erasure
