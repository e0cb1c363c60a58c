"""Tell the manager and the officers of a workspace in use that something blocks it which did not before."""

from collections.abc import Iterable

from django.db.models import QuerySet

from workspaces import access
from workspaces.models import (
    Outcome,
    Phase,
    ReadinessResult,
    ReadinessRun,
    ReadinessState,
    User,
    Workspace,
    WorkspaceReadiness,
)
from workspaces.notifications import notify
from workspaces.notifications.registry import Kind
from workspaces.roles import Action


def standing_blocks(row: ReadinessRun) -> frozenset[str]:
    """What blocked the workspace by the last finished run before `row`."""
    last = (
        ReadinessRun.objects.filter(workspace=row.workspace_id, state=ReadinessState.DONE)
        .exclude(pk=row.pk)
        .order_by("-ended_at")
        .first()
    )
    if last is None:
        return frozenset()
    return frozenset(last.results.filter(outcome=Outcome.BLOCK).values_list("code", flat=True))


def tell(row: ReadinessRun, results: Iterable[ReadinessResult], before: frozenset[str]) -> int:
    """Tell of blockers that are new, in a workspace that is in use; how many people were told."""
    new = [one.code for one in results if one.outcome == Outcome.BLOCK and one.code not in before]
    in_use = WorkspaceReadiness.objects.filter(workspace=row.workspace_id, phase__in=(Phase.PILOT, Phase.LIVE))
    if not new or not in_use.exists():
        return 0
    return notify(
        Kind.READINESS_BLOCKED,
        to=concerned(row.workspace),
        about=row,
        workspace=row.workspace_id,
        blocks=", ".join(new),
    )


def concerned(workspace: Workspace) -> QuerySet[User]:
    """Who manages or reviews in the workspace."""
    people = access.people_allowed(workspace, Action.MANAGE) | access.people_allowed(workspace, Action.REVIEW)
    return people.distinct()
