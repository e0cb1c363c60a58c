"""Take small files that nobody tried yet through ingestion together, so that what a statement costs is paid
once for many of them.

Each has a lease, a first attempt and a parser's child of its own, and each write asks which of them still hold theirs.
While the first of them are embedded, the others are still being read.
Whoever is not as the others leaves the company and is brought on alone by `documents/ingest.py`: what another program
has to read, is long, is being deleted, was tried before, or may not be sent to the server that makes the vectors. So a
file that ends its worker takes the first attempt of the others along and nothing else of them: from then on each of
them is alone. What takes the place of a former version travels as far as the switch, which is its own.
"""

import logging
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import numpy as np
from django.conf import settings
from django.db import transaction
from django.db.models import F, QuerySet
from django.db.models.functions import Coalesce, Now
from django.utils import timezone

from audit.record import record_all
from documents.ceiling import above_ceiling
from documents.embedding import spaces
from documents.embedding.vector_space import EmbeddingUnavailable, Space
from documents.exceptions import LeaseLost
from documents.index import IndexUnavailable
from documents.indexing import writing as indexing
from documents.ingest import (
    IngestResult,
    end_failed,
    go_on,
    ingest_version,
    keep_notes,
    next_try,
    pipeline,
    stage_done,
)
from documents.ingestion import leases
from documents.ingestion.leases import Lease
from documents.ingestion.readers import FileRead, Reading, reading
from documents.models import HEAVY, Document, Embedding, Passage, StageRun, Version
from documents.outgoing import Account
from documents.parse import ParseFailed
from documents.reembedding.problems import Stopped
from documents.stages import StageFailed, embedded, parsed, ready, split, stored
from documents.stages.parsed import Read
from documents.states import OPEN, VersionState
from workspaces.killpoints import killpoint
from workspaces.models import Workspace

logger = logging.getLogger(__name__)

#: Files in a company, and what they may hold: one or two seconds of work.
MOST = 32
MOST_BYTES = 64 * 1024
MOST_PASSAGES = 64
#: So many are brought to their vectors while the others are still being read.
AHEAD = 8
#: Behind this time no further file is read; with the longest that one may take, the leases last.
READING_SECONDS = 10
_SPARE_SECONDS = 30

#: Left the company, or never was in one: to be brought on by `ingest_version`.
ALONE = "alone"


def ingest_waiting(version_id: UUID | str) -> list[IngestResult]:
    """Bring a version as far as it gets now, and small new ones that wait in its workspace along with it.

    The results of it and of all that were taken along; where the outcome is `alone`, `ingest_version` has to be called,
    which is left to the caller.
    """
    workspace_id = (
        Version.objects.filter(pk=version_id, attempt=0, size__lte=MOST_BYTES)
        .order_by()
        .values_list("document__workspace_id", flat=True)
        .first()
    )
    if workspace_id is None:
        return [ingest_version(version_id)]
    waiting = Version.objects.filter(document__workspace=workspace_id)
    results = _ingest(workspace_id, waiting, asked=version_id)
    if UUID(str(version_id)) not in {result.version_id for result in results}:
        # Not as those beside it, a newer version for one: this bell is its only one.
        results.append(ingest_version(version_id))
    return results


def ingest_together(version_ids: Iterable[UUID], workspace_id: UUID) -> list[IngestResult]:
    """Bring versions of a workspace as far as they get now, those together that can be; a result for each.

    Where the outcome is `alone`, `ingest_version` has to be called, which is left to the caller.
    """
    version_ids = list(version_ids)
    waiting = Version.objects.filter(pk__in=version_ids, document__workspace=workspace_id)
    results = _ingest(workspace_id, waiting) if version_ids else []
    taken = {result.version_id for result in results}
    return results + [IngestResult(pk, ALONE) for pk in version_ids if pk not in taken]


