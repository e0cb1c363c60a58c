"""What people do with documents: bring them in, try again, delete them. Closing them: `documents/access/`.

Each verb checks the right of `by`, is one transaction, and leaves its entry in the trail.
"""

import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, BinaryIO
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import F, Max
from django.utils import timezone
from django.utils.translation import gettext as _

from audit.events import EventType
from audit.record import Entry, record, record_all
from documents.cards.classifying import level_for_new
from documents.deletion.tombstones import Deleted, entomb
from documents.exceptions import DocumentError, SourceFailed
from documents.folders.keeping import folder_for
from documents.folders.placing import printable
from documents.ingestion import leases
from documents.ingestion.receiving import Arrival, arriving
from documents.models import HEAVY, Cause, Document, Version, original_path
from documents.parse import FORMATS
from documents.states import OPEN, WITHDRAWN, VersionState
from documents.tasks import ingest_version_task
from documents.titles import MAX_TITLE, title_from
from workspaces import access
from workspaces.classification import Classification
from workspaces.dispatch import dispatch
from workspaces.exceptions import Hidden
from workspaces.killpoints import killpoint
from workspaces.models import User, Workspace
from workspaces.roles import Action

logger = logging.getLogger(__name__)

MAX_PATH = 1000


@dataclass(frozen=True, slots=True)
class Received:
    """The version that stands for the bytes, and what their arrival was: `added`, `new_version` or `same`."""

    version: Version
    outcome: str


def receive(
    *,
    workspace: Workspace,
    path: str,
    file: BinaryIO | Any,
    filename: str,
    by: User,
    title: str = "",
    classification: str = "",
    rings: bool = True,
) -> Received:
    """Take in the bytes of the document at `path`, and have them ingested in the background.

    The same bytes as an existing version are that version, unless it was erased; where it failed or was replaced, it is
    ingested again and answers from then on. `title` and `classification` are those of a new document; only who manages
    documents gives the latter. Without `rings` the caller sees to its ingestion, or the sweep does.

    Raises DocumentError with a sentence: workspace archived, format not read here, file empty or too large.
    """
    level = _require_open(workspace, classification, by)
    path = _usable_path(path)
    _require_known_format(filename)
    new = Document(workspace=workspace, path=path, title=title, classification=level)
    with arriving(file) as arrival:
        return _take_in(new, arrival, filename, by, rings=rings)


@dataclass(frozen=True, slots=True)
class Arriving:
    """A small file on its way in: its name, how it is opened, and path and title of its document."""

    path: str
    filename: str
    opened: Callable[[], AbstractContextManager[BinaryIO | Any]]
    title: str = ""

    @classmethod
    def of(cls, path: str, file: Path) -> "Arriving":
        """A file of this machine."""
        return cls(path, file.name, lambda: file.open("rb"))


def receive_new(
    *, workspace: Workspace, files: Sequence[Arriving], by: User, classification: str = "", rings: bool = True
) -> list[Version | None]:
    """Take in files as new documents in one transaction: the version of each, or None for one left to `receive`.

    That is one at whose path there is a document already, or that `receive` will not take in either. All are durable
    and have their entries when this returns. Without `rings` the caller sees to their ingestion, or the sweep does.
    Raises DocumentError and Refused for what keeps all of them out.
    """
    with arrived_together(workspace=workspace, files=files, by=by, classification=classification) as news:
        versions = keep_together(workspace=workspace, news=news, by=by, classification=classification, rings=rings)
    killpoint("row_committed")
    return versions


@contextmanager
def arrived_together(
    *, workspace: Workspace, files: Sequence[Arriving], by: User, classification: str = ""
) -> Iterator[Sequence["New | None"]]:
    """What arrived of the files, whole on the disk until the block ends, to be kept inside of it; None as above.

    Raises DocumentError and Refused for what keeps all of them out.
    """
    level = _require_open(workspace, classification, by)
    with ExitStack() as stack:
        yield [
            _arrived(Document(workspace=workspace, classification=level, title=file.title), file, by, stack)
            for file in files
        ]


