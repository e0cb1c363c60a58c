"""What one run over a source does: list it, compare, and bring documents in step, one item after another.

A run may be cut short anywhere and taken up by another worker: each item is one transaction with the document it
became, held by the attempt that still has the run. What went wrong with one item does not keep the others. Small new
items are received several in a transaction.
"""

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from functools import partial
from pathlib import Path, PurePosixPath
from tempfile import NamedTemporaryFile
from typing import Any
from uuid import UUID

from django.db import DataError
from django.db.models import Max, Sum
from django.utils import timezone

from audit import context
from audit.chain import digest
from audit.events import EventType
from audit.record import record
from documents import library, news
from documents.exceptions import DocumentError, LeaseLost, SourceFailed
from documents.ingestion import company, room
from documents.ingestion.room import NoRoom
from documents.models import Cause, Document, RunKind, RunState, SourceItem, SourceRun
from documents.parse import FORMATS, ParseFailed
from documents.sources import CONNECTORS, leases
from documents.sources.connector import MOST_ENTRIES, Connector, Entry, Listing
from documents.sources.leases import RunLease
from documents.sources.plan import Known, Plan, make_plan
from documents.stages.parsed import read_file
from workspaces import access, secrets
from workspaces.exceptions import CannotUnseal, Refused
from workspaces.killpoints import killpoint
from workspaces.middleware import record_refusal
from workspaces.roles import Action

logger = logging.getLogger(__name__)

MAX_STALLS = 3
#: Problems and example paths that are kept with a run; the counts say how many there were.
PROBLEMS_KEPT = 200
SAMPLES_KEPT = 20
#: After so many things one after another for which the place did not answer, the run ends.
MOST_UNANSWERED = 10
_UNANSWERED = frozenset({"unreachable", "too_slow"})
#: A test looks at so many entries for one it can read.
TESTED_ENTRIES = 50
ENDINGS = frozenset(FORMATS)
#: So long what a sync deleted counts towards the share that asks a person.
REMEMBERED = timedelta(days=7)


def work(run_id: UUID | str) -> str:
    """Do what is left of a run. The state it ended in, or `settled`, `lost` (to another worker)."""
    lease = leases.take(run_id)
    if lease is None:
        return "settled"
    run = SourceRun.objects.select_related("source__workspace", "source__owner", "asked_by", "confirms").get(pk=run_id)
    look = _Look(run, lease)
    try:
        with context.acting(look.acting, part_of=look.part_of):
            return _to_the_end(look)
    except LeaseLost:
        logger.info("Run %s: attempt %s lost its lease", run.pk, lease.attempt)
        return "lost"
    except BaseException:
        # Not to carry on: the next attempt need not wait for the lease.
        lease.release()
        raise


def _to_the_end(look: "_Look") -> str:
    try:
        return look.go()
    except SourceFailed as failed:
        return look.end(RunState.FAILED, failed)
    except Refused as refused:
        record_refusal(refused)
        return look.end(RunState.FAILED, SourceFailed("not_allowed"))