def _ingest(workspace_id: UUID, waiting: QuerySet[Version], *, asked: UUID | str | None = None) -> list[IngestResult]:
    started = time.monotonic()
    space = spaces.space_of(workspace_id)
    taken = leases.take_together(waiting, most=MOST, most_bytes=MOST_BYTES, seconds=_while_reading(), asked=asked)
    match taken:
        case []:
            return []
        case [lease]:
            return [go_on(lease, started)]
    return _Company(workspace_id, space, taken, started).to_the_end()


@dataclass(slots=True)
class _Member:
    """A version on its way, with what was made for it and is not written yet."""

    version: Version
    lease: Lease
    read: Read
    passages: list[Passage]
    #: What each stage took, for this one's part.
    seconds: dict[str, float]


_Pair = tuple[_Member, Passage]


class _Company:
    """The first attempt on several versions of a workspace."""

    def __init__(self, workspace_id: UUID, space: Space, taken: Sequence[Lease], started: float) -> None:
        self.workspace_id, self.space, self.started = workspace_id, space, started
        self.leases = {lease.version_id: lease for lease in taken}
        self.members: dict[UUID, _Member] = {}
        self.results: list[IngestResult] = []

    def to_the_end(self) -> list[IngestResult]:
        """Take all through the stages; a result for each that was taken."""
        try:
            killpoint("company_taken")
            self._up_to_vectors()
            self._index()
            killpoint("company_indexed")
            self._switch()
            killpoint("company_ready")
        except IndexUnavailable as error:
            logger.warning("%d versions wait for the index: %s", len(self.leases), error)
            self._leave(self.leases, "waiting")
        except (EmbeddingUnavailable, Stopped) as error:
            logger.warning("%d versions were not embedded together: %s", len(self.leases), error)
            if isinstance(error, EmbeddingUnavailable) and error.is_busy:
                # Whoever has to be read alone does not wait for the server yet.
                self._leave(self.leases.keys() - self.members.keys())
                since = Coalesce("refused_since", Now())
                self._leave(self.leases, "waiting", retry_at=next_try(None, error.after), refused_since=since)
            # What was refused for one text or document was refused for all: each is asked for by itself, and says
            # what came of it to whoever brought it.
            self._leave(self.leases)
        except (Exception, KeyboardInterrupt, SystemExit):
            # Not to carry on: nobody died, so the next attempts, each alone, need not wait for the leases.
            self._leave(self.leases)
            raise
        return self.results

    # --- Who is of the company --------------------------------------------------------------------------------

    def _leave(self, ids: Collection[UUID], outcome: str = ALONE, **changes: Any) -> None:
        """Let these go and change `changes` of them; what was written of them stands for whoever takes them next."""
        if ids:
            _rows(ids).update(lease_until=None, **changes)
        for id in list(ids):
            self._end(id, outcome)

    def _end(self, id: UUID, outcome: str) -> None:
        del self.leases[id]
        member = self.members.pop(id, None)
        passages = len(member.passages) if member is not None else 0
        stages = len(member.seconds) if member is not None else 0
        self.results.append(IngestResult(id, outcome, stages, passages, time.monotonic() - self.started))

    @contextmanager
    def _writing(self, part: Iterable[_Member]) -> Iterator[list[_Member]]:
        """A transaction in which those of `part` that are still members are locked with their documents.

        Nobody is waited for: who is locked by others now, was deleted or lost its lease has left. The others, which
        are given, are all that may be written.
        """
        asked = [member for member in part if member.version.pk in self.members]
        with transaction.atomic():
            # The documents first and by themselves: in one statement a version would stay locked whose document was
            # passed over, and whoever deletes that one would wait for us, as we may for them.
            ids = [member.version.document_id for member in asked]
            documents = Document.objects.filter(pk__in=ids).order_by().select_for_update(skip_locked=True, no_key=True)
            now = {
                pk: (title, current) for pk, title, current in documents.values_list("pk", "title", "current_version")
            }
            rows = _rows(asked).filter(state__in=OPEN, document__in=list(now)).order_by()
            there = set(rows.select_for_update(skip_locked=True, no_key=True).values_list("pk", flat=True))
            members = [member for member in asked if member.version.pk in there]
            for member in members:
                document = member.version.document
                document.title, document.current_version_id = now[document.pk]
            left = {member.version.pk for member in asked} - there
            for id in left:
                del self.members[id]
            yield members
        # Not inside: letting go waits for whoever has the row locked, who may wait for one that was locked here.
        self._leave(left)

    # --- The stages ---------------------------------------------------------------------------------------------

    def _up_to_vectors(self) -> None:
        """Read, cut and embed all; the last of them are read while the first are embedded."""
        rows = Version.objects.filter(pk__in=self.leases).defer(*HEAVY).select_related("document")
        versions = list(rows.order_by("created_at"))
        files = [(version, self.leases[version.pk]) for version in versions]
        with reading(files, until=self.started + READING_SECONDS) as found:
            pairs = list(zip(versions, found, strict=True))
            # A server is asked as seldom as can be, and does not need our processor.
            ahead = AHEAD if self.space.remote is None else len(pairs)
            for those in filter(None, (pairs[:ahead], pairs[ahead:])):
                part = self._cut(those)
                killpoint("company_read")
                if part:
                    self._write_texts(part)
                    killpoint("company_split")
                    self._embed(part)
                    killpoint("company_embedded")
        self._leave(self.leases.keys() - self.members.keys())

    def _cut(self, those: Iterable[tuple[Version, Reading]]) -> list[_Member]:
        """Wait for what is read of each, and cut it; who cannot be read ends here."""
        part = []
        for version, file in those:
            lease = self.leases[version.pk]
            try:
                member = _member(version, lease, file.result())
            except (ParseFailed, StageFailed) as failure:
                self._fail(lease, failure)
            except LeaseLost:
                # Somebody took it over and got as far as the index: it leaves, and the others stay.
                continue
            else:
                if member is not None:
                    part.append(member)
        self.members |= {member.version.pk: member for member in part}
        return part

    def _fail(self, lease: Lease, failure: ParseFailed | StageFailed) -> None:
        try:
            end_failed(lease, failure)
        except LeaseLost:
            return
        self._end(lease.version_id, VersionState.FAILED)

    def _write_texts(self, part: Sequence[_Member]) -> None:
        """Save what was read and cut; who is too long for the company goes on from there alone."""
        with self._writing(part) as members:
            for member in members:
                member.version.passage_count = len(member.passages)
            Passage.objects.bulk_create(
                [each for member in members for each in member.passages], batch_size=split.BATCH
            )
            keep_notes(
                [
                    *_notes(members, VersionState.STORED, lambda member: stored.save(member.version, None)),
                    *_notes(members, VersionState.PARSED, lambda member: parsed.save(member.version, member.read)),
                    *_notes(members, VersionState.SPLIT, lambda member: {"passages": len(member.passages)}),
                ]
            )
            Version.objects.bulk_update([member.version for member in members], [*parsed.STAGE.writes, "passage_count"])
            _reach(members, VersionState.SPLIT, seconds=self._patience, pipeline=pipeline())
        passages, long = 0, []
        for id, member in self.members.items():
            if passages + len(member.passages) > MOST_PASSAGES:
                long.append(id)
            else:
                passages += len(member.passages)
        self._leave(long)

    def _embed(self, part: Sequence[_Member]) -> None:
        """Make every vector, and save them batch by batch, so that none is ever computed twice."""
        spaces.row_of(self.space)
        pairs = [(member, passage) for member in self._still_of(part) for passage in member.passages]
        for start in range(0, len(pairs), embedded.BATCH):
            before, is_last = time.monotonic(), start + embedded.BATCH >= len(pairs)
            batch = pairs[start : start + embedded.BATCH]
            self._leave_those_above_the_ceiling({member.version.pk: member for member, _passage in batch})
            here = [(member, passage) for member, passage in batch if member.version.pk in self.members]
            vectors = self._vectors(here, part)
            spent = (time.monotonic() - before) / max(1, len(here))
            for member, _passage in here:
                member.seconds[VersionState.EMBEDDED] = member.seconds.get(VersionState.EMBEDDED, 0.0) + spent
            with self._writing(part) as members:
                self._keep(here, vectors)
                if is_last:
                    # With the vectors, before the first of them leaves: it is known then where to clean up. Held for
                    # the index and, where these are the first, for as long as one of the others may be read.
                    _reach(
                        members,
                        VersionState.EMBEDDED,
                        seconds=max(indexing.HELD_SECONDS, _while_reading()),
                        done=F("passage_count"),
                        in_index=True,
                    )
                    keep_notes(_notes(members, VersionState.EMBEDDED, self._was_embedded))
                else:
                    _rows(members).update(lease_until=leases.until(self._patience))
            killpoint("embedding_batch")

    def _leave_those_above_the_ceiling(self, asked: dict[UUID, _Member]) -> None:
        """Asked before each batch, as for one alone, which then says so."""
        documents = [member.version.document_id for member in asked.values()]
        above = set(above_ceiling(self.space).filter(pk__in=documents).values_list("pk", flat=True))
        self._leave([id for id in asked.keys() & self.members.keys() if asked[id].version.document_id in above])

    def _vectors(self, pairs: Sequence[_Pair], part: Sequence[_Member]) -> np.ndarray:
        """Vectors of the passages. Those that a server gave before it failed are kept: they may have been paid for.

        Raises EmbeddingUnavailable and Stopped.
        """
        texts = [embedded.text_of(member.version.document, each) for member, each in pairs]
        account = Account.of(self.workspace_id, None, *{member.version.document_id for member, _passage in pairs})
        try:
            return embedded.vectors_of(texts, self.space, account, came=lambda: self._hold(part))
        except EmbeddingUnavailable as failed:
            if failed.made is not None:
                with self._writing(part) as members:
                    self._keep(pairs[: len(failed.made)], failed.made)
                    if not failed.is_compared:
                        _rows(members).update(refused_since=Now())
            raise

    def _keep(self, pairs: Sequence[_Pair], vectors: np.ndarray) -> None:
        """Save the vectors of those that are still members, inside of `_writing`."""
        Embedding.objects.bulk_create(
            embedded.row_of(passage, self.space, vector)
            for (member, passage), vector in zip(pairs, vectors, strict=True)
            if member.version.pk in self.members
        )

    @property
    def _patience(self) -> float:
        """Seconds for which the members are held while their vectors are made."""
        return embedded.patience(self.space)

    @transaction.atomic
    def _hold(self, part: Iterable[_Member]) -> None:
        """Hold the members for the server's next answers; who is locked by others now is looked at when it is written.

        Nobody is waited for, as in `_writing`.
        """
        rows = _rows(self._still_of(part)).filter(state__in=OPEN).order_by()
        held = list(rows.select_for_update(skip_locked=True, no_key=True).values_list("pk", flat=True))
        _rows(held).update(lease_until=leases.until(self._patience))

    def _still_of(self, part: Iterable[_Member]) -> list[_Member]:
        return [member for member in part if member.version.pk in self.members]

    def _index(self) -> None:
        """Bring every vector to the index. Raises IndexUnavailable."""
        before, ids = time.monotonic(), list(self.members)
        if not ids:
            return
        if indexing.is_lost(self.workspace_id, self.space, apart_from=ids):
            # It is put back by the first of them that goes on alone.
            self._leave(ids)
            return
        confirmed = indexing.put_versions(self.workspace_id, ids, self.space)
        killpoint("upserted")
        if confirmed != sum(len(member.passages) for member in self.members.values()):
            self._leave(ids)
        for member in self.members.values():
            member.seconds[VersionState.INDEXED] = (time.monotonic() - before) / len(ids)

    def _switch(self) -> None:
        """Make each the version that answers: those at once where none did, and each of the others by itself.

        Such a switch releases what rests on the former version, for which it waits; that is done with one document
        locked and never with several.
        """
        if not self.members:
            return
        with self._writing(list(self.members.values())) as members:
            # As in `documents/stages/ready.py`: before the space is read.
            Workspace.objects.filter(pk=self.workspace_id).update(index_revision=F("index_revision") + 1)
            answers = spaces.space_of(self.workspace_id).fingerprint == self.space.fingerprint
            new = [member for member in members if answers and member.version.document.current_version_id is None]
            newer = [member for member in members if answers and member.version.document.current_version_id is not None]
            self._answer_from_now(new)
            keep_notes(_notes(newer, VersionState.INDEXED, self._was_indexed))
            _reach(newer, VersionState.INDEXED, seconds=indexing.HELD_SECONDS)
        for member in new:
            self._end(member.version.pk, VersionState.READY)
        killpoint("company_switched")
        for member in newer:
            result = go_on(member.lease, self.started)
            del self.leases[member.version.pk], self.members[member.version.pk]
            self.results.append(result)
        self._leave(list(self.members))

    def _answer_from_now(self, members: Sequence[_Member]) -> None:
        if not members:
            return
        for member in members:
            member.seconds[VersionState.READY] = 0.0
            member.version.document.current_version = member.version
        _reach(members, VersionState.READY, ready_at=timezone.now(), lease_until=None)
        Document.objects.bulk_update([member.version.document for member in members], ["current_version"])
        keep_notes(
            [
                *_notes(members, VersionState.INDEXED, self._was_indexed),
                *_notes(members, VersionState.READY, lambda _member: {"supersedes": ""}),
            ]
        )
        record_all([ready.entry(member.version, None) for member in members], workspace=self.workspace_id)

    # --- Inside -------------------------------------------------------------------------------------------------

    def _was_embedded(self, member: _Member) -> dict[str, Any]:
        return {"computed": len(member.passages), "reused": 0, "space": self.space.name}

    def _was_indexed(self, member: _Member) -> dict[str, Any]:
        return {"vectors": len(member.passages), "space": self.space.fingerprint}


