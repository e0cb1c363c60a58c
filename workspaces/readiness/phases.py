"""A workspace's way from being set up into pilot and live, and how its readiness is watched; each is recorded."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from audit.events import EventType
from audit.record import record
from workspaces import access
from workspaces.exceptions import ReadinessError
from workspaces.models import Phase, ReadinessRun, ReadinessState, Rhythm, User, Workspace, WorkspaceReadiness
from workspaces.readiness import thresholds
from workspaces.roles import Action

#: phase → the phases it may become.
NEXT = {
    Phase.SETUP: (Phase.PILOT,),
    Phase.PILOT: (Phase.LIVE, Phase.SETUP),
    Phase.LIVE: (Phase.PILOT, Phase.SETUP),
}


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a workspace stands, and on what."""

    settings: WorkspaceReadiness
    #: The last finished run.
    last: ReadinessRun | None

    @property
    def phase(self) -> Phase:
        return Phase(self.settings.phase)

    @property
    def goes_until(self) -> datetime | None:
        """Until when the last run lets the workspace into pilot; None where it is no go."""
        if self.last is None or not self.last.is_go or self.last.ended_at is None:
            return None
        return self.last.ended_at + timedelta(days=self.settings.valid_days)

    @property
    def has_go(self) -> bool:
        """Whether nothing blocks by the last run, and that is not too old."""
        return self.goes_until is not None and self.goes_until > timezone.now()

    @property
    def lacks_go(self) -> bool:
        """In use, and what let it is not so any more: it is no pilot until the next go."""
        return self.phase != Phase.SETUP and not self.has_go

    @property
    def pilot_ends(self) -> datetime | None:
        """When the pilot ends by itself; None where nobody found yet that it lacks its go, and where it is no pilot."""
        lapsed_at = self.settings.lapsed_at
        if self.phase != Phase.PILOT or lapsed_at is None:
            return None
        return lapsed_at + timedelta(days=thresholds.of("pilot_grace_days"))

    @property
    def next_phases(self) -> tuple[Phase, ...]:
        """The phases a manager may choose now."""
        return tuple(one for one in NEXT[self.phase] if one == Phase.SETUP or self.has_go)


def standing(workspace: Workspace) -> Standing:
    """As it is now. Two queries."""
    last = ReadinessRun.objects.filter(workspace=workspace, state=ReadinessState.DONE).order_by("-ended_at").first()
    return Standing(of(workspace), last)


def of(workspace: Workspace) -> WorkspaceReadiness:
    """The workspace's settings; being set up, and checked when somebody asks, where nobody set any."""
    stored = WorkspaceReadiness.objects.filter(workspace=workspace).first()
    return stored or WorkspaceReadiness(workspace=workspace, rhythm=Rhythm.OFF)


@transaction.atomic
def move(workspace: Workspace, phase: str, *, by: User) -> WorkspaceReadiness:
    """Take the workspace into another phase. Raises ReadinessError for one that does not follow, or without a go.

    From its first change on it is checked every week, until somebody sets another rhythm.
    """
    access.require(by, Action.MANAGE, workspace)
    if phase not in Phase.values:
        raise ReadinessError(_("Choose one of the phases."))
    lock(workspace)
    now, wanted = standing(workspace), Phase(phase)
    if wanted == now.phase:
        return now.settings
    if wanted not in NEXT[now.phase]:
        raise ReadinessError(_("A workspace goes live out of its pilot."))
    if wanted != Phase.SETUP and not now.has_go:
        raise ReadinessError(_("This needs a go: have the readiness checked, and nothing may block."))
    stored, _made = WorkspaceReadiness.objects.update_or_create(
        workspace=workspace,
        defaults={"phase": wanted, "phase_changed_at": timezone.now(), "phase_changed_by": by, "lapsed_at": None},
    )
    grounds: dict[str, Any] = {"run": now.last.pk} if now.last and wanted != Phase.SETUP else {}
    record(
        EventType.PHASE_CHANGED,
        on=workspace,
        workspace=workspace,
        by=by,
        before=now.phase.value,
        after=wanted.value,
        rhythm=str(stored.rhythm),
        **grounds,
    )
    return stored


@transaction.atomic
def watch(workspace: Workspace, *, rhythm: str, valid_days: int, by: User) -> WorkspaceReadiness:
    """Set how often readiness is checked by itself, and for how many days a go counts. Raises ReadinessError."""
    access.require(by, Action.MANAGE, workspace)
    if rhythm not in Rhythm.values or not 1 <= valid_days <= 365:
        raise ReadinessError(_("Choose a rhythm, and between 1 and 365 days."))
    lock(workspace)
    before = _told(of(workspace))
    after = {"readiness_rhythm": rhythm, "readiness_days": valid_days}
    stored, _made = WorkspaceReadiness.objects.update_or_create(
        workspace=workspace, defaults={"rhythm": rhythm, "valid_days": valid_days}
    )
    if stored.lapsed_at is not None and standing(workspace).has_go:
        # It counts for longer now.
        stored.lapsed_at = None
        stored.save(update_fields=["lapsed_at"])
    if before != after:
        record(EventType.WORKSPACE_CHANGED, on=workspace, workspace=workspace, by=by, before=before, after=after)
    return stored


def _told(settings: WorkspaceReadiness) -> dict[str, Any]:
    return {"readiness_rhythm": str(settings.rhythm), "readiness_days": settings.valid_days}


def lock(workspace: Workspace) -> None:
    """Let nobody else change its phase or come to a verdict until this transaction ends."""
    # By its workspace: there may be no row yet.
    Workspace.objects.select_for_update(no_key=True).get(pk=workspace.pk)
