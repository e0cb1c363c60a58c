"""Close a gap by a document: one that is here, one that is uploaded for it, or a text that is written for it.

A text that somebody writes becomes a document too, under their name. So what its askers get is a cited answer like any
other: reviewed where the workspace reviews, closed to whom the document is closed, gone when it is deleted. Nobody is
told before the document answers.
"""

import io
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.text import slugify
from django.utils.translation import gettext as _

from answers.exceptions import GapError
from answers.gaps import telling
from answers.gaps.steering import locked
from answers.models import Gap, GapState
from audit.events import EventType
from audit.record import record
from documents import library
from documents.models import Document
from documents.states import OPEN
from workspaces import access
from workspaces.models import User
from workspaces.roles import Action

MAX_TITLE, MAX_TEXT = 120, 20_000


def by_document(gap: Gap, *, document: Document, by: User, is_written: bool = False) -> Gap:
    """Name the document that answers these questions. The gap closes once its current version answers.

    Raises Hidden or Forbidden as access does, and GapError for a document of elsewhere and a gap that is settled.
    """
    with transaction.atomic():
        gap = locked(gap, Action.ADD, by)
        access.require(by, Action.OPEN, document)
        if document.workspace_id != gap.workspace_id:
            raise GapError(_("Choose a document of this workspace."))
        gap.document, gap.is_written, gap.settled_by, gap.state = document, is_written, by, GapState.WAITING
        gap.save(update_fields=["document", "is_written", "settled_by", "state"])
        record(
            EventType.GAP_DOCUMENT_NAMED,
            on=gap,
            workspace=gap.workspace_id,
            by=by,
            document=document.pk,
            is_written=is_written,
        )
        _settle(gap)
    return gap


def by_upload(gap: Gap, *, file: Any, by: User) -> Gap:
    """Take in a file as a document and close the gap by it. Raises as `by_document`, and DocumentError for the file."""
    _require_unsettled(gap, by)
    received = library.receive(workspace=gap.workspace, path=file.name, file=file, filename=file.name, by=by)
    return by_document(gap, document=received.version.document, by=by)


def by_text(gap: Gap, *, title: str, text: str, by: User) -> Gap:
    """Make a document of what `by` writes, which says who wrote it and when, and close the gap by it.

    Raises as `by_upload`, and GapError for a title or text that is blank or too long.
    """
    _require_unsettled(gap, by)
    title, text = (" ".join(title.replace("\0", "").split()), text.replace("\0", "").replace("\r\n", "\n").strip())
    if not title or len(title) > MAX_TITLE:
        raise GapError(_("Give it a title of at most %(limit)d characters.") % {"limit": MAX_TITLE})
    if not text or len(text) > MAX_TEXT:
        raise GapError(_("Write the answer, in at most %(limit)d characters.") % {"limit": MAX_TEXT})
    day = date_format(timezone.localdate(), "DATE_FORMAT")
    whole = f"# {title}\n\n{text}\n\n" + _("Written by %(name)s on %(day)s.") % {"name": by.name, "day": day} + "\n"
    path = f"{slugify(title, allow_unicode=True) or 'answer'}-{gap.pk.hex[:8]}.md"
    received = library.receive(
        workspace=gap.workspace, path=path, file=io.BytesIO(whole.encode()), filename=path, by=by, title=title
    )
    return by_document(gap, document=received.version.document, by=by, is_written=True)


def finish() -> int:
    """Close the gaps whose document answers by now, open those again whose document will not; how many changed."""
    changed = 0
    for pk in list(Gap.objects.filter(state=GapState.WAITING).values_list("pk", flat=True)):
        with transaction.atomic():
            rows = Gap.objects.select_for_update(of=("self",), no_key=True).filter(pk=pk, state=GapState.WAITING)
            gap = rows.select_related("workspace", "document", "settled_by").first()
            changed += gap is not None and _settle(gap)
    return changed


def tell_late() -> int:
    """Tell those of closed gaps who may open the document by now; how many."""
    late = Gap.objects.filter(state=GapState.CLOSED, questions__told_at=None, document__deleted_at=None).distinct()
    told = 0
    for gap in late.select_related("workspace", "document"):
        with transaction.atomic():
            told += telling.tell(gap, by=None)
    return told


@transaction.atomic
def _require_unsettled(gap: Gap, by: User) -> None:
    """Before a document is taken in: else it would answer here although its sender is told that nothing was done."""
    locked(gap, Action.ADD, by)


def _settle(gap: Gap) -> bool:
    """Close the gap if its document answers, open it again if that is over; whether either happened."""
    document = Document.objects.get(pk=gap.document_id)
    stands, is_arriving = document.deleted_at is None, _is_arriving(document)
    if stands and document.current_version_id is not None and not is_arriving:
        gap.state, gap.settled_at = GapState.CLOSED, timezone.now()
        gap.save(update_fields=["state", "settled_at"])
        told = telling.tell(gap, by=gap.settled_by)
        record(
            EventType.GAP_CLOSED,
            on=gap,
            workspace=gap.workspace_id,
            by=gap.settled_by,
            document=document.pk,
            told=told,
            shut_out=telling.shut_out(gap),
        )
        return True
    if stands and is_arriving:
        return False
    gap.state = GapState.ASSIGNED if gap.assigned_to_id else GapState.OPEN
    gap.document, gap.settled_by = None, None
    gap.save(update_fields=["state", "document", "settled_by"])
    record(EventType.GAP_REOPENED, on=gap, workspace=gap.workspace_id, by=None, document=document.pk)
    return True


def _is_arriving(document: Document) -> bool:
    return document.versions.filter(state__in=OPEN).exists()
