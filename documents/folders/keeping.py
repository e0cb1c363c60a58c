"""The tree a workspace's documents are filed in.

A folder is known to whoever may open a document in it or below it: its name may tell what it holds. Who manages
documents also knows of empty ones.
"""

import itertools
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Any
from uuid import UUID

from django.db import DEFAULT_DB_ALIAS, connection, transaction
from django.db.models import Count, F, Q, QuerySet, Subquery, Value
from django.db.models.functions import Concat, Length, Substr
from django.utils.translation import gettext as _

from audit.events import EventType
from audit.record import record
from documents.cards.metadata import locked_to_keep
from documents.exceptions import DocumentError
from documents.models import Document, Folder
from documents.querysets import not_barred
from workspaces import access
from workspaces.models import User, Workspace
from workspaces.roles import Action

MAX_PATH = 1000
MAX_NAME = 200
MAX_DEPTH = 20
#: Of a folder, as `Branch` has them, in the order of the fields.
_COLUMNS = ("id", "workspace_id", "parent_id", "path")


# --- What a person knows of ---------------------------------------------------------------------------------


@dataclass(frozen=True)
class Branch:
    """A folder that a person knows of, and how many documents open to them lie in it or below."""

    #: Of `_COLUMNS`, as they were read: to make models of a thousand folders took a fifth of a page of documents.
    row: tuple[Any, ...]
    documents: int

    @property
    def parent_id(self) -> UUID | None:
        return self.row[_COLUMNS.index("parent_id")]  # type: ignore[no-any-return]

    @cached_property
    def folder(self) -> Folder:
        return Folder.from_db(DEFAULT_DB_ALIAS, _COLUMNS, self.row)

    @property
    def depth(self) -> int:
        return self.folder.path.count("/")


class Tree:
    """The folders of `workspace` that are known to `user`; `counts` are documents open to them by folder id."""

    def __init__(self, user: User, workspace: Workspace, counts: dict[UUID | None, int]) -> None:
        self._user, self.workspace, self._counts = user, workspace, counts

    @cached_property
    def branches(self) -> dict[UUID, Branch]:
        """Every known folder in the order of the tree. At most three queries."""
        rows = list(Folder.objects.filter(workspace=self.workspace).values_list(*_COLUMNS))
        parents = {pk: parent for pk, _workspace, parent, _path in rows}
        below = dict.fromkeys(parents, 0)
        for pk, count in self._counts.items():
            for each in _upwards(parents, pk):
                below[each] += count
        known = {pk for pk, count in below.items() if count}
        if Action.MANAGE_DOCUMENTS in access.reach(self._user, self.workspace):
            known |= parents.keys() - self._closed(parents)
        return {row[0]: Branch(row, below[row[0]]) for row in rows if row[0] in known}

    def get(self, pk: object) -> Folder | None:
        """The folder with this id, if it is known to the person."""
        try:
            branch = self.branches.get(UUID(str(pk)))
        except ValueError:
            return None
        return branch.folder if branch else None

    def inside(self, parent: Folder | None) -> list[Branch]:
        """The known folders directly in `parent`, or at the top."""
        wanted = parent.pk if parent else None
        return [branch for branch in self.branches.values() if branch.parent_id == wanted]

    def above(self, folder: Folder) -> list[Folder]:
        """From the top down to the folder that holds `folder`; whoever knows a folder knows those above it."""
        way = []
        while folder.parent_id is not None:
            folder = self.branches[folder.parent_id].folder
            way.append(folder)
        return way[::-1]

    def _closed(self, parents: dict[UUID, UUID | None]) -> set[UUID]:
        """Folders in which everything there is, is closed to a manager by never rules."""
        live = Document.objects.filter(workspace=self.workspace, deleted_at=None, folder__isnull=False).order_by()
        barred = set(live.filter(~not_barred(self._user)).values_list("folder", flat=True).distinct())
        if not barred:
            return set()
        governed = set(live.filter(not_barred(self._user)).values_list("folder", flat=True).distinct())
        hidden = {each for pk in barred for each in _upwards(parents, pk)}
        return hidden - {each for pk in governed for each in _upwards(parents, pk)}


