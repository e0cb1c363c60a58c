"""One act on many documents: chosen, asked for once, then done to each by its own verb, with its own check and entry.

Each document is changed and gets its outcome in one transaction, so that a run which is killed goes on where it was.
"""

import hashlib
import logging
import time
from collections import Counter
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Count, Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from audit import context
from audit.events import EventType
from audit.record import record
from documents import library
from documents.apart import apart
from documents.cards import classifying, licensing, metadata, tagging
from documents.exceptions import DocumentError
from documents.folders import keeping as folders
from documents.models import BulkAct, BulkItem, BulkRun, Document, Folder, ItemOutcome, UsageRight
from documents.states import STOPPED
from workspaces import access
from workspaces.classification import Classification
from workspaces.dispatch import dispatch
from workspaces.exceptions import Hidden, Refused
from workspaces.models import User, Workspace
from workspaces.roles import Action

logger = logging.getLogger(__name__)

#: One act with its value: the document, and who does it; whether that changed anything.
Act = Callable[[Document, User], bool]

#: Up to so many are done while the person waits.
AT_ONCE = 100
#: One task works for so long, then rings for the next: other work gets its turn.
_SLICE_SECONDS = 60.0
#: A run nobody worked on for so long is rung for again, and one that ended is forgotten.
_STALLED, _KEPT = timedelta(minutes=2), timedelta(days=30)

#: What can be asked for with the right to add documents; everything else needs the right to manage them, or is done
#: to documents the person owns.
_OWNERS = (BulkAct.TAG, BulkAct.UNTAG, BulkAct.VALID_UNTIL, BulkAct.REVIEW, BulkAct.MOVE, BulkAct.RETRY)


def acts_for(rights: Collection[str]) -> list[BulkAct]:
    """What somebody with these rights in a workspace can ask for."""
    if Action.MANAGE_DOCUMENTS in rights:
        return list(BulkAct)
    return list(_OWNERS) if Action.ADD in rights else []


# --- Asking -------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Order:
    """What is to be done to each document. `value` as a form sends it; `reason` is kept with a deletion."""

    act: BulkAct
    value: str = ""
    reason: str = ""


@transaction.atomic
def ask(
    workspace: Workspace,
    order: Order,
    chosen: QuerySet[Document] | Iterable[UUID],
    *,
    confirmed: str | None = None,
    by: User,
) -> BulkRun:
    """Have `order` done to the chosen documents, as far as each allows it.

    Of ids, those that are not open to `by` count as not there any more. Raises Hidden when none of them is there,
    Forbidden without the right to this act, DocumentError for a value that nothing can be set to, and where `confirmed`
    is given and is not the `fingerprint` of what is chosen.
    """
    access.require(by, Action.ADD if order.act in _OWNERS else Action.MANAGE_DOCUMENTS, workspace)
    # A value that nothing can be set to is refused before anything is.
    _act(order, workspace, by)
    if isinstance(chosen, QuerySet):
        found, missing = set(chosen.order_by().values_list("pk", flat=True)), 0
    else:
        ids = set(chosen)
        found = set(
            access.visible(by, Document).filter(pk__in=ids, workspace=workspace).order_by().values_list("pk", flat=True)
        )
        missing = len(ids - found)
    if confirmed is not None and fingerprint(found) != confirmed:
        raise DocumentError(_("Nothing was changed: meanwhile other documents match. Look again."))
    if not found:
        raise Hidden(user=by, workspace=workspace, action=Action.OPEN)
    run = BulkRun.objects.create(
        workspace=workspace,
        act=order.act,
        value=order.value,
        reason=order.reason,
        asked_by=by,
        total=len(found) + missing,
        missing=missing,
    )
    BulkItem.objects.bulk_create([BulkItem(run=run, document_id=pk) for pk in sorted(found)], batch_size=5000)
    record(EventType.BULK_ASKED, on=run, workspace=workspace, by=by, act=order.act, documents=len(found))
    return run