class _Look:
    """One attempt on one run, with the rights of the source's owner, whoever asked for it (decision 26)."""

    def __init__(self, run: SourceRun, lease: RunLease) -> None:
        self.run, self.lease = run, lease
        self.source, self.workspace = run.source, run.source.workspace
        self.acting = run.source.owner
        #: What a person confirmed is deleted by that person, and with their rights.
        self.deleting = run.asked_by if run.confirms is not None and run.asked_by is not None else self.acting
        self.problems: list[dict[str, Any]] = []
        #: The number of each known item, by its key.
        self.items: dict[str, int] = {}
        self.unanswered = 0

    @property
    def part_of(self) -> dict[str, str]:
        """What entries of this run say beside who acted; nobody asked for one that the schedule wanted."""
        asked = {"run_by": str(self.run.asked_by_id)} if self.run.asked_by_id else {}
        return {"source": str(self.source.pk), "source_name": self.source.name, "run": str(self.run.pk), **asked}

    def go(self) -> str:
        """Do the run. Raises SourceFailed when nothing can be done at all."""
        if self.run.stalls > MAX_STALLS:
            raise SourceFailed("worker_died")
        access.require(self.acting, Action.MANAGE_DOCUMENTS, self.source)
        if self.workspace.archived_at is not None:
            raise SourceFailed("archived")
        self.lease.renew(failed=0, problems=[])
        with self._connector() as connector:
            match self.run.kind:
                case RunKind.TEST:
                    return self._test(connector)
                case RunKind.PREVIEW:
                    return self._preview(connector)
            return self._sync(connector)

    def end(self, state: RunState, failed: SourceFailed | None = None, **changes: Any) -> str:
        """Settle the run, with its entry in the trail. Raises LeaseLost."""
        with self.lease.writing():
            if failed is not None:
                changes |= {"problem": failed.code, "problem_detail": _detail(failed)}
            self.lease.renew(state=state, ended_at=timezone.now(), **changes)
            SourceRun.objects.filter(pk=self.run.pk).update(lease_until=None)
            self.run.refresh_from_db()
            news.run_ended(self.run)
            record(
                EventType.SOURCE_RUN_ENDED,
                on=self.source,
                workspace=self.workspace,
                by=self.acting,
                run=self.run.pk,
                kind=self.run.kind,
                state=state.value,
                problem=self.run.problem,
                complete=self.run.complete,
                **{name: getattr(self.run, name) for name in ("listed", *_COUNTS)},
            )
            killpoint("source_end_recorded")
        return state.value

    # --- The three kinds ------------------------------------------------------------------------------------

    def _test(self, connector: Connector) -> str:
        """Let us in, list a little, fetch one thing and read it."""
        connector.test()
        listing = _listed(connector, most=TESTED_ENTRIES)
        plan = self._plan(listing, {})
        if not plan.add:
            self._note_all(listing)
            raise SourceFailed("nothing_to_read")
        entry = plan.add[0]
        with connector.fetch(entry) as file, NamedTemporaryFile() as copy:
            while chunk := file.read(1024 * 1024):
                copy.write(chunk)
            copy.flush()
            try:
                parsed = read_file(Path(copy.name), PurePosixPath(entry.path).name, hold=self._hold)
            except ParseFailed as failure:
                raise SourceFailed("not_parsed", sentence=failure.sentence) from failure
        found = {"path": entry.path, "characters": len(parsed.text)}
        return self.end(RunState.DONE, found=found, listed=len(listing.entries), complete=listing.complete)

    def _hold(self, seconds: float) -> None:
        self.lease.renew(seconds=seconds)

    def _preview(self, connector: Connector) -> str:
        """Say what a sync would do."""
        listing = _listed(connector)
        plan = self._plan(listing, self._known())
        self._note_all(listing)
        known = {item.key: item.path for item in self.source.items.all()} if plan.remove else {}
        found = {
            "add": len(plan.add),
            "change": len(plan.change),
            "remove": len(plan.remove),
            "left_out": plan.left_out,
            "asks": plan.exceeds(self.source.max_removed_percent, self._removed_lately()),
            "samples": {
                "add": [entry.path for entry in plan.add[:SAMPLES_KEPT]],
                "change": [entry.path for entry in plan.change[:SAMPLES_KEPT]],
                "remove": [known[key] for key in plan.remove[:SAMPLES_KEPT]],
            },
        }
        counts = {"listed": _read(plan), "skipped": plan.skipped, "unchanged": plan.unchanged}
        return self.end(RunState.DONE, found=found, complete=listing.complete, **counts)

    def _sync(self, connector: Connector) -> str:
        """Bring the workspace's documents in step with the source."""
        if room.is_short():
            raise SourceFailed("no_room")
        killpoint("source_listing")
        listing = _listed(connector)
        killpoint("source_listed")
        known = self._known()
        plan = self._plan(listing, known)
        done = self.run.added + self.run.changed + self.run.removed
        to_remove, held = self._removals(plan)
        self.lease.renew(
            listed=_read(plan),
            skipped=plan.skipped,
            unchanged=max(0, plan.unchanged - self.run.added - self.run.changed),
            complete=listing.complete,
            to_do=done + len(plan.add) + len(plan.change) + len(to_remove),
        )
        self._note_all(listing)
        for entry in plan.twice:
            self._note(entry.path, SourceFailed("path_twice"))
        small, others = self._small_new(plan.add)
        for batch in small:
            # At once, and not behind the other batches: a place that stopped answering ends the run.
            self._bring_in_each(connector, self._bring_in_together(connector, batch) if len(batch) > 1 else batch)
        self._bring_in_each(connector, [*others, *plan.change])
        killpoint("source_before_removals")
        self._remove(to_remove)
        SourceItem.objects.filter(source=self.source, key_sha256__in=[_hashed(key) for key in plan.forget]).delete()
        killpoint("source_before_end")
        return self.end(
            RunState.HELD if held else RunState.DONE, held=len(held), held_items=[self.items[key] for key in held]
        )

    def _removals(self, plan: Plan) -> tuple[list[str], list[str]]:
        """The keys whose documents are deleted now, and those that wait for a person's word."""
        confirmed = self.run.confirms
        if confirmed is not None:
            numbers = set(confirmed.held_items)
            now = [key for key in plan.remove if self.items[key] in numbers]
            return now, [key for key in plan.remove if self.items[key] not in numbers]
        if plan.exceeds(self.source.max_removed_percent, self._removed_lately()):
            return [], plan.remove
        return plan.remove, []

    def _removed_lately(self) -> int:
        """What syncs deleted by themselves within days, or since a person last confirmed: the share counts that too."""
        since = timezone.now() - REMEMBERED
        runs = SourceRun.objects.filter(source=self.source, kind=RunKind.SYNC, asked_at__gt=since)
        last = runs.filter(confirms__isnull=False).aggregate(at=Max("asked_at"))["at"]
        runs = runs.filter(asked_at__gt=last) if last is not None else runs
        return runs.aggregate(sum=Sum("removed"))["sum"] or 0

    # --- Small new items --------------------------------------------------------------------------------------

    def _small_new(self, entries: Sequence[Entry]) -> tuple[list[list[Entry]], list[Entry]]:
        """What was never here and is said to be small, as many as are received together; and the others."""
        batches, others, size = list[list[Entry]](), list[Entry](), 0
        for entry in entries:
            if entry.size is None or entry.size > company.MOST_BYTES or entry.key in self.items:
                others.append(entry)
                continue
            size += entry.size
            if not batches or len(batches[-1]) == company.MOST or size > company.MOST_BYTES:
                batches.append([])
                size = entry.size
            batches[-1].append(entry)
        return batches, others

    def _bring_in_together(self, connector: Connector, entries: Sequence[Entry]) -> Sequence[Entry]:
        """Receive new things in one transaction; those that are left to be brought in one by one, which says why.

        Raises LeaseLost.
        """
        fetching = _Fetching(connector, self.lease)
        files = [
            library.Arriving(
                f"{self.source.folder}/{entry.path}",
                PurePosixPath(entry.path).name,
                partial(fetching.fetch, entry),
                entry.title,
            )
            for entry in entries
        ]
        arriving = library.arrived_together(
            workspace=self.workspace, files=files, by=self.acting, classification=self.source.classification
        )
        try:
            with arriving as news, self.lease.writing():
                self._read_people_again()
                versions = library.keep_together(
                    workspace=self.workspace, news=news, by=self.acting, classification=self.source.classification
                )
                brought = [(entry, row) for entry, row in zip(entries, versions, strict=True) if row is not None]
                SourceItem.objects.bulk_create(
                    SourceItem(
                        source=self.source,
                        key_sha256=_hashed(entry.key),
                        key=entry.key,
                        path=entry.path,
                        tag=entry.tag,
                        document_id=version.document_id,
                    )
                    for entry, version in brought
                )
                if brought:
                    self.lease.count(added=len(brought))
                    self.unanswered = 0
        except Refused:
            # Of the workspace, so of each: none is asked for again.
            for entry in entries:
                self._note(entry.path, SourceFailed("not_allowed"))
            return []
        except (DocumentError, ValueError, DataError) as error:
            # Whatever keeps all of them is met again by the first, and what one of them is by that one.
            logger.info("Run %s: items are brought in one by one (%s)", self.run.pk, type(error).__name__)
            return entries
        killpoint("source_items_brought")
        return [entry for entry, version in zip(entries, versions, strict=True) if version is None]

    # --- One item -------------------------------------------------------------------------------------------

    def _bring_in_each(self, connector: Connector, entries: Sequence[Entry]) -> None:
        for entry in entries:
            self._bring_in(connector, entry)
            killpoint("source_item_brought")

    def _bring_in(self, connector: Connector, entry: Entry) -> None:
        """Fetch one thing and receive it as a document, or note why not; either renews the lease.

        Raises SourceFailed when the place has stopped answering: each of thousands would wait for it in vain.
        """
        try:
            with connector.fetch(entry) as file, self.lease.writing():
                self._receive(entry, file)
                self.unanswered = 0
        except SourceFailed as failed:
            self._note(entry.path, failed)
            self.unanswered = self.unanswered + 1 if failed.code in _UNANSWERED else 0
            if self.unanswered >= MOST_UNANSWERED:
                raise
        except NoRoom as full:
            # Nothing else would get in either; the next sync goes on from here.
            raise SourceFailed("no_room") from full
        except DocumentError as error:
            self._note(entry.path, _as_problem(error))
        except Refused:
            self._note(entry.path, SourceFailed("not_allowed"))
        except (ValueError, DataError) as error:
            # What a place outside sent cannot be kept; its transaction is undone, and the others go on.
            logger.warning("Run %s: an item could not be kept (%s)", self.run.pk, type(error).__name__)
            self._note(entry.path, SourceFailed("unreadable"))

    def _receive(self, entry: Entry, file: Any) -> None:
        """In one transaction: the document's new bytes, the item that remembers them, and the count."""
        self._read_people_again()
        item = SourceItem.objects.filter(source=self.source, key_sha256=_hashed(entry.key)).first()
        document = item.document if item is not None else None
        path = document.path if document is not None else f"{self.source.folder}/{entry.path}"
        there = Document.objects.filter(workspace=self.workspace, path=path, deleted_at=None)
        if there.exclude(pk=document.pk if document is not None else None).exists():
            raise SourceFailed("path_taken")
        received = library.receive(
            workspace=self.workspace,
            path=path,
            file=file,
            filename=PurePosixPath(entry.path).name,
            by=self.acting,
            title=entry.title,
            classification=self.source.classification,
        )
        SourceItem.objects.update_or_create(
            source=self.source,
            key_sha256=_hashed(entry.key),
            defaults={
                "key": entry.key,
                "path": entry.path,
                "tag": entry.tag,
                "document_id": received.version.document_id,
            },
        )
        self.lease.count(**{{"added": "added", "new_version": "changed", "same": "unchanged"}[received.outcome]: 1})

    def _remove(self, keys: Sequence[str]) -> None:
        """Delete the documents of things that are gone, each by the verb a person would use."""
        for key in keys:
            try:
                with self.lease.writing():
                    self._read_people_again()
                    item = SourceItem.objects.select_related("document__workspace").get(
                        source=self.source, key_sha256=_hashed(key)
                    )
                    if item.document is not None:
                        library.delete(item.document, by=self.deleting, cause=Cause.SOURCE)
                    item.delete()
                    self.lease.count(removed=1)
            except DocumentError as error:
                self._note(item.path, _as_problem(error))
            except Refused:
                self._note(item.path, SourceFailed("not_allowed"))
            killpoint("source_item_removed")

    # --- Inside ---------------------------------------------------------------------------------------------

    def _read_people_again(self) -> None:
        """A long run must not go on for an account that was closed since it began; roles are asked of anyway."""
        self.acting.refresh_from_db(fields=["is_active"])
        if self.deleting is not self.acting:
            self.deleting.refresh_from_db(fields=["is_active"])

    def _connector(self) -> Connector:
        kind = CONNECTORS[self.source.kind]
        # Again at each use: the operator may have closed since what was open when it was saved.
        kind.check(self.source.options, self.workspace)
        try:
            secret = secrets.unseal(self.source.sealed_secret) if self.source.sealed_secret else ""
        except CannotUnseal as error:
            raise SourceFailed("secret_lost") from error
        return kind(self.source.options, secret=secret, beat=self.lease.renew, workspace=self.workspace)

    def _known(self) -> dict[str, Known]:
        rows = list(self.source.items.values_list("key", "tag", "document_id", "document__deleted_at", "pk"))
        self.items = {key: number for key, *_about, number in rows}
        return {key: Known(tag, document is not None and deleted is None) for key, tag, document, deleted, _pk in rows}

    def _plan(self, listing: Listing, known: dict[str, Known]) -> Plan:
        return make_plan(
            listing.entries,
            known,
            complete=listing.complete,
            endings=ENDINGS,
            include=self.source.include,
            exclude=self.source.exclude,
        )

    def _note_all(self, listing: Listing) -> None:
        for path, problem in listing.problems:
            self._note(path, problem)

    def _note(self, path: str, problem: SourceFailed) -> None:
        """Keep what went wrong with one thing."""
        if len(self.problems) < PROBLEMS_KEPT:
            self.problems.append({"path": _plain(path), "code": problem.code, "detail": _detail(problem)})
            self.lease.renew(problems=self.problems)
        self.lease.count(failed=1)