def tree(user: User, workspace: Workspace) -> Tree:
    """The folders of `workspace` that `user` knows of."""
    documents = access.visible(user, Document).filter(workspace=workspace)
    counts = documents.order_by().values_list("folder").annotate(Count("pk"))
    return Tree(user, workspace, dict(counts))


def at_or_below(folder: Folder) -> Q:
    """The documents that lie in `folder` or deeper."""
    return Q(folder__in=_and_below(folder))


def at_or_below_id(pk: str, workspace: Workspace) -> QuerySet[Folder]:
    """The folder of `workspace` with this id and those below it, as they are when asked; none where it is gone."""
    top = Subquery(Folder.objects.filter(pk=pk, workspace=workspace).order_by().values("path"))
    inside = Q(path=F("top")) | Q(path__startswith=Concat(F("top"), Value("/")))
    return Folder.objects.filter(workspace=workspace).annotate(top=top).filter(inside).order_by().values("pk")


def _and_below(folder: Folder) -> QuerySet[Folder]:
    inside = Q(path=folder.path) | Q(path__startswith=f"{folder.path}/")
    return Folder.objects.filter(inside, workspace=folder.workspace_id).order_by()


def _upwards(parents: dict[UUID, UUID | None], pk: UUID | None) -> Iterable[UUID]:
    while pk is not None and pk in parents:
        yield pk
        pk = parents[pk]


# --- Verbs --------------------------------------------------------------------------------------------------


