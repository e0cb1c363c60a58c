"""Keep a document current: who owns it, until when it holds, when it is looked through again.

Who manages documents does all of it; the owner of a document, while they add documents here, does all but name
another owner.
"""

from datetime import date, timedelta

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from audit.chain import digest
from audit.events import EventType
from audit.record import record
from documents.deletion import dependants
from documents.exceptions import DocumentError
from documents.models import Document
from workspaces import access
from workspaces.models import User
from workspaces.roles import Action

MAX_NOTE = 300
#: A confirmed document is looked at again this long before it ends.
_AHEAD = timedelta(days=30)
_LATEST = date(2199, 12, 31)


def keeping_right(document: Document, by: User) -> Action:
    """The right that `by` needs to keep this document current: it is enough to add documents for who owns it."""
    if document.owner_id == by.pk and not access.allows(by, Action.MANAGE_DOCUMENTS, document):
        return Action.ADD
    return Action.MANAGE_DOCUMENTS


def keeps(document: Document, user: User) -> bool:
    """Whether `user` may keep this document current."""
    return access.allows(user, keeping_right(document, user), document)


def locked_to_keep(document: Document, by: User) -> Document:
    """The document as it is now, locked, if `by` may keep it current. Raises as `access.require` does."""
    document = Document.objects.select_for_update(of=("self",), no_key=True).get(pk=document.pk)
    access.require(by, keeping_right(document, by), document)
    return document


@transaction.atomic
def set_owner(document: Document, owner: User | None, *, by: User) -> bool:
    """Name who keeps the document current, or nobody; whether that changed anything.

    Raises DocumentError for somebody who may not add documents here, or not open this one.
    """
    access.require(by, Action.MANAGE_DOCUMENTS, document)
    document = Document.objects.select_for_update(of=("self",), no_key=True).get(pk=document.pk)
    if document.owner_id == (owner.pk if owner else None):
        return False
    if owner is not None and not access.allows(owner, Action.ADD, document):
        raise DocumentError(_("The owner is somebody who may open this document and add documents here."))
    before, document.owner = document.owner_id, owner
    document.save(update_fields=["owner"])
    _tell(EventType.DOCUMENT_OWNER_CHANGED, document, by, before=before, after=document.owner_id)
    return True


@transaction.atomic
def set_validity(document: Document, until: date | None, *, by: User) -> bool:
    """Say which is the last day on which the document holds, or that none is known; whether that changed anything.

    Raises DocumentError for a date that no document has.
    """
    document = locked_to_keep(document, by)
    require_usable(until)
    if document.valid_until == until:
        return False
    before, document.valid_until = document.valid_until, until
    document.save(update_fields=["valid_until"])
    _holds_again(document, by)
    _tell(EventType.DOCUMENT_VALIDITY_CHANGED, document, by, before=before, after=until)
    return True


@transaction.atomic
def set_review(document: Document, on: date | None, *, note: str = "", by: User) -> bool:
    """Say when the document is to be looked through again and what for; whether that changed anything.

    Without a day there is no note. Raises DocumentError for a note that is too long or a date that no document has.
    """
    document = locked_to_keep(document, by)
    require_usable(on)
    note = " ".join(note.split()) if on else ""
    if len(note) > MAX_NOTE:
        raise DocumentError(_("The note is longer than %(limit)d characters.") % {"limit": MAX_NOTE})
    if (document.review_on, document.review_note) == (on, note):
        return False
    before, document.review_on, document.review_note = document.review_on, on, note
    document.save(update_fields=["review_on", "review_note"])
    # The note is a person's own words: its hash proves it, and it can be erased.
    said = digest(note) if note else ""
    _tell(EventType.DOCUMENT_REVIEW_SET, document, by, before=before, after=on, note_sha256=said)
    return True


@transaction.atomic
def confirm(document: Document, until: date, *, by: User) -> None:
    """Say that the document was looked through and holds until a day to come; it is looked at again before that day.

    Raises DocumentError for a day that is over.
    """
    document = locked_to_keep(document, by)
    require_usable(until)
    today = timezone.localdate()
    if until <= today:
        raise DocumentError(_("Choose a day to come."))
    before = document.valid_until
    document.valid_until, document.review_on = until, max(today + timedelta(days=1), until - _AHEAD)
    document.save(update_fields=["valid_until", "review_on"])
    _holds_again(document, by)
    _tell(EventType.DOCUMENT_CONFIRMED, document, by, before=before, after=until, review_on=document.review_on)


def _holds_again(document: Document, by: User) -> None:
    """Let what was closed when the document was over know that it is not, before the entry locks the chain."""
    if not document.is_expired:
        for follow in dependants.when_valid_again:
            follow(document, by)


def require_usable(day: date | None) -> None:
    """Raises DocumentError for a date that no document has."""
    if day is not None and not date(1900, 1, 1) <= day <= _LATEST:
        raise DocumentError(_("This is not a day for a document: choose one between 1900 and 2199."))


def _tell(event: EventType, document: Document, by: User, **details: object) -> None:
    record(event, on=document, workspace=document.workspace_id, by=by, **details)
