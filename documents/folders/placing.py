"""Where a file belongs that somebody puts into an open folder: what they see lying there says which document it is."""

from django.db.models import Q

from documents.models import Document
from workspaces import access
from workspaces.models import User, Workspace


def printable(path: str) -> str:
    """`path` without the control characters that no path is stored with."""
    return "".join(character for character in path if character.isprintable())


def usable_folder(path: str) -> str:
    """The path of a folder as the tree has it: names with slashes between them, none empty or of dots alone."""
    return "/".join(name for name in printable(path).split("/") if name.strip(". "))


def path_in(workspace: Workspace, folder: str, path: str, *, by: User) -> str:
    """The path of a file that `by` puts into the folder with the path `folder`, "" for the top.

    `path` is what the file is called, behind the folders of a dropped one that it lay in. A document of that name which
    lies there and is open to `by` is meant, whatever its own path has been since before it was moved; otherwise the
    path leads below the folder.
    """
    if not folder:
        return path
    head, _slash, name = f"{folder}/{path}".rpartition("/")
    there = access.visible(by, Document).filter(deleted_at=None, folder__workspace=workspace, folder__path=head)
    meant = there.filter(Q(path=name) | Q(path__endswith=f"/{name}")).order_by().values_list("path", flat=True)[:2]
    return meant[0] if len(meant) == 1 else f"{head}/{name}"
