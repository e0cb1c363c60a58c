"""Which documents a person may open: the one place where restriction, grants and never rules are spelled out."""

from django.db.models import Func, OuterRef, Q, QuerySet, UUIDField, Value
from django.utils import timezone

from documents.models import (
    BulkRun,
    Document,
    Passage,
    Source,
    SourceRun,
    Version,
)
from workspaces import access
from workspaces.models import User, Workspace
from workspaces.roles import Action

# Sets of ids rather than a look at each document: of many documents, few are granted or barred. Plain SQL, because the
# rule runs with every search, and having it built anew took longer than running it.
_GRANTED = """
    SELECT user_id AS person, content_object_id AS document FROM documents_documentusergrant
    UNION ALL
    SELECT place.user_id, given.content_object_id
    FROM documents_documentgroupgrant given
    JOIN workspaces_peoplegroup named ON named.group_id = given.group_id
    JOIN workspaces_membership place ON place.group_id = given.group_id
"""
_BARRED = """
    SELECT user_id AS person, document_id AS document FROM documents_documentbar
    UNION ALL
    SELECT place.user_id, bar.document_id
    FROM documents_documentbar bar JOIN workspaces_membership place ON place.group_id = bar.group_id
"""


def documents_open_to(user: User) -> QuerySet[Document]:
    """Undeleted documents of the workspaces where `user` may open documents; restricted ones only when granted.

    Broken glass opens the restricted ones of its workspace too. A never rule wins over all of it.
    """
    documents = Document.objects.filter(access.where_allowed(user, Action.OPEN), deleted_at=None)
    opened = _granted_to(user)
    if user.is_superuser:
        opened |= Q(workspace__in=access.workspaces_behind_glass(user))
    return documents.filter(opened, not_barred(user))


def documents_governed_by(user: User) -> QuerySet[Document]:
    """Undeleted documents whose grants `user` keeps: that they exist may be known to them, not what is in them."""
    return Document.objects.filter(
        access.where_allowed(user, Action.MANAGE_DOCUMENTS), not_barred(user), deleted_at=None
    )


def not_closed_to(person: User | OuterRef) -> Q:
    """A document's half of the rule, for a person or a reference to one."""
    return _granted_to(person) & not_barred(person)


def _granted_to(person: User | OuterRef) -> Q:
    """The document is not restricted, or was granted to the person by name or through a group of people."""
    return Q(restricted=False) | Q(pk__in=_documents(_GRANTED, person))


def not_barred(person: User | OuterRef) -> Q:
    """No never rule keeps the person from the document, by name or through a group."""
    return ~Q(pk__in=_documents(_BARRED, person))


def _documents(rows: str, person: User | OuterRef) -> Func:
    """The ids of the documents that `rows` names together with the person, for an `__in`."""
    given = Value(person.pk, UUIDField()) if isinstance(person, User) else person
    template = f"(SELECT document FROM ({rows}) named WHERE person = %(expressions)s)"  # noqa: S608 (ours alone)
    return Func(given, template=template, output_field=UUIDField())


def versions_open_to(user: User) -> QuerySet[Version]:
    """All versions of the documents open to `user`, older ones included: citations point at them."""
    return Version.objects.filter(document__in=documents_open_to(user))


def passages_open_to(user: User) -> QuerySet[Passage]:
    """Passages of current, ready versions of documents open to `user`: all that may answer a question."""
    return Passage.objects.filter(version__in=documents_open_to(user).filter(may_answer()).values("current_version"))


def may_answer() -> Q:
    """The document is not past its last valid day, or its workspace lets it answer all the same."""
    withholding = Workspace.objects.filter(withhold_expired=True).order_by().values("pk")
    holds = Q(valid_until=None) | Q(valid_until__gte=timezone.localdate())
    # A set of the few workspaces that withhold, rather than a join for every document.
    return holds | ~Q(workspace__in=withholding)


def sources_of(user: User) -> QuerySet[Source]:
    """The sources of the workspaces whose documents `user` manages: nobody else knows of them."""
    return Source.objects.filter(workspace__in=access.workspaces_allowing(user, Action.MANAGE_DOCUMENTS))


def runs_of(user: User) -> QuerySet[SourceRun]:
    """The runs of the sources `user` may know of."""
    return SourceRun.objects.filter(source__in=sources_of(user))


def bulk_runs_of(user: User) -> QuerySet[BulkRun]:
    """The acts on many documents that `user` asked for, while they may add documents there."""
    return BulkRun.objects.filter(access.where_allowed(user, Action.ADD), asked_by=user)


access.guard(BulkRun, visible=bulk_runs_of, workspace_of=lambda run: run.workspace, names_only=True)
access.guard(Document, visible=documents_open_to, workspace_of=lambda document: document.workspace, names_only=True)
access.guard(Version, visible=versions_open_to, workspace_of=lambda version: version.document.workspace)
access.guard(Passage, visible=passages_open_to, workspace_of=lambda passage: passage.workspace)
access.guard(Source, visible=sources_of, workspace_of=lambda source: source.workspace, names_only=True)
access.guard(SourceRun, visible=runs_of, workspace_of=lambda run: run.source.workspace, names_only=True)