def keep_together(
    *, workspace: Workspace, news: Sequence["New | None"], by: User, classification: str = "", rings: bool = True
) -> list[Version | None]:
    """Give what arrived its rows in one transaction, which may be part of the caller's; `classification` as it arrived.

    Raises DocumentError and Refused as `arrived_together`.
    """
    # They may have taken long to arrive.
    _require_open(workspace, classification, by)
    try:
        _take_in_new(workspace, [new for new in news if new is not None], by, rings=rings)
    except IntegrityError:
        # Somebody else brought one of the paths in between.
        return [None] * len(news)
    return [new.version if new is not None and new.is_kept else None for new in news]


@transaction.atomic
def retry(version: Version, *, by: User) -> None:
    """Send a failed or set-aside version through ingestion again. Raises DocumentError for any other."""
    access.require(by, Action.ADD, version)
    Document.objects.select_for_update(no_key=True).get(pk=version.document_id)
    version = Version.objects.select_for_update(no_key=True).defer(*HEAVY).get(pk=version.pk)
    if version.state not in (VersionState.FAILED, VersionState.QUARANTINED):
        raise DocumentError(_("Only a version that failed or was set aside can be tried again."))
    _send_again(version)
    record(
        EventType.VERSION_RETRIED,
        on=version,
        workspace=version.document.workspace_id,
        by=by,
        document=version.document_id,
        number=version.number,
    )


def retry_all_failed(workspace: Workspace, *, by: User) -> int:
    """Retry the latest bytes of every document that failed and that `by` can see; how many those were.

    What was set aside for ending its worker is retried one by one only.
    """
    access.require(by, Action.ADD, workspace)
    visible = access.visible(by, Version).filter(document__workspace=workspace)
    latest = visible.filter(document__latest_version=F("pk"), state=VersionState.FAILED)
    retried = 0
    for version in list(latest.only("document")):
        # Somebody may have retried or deleted it since.
        with suppress(DocumentError, Hidden):
            retry(version, by=by)
            retried += 1
    return retried


def delete(document: Document, *, by: User, reason: str = "", cause: Cause = Cause.PERSON) -> Deleted:
    """Delete the document: from now on nothing of it is found or opened, whatever an index still holds.

    Its text, passages, vectors and files are erased in the background (documents/deletion/erasing.py), once the
    workspace's bin is over. Raises DocumentError when it is deleted already, and Held while a legal hold stands.
    """
    access.require(by, Action.MANAGE_DOCUMENTS, document)
    return entomb(document, by=by, cause=cause, reason=reason)


# --- Inside -------------------------------------------------------------------------------------------------


def _usable_path(path: str) -> str:
    """A label, never used as a place on a disk; control characters are dropped."""
    cleaned = printable(path).strip().lstrip("/")
    if not cleaned or len(cleaned) > MAX_PATH:
        raise DocumentError(
            _("The name of the file is empty or longer than %(limit)d characters.") % {"limit": MAX_PATH},
            code="bad_name",
        )
    return cleaned


def _require_known_format(filename: str) -> None:
    ending = PurePosixPath(filename).suffix.lower().removeprefix(".")
    if ending not in FORMATS:
        raise DocumentError(
            _("Files ending in “%(ending)s” cannot be read here. These can: %(list)s.")
            % {"ending": ending and f".{ending}", "list": ", ".join(sorted(FORMATS))}
        )


def _require_open(workspace: Workspace, classification: str, by: User) -> Classification:
    """The classification of what `by` adds, where nothing keeps it out. Raises DocumentError and Refused."""
    access.require(by, Action.ADD, workspace)
    level = level_for_new(workspace, classification, by=by)
    if not Workspace.objects.filter(pk=workspace.pk, archived_at=None).exists():
        raise DocumentError(_("This workspace is archived: nothing can be added to it."), code="archived")
    return level


