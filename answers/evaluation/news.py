"""Who is told of what waits at a gate for a second person, and how it ended. Notices, in the caller's transaction."""

from django.db.models import QuerySet
from django.urls import reverse
from django.utils.translation import gettext as _

from answers.evaluation import kinds
from answers.models import CandidateState, GateCandidate, WorkspaceGate
from workspaces import access
from workspaces.models import User
from workspaces.notifications import notify
from workspaces.notifications.registry import Kind, describe
from workspaces.roles import Action


def override_asked(candidate: GateCandidate, *, by: User) -> None:
    """Everybody else who manages the workspace may agree."""
    people = access.people_allowed(candidate.workspace, Action.MANAGE)
    notify(Kind.GATE_OVERRIDE_ASKED, to=people, about=candidate, workspace=candidate.workspace_id, by=by)


def settled(candidate: GateCandidate, *, by: User) -> None:
    """Whoever proposed the change, and whoever wanted it to be live without passing, hear what became of it."""
    people = [candidate.proposed_by_id, *filter(None, [candidate.override_asked_by_id])]
    notify(Kind.GATE_SETTLED, to=people, about=candidate, workspace=candidate.workspace_id, by=by)


def loosening_asked(gate: WorkspaceGate, *, by: User) -> None:
    """Everybody else who manages the workspace may agree."""
    people = access.people_allowed(gate.workspace, Action.MANAGE)
    notify(Kind.GATE_LOOSENING_ASKED, to=people, about=gate, workspace=gate.workspace_id, by=by)


def loosening_settled(gate: WorkspaceGate, *, by: User) -> None:
    """Whoever wanted another gate hears that there is one, or that there will be none; before the wish is forgotten."""
    if gate.wanted_by_id is not None:
        notify(Kind.GATE_LOOSENING_SETTLED, to=[gate.wanted_by_id], about=gate, workspace=gate.workspace_id, by=by)


# --- How they are named -------------------------------------------------------------------------------------


def gates_open_to(user: User) -> QuerySet[WorkspaceGate]:
    """The gates of workspaces that `user` manages."""
    return WorkspaceGate.objects.filter(access.where_allowed(user, Action.MANAGE))


def _name(candidate: GateCandidate) -> str:
    return f"{kinds.of(candidate.kind).label}: {kinds.label_of(candidate)}"


def _waits(candidate: GateCandidate) -> bool:
    return candidate.state == CandidateState.WAITING and candidate.override_asked_by_id is not None


access.guard(WorkspaceGate, visible=gates_open_to, workspace_of=lambda gate: gate.workspace)
describe(
    GateCandidate,
    name=_name,
    address=lambda candidate: reverse("answers:gate", kwargs={"slug": candidate.workspace.slug}),
    prepared=lambda rows: rows.select_related("workspace"),
    waits={Kind.GATE_OVERRIDE_ASKED: _waits},
)
describe(
    WorkspaceGate,
    name=lambda gate: _("What changes have to pass"),
    address=lambda gate: reverse("answers:gate_settings", kwargs={"slug": gate.workspace.slug}),
    prepared=lambda rows: rows.select_related("workspace"),
    waits={Kind.GATE_LOOSENING_ASKED: lambda gate: gate.wanted is not None},
)
