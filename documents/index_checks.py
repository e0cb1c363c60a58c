"""Compare every workspace's search index with the database by itself, mend what differs, and keep what was found.

The index is disposable: nobody needs to be asked before it is brought back to what the database says.
"""

import time
from collections.abc import Collection
from datetime import timedelta
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from audit.events import EventType
from audit.record import record
from documents import index, reconcile
from documents.index import IndexUnavailable
from documents.models import CheckProblem, IndexCheck, SpaceMigration
from documents.reconcile import Difference
from documents.reembedding.spaces import kept_beside
from documents.spaces import space_of
from documents.states import COMPARABLE
from documents.vector_space import EmbeddingUnavailable
from workspaces import access
from workspaces.models import User, Workspace
from workspaces.roles import PlatformAction

#: Kept of each workspace.
KEPT = 50
#: After one that could not be made, the next is tried this soon.
TRIED_AGAIN = timedelta(minutes=15)


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
    compared = Q(pk__in=rows.filter(settled).values("workspace")) & ~Q(pk__in=_partial())
    workspaces = Workspace.objects.exclude(compared).exclude(pk__in=rows.filter(tried).values("workspace"))
    return list(workspaces.order_by("created_at").values_list("pk", flat=True))


def _partial() -> list[UUID]:
    try:
        indexes = index.partial()
    except IndexUnavailable:
        return []
    return [workspace for workspace, space in indexes if space_of(workspace).fingerprint.startswith(space)]


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
    if migration is not None and not reconcile.compare(workspace, kept_beside(migration)).ids_agree:
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
