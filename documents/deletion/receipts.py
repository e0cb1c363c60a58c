"""The signed receipt of a deletion: what went, on whose word, where nothing of it was found any more, and what is kept.

docs/receipts.md describes it; `audit/verifier.py` checks it without the portal.
"""

from collections.abc import Iterator
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from audit import signing
from audit.chain import digest, workspace_chain
from audit.events import EventType
from audit.models import Event
from audit.receipts import Prover
from audit.record import record
from documents import news
from documents.deletion.erasing import versions_of
from documents.deletion.probes import looks_for_text
from documents.exceptions import DocumentError
from documents.models import Deletion
from workspaces.auditing.evidence_pack import Period
from workspaces.models import User, Workspace

FORMAT = "inlock-deletion-1"
#: The entries a receipt carries: the act, the beginning and end of the erasure, and the search that found nothing.
PROVEN = (
    EventType.DOCUMENT_DELETED,
    EventType.VERSION_DELETED,
    EventType.ERASURE_BEGUN,
    EventType.DOCUMENT_ERASED,
    EventType.TRACES_SEARCHED,
)
#: What stays on purpose, and as what. Codes, so that a receipt reads the same in every language.
RETAINED = {
    "trail": "entries with ids, names, counts and hashes; no text",
    "tombstone": "title, path, file names, sizes, hashes and dates of the document and its versions",
    "answers": "that they were asked for and released, with hashes; no text",
}
#: What a search from inside cannot reach.
LIMITS = (
    "Backups made before the erasure hold it until they expire.",
    "PostgreSQL's write-ahead log and freed space are overwritten in their turn; tables were read through SQL.",
    "Keyword indexes and logs of other hosts of the portal: only this host's files were read.",
    "Copies that people downloaded, and what a model server outside was sent, are not the portal's to erase.",
)
#: Added where a search had neither a phrase nor a part of a file.
UNTOLD = (
    "Nothing of its text could be looked for: it is too short, or documents that are not erased and names that stay "
    "have all of it."
)
#: Added where something was set aside.
SHARED = (
    "What was set aside is still there: documents that are not erased, in the bin and under a legal hold as well, or "
    "names that stay have it too."
)
_BEYOND = {
    "chroma_files": "The files of the Chroma server elsewhere; over its interface the vectors are gone.",
    "broker_files": "The files of the Redis or Valkey server elsewhere; what it holds now was read.",
    "object_store": "Files of the store elsewhere beside those that were deleted by name.",
}


def issue(deletion: Deletion) -> str:
    """Sign a receipt of a deletion whose last search was clean, and keep it with the row.

    Raises Unprovable when the chain cannot be signed now.
    """
    events = _events(deletion)
    prover = Prover(workspace_chain(deletion.workspace_id), upto=events[-1].seq if events else 1)
    document = signing.sign(_content(deletion) | prover.proof(events))
    # Last, because an entry about a receipt that could not be signed would not be so; and without it there is none.
    with transaction.atomic():
        changed = Deletion.objects.filter(pk=deletion.pk, receipt="", attempt=deletion.attempt).update(
            receipt=document, receipt_issued_at=timezone.now(), sealed_probes=""
        )
        if changed:
            news.deletion_proven(deletion)
            record(
                EventType.ERASURE_RECEIPTED,
                on=deletion.document,
                workspace=deletion.workspace_id,
                deletion=deletion.pk,
                receipt_sha256=digest(document),
            )
    return document


def hand_out(deletion: Deletion, *, by: User) -> str:
    """The receipt for a person who takes it away; raises DocumentError while there is none.

    Whether they may know of the deletion is the caller's to ask.
    """
    if not deletion.receipt:
        raise DocumentError(_("There is no receipt yet: something of it may still be there."))
    with transaction.atomic():
        record(
            EventType.ERASURE_RECEIPT_TAKEN,
            on=deletion.document,
            workspace=deletion.workspace_id,
            by=by,
            deletion=deletion.pk,
            receipt_sha256=digest(deletion.receipt),
        )
    return deletion.receipt


def receipts_of(workspace: Workspace, period: Period) -> Iterator[tuple[str, str]]:
    """What deletions add to an evidence pack: the receipts issued in the period."""
    issued = Deletion.objects.filter(
        workspace=workspace, receipt_issued_at__gte=period.since, receipt_issued_at__lt=period.until
    )
    for pk, document in issued.order_by("receipt_issued_at").values_list("pk", "receipt"):
        yield f"receipts/deletion-{pk}.json", document


def _events(deletion: Deletion) -> list[Event]:
    """The entries about this deletion, in their order."""
    about = [str(deletion.document_id), *([str(deletion.version_id)] if deletion.version_id else [])]
    chain = workspace_chain(deletion.workspace_id)
    events = Event.objects.filter(chain=chain, object_id__in=about, type__in=PROVEN).order_by("seq")
    return [event for event in events if f'"deletion":"{deletion.pk}"' in event.body]


def _content(deletion: Deletion) -> dict[str, Any]:
    document, search = deletion.document, deletion.search
    by = deletion.deleted_by
    return {
        "format": FORMAT,
        "deletion": str(deletion.pk),
        "workspace": {"id": str(deletion.workspace_id), "slug": deletion.workspace.slug},
        "document": {"id": str(document.pk), "title": document.title, "path": document.path},
        "whole_document": deletion.version_id is None,
        "versions": [
            {"id": str(version.pk), "number": version.number, "sha256": version.sha256, "bytes": version.size}
            for version in versions_of(deletion).order_by("number")
        ],
        "deleted": {
            "at": deletion.deleted_at.isoformat(),
            "by": {"id": str(by.pk), "username": by.get_username()} if by else {"id": "", "username": "system"},
            "cause": deletion.cause,
            "reason": deletion.reason,
        },
        "erased": {"at": deletion.erased_at.isoformat() if deletion.erased_at else "", "removed": deletion.removed},
        "searched": {
            "at": deletion.searched_at.isoformat() if deletion.searched_at else "",
            "probes": search["probes"],
            "set_aside": search["set_aside"],
            "places": [
                {"place": one["place"], "looked_at": one["what"], "found": sum(one["found"].values())}
                for one in search["places"]
            ],
            "beyond": [_BEYOND[code] for code in search["beyond"]],
        },
        "retained": RETAINED,
        "limits": [
            *LIMITS,
            *([SHARED] if search["set_aside"] else []),
            *([] if looks_for_text(search["probes"]) else [UNTOLD]),
        ],
        "issued_at": timezone.now().isoformat(),
    }
