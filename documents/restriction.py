"""The verbs that close a document to all but named people, and name them."""

from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from audit.events import EventType
from audit.record import Entry, record, record_all
from documents.exceptions import DocumentError
from documents.models import Document, DocumentUserGrant
from workspaces import access
from workspaces.models import User, Workspace
from workspaces.roles import Action

#: The object permission that opens a restricted document.
OPEN_DOCUMENT = "open_document"


@transaction.atomic
def restrict(document: Document, *, by: User) -> None:
    """Close the document to everybody without a grant. Who restricts it gets one, so that it is not lost."""
    access.require(by, Action.MANAGE_DOCUMENTS, document)
    document = _locked(document)
    if document.restricted:
        return
    document.restricted = True
    document.save(update_fields=["restricted"])
    entries = [Entry(EventType.DOCUMENT_RESTRICTED, document)]
    if Action.OPEN in access.actions(by, document.workspace) and not _holds(by, document):
        access.grant(OPEN_DOCUMENT, by, document)
        entries.append(Entry(EventType.DOCUMENT_GRANTED, document, details={"person": by.pk}))
    record_all(entries, workspace=document.workspace_id, by=by)


@transaction.atomic
def unrestrict(document: Document, *, by: User) -> None:
    """Open the document to its workspace. Its grants end: restricting it again starts from nobody."""
    access.require(by, Action.MANAGE_DOCUMENTS, document)
    document = _locked(document)
    if not document.restricted:
        return
    document.restricted = False
    document.save(update_fields=["restricted"])
    ended = [grant.user for grant in DocumentUserGrant.objects.filter(content_object=document).select_related("user")]
    for person in ended:
        access.revoke(OPEN_DOCUMENT, person, document)
    record(
        EventType.DOCUMENT_UNRESTRICTED,
        on=document,
        workspace=document.workspace_id,
        by=by,
        grants_ended=[person.pk for person in ended],
    )


@transaction.atomic
def grant(document: Document, person: User, *, by: User) -> None:
    """Let `person`, who must be able to open documents in the workspace, open this restricted one.

    Raises DocumentError for a document that is not restricted, or a person without such a role.
    """
    access.require(by, Action.MANAGE_DOCUMENTS, document)
    document = _locked(document)
    if not document.restricted:
        raise DocumentError(_("This document is open to the whole workspace. Restrict it first."))
    if Action.OPEN not in access.actions(person, document.workspace):
        raise DocumentError(
            _("%(name)s has no role here that opens documents. Give them one first.") % {"name": person.name}
        )
    if _holds(person, document):
        return
    access.grant(OPEN_DOCUMENT, person, document)
    record(EventType.DOCUMENT_GRANTED, on=document, workspace=document.workspace_id, by=by, person=person.pk)


@transaction.atomic
def revoke_grant(document: Document, person: User, *, by: User) -> None:
    """Take `person`'s grant back.

    Somebody who may open documents here keeps one, or nobody could open this one or change that: else DocumentError.
    """
    access.require(by, Action.MANAGE_DOCUMENTS, document)
    document = _locked(document)
    if not _holds(person, document):
        return
    able = access.people_allowed(document.workspace, Action.OPEN).exclude(pk=person.pk)
    if not DocumentUserGrant.objects.filter(content_object=document, user__in=able.values("pk")).exists():
        raise DocumentError(_("At least one person keeps access. Grant it to somebody else first, or open it to all."))
    access.revoke(OPEN_DOCUMENT, person, document)
    record(EventType.DOCUMENT_REVOKED, on=document, workspace=document.workspace_id, by=by, person=person.pk)


def end_grants(workspace: Workspace, person: User, by: User | None) -> None:
    """Take back every grant of somebody who is about to lose the last role that opens documents in the workspace."""
    held = DocumentUserGrant.objects.filter(content_object__workspace=workspace, user=person)
    documents = [grant.content_object for grant in held.select_related("content_object").order_by("pk")]
    for document in documents:
        access.revoke(OPEN_DOCUMENT, person, document)
    if documents:
        details = {"person": person.pk, "left": True}
        entries = [Entry(EventType.DOCUMENT_REVOKED, document, details=details) for document in documents]
        record_all(entries, workspace=workspace, by=by)


def granted_people(document: Document) -> list[User]:
    """Who was granted the document by name."""
    return list(User.objects.filter(documentusergrant__content_object=document).order_by("username"))


def people_to_grant(document: Document) -> QuerySet[User]:
    """Who could be granted the document: those who may open documents here and have no grant on it yet."""
    people = access.people_allowed(document.workspace, Action.OPEN)
    return people.exclude(documentusergrant__content_object=document).order_by("username")


def _locked(document: Document) -> Document:
    return Document.objects.select_for_update(of=["self"], no_key=True).select_related("workspace").get(pk=document.pk)


def _holds(person: User, document: Document) -> bool:
    return DocumentUserGrant.objects.filter(content_object=document, user=person).exists()
