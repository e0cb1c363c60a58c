"""Compare every workspace's search index with the database by itself, mend what differs, and keep what was found.

The index is disposable: nobody needs to be asked before it is brought back to what the database says. One that is
damaged is emptied at once, so that searches say that they go without it, and made anew from stored vectors.
"""

import logging
import time
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from datetime import timedelta
from uuid import UUID

from django.conf import settings
from django.db import connection, transaction
from django.db.models import Exists, OuterRef, Q, Sum
from django.utils import timezone

from audit.events import EventType
from audit.record import record
from documents import index, reconcile
from documents.embedding.spaces import space_of
from documents.embedding.vector_space import EmbeddingUnavailable
from documents.embeddings import default_space
from documents.index import IndexUnavailable
from documents.indexing import soundness
from documents.models import CheckProblem, Document, IndexCheck, SpaceMigration, WorkspaceSpace
from documents.reconcile import Difference
from documents.reembedding.spaces import kept_beside
from documents.retrieval.legs import EXACT_AT_ONCE
from documents.states import COMPARABLE
from workspaces import access
from workspaces.models import User, Workspace
from workspaces.roles import PlatformAction

logger = logging.getLogger(__name__)

#: Kept of each workspace.
KEPT = 50
#: After one that could not be made, the next is tried this soon.
TRIED_AGAIN = timedelta(minutes=15)
#: After a comparison, doubts of searches are let be this long: most are of the same thing. And so many times as long as
#: it took, so that an index which is sound, and which searches go on to doubt, costs a twentieth of a worker at most.
DOUBTED_AGAIN = timedelta(minutes=5)
_RESTED = 20


def check(workspace: Workspace, *, by: User | None = None) -> IndexCheck:
    """Compare the index of `workspace` with the database both ways, mend it, and say what was found and what is left.

    `by` is the person who asked; None when it was time. An index or a model that does not answer is part of what is
    found. Raises Refused when the person may not watch the installation's health.
    """
    if by is not None:
        access.require(by, PlatformAction.WATCH_HEALTH, None)
    made = IndexCheck(workspace=workspace, started_at=timezone.now(), started_by=by)
    began = time.monotonic()
    try:
        _empty_if_damaged(workspace, by=by, at_all=True)
        _compare_and_mend(workspace, made)
        _look_beside(workspace)
    except IndexUnavailable:
        made.problem = CheckProblem.INDEX
    except EmbeddingUnavailable:
        made.problem = CheckProblem.EMBEDDER
    made.seconds = time.monotonic() - began
    with transaction.atomic():
        made.save(force_insert=True)
        former = IndexCheck.objects.filter(workspace=workspace).values_list("pk", flat=True)[KEPT:]
        IndexCheck.objects.filter(pk__in=list(former)).delete()
        record(
            EventType.INDEX_CHECKED,
            on=workspace,
            workspace=workspace,
            by=by,
            passages=made.passages,
            missing=made.missing,
            foreign=made.foreign,
            unembedded=made.unembedded,
            left=made.left,
            problem=made.problem,
        )
    return made


def check_due(workspace_id: UUID) -> IndexCheck | None:
    """Compare an index whose turn it is; None where that was just done, or somebody is at it."""
    with _alone(workspace_id) as is_alone:
        if not is_alone or workspace_id not in due():
            return None
        return check(Workspace.objects.get(pk=workspace_id))


def check_doubted(workspace_id: UUID) -> IndexCheck | None:
    """Compare an index that a search disagreed with; None where it was compared just now, whatever that found, or
    somebody is at it.
    """
    with _alone(workspace_id) as is_alone:
        workspace = Workspace.objects.filter(pk=workspace_id).first()
        if not is_alone or workspace is None or _was_just_compared(workspace_id):
            return None
        return check(workspace)


@contextmanager
def _alone(workspace_id: UUID) -> Iterator[bool]:
    """Whether no other worker compares this index by itself meanwhile. A worker that dies lets go."""
    name = [f"index check {workspace_id}"]
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(hashtextextended(%s, 0))", name)
        [is_alone] = cursor.fetchone()
    try:
        yield is_alone
    finally:
        if is_alone:
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_unlock(hashtextextended(%s, 0))", name)


def _was_just_compared(workspace_id: UUID) -> bool:
    last = latest([workspace_id]).get(workspace_id)
    if last is None:
        return False
    took = timedelta(seconds=last.seconds)
    return timezone.now() < last.started_at + took + max(DOUBTED_AGAIN, _RESTED * took)


def latest(workspaces: Collection[UUID]) -> dict[UUID, IndexCheck]:
    """The last comparison of each of these workspaces that has one. One query."""
    rows = IndexCheck.objects.filter(workspace__in=workspaces).order_by("workspace_id", "-started_at")
    return {row.workspace_id: row for row in rows.distinct("workspace_id")}


