"""What follows when a workspace in use has lost its go: its people are told, and a pilot that gets no new one ends.

A go is lost by a check in which something blocks, or by becoming too old. A workspace that is live stays live: whether
everybody's answers are to stop is for a person to decide.
"""

from datetime import timedelta

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from audit.events import EventType
from audit.record import record
from workspaces.models import Phase, ReadinessRun, WorkspaceReadiness
from workspaces.notifications import notify
from workspaces.notifications.registry import Kind
from workspaces.readiness import phases, thresholds, warning
from workspaces.readiness.phases import Standing

IN_USE = (Phase.PILOT, Phase.LIVE)


def follow(run: ReadinessRun) -> None:
    """Keep what this verdict means for a workspace in use; whoever holds `phases.lock` calls it in that transaction.

    That something blocks is told by `warning.tell`.
    """
    settings = phases.of(run.workspace)
    if settings.phase not in IN_USE or run.is_go == (settings.lapsed_at is None):
        return
    if run.is_go:
        WorkspaceReadiness.objects.filter(pk=settings.pk).update(lapsed_at=None)
    else:
        _lapse(Standing(settings, run))


def notice() -> int:
    """Find workspaces in use whose go became too old, and tell those who manage or review there; how many."""
    return sum(_notice(each) for each in _in_use().filter(lapsed_at=None))


def end_pilots() -> int:
    """Take pilots that got no go within `pilot_grace_days` back to being set up, and tell the same people; how many."""
    latest = timezone.now() - timedelta(days=thresholds.of("pilot_grace_days"))
    return sum(_end(each) for each in _in_use().filter(phase=Phase.PILOT, lapsed_at__lt=latest))


def _in_use() -> QuerySet[WorkspaceReadiness]:
    found = WorkspaceReadiness.objects.filter(phase__in=IN_USE, workspace__archived_at=None)
    return found.select_related("workspace").order_by("pk")


@transaction.atomic
def _notice(settings: WorkspaceReadiness) -> bool:
    workspace = settings.workspace
    if not phases.standing(workspace).lacks_go:
        return False
    phases.lock(workspace)
    now = phases.standing(workspace)
    if not now.lacks_go or now.settings.lapsed_at is not None:
        return False  # somebody was faster, or there is a go by now
    _lapse(now)
    notify(Kind.READINESS_LAPSED, to=warning.concerned(workspace), about=now.last, workspace=workspace)
    return True


@transaction.atomic
def _end(settings: WorkspaceReadiness) -> bool:
    workspace = settings.workspace
    phases.lock(workspace)
    now = phases.standing(workspace)
    if now.pilot_ends is None or now.pilot_ends > timezone.now() or now.has_go:
        return False
    WorkspaceReadiness.objects.filter(pk=workspace.pk).update(
        phase=Phase.SETUP, phase_changed_at=timezone.now(), phase_changed_by=None, lapsed_at=None
    )
    record(
        EventType.PHASE_CHANGED,
        on=workspace,
        workspace=workspace,
        before=Phase.PILOT.value,
        after=Phase.SETUP.value,
        rhythm=str(now.settings.rhythm),
        **_grounds(now),
    )
    notify(Kind.PILOT_ENDED, to=warning.concerned(workspace), about=now.last, workspace=workspace)
    return True


def _lapse(now: Standing) -> None:
    workspace = now.settings.workspace
    WorkspaceReadiness.objects.filter(pk=workspace.pk).update(lapsed_at=timezone.now())
    record(EventType.GO_LAPSED, on=workspace, workspace=workspace, phase=now.phase.value, **_grounds(now))


def _grounds(now: Standing) -> dict[str, object]:
    return {"run": now.last.pk} if now.last else {}
