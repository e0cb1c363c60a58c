"""Take a version from received bytes to ready passages, one stage after another.

Everything here may run twice, at once, or be killed at any line: a stage's result is written in the transaction that
moves the version on, by the attempt that still holds the row, or not at all. What took a moment is written together
with the next stage's result: a small file is through in three such transactions.
"""

import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.utils import timezone
from django.utils.translation import gettext_noop

from audit.chain import digest
from audit.events import EventType
from audit.record import record
from documents.exceptions import LeaseLost
from documents.index import IndexUnavailable
from documents.indexing import writing as indexing
from documents.ingestion import leases
from documents.ingestion.leases import Lease
from documents.models import HEAVY, StageRun, Version
from documents.parse import ParseFailed
from documents.stages import Stage, StageFailed, StageWaits, embedded, indexed, parsed, ready, split, stored
from documents.states import OPEN, PROGRESS, WITHDRAWN, VersionState
from workspaces.killpoints import killpoint

logger = logging.getLogger(__name__)

STAGES: tuple[Stage, ...] = (
    stored.STAGE,  # the bytes on the disk are the bytes that arrived
    parsed.STAGE,  # one text and its sections, read in a child process
    split.STAGE,  # passages with their exact place in that text
    embedded.STAGE,  # a vector for each, kept in the database
    indexed.STAGE,  # the index holds them, because it says so
    ready.STAGE,  # the document's current version is switched
)

#: Raise a number when the parsers, the splitter or what is embedded change: versions in work then start over.
RECIPE = "parse=6 split=1 embed=2"
#: What stages made within this time may wait for the next stage to be written; a crash costs no more than that.
TOGETHER_SECONDS = 1.0
MAX_DEATHS = 3
_DEATH_CODE = "worker_died"
_DEATH_SENTENCE = gettext_noop(
    "Reading this file ended the program that reads it three times, so it was set aside. Other files are not affected."
)
#: The pauses in which a busy embedding server is tried again double between these, also where it asks for longer ones:
#: by then the workspace may be at another server, or this one may have been mistaken.
SHORTEST_PAUSE, LONGEST_PAUSE = timedelta(seconds=10), timedelta(minutes=10)
#: So long a version waits for its embedding server without a single vector.
PATIENCE = timedelta(days=1)
MAX_ERRORS = 3
_ERROR_CODE = "portal_error"
_ERROR_SENTENCE = gettext_noop(
    "Three attempts to bring this file in failed with an error in the portal. Tell the operator, then try again."
)


@dataclass(frozen=True, slots=True)
class IngestResult:
    """What one call did. `outcome` is a settled state, or `waiting` (for the index, the embedding server or another
    attempt), `held`, `lost`, `gone` or `settled`.
    """

    version_id: UUID
    outcome: str
    stages: int = 0
    passages: int = 0
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class _Made:
    """What a stage made, not written yet."""

    stage: Stage
    result: Any
    seconds: float


def ingest_version(version_id: UUID | str) -> IngestResult:
    """Bring a version as far as it gets now. A settled version, or one that somebody works on, is left alone."""
    started = time.monotonic()
    lease = leases.take(version_id)
    if lease is None:
        return _left_alone(version_id)
    return go_on(lease, started)


def go_on(lease: Lease, started: float) -> IngestResult:
    """Bring the version of a lease that was taken at `started` (of `time.monotonic`) as far as it gets now."""
    run = _Run(lease)
    outcome = run.to_the_end()
    return IngestResult(lease.version_id, outcome, run.stages, run.passages, time.monotonic() - started)


def pipeline() -> str:
    """The fingerprint of all that decides what a version becomes. Vectors are told apart by their space instead."""
    return digest(RECIPE)[:16]


def stage_done(lease: Lease, reached: str, detail: dict[str, object], seconds: float) -> StageRun:
    """The note that a stage was done by the attempt of `lease`, to be kept."""
    return StageRun(
        version_id=lease.version_id,
        stage=reached,
        pipeline=pipeline(),
        attempt=lease.attempt,
        seconds=round(seconds, 4),
        detail=detail,
    )


