"""Which names of a source's things a person is told: not those of documents that are closed to them (decision 12).

Managing sources shows what lies at a place outside. Once a thing became a document, its name is that document's, and
who may not open that is told only how many there are.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from django.db.models import Q

from documents.models import Document, Source, SourceItem, SourceRun
from documents.querysets import not_closed_to
from workspaces import access
from workspaces.models import User

#: So many documents that wait to be deleted are named on a page.
NAMED = 200


@dataclass(frozen=True, slots=True)
class Told:
    """Names for one person, and how many more there are that they are not told."""

    paths: list[str]
    untold: int = 0


def closed_names(source: Source, paths: Iterable[str], *, to: User) -> frozenset[str]:
    """Those of `paths`, as things of `source` are called, that name a document which is closed to the person."""
    wanted = {path for path in paths if path}
    if not wanted:
        return frozenset()
    items = SourceItem.objects.filter(
        source=source, path__in=wanted, document__in=Document.objects.filter(_closed_rule(to))
    )
    ours = {f"{source.folder}/{path}": path for path in wanted}
    others = Document.objects.filter(_closed_rule(to), workspace=source.workspace_id, path__in=ours)
    return frozenset(items.values_list("path", flat=True)) | {
        ours[path] for path in others.values_list("path", flat=True)
    }


def held_back(run: SourceRun, *, to: User) -> Told:
    """What waits to be deleted by a person's word, as far as it is there still."""
    held = set(run.held_items)
    items = run.source.items.filter(document__deleted_at=None).order_by("path")
    waiting = [
        (path, document) for number, path, document in items.values_list("pk", "path", "document") if number in held
    ]
    mine = access.visible(to, Document).filter(source_items__source=run.source_id)
    open_to = set(mine.values_list("pk", flat=True))
    named = [path for path, document in waiting if document in open_to][:NAMED]
    return Told(named, len(waiting) - len(named))


def _closed_rule(to: User) -> Q:
    # What was deleted is open to nobody; its name is told to whom it was not closed.
    return ~Q(pk__in=access.visible(to, Document).values("pk")) & ~(Q(deleted_at__isnull=False) & not_closed_to(to))
