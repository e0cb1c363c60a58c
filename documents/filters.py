"""What a list of documents was asked for, and that as conditions and an order over the documents somebody may open."""

from dataclasses import dataclass, fields, replace
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.db.models import F, OrderBy, Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from documents.analysis import fold
from documents.folders.keeping import Tree, at_or_below
from documents.models import Document, Source
from documents.states import OPEN, STOPPED
from workspaces import access
from workspaces.models import User, Workspace
from workspaces.roles import Action

#: A document ends soon when its last valid day comes within this time.
SOON = timedelta(days=30)

#: What a person can filter by: code → (label, condition). Whether it is ready needs no look at the version.
GROUPS: dict[str, tuple[Any, Q]] = {
    "ready": (_("Ready"), Q(current_version=F("latest_version"))),
    "working": (_("In work"), Q(latest_version__state__in=OPEN)),
    "failed": (_("Failed"), Q(latest_version__state__in=STOPPED)),
}
DUE = {
    "review": _("To review"),
    "expired": _("Past its last valid day"),
    "expiring": _("Ends within 30 days"),
    "undated": _("Without a last valid day"),
}
#: Columns a list is ordered by; the title settles what is equal.
COLUMNS: dict[str, tuple[str, ...]] = {
    "title": (),
    "state": ("latest_version__state",),
    "owner": ("owner__username",),
    "valid": ("valid_until",),
    "level": ("classification",),
    "pages": ("latest_version__page_count",),
    "passages": ("latest_version__passage_count",),
    "size": ("latest_version__size",),
    "updated": ("latest_version__created_at",),
}
#: Instead of a person's id.
ME, NOBODY = "me", "none"
#: Nobody, or somebody who lost the right to keep it.
UNABLE = "unable"


@dataclass(frozen=True, slots=True)
class Asked:
    """Words, filters, order and page, as an address holds them; empty means not asked for."""

    q: str = ""
    state: str = ""
    level: str = ""
    format: str = ""
    tag: str = ""
    folder: str = ""
    owner: str = ""
    due: str = ""
    source: str = ""
    open_to: str = ""
    #: The code of why it could not be read.
    reason: str = ""
    sort: str = ""
    page: int = 1

    @property
    def filters(self) -> dict[str, str]:
        """What narrows the list."""
        return {name: value for name, value in self._given() if name not in {"sort", "page"}}

    @property
    def is_narrowed(self) -> bool:
        return bool(self.filters)

    def query(self, **instead: Any) -> str:
        """The address's parameters with some of them replaced; without the page unless it is among those."""
        return urlencode(replace(self, page=instead.pop("page", 1), **instead)._given())

    def _given(self) -> list[tuple[str, Any]]:
        given = [(field.name, getattr(self, field.name)) for field in fields(self)]
        return [(name, value) for name, value in given if value and (name, value) != ("page", 1)]


def narrowed(documents: QuerySet[Document], asked: Asked, user: User, tree: Tree) -> QuerySet[Document]:
    """Those of `documents` that `asked` names. What a person does not know of (a folder, a source) matches nothing."""
    conditions = Q(*(Q(folded__contains=word) for word in fold(asked.q).split()))
    if asked.state in GROUPS:
        conditions &= GROUPS[asked.state][1]
    if asked.level:
        conditions &= Q(classification=asked.level)
    if asked.format:
        conditions &= Q(latest_version__format=asked.format)
    if asked.open_to:
        conditions &= Q(restricted=asked.open_to == "named")
    if asked.reason:
        conditions &= Q(latest_version__state__in=STOPPED, latest_version__failure_code=asked.reason)
    if asked.due:
        conditions &= due(asked.due)
    if asked.tag:
        conditions &= Q(tagging__tag__folded=fold(asked.tag))
    if asked.owner:
        conditions &= _owned(asked.owner, user, tree.workspace)
    if asked.folder:
        folder = tree.get(asked.folder)
        conditions &= at_or_below(folder) if folder else Q(pk=None)
    if asked.source:
        sources = access.visible(user, Source).filter(pk=_uuid(asked.source))
        # A sub-query, since one document may have come from a source twice.
        conditions &= Q(pk__in=Document.objects.filter(source_items__source__in=sources).values("pk"))
    return documents.filter(conditions)


def ordered(documents: QuerySet[Document], sort: str) -> QuerySet[Document]:
    """In the order of a column, `-` before it for the other way round; nothing known comes last."""
    down, column = sort.startswith("-"), sort.removeprefix("-")
    by = [OrderBy(F(name), descending=down, nulls_last=True) for name in COLUMNS.get(column, ())]
    title = ("-title", "-path") if down and not by else ("title", "path")
    return documents.order_by(*by, *title, "pk")


def due(code: str) -> Q:
    """The documents that are to be reviewed, or whose last valid day is over, near or not known."""
    today = timezone.localdate()
    return {
        "review": Q(review_on__lte=today),
        "expired": Q(valid_until__lt=today),
        "expiring": Q(valid_until__gte=today, valid_until__lte=today + SOON),
        "undated": Q(valid_until=None),
    }[code]


def ownerless(workspace: Workspace) -> Q:
    """The documents without an owner who may keep them current."""
    return ~Q(owner__in=access.people_allowed(workspace, Action.ADD).values("pk")) | Q(owner=None)


def _owned(owner: str, user: User, workspace: Workspace) -> Q:
    if owner == NOBODY:
        return Q(owner=None)
    if owner == UNABLE:
        return ownerless(workspace)
    return Q(owner=user.pk if owner == ME else _uuid(owner))


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