def keep_notes(notes: Sequence[StageRun]) -> None:
    """Write notes of stages, in the place of those of earlier attempts."""
    StageRun.objects.bulk_create(
        notes,
        update_conflicts=True,
        unique_fields=["version", "stage", "pipeline"],
        update_fields=["attempt", "seconds", "detail", "finished_at"],
    )


def _left_alone(version_id: UUID | str) -> IngestResult:
    version = Version.objects.only("state", "passage_count", "retry_at").filter(pk=version_id).first()
    if version is None:
        return IngestResult(UUID(str(version_id)), "gone")
    outcome = "settled"
    if version.state in OPEN:
        outcome = "held" if version.retry_at is None else "waiting"
    return IngestResult(version.pk, outcome, passages=version.passage_count)


class _Run:
    """One attempt on one version."""

    def __init__(self, lease: Lease) -> None:
        self.lease = lease
        self.pipeline = pipeline()
        self.stages = 0
        self.passages = 0

    def to_the_end(self) -> str:
        """Run the stages that are still to do; says how it ended."""
        try:
            killpoint("lease_taken")
            version = self._go()
        except LeaseLost:
            # Taken over, or deleted meanwhile: an erasure waits for us to let go.
            self.lease.release()
            logger.info("Version %s: attempt %s lost its lease", self.lease.version_id, self.lease.attempt)
            return "lost"
        except IndexUnavailable as error:
            self.lease.release()
            logger.warning("Version %s waits for the index: %s", self.lease.version_id, error)
            return "waiting"
        except (KeyboardInterrupt, SystemExit):
            self.lease.release()
            raise
        except Exception as error:
            # Not to carry on: the worker lives, so this is no death, and the next attempt need not wait for the lease.
            self.lease.release_after_error()
            name = type(error).__name__  # alone: the message may quote the document
            logger.warning("Version %s: attempt %s failed with %s", self.lease.version_id, self.lease.attempt, name)
            raise
        self.passages = version.passage_count
        _withdraw_what_no_longer_answers(version)
        return "waiting" if version.state in OPEN else version.state

    def _go(self) -> Version:
        version = Version.objects.select_related("document").defer(*HEAVY).get(pk=self.lease.version_id)
        if self.lease.deaths >= MAX_DEATHS:
            return end(self.lease, VersionState.QUARANTINED, _DEATH_CODE, _DEATH_SENTENCE, retryable=True)
        if self.lease.errors >= MAX_ERRORS:
            return end(self.lease, VersionState.FAILED, _ERROR_CODE, _ERROR_SENTENCE, retryable=True)
        if version.pipeline and version.pipeline != self.pipeline:
            version = self._start_over()
        try:
            return self._through_the_stages(version)
        except StageWaits as waits:
            return self._wait(waits) or end_failed(self.lease, waits)
        except (ParseFailed, StageFailed) as failure:
            return end_failed(self.lease, failure)

    def _wait(self, waits: StageWaits) -> Version | None:
        """Let go until the embedding server is tried again; None when that went on for too long. Raises LeaseLost."""
        with self.lease.writing() as version:
            retry_at = next_try(version.refused_since, waits.after)
            if retry_at is None:
                return None
            version.retry_at, version.refused_since = retry_at, version.refused_since or timezone.now()
            version.lease_until = None
            version.save(update_fields=["retry_at", "refused_since", "lease_until"])
        logger.warning("Version %s waits for the embedding server until %s", version.pk, retry_at)
        return version

    def _through_the_stages(self, version: Version) -> Version:
        stands, made = self._standing(version), list[_Made]()
        for stage in STAGES:
            if PROGRESS.index(stage.reaches) <= PROGRESS.index(version.state):
                continue
            if stage.lasting and stage.reaches in stands:
                if made:
                    version, made = self._write(made), []
                version.state = stage.reaches
                continue
            made.append(self._make(stage, version))
            if stage.waits is not None and sum(each.seconds for each in made) < TOGETHER_SECONDS:
                stage.waits(version, made[-1].result)
                version.state = stage.reaches
                killpoint(f"after_{stage.reaches}")
                continue
            version, made = self._write(made), []
            killpoint(f"after_{stage.reaches}")
            if version.state != stage.reaches:
                break
        return version

    def _standing(self, version: Version) -> set[str]:
        """The stages that were done for it under this pipeline; a first attempt finds none."""
        if self.lease.attempt == 1:
            return set()
        return set(version.stages.filter(pipeline=self.pipeline).values_list("stage", flat=True))

    def _make(self, stage: Stage, version: Version) -> _Made:
        started = time.monotonic()
        result = stage.work(version, self.lease)
        killpoint(f"before_{stage.reaches}")
        return _Made(stage, result, time.monotonic() - started)

    def _write(self, made: Sequence[_Made]) -> Version:
        """Write what stages made, together with the state that says so."""
        with self.lease.writing() as version:
            version.pipeline = self.pipeline
            notes: list[StageRun] = []
            for each in made:
                if each.stage is STAGES[-1]:
                    version.lease_until = None
                    # The switch reads what was noted of the stage before it.
                    notes = self._note(notes)
                version.state = each.stage.reaches
                detail = each.stage.save(version, each.result)
                if version.state == each.stage.reaches or version.state not in PROGRESS:
                    notes.append(stage_done(self.lease, version.state, detail, each.seconds))
            writes = {field for each in made for field in each.stage.writes}
            version.save(update_fields=["state", "pipeline", "lease_until", *sorted(writes)])
            self._note(notes)
        self.stages += len(made)
        return version

    def _note(self, notes: list[StageRun]) -> list[StageRun]:
        """Write the notes; what is left of them, which is nothing."""
        keep_notes(notes)
        return []

    def _start_over(self) -> Version:
        """The pipeline changed since the last attempt: what it made is made again."""
        with self.lease.writing() as version:
            version.stages.exclude(pipeline=self.pipeline).delete()
            version.state, version.pipeline = VersionState.RECEIVED, self.pipeline
            version.save(update_fields=["state", "pipeline", "lease_until"])
        return version