def fingerprint(ids: Iterable[UUID]) -> str:
    """What tells whether two choices are of the same documents."""
    return hashlib.sha256(b"".join(sorted(pk.bytes for pk in ids))).hexdigest()


def start(run: BulkRun) -> None:
    """Do a small run now, and have a large one done in the background."""
    if run.total <= AT_ONCE:
        work(run.pk)
    else:
        _ring(run.pk)


# --- Doing --------------------------------------------------------------------------------------------------


def work(run_id: object, *, seconds: float = _SLICE_SECONDS) -> None:
    """Do what is left of a run, for a while; rings again when there is more."""
    run = BulkRun.objects.select_related("asked_by", "workspace").filter(pk=run_id, ended_at=None).first()
    if run is None:
        return
    end = time.monotonic() + seconds
    act = _verb(run)
    with context.acting(run.asked_by, request_id=context.current().request_id, reason=run.reason):
        while time.monotonic() < end:
            if not _next(run, act):
                return
    _ring(run.pk)


def sweep() -> None:
    """Ring for runs nobody works on, and forget those that ended long ago."""
    stalled = BulkRun.objects.filter(ended_at=None, moved_at__lt=timezone.now() - _STALLED)
    for run_id in stalled.values_list("pk", flat=True):
        _ring(run_id)
    BulkRun.objects.filter(ended_at__lt=timezone.now() - _KEPT).delete()


def _ring(run_id: UUID) -> None:
    from documents.bulk.tasks import bulk_task  # which calls this module

    dispatch(bulk_task, run_id)


@transaction.atomic
def _next(run: BulkRun, act: Act) -> bool:
    """Do the next document; False when there is none, or somebody else works on the run."""
    mine = BulkRun.objects.select_for_update(skip_locked=True, no_key=True).filter(pk=run.pk, ended_at=None)
    if not mine.exists():
        return False
    item = (
        BulkItem.objects.filter(run=run, outcome=ItemOutcome.PENDING).select_related("document").order_by("pk").first()
    )
    now = timezone.now()
    if item is None:
        BulkRun.objects.filter(pk=run.pk).update(ended_at=now, moved_at=now)
        ended = {code: count for code, count in outcome_of(run).counts.items() if count}
        record(EventType.BULK_ENDED, on=run, workspace=run.workspace_id, act=run.act, documents=ended)
        return False
    item.outcome = _done(run, act, item.document)
    item.save(update_fields=["outcome"])
    BulkRun.objects.filter(pk=run.pk).update(moved_at=now)
    return True


def _done(run: BulkRun, act: Act, document: Document) -> ItemOutcome:
    """Do it to one document, whose verb checks the right as it is now. What it refuses is undone alone."""
    by = User.objects.get(pk=run.asked_by_id)
    try:
        changed = apart(f"Bulk act {run.act}", document.pk, lambda: act(document, by))
    except Hidden:
        return ItemOutcome.GONE
    except Refused:
        return ItemOutcome.FORBIDDEN
    except DocumentError:
        return ItemOutcome.UNFIT
    if changed is None:
        return ItemOutcome.FAILED
    return ItemOutcome.DONE if changed else ItemOutcome.SAME


# --- What an act is -----------------------------------------------------------------------------------------


def _verb(run: BulkRun) -> Act:
    """The verb of a run, looked up once for many documents; one that refuses each where its value is gone since."""
    try:
        return _act(Order(BulkAct(run.act), run.value, run.reason), run.workspace, run.asked_by)
    except DocumentError as error:
        why = str(error)

    def refuse(document: Document, by: User) -> bool:
        raise DocumentError(why)

    return refuse