class _Fetching:
    """Fetches one thing after another until the first that is not given: it and those behind it are asked for again,
    each by itself, so that a place which has stopped answering is not waited for twice as often.
    """

    def __init__(self, connector: Connector, lease: RunLease) -> None:
        self._connector, self._lease = connector, lease
        self._failed: SourceFailed | None = None

    @contextmanager
    def fetch(self, entry: Entry) -> Iterator[Any]:
        if self._failed is not None:
            raise self._failed
        self._lease.renew()
        try:
            with self._connector.fetch(entry) as file:
                yield file
        except SourceFailed as failed:
            self._failed = failed
            raise


_COUNTS = ("added", "changed", "unchanged", "removed", "held", "failed", "skipped")


def _listed(connector: Connector, most: int = MOST_ENTRIES) -> Listing:
    listing = connector.list(most=most)
    listing.keep_sound()
    return listing


def _plain(text: str) -> str:
    """Text as the database takes it."""
    return "".join(letter if letter.isprintable() else "?" for letter in text)[:1000]


def _as_problem(error: DocumentError) -> SourceFailed:
    """What the library says of a document, as a code; its sentence where it has none."""
    return SourceFailed(error.code, **error.detail) if error.code else SourceFailed("refused", sentence=str(error))


def _detail(failed: SourceFailed) -> dict[str, str | int]:
    return {name: _plain(told) if isinstance(told, str) else told for name, told in failed.detail.items()}


def _hashed(key: str) -> str:
    return digest(key)


def _read(plan: Plan) -> int:
    """How many things of a listing can be read here."""
    return len(plan.add) + len(plan.change) + plan.unchanged + plan.left_out + len(plan.twice)