def _while_reading() -> float:
    """Seconds for which the leases last while files are read."""
    return READING_SECONDS + settings.PARSE_SECONDS + _SPARE_SECONDS


def _rows(of: Iterable[_Member | UUID]) -> QuerySet[Version]:
    """Those of the versions that are still in their first attempt."""
    ids = [each.version.pk if isinstance(each, _Member) else each for each in of]
    return Version.objects.filter(pk__in=ids, attempt=leases.FIRST)


def _reach(members: Sequence[_Member], state: VersionState, *, seconds: float = 0, **changes: Any) -> None:
    """The members, which are locked, are in `state` from now on."""
    _rows(members).update(state=state, **{"lease_until": leases.until(seconds), **changes})


def _notes(
    members: Sequence[_Member], state: VersionState, detail: Callable[[_Member], dict[str, Any]]
) -> list[StageRun]:
    return [stage_done(member.lease, state, detail(member), member.seconds[state]) for member in members]


def _member(version: Version, lease: Lease, file: FileRead | None) -> _Member | None:
    """Cut what was read of a file; None where it has to be read alone. Raises LeaseLost."""
    if file is None:
        return None
    began = time.monotonic()
    parsed.fill(version, file.read)
    passages = list(split.rows_of(version, split.cut(version, lease)))
    if not passages:
        return None
    spent: dict[str, float] = {
        VersionState.STORED: file.checking,
        VersionState.PARSED: file.parsing,
        VersionState.SPLIT: time.monotonic() - began,
    }
    return _Member(version, lease, file.read, passages, spent)
