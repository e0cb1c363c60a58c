"""Which documents a person may open: the one place where restriction and grants are spelled out."""

from django.db.models import Exists, OuterRef, Q, QuerySet

from documents.models import Document, DocumentGroupGrant, DocumentUserGrant, Passage, Version
from workspaces import access
from workspaces.models import User
from workspaces.roles import Action


def documents_open_to(user: User) -> QuerySet[Document]:
    """Undeleted documents of the workspaces where `user` may open documents; restricted ones only when granted.

    Broken glass opens the restricted ones of its workspace too.
    """
    documents = Document.objects.filter(deleted_at=None, workspace__in=access.workspaces_allowing(user, Action.OPEN))
    opened = not_closed_to(user)
    if user.is_superuser:
        opened |= Q(workspace__in=access.workspaces_behind_glass(user))
    return documents.filter(opened)


def not_closed_to(person: User | OuterRef) -> Q:
    """A document's half of the rule: it is not restricted, or `person` (or a reference to one) was granted it."""
    by_person = DocumentUserGrant.objects.filter(content_object=OuterRef("pk"), user=person)
    by_group = DocumentGroupGrant.objects.filter(content_object=OuterRef("pk"), group__memberships__user=person)
    return Q(restricted=False) | Exists(by_person) | Exists(by_group)


def versions_open_to(user: User) -> QuerySet[Version]:
    """All versions of the documents open to `user`, older ones included: citations point at them."""
    return Version.objects.filter(document__in=documents_open_to(user))


def passages_open_to(user: User) -> QuerySet[Passage]:
    """Passages of current, ready versions of documents open to `user`: all that may answer a question."""
    return Passage.objects.filter(version__in=documents_open_to(user).values("current_version"))


access.guard(
    Document, visible=documents_open_to, workspace_of=lambda document: document.workspace, names_only=True
)
access.guard(Version, visible=versions_open_to, workspace_of=lambda version: version.document.workspace)
access.guard(Passage, visible=passages_open_to, workspace_of=lambda passage: passage.workspace)