def _act(order: Order, workspace: Workspace, by: User) -> Act:
    """The verb with its value, as far as `by` knows of it. Raises DocumentError for one that nothing can be set to."""
    value = order.value
    match order.act:
        case BulkAct.CLASSIFY:
            if value not in Classification.values:
                raise DocumentError(_("Choose a classification."))
            return lambda document, by: classifying.classify(document, value, by=by)
        case BulkAct.USAGE:
            if value not in UsageRight.values:
                raise DocumentError(_("Choose what the usage rights are."))
            return lambda document, by: licensing.state_usage(document, value, by=by)
        case BulkAct.TAG:
            name = tagging.usable(value)
            return lambda document, by: tagging.tag(document, name, by=by)
        case BulkAct.UNTAG:
            name = tagging.usable(value)
            return lambda document, by: tagging.untag(document, name, by=by)
        case BulkAct.OWNER:
            pk = _person(workspace, value).pk if value else None
            # Read each time: what rights an account was found to have stays with the object.
            return lambda document, by: metadata.set_owner(document, User.objects.get(pk=pk) if pk else None, by=by)
        case BulkAct.VALID_UNTIL:
            until = _day(value)
            return lambda document, by: metadata.set_validity(document, until, by=by)
        case BulkAct.REVIEW:
            on = _day(value)
            return lambda document, by: metadata.set_review(document, on, note=document.review_note, by=by)
        case BulkAct.MOVE:
            folder = _folder(workspace, value, by) if value else None
            return lambda document, by: folders.move(document, folder, by=by)
        case BulkAct.RETRY:
            return lambda document, by: _retry(document, by)
        case BulkAct.DELETE:
            return lambda document, by: library.delete(document, by=by, reason=order.reason) is not None
    raise DocumentError(_("Choose what to do with them."))


def _retry(document: Document, by: User) -> bool:
    version = document.latest_version
    if version is None or version.state not in STOPPED:
        return False
    library.retry(version, by=by)
    return True


def _person(workspace: Workspace, value: str) -> User:
    person = access.people_allowed(workspace, Action.ADD).filter(username=value).first()
    if person is None:
        raise DocumentError(_("Choose an owner: somebody who may add documents here."))
    return person


def _folder(workspace: Workspace, value: str, by: User) -> Folder:
    folder = folders.tree(by, workspace).get(value)
    if folder is None:
        raise DocumentError(_("Choose a folder of this workspace."))
    return folder


def _day(value: str) -> date | None:
    try:
        return date.fromisoformat(value) if value else None
    except ValueError as error:
        raise DocumentError(_("Choose a day.")) from error


# --- What became of it --------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Outcome:
    """How far a run has come, and how many documents ended in which way."""

    run: BulkRun
    counts: Counter[str]

    @property
    def looked_at(self) -> int:
        return self.run.total - self.counts[ItemOutcome.PENDING]

    @property
    def changed(self) -> int:
        return self.counts[ItemOutcome.DONE]

    @property
    def others(self) -> list[tuple[str, Any, int]]:
        """Those that were not changed: code, words and how many."""
        kept = [each for each in ItemOutcome if each not in (ItemOutcome.DONE, ItemOutcome.PENDING)]
        return [(each.value, each.label, self.counts[each]) for each in kept if self.counts[each]]


def outcome_of(run: BulkRun) -> Outcome:
    """What became of a run so far."""
    rows = run.items.order_by().values_list("outcome").annotate(Count("pk"))
    counts: Counter[str] = Counter(dict(rows))
    if run.missing:
        counts[ItemOutcome.GONE] += run.missing
    return Outcome(run, counts)


def unchanged(run: BulkRun, *, to: User, most: int = 100) -> list[BulkItem]:
    """The first documents of a run that were not changed and are open to the person."""
    kept = Q(outcome__in=(ItemOutcome.DONE, ItemOutcome.PENDING))
    open_to = access.visible(to, Document).values("pk")
    items = run.items.exclude(kept).filter(document__in=open_to).select_related("document").order_by("outcome", "pk")
    return list(items[:most])