def next_try(refused_since: datetime | None, after: int) -> datetime | None:
    """When an embedding server is asked again that refuses a text since then (None: just now); None when it is not.

    Each pause is as long as it went on until now, or as `after`, the seconds for which the server asked, where that is
    more; but never longer than `LONGEST_PAUSE`.
    """
    now = timezone.now()
    began = refused_since or now
    if now - began >= PATIENCE:
        return None
    pause = min(max(timedelta(seconds=after), now - began, SHORTEST_PAUSE), LONGEST_PAUSE)
    return min(now + pause, began + PATIENCE)


def end(lease: Lease, state: VersionState, code: str, sentence: str, *, retryable: bool) -> Version:
    """Settle the version without success, with a sentence for the person who brought it. Raises LeaseLost."""
    event = EventType.VERSION_FAILED if state == VersionState.FAILED else EventType.VERSION_QUARANTINED
    with lease.writing() as version:
        version.state, version.lease_until = state, None
        version.failure_code, version.failure_sentence, version.failure_retryable = code, sentence, retryable
        version.save(update_fields=["state", "lease_until", "failure_code", "failure_sentence", "failure_retryable"])
        record(
            event,
            on=version,
            workspace=version.document.workspace_id,
            document=version.document_id,
            number=version.number,
            sha256=version.sha256,
            code=code,
            attempt=lease.attempt,
        )
    return version


def end_failed(lease: Lease, failure: ParseFailed | StageFailed) -> Version:
    """Settle the version as failed, for the reason that a stage gave. Raises LeaseLost."""
    logger.info("Version %s: %s", lease.version_id, failure)
    return end(lease, VersionState.FAILED, failure.code, failure.sentence, retryable=failure.retryable)


def _withdraw_what_no_longer_answers(version: Version) -> None:
    """Take replaced vectors out of the index now if it listens; the sweep finishes what it does not."""
    siblings = Version.objects.filter(document_id=version.document_id, state__in=WITHDRAWN, in_index=True)
    for version_id in list(siblings.values_list("pk", flat=True)):
        try:
            indexing.withdraw(version_id)
        except IndexUnavailable as error:
            logger.warning("Version %s is withdrawn from the index later: %s", version_id, error)