def _take_in(new: Document, arrival: Arrival, filename: str, by: User, *, rings: bool) -> Received:
    """Give the bytes their row. The file is in its place before the row that names it is committed.

    `new` is the document as it is to be where there is none at its path yet.
    """
    with transaction.atomic():
        document, is_new = _document_at(new, by)
        version = None if is_new else _with_the_same_bytes(document, arrival)
        if version is not None:
            _receive_again(version, document, arrival, by, rings=rings)
            return Received(version, "same")
        last = {} if is_new else document.versions.aggregate(number=Max("number"), turn=Max("turn"))
        version = _version_of(document, last, PurePosixPath(filename).name, arrival, by)
        version.save(force_insert=True)
        _keep([(arrival, version)], document.workspace_id, is_new=is_new, by=by)
        if rings:
            dispatch(ingest_version_task, version.pk)
    killpoint("row_committed")
    return Received(version, "added" if is_new else "new_version")


@dataclass(slots=True)
class New:
    """A document that arrived with its first bytes, and whether they were taken in."""

    version: Version
    arrival: Arrival
    is_kept: bool = False


def _arrived(document: Document, file: Arriving, by: User, stack: ExitStack) -> New | None:
    """What arrived, whole on the disk until `stack` ends; None where `receive` says why not, or knows more."""
    try:
        document.path = _usable_path(file.path)
        _require_known_format(file.filename)
        with file.opened() as content:
            arrival = stack.enter_context(arriving(content))
    except (DocumentError, SourceFailed, OSError) as error:
        logger.info("A file is received by itself: %s", type(error).__name__)
        return None
    _begin(document, by)
    version = _version_of(document, {}, file.filename, arrival, by)
    return New(version, arrival)


@transaction.atomic
def _take_in_new(workspace: Workspace, news: Sequence[New], by: User, *, rings: bool) -> None:
    """Give those a row whose path is free. Raises IntegrityError when it was taken in between."""
    # Before any document, as everybody takes it, and for all of them.
    folders = {head: folder_for(workspace, f"{head}/") for head in sorted({_head(new) for new in news})}
    there = Document.objects.filter(workspace=workspace, deleted_at=None)
    taken = set(there.filter(path__in=[_path(new) for new in news]).order_by().values_list("path", flat=True))
    kept = list[New]()
    for new in news:
        if _path(new) not in taken:
            taken.add(_path(new))
            document = new.version.document
            document.folder, document.latest_version = folders[_head(new)], new.version
            kept.append(new)
    # By path: of two who bring the same files, one waits for the other, and never each for the other. Document and
    # version name each other, which the database looks at when both are there.
    kept.sort(key=_path)
    Document.objects.bulk_create([new.version.document for new in kept])
    Version.objects.bulk_create([new.version for new in kept])
    _keep([(new.arrival, new.version) for new in kept], workspace.pk, is_new=True, by=by)
    for new in kept:
        new.is_kept = True
        if rings:
            dispatch(ingest_version_task, new.version.pk)


def _path(new: New) -> str:
    return new.version.document.path


def _head(new: New) -> str:
    return _path(new).rpartition("/")[0]


def _keep(arrivals: Sequence[tuple[Arrival, Version]], workspace_id: UUID, *, is_new: bool, by: User) -> None:
    """Put the files in their places and record them.

    A failed COMMIT may leave them there without a row, never the reverse.
    """
    try:
        for arrival, version in arrivals:
            arrival.keep(str(version.file))
        killpoint("file_kept")
        entries = [entry for _arrival, version in arrivals for entry in _arrival_of(version, is_new=is_new)]
        record_all(entries, workspace=workspace_id, by=by)
    except BaseException:
        for _arrival, version in arrivals:
            version.file.storage.delete(str(version.file))
        raise


