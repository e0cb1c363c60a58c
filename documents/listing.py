"""The list of a workspace's documents: what one person may open, with the news about each, at a constant price."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.core.paginator import Page, Paginator
from django.db.models import Count, Exists, F, OuterRef, Q, QuerySet
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext

from documents.filters import GROUPS, Asked, due, narrowed, ordered
from documents.folders.keeping import Tree
from documents.models import HEAVY, Document, DocumentTag, Tag, Version
from documents.states import OPEN, PROGRESS, STOPPED, VersionState
from documents.viewer import findings
from workspaces import access
from workspaces.classification import Classification
from workspaces.models import User, Workspace

PER_PAGE = 50
#: Tags offered to filter by; further ones are found by clicking them on a document.
OFFERED_TAGS = 200
_HEAVY = tuple(f"latest_version__{field}" for field in HEAVY)
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
    def state_label(self) -> str:
        return str(VersionState(self.version.state).label)

    @property
    def classification_label(self) -> str:
        return str(Classification(self.document.classification).label)

    @property
    def working(self) -> bool:
        return self.version.state in OPEN

    @property
    def failed(self) -> bool:
        return self.version.state in STOPPED

    @property
    def waits(self) -> bool:
        """Whether it is left alone until its embedding server is tried again."""
        return self.working and self.version.retry_at is not None

    @property
    def percent(self) -> int:
        return percent(self.version)

    @property
    def sentence(self) -> str:
        """Why it failed, or what it waits for, in the reader's language."""
        if self.version.retry_at is not None and self.working:
            return waiting_sentence(self.version.retry_at)
        return gettext(self.version.failure_sentence) if self.version.failure_sentence else ""

    @property
    def hidden_text(self) -> list[str]:
        """What the version holds and its readers do not see, by kind."""
        return findings.hidden_text(self.version)

    @property
    def answering(self) -> Version | None:
        """The version that answers questions while the newer one does not."""
        current = self.document.current_version
        return current if current is not None and current.pk != self.version.pk else None


def waiting_sentence(retry_at: datetime) -> str:
    """What a version waits for that is left alone until `retry_at`, in the reader's language."""
    if retry_at <= timezone.now():
        return gettext("Waits for the embedding server, which is tried again as soon as a worker is free.")
    when = date_format(timezone.localtime(retry_at), "DATETIME_FORMAT")
    return gettext("Waits for the embedding server. Next try: %(when)s.") % {"when": when}


@dataclass(frozen=True, slots=True)
class Listing:
    """A page of rows, and how many documents stand in each group over all pages, whatever is asked for."""

    page: "Page[UUID]"
    rows: list[Row]
    counts: dict[str, int]
    total: int
    #: Documents whose latest bytes failed: `library.retry_all_failed` tries them again.
    failed: int
    to_review: int
    #: Of those to review, the viewer's own.
    yours_to_review: int
    expired: int
    #: Ids of those who own any of the documents.
    owners: set[UUID]
    tree: Tree
    tags: list[Tag]


def listing(user: User, workspace: Workspace, asked: Asked) -> Listing:
    """The documents of `workspace` that `user` may open, as asked for; as many queries whatever its size."""
    documents = _documents(user, workspace)
    census = _census(documents)
    by_state = _unsettled(documents)
    tree = Tree(user, workspace, census.by_folder)
    # Ids alone are put in order; the rows of one page are read afterwards, so that nothing wide is sorted.
    found = ordered(narrowed(documents, asked, user, tree), asked.sort).values_list("pk", flat=True)
    paginator = Paginator(found, PER_PAGE)
    if not asked.is_narrowed:
        paginator.count = census.total  # known already; counting costs as much as the list itself
    leaf = paginator.get_page(asked.page)
    return Listing(
        page=leaf,
        rows=_rows(list(leaf.object_list)),
        counts={
            "ready": census.ready,
            "working": sum(by_state.get(state, 0) for state in OPEN),
            "failed": sum(by_state.get(state, 0) for state in STOPPED),
        },
        total=census.total,
        failed=by_state.get(VersionState.FAILED, 0),
        to_review=census.to_review.total(),
        yours_to_review=census.to_review[user.pk],
        expired=census.expired,
        owners=census.owners,
        tree=tree,
        tags=_tags(documents, workspace),
    )


def row_of(document: Document) -> Row:
    """The line of one document that has a version and was found open to the person just now."""
    return _rows([document.pk])[0]


def matching(user: User, workspace: Workspace, asked: Asked) -> QuerySet[Document]:
    """All documents the list would show over all its pages."""
    documents = _documents(user, workspace)
    tree = Tree(user, workspace, _census(documents).by_folder if asked.folder else {})
    return narrowed(documents, asked, user, tree)


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
    return document.versions.filter(document__latest_version=F("pk")).defer(*HEAVY).first()


# --- Inside -------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class _Census:
    """What is counted over all documents in one look."""

    by_folder: Counter[UUID | None]
    owners: set[UUID]
    #: By owner.
    to_review: Counter[UUID | None]
    total: int = 0
    ready: int = 0
    expired: int = 0


def _documents(user: User, workspace: Workspace) -> QuerySet[Document]:
    return access.visible(user, Document).filter(workspace=workspace, latest_version__isnull=False)


def _census(documents: QuerySet[Document]) -> _Census:
    counted = documents.order_by().values_list("folder", "owner")
    census = _Census(Counter(), set(), Counter())
    for folder, owner, total, ready, to_review, expired in counted.annotate(
        total=Count("pk"),
        ready=Count("pk", filter=GROUPS["ready"][1]),
        to_review=Count("pk", filter=due("review")),
        expired=Count("pk", filter=due("expired")),
    ):
        census.by_folder[folder] += total
        census.owners |= {owner} - {None}
        census.total += total
        census.ready += ready
        census.to_review[owner] += to_review
        census.expired += expired
    return census


def _unsettled(documents: QuerySet[Document]) -> dict[str, int]:
    """How many are in work or stopped, by state. These are few, and found by indexes of their own."""
    news = Version.objects.filter(document__latest_version=F("pk"), document__in=documents)
    counted = news.filter(Q(state__in=OPEN) | Q(state__in=STOPPED)).order_by().values_list("state")
    return dict(counted.annotate(Count("pk")))


def _tags(documents: QuerySet[Document], workspace: Workspace) -> list[Tag]:
    """Tags of documents the person may open: the name of another may tell what it is on."""
    borne = DocumentTag.objects.filter(tag=OuterRef("pk"), document__in=documents)
    return list(Tag.objects.filter(Exists(borne), workspace=workspace)[:OFFERED_TAGS])


def _rows(ids: Sequence[UUID]) -> list[Row]:
    """The lines of these documents, which were found open to the person just now, in this order."""
    whole = Document.objects.select_related("latest_version", "owner").defer(*_HEAVY).prefetch_related("tags")
    by_id = whole.in_bulk(ids)
    documents = [by_id[pk] for pk in ids if pk in by_id]
    older = {document.current_version_id for document in documents if _answers_meanwhile(document)}
    answering = Version.objects.defer(*HEAVY).in_bulk(older - {None})
    for document in documents:
        same = None if document.current_version_id is None else document.latest_version
        meanwhile = _answers_meanwhile(document)
        document.current_version = answering.get(document.current_version_id) if meanwhile else same
    return [Row(document, document.latest_version) for document in documents if document.latest_version]


def _answers_meanwhile(document: Document) -> bool:
    return document.current_version_id not in (None, document.latest_version_id)
