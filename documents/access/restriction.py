"""The verbs that close a document to all but named people and groups, and name them.

Who manages documents keeps the grants of every document of the workspace, of those they may not open too: they know
that it exists and what it is called. Nobody lets themselves in.
"""

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _

from audit.events import EventType
from audit.record import Entry, record, record_all
from documents.exceptions import DocumentError
from documents.models import Document, DocumentBar, DocumentGroupGrant, DocumentUserGrant
from documents.querysets import documents_governed_by
from workspaces import access
from workspaces.bars.rules import Holder, people_of
from workspaces.exceptions import Hidden
from workspaces.models import Membership, PeopleGroup, User, Workspace
from workspaces.roles import Action

#: The object permission that opens a restricted document.
OPEN_DOCUMENT = "open_document"


def require_governing(document: Document, *, by: User) -> None:
    """Return if `by` keeps the grants of the document, whether or not they may open it. Raises Hidden or Forbidden."""
    access.require(by, Action.MANAGE_DOCUMENTS, document.workspace)
    if not documents_governed_by(by).filter(pk=document.pk).exists():
        raise Hidden(user=by, workspace=document.workspace, action=Action.MANAGE_DOCUMENTS, thing=document)


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
        entries.append(Entry(EventType.DOCUMENT_GRANTED, document, details=_told(by)))
    record_all(entries, workspace=document.workspace_id, by=by)


@transaction.atomic
def unrestrict(document: Document, *, by: User) -> None:
    """Open the document, which `by` must be able to open, to its workspace.

    Its grants end: restricting it again starts from nobody.
    """
    access.require(by, Action.MANAGE_DOCUMENTS, document)
    document = _locked(document)
    if not document.restricted:
        return
    document.restricted = False
    document.save(update_fields=["restricted"])
    people, groups = granted_people(document), granted_groups(document)
    for person in people:
        access.revoke(OPEN_DOCUMENT, person, document)
    for group in groups:
        access.revoke(OPEN_DOCUMENT, group.group, document)
    record(
        EventType.DOCUMENT_UNRESTRICTED,
        on=document,
        workspace=document.workspace_id,
        by=by,
        grants_ended=[person.pk for person in people],
        groups_ended=[group.pk for group in groups],
    )


@transaction.atomic
def grant(document: Document, holder: Holder, *, by: User) -> None:
    """Let a person, who must be able to open documents in the workspace, or a group open this restricted one.

    Of a group, those open it who may open documents here. Raises DocumentError for a document that is not restricted,
    a person without such a role, and where `by`, who may not open it, would let themselves in.
    """
    require_governing(document, by=by)
    document = _locked(document)
    if not document.restricted:
        raise DocumentError(_("This document is open to the whole workspace. Restrict it first."))
    if isinstance(holder, User) and Action.OPEN not in access.actions(holder, document.workspace):
        raise DocumentError(
            _("%(name)s has no role here that opens documents. Give them one first.") % {"name": holder.name}
        )
    if people_of(holder).filter(pk=by.pk).exists() and not access.allows(by, Action.OPEN, document):
        raise DocumentError(_("You may not open this document. Ask somebody else who manages documents to let you in."))
    if _holds(holder, document):
        return
    access.grant(OPEN_DOCUMENT, _subject(holder), document)
    record(EventType.DOCUMENT_GRANTED, on=document, workspace=document.workspace_id, by=by, **_told(holder))


@transaction.atomic
def revoke_grant(document: Document, holder: Holder, *, by: User) -> None:
    """Take the grant of a person or a group back.

    Somebody who may open documents here keeps one, so that the document is not forgotten: else DocumentError.
    """
    require_governing(document, by=by)
    document = _locked(document)
    if not _holds(holder, document):
        return
    access.revoke(OPEN_DOCUMENT, _subject(holder), document)
    if not somebody_holds(document):
        raise DocumentError(_("At least one person keeps access. Grant it to somebody else first, or open it to all."))
    record(EventType.DOCUMENT_REVOKED, on=document, workspace=document.workspace_id, by=by, **_told(holder))


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


def somebody_holds(document: Document) -> bool:
    """Whether a grant is left that somebody can use: who may open documents here and no never rule keeps out."""
    by_name = DocumentUserGrant.objects.filter(content_object=document).values("user")
    groups = DocumentGroupGrant.objects.filter(content_object=document, group__people_group__isnull=False)
    granted = Q(pk__in=by_name) | Q(memberships__group__in=groups.values("group"))
    rules = DocumentBar.objects.filter(document=document)
    by_rule = Q(pk__in=rules.filter(user__isnull=False).values("user"))
    through_group = Q(pk__in=Membership.objects.filter(group__in=rules.values("group")).values("user"))
    able = access.people_allowed(document.workspace, Action.OPEN).filter(granted)
    return able.exclude(by_rule | through_group).exists()


def granted_people(document: Document) -> list[User]:
    """Who was granted the document by name."""
    return list(User.objects.filter(documentusergrant__content_object=document).order_by("username"))


def granted_groups(document: Document) -> list[PeopleGroup]:
    """The groups of people the document was granted to."""
    return list(PeopleGroup.objects.filter(group__documentgroupgrant__content_object=document).order_by("name"))


def people_to_grant(document: Document) -> QuerySet[User]:
    """Who could be granted the document: those who may open documents here and have no grant on it yet."""
    people = access.people_allowed(document.workspace, Action.OPEN)
    return people.exclude(documentusergrant__content_object=document).order_by("username")


def groups_to_grant(document: Document) -> QuerySet[PeopleGroup]:
    """The groups of people that have no grant on the document yet."""
    return PeopleGroup.objects.exclude(group__documentgroupgrant__content_object=document).order_by("name")


def _locked(document: Document) -> Document:
    return Document.objects.select_for_update(of=["self"], no_key=True).select_related("workspace").get(pk=document.pk)


def _subject(holder: Holder) -> object:
    return holder.group if isinstance(holder, PeopleGroup) else holder


def _told(holder: Holder) -> dict[str, object]:
    return {"group": holder.pk} if isinstance(holder, PeopleGroup) else {"person": holder.pk}


def _holds(holder: Holder, document: Document) -> bool:
    if isinstance(holder, PeopleGroup):
        return DocumentGroupGrant.objects.filter(content_object=document, group=holder.pk).exists()
    return DocumentUserGrant.objects.filter(content_object=document, user=holder).exists()