def due() -> list[UUID]:
    """Workspaces whose index was not compared for as long as the operator lets that be, or that was left half made."""
    now = timezone.now()
    settled = Q(problem="") & Q(started_at__gt=now - timedelta(hours=settings.RECONCILE_HOURS))
    tried = ~Q(problem="") & Q(started_at__gt=now - TRIED_AGAIN)
    rows = IndexCheck.objects.order_by()
    # However lately it was compared: until it is whole, searches there lack the vectors.
    compared = Q(pk__in=rows.filter(settled).values("workspace")) & ~Q(pk__in=_not_whole())
    workspaces = Workspace.objects.exclude(compared).exclude(pk__in=rows.filter(tried).values("workspace"))
    return list(workspaces.order_by("created_at").values_list("pk", flat=True))


def being_made(workspaces: Collection[UUID]) -> list[UUID]:
    """Those that are searched without vectors until their index is whole: it was begun anew, or its files are gone.

    Raises IndexUnavailable.
    """
    made = index.made()
    answering = Document.objects.filter(workspace=OuterRef("pk"), deleted_at=None, current_version__passage_count__gt=0)
    chosen = WorkspaceSpace.objects.filter(pk=OuterRef("pk"))
    rows = Workspace.objects.filter(pk__in=workspaces).annotate(is_filled=Exists(answering), has_chosen=Exists(chosen))
    found = []
    for id, is_filled, has_chosen in rows.values_list("pk", "is_filled", "has_chosen"):
        space = space_of(id) if has_chosen else default_space()
        if not made.get(index.key(id, space), not is_filled):
            found.append(id)
    return found


def empty_damaged() -> list[UUID]:
    """Look at some vectors of every index that searches rest on, and empty those that are damaged; their workspaces.

    Where few passages are open, searches compare stored vectors: such an index is looked at when it is compared.
    """
    passages = Document.objects.filter(deleted_at=None, current_version__isnull=False).order_by()
    large = passages.values("workspace").annotate(passages=Sum("current_version__passage_count"))
    found = []
    for workspace in Workspace.objects.filter(pk__in=large.filter(passages__gt=EXACT_AT_ONCE).values("workspace")):
        try:
            if _empty_if_damaged(workspace, by=None):
                found.append(workspace.pk)
        except IndexUnavailable as error:
            logger.warning("Workspace %s: its vector index was not looked at: %s", workspace.pk, error)
    return found


def _not_whole() -> list[UUID]:
    try:
        return being_made(set(Workspace.objects.values_list("pk", flat=True)))
    except IndexUnavailable:
        return []


def _empty_if_damaged(workspace: Workspace, *, by: User | None, at_all: bool = False) -> bool:
    space = space_of(workspace.pk)
    # What somebody removed during the first look is not met by the second.
    if not soundness.look(workspace.pk, space, at_all=at_all).is_damaged:
        return False
    found = soundness.look(workspace.pk, space, at_all=at_all)
    if not found.is_damaged:
        return False
    with transaction.atomic():
        record(
            EventType.INDEX_DAMAGED,
            on=workspace,
            workspace=workspace,
            by=by,
            passages=found.passages,
            wrong=found.wrong,
            missed=found.missed,
            unreadable=found.unreadable,
        )
        index.empty(workspace.pk, space)
    logger.error("Workspace %s: its vector index is damaged and is made anew", workspace.pk)
    return True


def _compare_and_mend(workspace: Workspace, made: IndexCheck) -> None:
    found = reconcile.compare(workspace)
    made.passages = found.passages
    if found.is_none:
        return
    # What was under way at the first look is settled at the second.
    found = _in_both(found, reconcile.compare(workspace))
    made.missing, made.foreign, made.unembedded = map(len, (found.missing, found.foreign, found.unembedded))
    if found.is_none:
        return
    made.left = made.differed
    reconcile.mend(workspace, found)
    left = _in_both(found, reconcile.compare(workspace))
    made.left = len(left.missing) + len(left.foreign) + len(left.unembedded)


def _look_beside(workspace: Workspace) -> None:
    """Have what a change of the embedding model keeps beside it brought back from stored vectors, if it lacks any."""
    changes = SpaceMigration.objects.select_related("source__endpoint", "target__endpoint")
    migration = changes.filter(workspace=workspace, state__in=COMPARABLE).first()
    if migration is None:
        return
    space = kept_beside(migration)
    damaged = soundness.look(workspace.pk, space, at_all=True).is_damaged
    if damaged:
        index.drop(workspace.pk, space)
    if damaged or not reconcile.compare(workspace, space).ids_agree:
        SpaceMigration.objects.filter(pk=migration.pk).update(covered_revision=None)


def _in_both(first: Difference, second: Difference) -> Difference:
    return Difference(
        workspace=first.workspace,
        passages=second.passages,
        missing=first.missing & second.missing,
        foreign=first.foreign & second.foreign,
        unembedded=first.unembedded & second.unembedded,
        partial=first.partial and second.partial,
    )
