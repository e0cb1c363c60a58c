"""Which documents a template looks at. A filter only narrows what the asker may open; it opens nothing."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any
from uuid import UUID

from django.db.models import Q
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from answers.exceptions import TemplateError
from documents.analysis import fold
from documents.folders.keeping import at_or_below_id
from documents.models import Document, DocumentTag, Folder
from workspaces.classification import Classification
from workspaces.models import Workspace


@dataclass(frozen=True, slots=True)
class Filters:
    """What a version keeps of it. Empty means not asked for."""

    #: Id of a folder; its documents and those deeper.
    folder: str = ""
    tag: str = ""
    #: Documents up to this level.
    up_to: str = ""
    format: str = ""
    #: ISO date: documents whose current version arrived on that day or later.
    since: str = ""

    def as_json(self) -> dict[str, str]:
        return {name: value for name, value in asdict(self).items() if value}


def read(kept: Mapping[str, Any]) -> Filters:
    """The filters of a version. Raises TemplateError for what is none of ours, so that nothing is widened by it."""
    try:
        filters = Filters(**{name: str(value) for name, value in kept.items()})
        if filters.folder:
            UUID(filters.folder)
        if filters.up_to:
            Classification(filters.up_to)
        if filters.since:
            date.fromisoformat(filters.since)
    except (TypeError, ValueError) as error:
        raise TemplateError(_("The documents this template looks at cannot be read.")) from error
    return filters


def condition(filters: Filters, workspace: Workspace) -> Q | None:
    """The documents it leaves, to be added to what the asker may open; None where it leaves all."""
    found = Q()
    # Queries, not querysets: what a search was narrowed by is written out, and a queryset would be asked for that.
    # Of a folder that is gone nothing is looked at, rather than everything.
    if filters.folder:
        found &= Q(folder__in=at_or_below_id(filters.folder, workspace).query)
    if filters.tag:
        bears = DocumentTag.objects.filter(tag__folded=fold(filters.tag), tag__workspace=workspace)
        # Ids, not a join: a document must not be found once for each of its tags.
        found &= Q(pk__in=bears.order_by().values("document").query)
    if filters.up_to:
        levels = [level.value for level in Classification if level.rank <= Classification(filters.up_to).rank]
        found &= Q(classification__in=levels)
    if filters.format:
        found &= Q(current_version__format=filters.format)
    if filters.since:
        found &= Q(current_version__created_at__date__gte=date.fromisoformat(filters.since))
    return found or None


def in_words(filters: Filters, workspace: Workspace) -> list[str]:
    """Each part in a sentence's piece, for who manages the workspace: a folder's name is not everybody's."""
    told = []
    if filters.folder:
        folder = Folder.objects.filter(pk=filters.folder, workspace=workspace).first()
        told.append(_("in the folder “%(name)s”") % {"name": folder.path if folder else "?"})
    if filters.tag:
        told.append(_("with the tag “%(name)s”") % {"name": filters.tag})
    if filters.up_to:
        told.append(_("classified “%(level)s” or lower") % {"level": Classification(filters.up_to).label})
    if filters.format:
        told.append(_("of the format %(name)s") % {"name": filters.format.upper()})
    if filters.since:
        when = date_format(date.fromisoformat(filters.since), "DATE_FORMAT")
        told.append(_("arrived on %(when)s or later") % {"when": when})
    return told


def matching(filters: Filters, workspace: Workspace) -> int:
    """How many documents that answer it leaves, whoever asks."""
    answering = Document.objects.filter(workspace=workspace, deleted_at=None, current_version__isnull=False)
    found = condition(filters, workspace)
    return answering.filter(found).count() if found is not None else answering.count()