def lock(workspace_id: UUID) -> None:
    """Until the transaction ends, nobody else makes, renames or removes a folder here, or puts a document into one.

    Taken before any document's lock: who removes a folder locks the documents in it afterwards.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"folders {workspace_id}"])


@transaction.atomic
def folder_for(workspace: Workspace, path: str) -> Folder | None:
    """The folder of a document that arrives with this path, made with those above it where it is missing.

    In the transaction of the caller it stays where it is until the document is in it.
    """
    names = [name for name in path.split("/")[:-1] if name.strip(". ")][:MAX_DEPTH]
    whole = "/".join(names)
    if not names:
        return None
    lock(workspace.pk)
    found = Folder.objects.filter(workspace=workspace, path=whole).first()
    return found or _made(workspace, names, by=None)


@transaction.atomic
def create(workspace: Workspace, name: str, parent: Folder | None = None, *, by: User) -> Folder:
    """A folder of that name in `parent`, or the one that is there. Raises DocumentError for an unusable name."""
    access.require(by, Action.MANAGE_DOCUMENTS, workspace)
    name = _usable(name)
    lock(workspace.pk)
    if parent is not None:
        parent = _still_there(parent)
    above = parent.path.split("/") if parent else []
    if len(above) >= MAX_DEPTH:
        raise DocumentError(_("Folders lie at most %(limit)d deep.") % {"limit": MAX_DEPTH})
    _require_short("/".join([*above, name]))
    path = "/".join([*above, name])
    there = Folder.objects.filter(workspace=workspace, path=path).first()
    if there is not None:
        return there
    folder = _made(workspace, [*above, name], by=by)
    record(EventType.FOLDER_CREATED, on=folder, workspace=workspace, by=by)
    return folder


@transaction.atomic
def rename(folder: Folder, name: str, *, by: User) -> bool:
    """Give the folder another name; whether it had another. Raises DocumentError where that name is taken beside it."""
    access.require(by, Action.MANAGE_DOCUMENTS, folder.workspace)
    lock(folder.workspace_id)
    folder = _still_there(folder)
    head, _slash, before = folder.path.rpartition("/")
    name = _usable(name)
    if name == before:
        return False
    after = f"{head}/{name}" if head else name
    _require_short(after)
    if Folder.objects.filter(workspace=folder.workspace_id, path=after).exists():
        raise DocumentError(_("There is already a folder “%(name)s” here.") % {"name": name})
    longest = _and_below(folder).annotate(length=Length("path")).order_by("-length").values_list("length", flat=True)[0]
    if longest - len(folder.path) + len(after) > MAX_PATH:
        raise DocumentError(_("A folder in it would get too long a name."))
    was = folder.path
    _put_at(folder, after)
    record(EventType.FOLDER_RENAMED, on=folder, workspace=folder.workspace_id, by=by, before=was, after=after)
    return True


@transaction.atomic
def remove(folder: Folder, *, by: User) -> None:
    """Take the folder away; its documents lie one level above then.

    Raises DocumentError while it holds folders that `by` knows of. What is closed to them is not told: such documents
    and folders move up along with the others, a folder under a number where its name is taken there.
    """
    access.require(by, Action.MANAGE_DOCUMENTS, folder.workspace)
    lock(folder.workspace_id)
    folder = _still_there(folder)
    if tree(by, folder.workspace).inside(folder):
        raise DocumentError(_("There are folders in it: remove those first."))
    for hidden in folder.folders.all():
        _lift(hidden, folder)
    # Tombstones too: they keep their row.
    Document.objects.filter(folder=folder).update(folder=folder.parent_id)
    record(EventType.FOLDER_REMOVED, on=folder, workspace=folder.workspace_id, by=by)
    folder.delete()


@transaction.atomic
def move(document: Document, folder: Folder | None, *, by: User) -> bool:
    """Put the document into another folder of its workspace, or at the top; whether it lay elsewhere.

    Its path, by which its source and new versions know it, stays as it is.
    """
    lock(document.workspace_id)
    document = locked_to_keep(document, by)
    if folder is not None:
        folder = _still_there(folder)
    if folder is not None and folder.workspace_id != document.workspace_id:
        raise DocumentError(_("This folder belongs to another workspace."))
    if document.folder_id == (folder.pk if folder else None):
        return False
    before = document.folder.path if document.folder else ""
    document.folder = folder
    document.save(update_fields=["folder"])
    after = folder.path if folder else ""
    record(EventType.DOCUMENT_MOVED, on=document, workspace=document.workspace_id, by=by, before=before, after=after)
    return True


# --- Inside -------------------------------------------------------------------------------------------------


def _still_there(folder: Folder) -> Folder:
    """The folder as it is now. Raises DocumentError where somebody removed it since it was chosen."""
    found = Folder.objects.filter(pk=folder.pk).select_related("workspace").first()
    if found is None:
        raise DocumentError(_("This folder is not there any more."))
    return found


def _put_at(folder: Folder, path: str) -> None:
    """Give the folder and what lies below it the path."""
    _and_below(folder).update(path=Concat(Value(path), Substr(F("path"), len(folder.path) + 1)))
    folder.path = path


def _lift(folder: Folder, above: Folder) -> None:
    """Put the folder beside the one that holds it."""
    head = above.path.rpartition("/")[0]
    wanted = f"{head}/{folder.name}" if head else folder.name
    beside = Folder.objects.filter(workspace=folder.workspace_id, path__startswith=wanted)
    taken = set(beside.values_list("path", flat=True))
    paths = itertools.chain([wanted], (f"{wanted} {number}" for number in itertools.count(2)))
    _put_at(folder, next(path for path in paths if path not in taken))
    folder.parent_id = above.parent_id
    folder.save(update_fields=["parent"])


def _usable(name: str) -> str:
    cleaned = " ".join("".join(character if character.isprintable() else " " for character in name).split())
    if not cleaned.strip(". ") or "/" in cleaned or len(cleaned) > MAX_NAME:
        raise DocumentError(_("The name of a folder has 1 to %(limit)d characters and no slash.") % {"limit": MAX_NAME})
    return cleaned


def _require_short(path: str) -> None:
    if len(path) > MAX_PATH:
        raise DocumentError(_("The names of the folders above it are too long together."))


def _made(workspace: Workspace, names: list[str], *, by: User | None) -> Folder:
    """The folder with these names from the top, and those above it."""
    above = _made(workspace, names[:-1], by=None) if names[1:] else None
    defaults = {"parent": above, "created_by": by}
    return Folder.objects.get_or_create(workspace=workspace, path="/".join(names), defaults=defaults)[0]
