"""The list of a workspace's documents as one person may see it, each with the version there is news about."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.core.paginator import Page, Paginator
from django.db.models import Count, OuterRef, Q, QuerySet, Subquery
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from documents.models import Document, Version
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
#: Never read for a list: one version's text may be megabytes.
HEAVY = ("text", "sections")


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

    page: Page
    rows: list[Row]
    counts: dict[str, int]
    total: int


def listing(user: User, workspace: Workspace, *, q: str = "", state: str = "", page: int = 1) -> Listing:
    """The documents of `workspace` that `user` may open, filtered; four queries whatever the size of the list."""
    documents = _with_news(access.visible(user, Document).filter(workspace=workspace))
    counts = documents.aggregate(
        total=Count("pk"),
        **{code: Count("pk", filter=Q(news_state__in=states)) for code, (_label, states) in GROUPS.items()},
    )
    total = counts.pop("total")
    if q:
        documents = documents.filter(Q(title__icontains=q) | Q(path__icontains=q))
    if state in GROUPS:
        documents = documents.filter(news_state__in=GROUPS[state][1])
    leaf = Paginator(documents.order_by("title", "path"), PER_PAGE).get_page(page)
    return Listing(leaf, _rows(list(leaf.object_list)), counts, total)


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
    return _by_news(document.versions.all()).defer(*HEAVY).first()


def _with_news(documents: QuerySet[Document]) -> QuerySet[Document]:
    versions = _by_news(Version.objects.filter(document=OuterRef("pk")))
    return documents.annotate(
        news=Subquery(versions.values("pk")[:1]), news_state=Subquery(versions.values("state")[:1])
    )


def _by_news(versions: QuerySet[Version]) -> QuerySet[Version]:
    """The bytes that arrived last are the news; when they are ready, they are the current version."""
    return versions.order_by("-turn", "-number")


def _rows(documents: Sequence[Document]) -> list[Row]:
    wanted = {document.news for document in documents} | {document.current_version_id for document in documents}
    versions = Version.objects.defer(*HEAVY).in_bulk(wanted - {None})
    for document in documents:
        document.current_version = versions.get(document.current_version_id)
    return [Row(document, versions[document.news]) for document in documents if document.news]
