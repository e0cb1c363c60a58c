"""What a workspace's manager sets about checking: how sure before an answer is written, and who judges it after."""

from collections.abc import Callable
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from answers.exceptions import EndpointError
from answers.models import EndpointKind, ModelEndpoint, Strictness, WorkspaceChecks
from audit.events import EventType
from audit.record import record
from workspaces import access
from workspaces.models import User, Workspace
from workspaces.roles import Action

#: Asked, inside the transaction, with what was before and what would be; what they raise refuses it. The change gate
#: adds itself when it loads.
before_choice: list[Callable[[Workspace, WorkspaceChecks, WorkspaceChecks, User], None]] = []


def of(workspace: Workspace) -> WorkspaceChecks:
    """The workspace's settings as they are now; balanced and without a judge where nobody set any."""
    stored = WorkspaceChecks.objects.select_related("judge").filter(workspace=workspace).first()
    return stored or WorkspaceChecks(workspace=workspace)


def as_loaded(workspace: Workspace) -> WorkspaceChecks:
    """As `of`, from what was loaded with the workspace; `leases.take` does that in its one query."""
    return getattr(workspace, "checks", None) or WorkspaceChecks(workspace=workspace)


@transaction.atomic
def choose(workspace: Workspace, *, strictness: str, judge: ModelEndpoint | None, by: User) -> WorkspaceChecks:
    """Set strictness and judge; the trail keeps before and after. Raises EndpointError for what cannot judge."""
    access.require(by, Action.MANAGE, workspace)
    if judge is not None and not may_judge(judge):
        raise EndpointError(_("“%(name)s” cannot judge: it is built in or switched off.") % {"name": judge.name})
    # Locked by its workspace: there may be no row yet.
    Workspace.objects.select_for_update(no_key=True).get(pk=workspace.pk)
    before = of(workspace)
    chosen = WorkspaceChecks(workspace=workspace, strictness=Strictness(strictness), judge=judge)
    if _named(before) == _named(chosen):
        return before
    for ask in before_choice:
        ask(workspace, before, chosen, by)
    WorkspaceChecks.objects.update_or_create(
        workspace=workspace, defaults={"strictness": chosen.strictness, "judge": judge}
    )
    record(
        EventType.WORKSPACE_CHANGED,
        on=workspace,
        workspace=workspace,
        by=by,
        before=_named(before),
        after=_named(chosen),
    )
    return chosen


def may_judge(endpoint: ModelEndpoint) -> bool:
    """Whether a model can be asked for a verdict: the built-in one quotes and judges nothing."""
    return endpoint.usable and endpoint.kind == EndpointKind.OPENAI


def _named(checks: WorkspaceChecks) -> dict[str, Any]:
    return {"strictness": str(checks.strictness), "judge": checks.judge.name if checks.judge else ""}
