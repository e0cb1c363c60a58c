"""The list of a workspace's documents as one person may see it, each with the version there is news about."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.core.paginator import Page, Paginator
from django.db.models import Count, Exists, OuterRef, Q, QuerySet
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from documents.models import HEAVY, Document, Version
from documents.states import OPEN, PROGRESS, VersionState
from workspaces import access
from workspaces.models import User, Workspace

PER_PAGE = 50

#: What a person can filter by: code → (label, states).
GROUPS: dict[str, tuple[object, tuple[str, ...]]] = {
    "ready": (_("Ready"), (VersionState.READY,)),
    "working": (_("In work"), OPEN),
    "failed": (_("Failed"), (VersionState.FAILED, VersionState.QUARANTINED)),
}
#: Percent of the way when a state is reached; embedding fills the long stretch after the split.
_PERCENT = dict(zip(PROGRESS, (3, 8, 15, 20, 90, 96, 100), strict=True))
_TONES = {
    VersionState.READY: "ok",
    VersionState.FAILED: "fail",
    VersionState.QUARANTINED: "fail",
    VersionState.SUPERSEDED: "none",
    VersionState.DELETED: "none",
}


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the list: a document and the version there is news about."""

    document: Document
    version: Version

    @property
    def tone(self) -> str:
        return tone(self.version)

    @property
    def working(self) -> bool:
        return self.version.state in OPEN

    @property
    def failed(self) -> bool:
        return self.version.state in GROUPS["failed"][1]

    @property
    def percent(self) -> int:
        return percent(self.version)

    @property
    def sentence(self) -> str:
        """Why it failed, in the reader's language."""
        return gettext(self.version.failure_sentence) if self.version.failure_sentence else ""

    @property
    def answering(self) -> Version | None:
        """The version that answers questions while the newer one does not."""
        current = self.document.current_version
        return current if current is not None and current.pk != self.version.pk else None


@dataclass(frozen=True, slots=True)
class Listing:
    """A page of rows, and how many documents stand in each group over all pages."""

    page: "Page[Version]"
    rows: list[Row]
    counts: dict[str, int]
    total: int
    #: Documents whose latest bytes failed: `library.retry_all_failed` tries them again.
    failed: int


def listing(
    user: User, workspace: Workspace, *, q: str = "", state: str = "", level: str = "", page: int = 1
) -> Listing:
    """The documents of `workspace` that `user` may open, filtered; four queries whatever the size of the list."""
    documents = access.visible(user, Document).filter(workspace=workspace)
    news = latest_arrivals(Version.objects.filter(document__in=documents))
    by_state = dict(news.order_by().values_list("state").annotate(Count("pk")))
    counts = {code: sum(by_state.get(state, 0) for state in states) for code, (_label, states) in GROUPS.items()}
    found = news.select_related("document").defer(*HEAVY).order_by("document__title", "document__path")
    if q:
        found = found.filter(Q(document__title__icontains=q) | Q(document__path__icontains=q))
    if level:
        found = found.filter(document__classification=level)
    if state in GROUPS:
        found = found.filter(state__in=GROUPS[state][1])
    paginator = Paginator(found, PER_PAGE)
    total = sum(by_state.values())
    if not (q or state or level):
        paginator.count = total  # known already; counting costs as much as the list itself
    leaf = paginator.get_page(page)
    return Listing(leaf, _rows(list(leaf.object_list)), counts, total, by_state.get(VersionState.FAILED, 0))


def tone(version: Version) -> str:
    """The tone of a version's badge."""
    return _TONES.get(VersionState(version.state), "run")


def percent(version: Version) -> int:
    """How far ingestion has come, from 0 to 100."""
    if version.state not in PROGRESS:
        return 0
    reached = _PERCENT[VersionState(version.state)]
    if version.state == VersionState.SPLIT and version.passage_count:
        stretch = _PERCENT[VersionState.EMBEDDED] - reached
        reached += stretch * min(version.done, version.passage_count) // version.passage_count
    return reached


def newest(document: Document) -> Version | None:
    """The version of `document` there is news about, without its text."""
    return latest_arrivals(document.versions.all()).defer(*HEAVY).first()


def latest_arrivals(versions: QuerySet[Version]) -> QuerySet[Version]:
    """Of each document the version whose bytes arrived last: there is news about it, or it is the current one."""
    later = Version.objects.filter(document=OuterRef("document"), turn__gt=OuterRef("turn"))
    return versions.filter(~Exists(later))


def _rows(versions: Sequence[Version]) -> list[Row]:
    current = {version.document.current_version_id for version in versions} - {None}
    answering = Version.objects.defer(*HEAVY).in_bulk(current)
    for version in versions:
        version.document.current_version = answering.get(version.document.current_version_id)
    return [Row(version.document, version) for version in versions]