def _document_at(new: Document, by: User) -> tuple[Document, bool]:
    """The document at the path of `new`, locked, and whether it was made just now."""
    there = Document.objects.filter(workspace=new.workspace, path=new.path, deleted_at=None)
    document = there.select_for_update(no_key=True).first()
    if document is None:
        _begin(new, by)
        try:
            with transaction.atomic():
                new.folder = folder_for(new.workspace, new.path)
                new.save(force_insert=True)
        except IntegrityError:
            # Somebody else brought the same path in between; theirs is committed now.
            document = there.select_for_update(no_key=True).get()
        else:
            return new, True
    access.require(by, Action.ADD, document)
    return document, False


def _begin(new: Document, by: User) -> None:
    """Fill in what a new document begins with."""
    new.title = " ".join(new.title.split())[:MAX_TITLE] or title_from(new.path)
    new.created_by = new.owner = by
    new.refold()


def _with_the_same_bytes(document: Document, arrival: Arrival) -> Version | None:
    # What was deleted is gone for good, or soon will be: the same bytes begin anew.
    there = document.versions.exclude(state=VersionState.DELETED)
    return there.filter(sha256=arrival.sha256).defer(*HEAVY).first()


def _version_of(document: Document, last: dict[str, int], filename: str, arrival: Arrival, by: User) -> Version:
    """The next version of the document, not saved yet."""
    version = Version(
        document=document,
        number=(last.get("number") or 0) + 1,
        turn=(last.get("turn") or 0) + 1,
        sha256=arrival.sha256,
        size=arrival.size,
        filename=filename,
        format=PurePosixPath(filename).suffix.lower().removeprefix("."),
        created_by=by,
    )
    version.file.name = original_path(version, filename)
    return version


def _arrival_of(version: Version, *, is_new: bool) -> list[Entry]:
    """What the trail says of new bytes."""
    document = version.document
    details = {"number": version.number, "sha256": version.sha256, "bytes": version.size}
    entries = []
    if is_new:
        added = {"path": document.path, "classification": str(document.classification)}
        entries.append(Entry(EventType.DOCUMENT_ADDED, document, details=added))
    entries.append(Entry(EventType.VERSION_RECEIVED, version, details={"document": document.pk, **details}))
    return entries


def _receive_again(version: Version, document: Document, arrival: Arrival, by: User, *, rings: bool) -> None:
    """Bytes that were here before arrived again: the version that has them is wanted once more."""
    latest = document.versions.aggregate(turn=Max("turn"))["turn"]
    was = version.state
    leases.wake(Version.objects.filter(pk=version.pk))
    if was in OPEN and rings:
        dispatch(ingest_version_task, version.pk)
    if version.turn == latest and was not in WITHDRAWN:
        return
    if version.turn != latest:
        version.turn = latest + 1
        version.save(update_fields=["turn"])
        version.become_latest()
    if was in WITHDRAWN:
        # It may have failed because the stored file was lost or damaged: these are the right bytes.
        arrival.keep(str(version.file))
        _send_again(version, rings=rings)
    record(
        EventType.VERSION_RECEIVED,
        on=version,
        workspace=document.workspace_id,
        by=by,
        document=document.pk,
        number=version.number,
        sha256=version.sha256,
        again=True,
        was=was,
    )


def _send_again(version: Version, *, rings: bool = True) -> None:
    """Back to the start, with a clean slate: what still stands of earlier attempts is not made again."""
    version.state = VersionState.RECEIVED
    version.deaths, version.errors, version.lease_until, version.retry_at = 0, 0, None, None
    if version.refused_since is not None:
        # The patience begins anew; what the server gave last is still to be compared with its model.
        version.refused_since = timezone.now()
    version.failure_code, version.failure_sentence, version.failure_retryable = "", "", False
    version.save(
        update_fields=[
            "state",
            "deaths",
            "errors",
            "lease_until",
            "retry_at",
            "refused_since",
            "failure_code",
            "failure_sentence",
            "failure_retryable",
        ]
    )
    if rings:
        dispatch(ingest_version_task, version.pk)
