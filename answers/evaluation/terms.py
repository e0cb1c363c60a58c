"""What changes have to pass in a workspace, and who may change that: tightening takes one person, loosening two.

The questions are those of one version of a set. Whoever changes the set changes nothing about the gate until the gate
is told to ask the newer version, which counts as loosening: what another question asks is not for one person to say.
"""

from collections.abc import Iterable, Sequence
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from answers import endpoints
from answers.evaluation import news, standing
from answers.evaluation.gate import of
from answers.evaluation.querysets import cases_in
from answers.evaluation.thresholds import Threshold, as_data, checked, from_data
from answers.exceptions import EvaluationError
from answers.models import QuestionSet, WorkspaceGate, WorkspaceModels
from audit.chain import canonical, digest
from audit.events import EventType
from audit.record import record
from workspaces import access
from workspaces.exceptions import Forbidden
from workspaces.models import User, Workspace
from workspaces.roles import Action

MOST_REASON = 500


@transaction.atomic
def choose(
    workspace: Workspace,
    *,
    enabled: bool,
    question_set: QuestionSet,
    thresholds: Iterable[Threshold],
    by: User,
    newest: bool = False,
    reason: str = "",
) -> WorkspaceGate:
    """Set what changes have to pass; what makes a gate that is on easier to pass waits for another person.

    `newest`: ask the set as it is now; else a set that is asked already stays at its version, while the gate is on.
    Switching on names the model that answers now as the workspace's own. Raises EvaluationError for limits that are
    none, a set of another workspace or without questions, and loosening without a reason; EndpointError without a
    model.
    """
    stored = _locked(workspace, by)
    question_set = QuestionSet.objects.get(pk=question_set.pk)
    if question_set.workspace_id != workspace.pk:
        raise EvaluationError(_("There is no such question set here."))
    stays = stored is not None and stored.enabled and stored.question_set_id == question_set.pk and not newest
    if enabled and not stays and not cases_in(question_set, question_set.version).exists():
        raise EvaluationError(_("This question set holds no question yet."))
    wanted = {
        "enabled": enabled,
        "question_set": str(question_set.pk),
        "set_version": stored.set_version if stored is not None and stays else question_set.version,
        "thresholds": as_data(checked(thresholds)),
    }
    if stored is not None and loosened(stored, wanted):
        return _ask(stored, wanted, reason, by)
    return _apply(workspace, stored, wanted, by)


@transaction.atomic
def agree(workspace: Workspace, *, seen: str, by: User) -> WorkspaceGate:
    """As another person, let a gate become easier to pass in exactly the way that was `seen` (`mark_of`).

    Raises Forbidden for who asked for it, EvaluationError where nobody did or it is another wish by now.
    """
    stored = _locked(workspace, by)
    if stored is None or stored.wanted is None:
        raise EvaluationError(_("Nobody asked for another gate."))
    if stored.wanted_by_id == by.pk:
        raise Forbidden(user=by, workspace=workspace, action=Action.MANAGE, thing=stored)
    if seen != mark_of(stored):
        raise EvaluationError(_("What is asked for was changed since you read it. Read it again."))
    return _apply(workspace, stored, stored.wanted, by)


@transaction.atomic
def withdraw(workspace: Workspace, *, by: User) -> None:
    """Leave the gate as it is. Raises EvaluationError where nobody asked for another one."""
    stored = _locked(workspace, by)
    if stored is None or stored.wanted is None:
        raise EvaluationError(_("Nobody asked for another gate."))
    asked_by = str(stored.wanted_by_id)
    news.loosening_settled(stored, by=by)
    _forget_wish(stored)
    stored.save()
    record(EventType.GATE_LOOSENING_WITHDRAWN, on=workspace, workspace=workspace, by=by, asked_by=asked_by)


def mark_of(gate: WorkspaceGate) -> str:
    """The hash over what is wanted, why and since when: what whoever agrees has read. "" where nothing is wanted."""
    if gate.wanted is None or gate.wanted_at is None:
        return ""
    return digest(canonical({"wanted": as_told(gate.wanted), "reason": gate.wanted_reason, "at": str(gate.wanted_at)}))


def loosened(gate: WorkspaceGate, wanted: dict[str, Any]) -> list[str]:
    """In which ways `wanted` asks less than the gate does now, as sentences; a gate that is off asks nothing."""
    if not gate.enabled:
        return []
    if not wanted["enabled"]:
        return [_("Changes go live without passing anything.")]
    ways = []
    if (str(gate.question_set_id), gate.set_version) != (wanted["question_set"], wanted["set_version"]):
        ways.append(_("Other questions are asked."))
    after = {one.metric: one for one in from_data(wanted["thresholds"])}
    for before in from_data(gate.thresholds):
        if _is_easier(before, after.get(before.metric)):
            ways.append(_("“%(metric)s” is easier to reach.") % {"metric": before.metric.label})
    return ways


def asked(gate: WorkspaceGate) -> dict[str, Any]:
    """What the gate asks, in the form in which another one is wanted."""
    return {
        "enabled": gate.enabled,
        "question_set": str(gate.question_set_id),
        "set_version": gate.set_version,
        "thresholds": gate.thresholds,
    }


def as_told(gate: dict[str, Any]) -> dict[str, Any]:
    """What a gate asks as the trail keeps it, which holds no floating-point numbers."""
    thresholds: Sequence[dict[str, Any]] = gate["thresholds"]
    written = [
        {name: str(value) if isinstance(value, float) else value for name, value in one.items()} for one in thresholds
    ]
    return gate | {"thresholds": written}


# --- Inside -------------------------------------------------------------------------------------------------


def _locked(workspace: Workspace, by: User) -> WorkspaceGate | None:
    access.require(by, Action.MANAGE, workspace)
    Workspace.objects.select_for_update(no_key=True).get(pk=workspace.pk)
    return of(workspace)


def _is_easier(before: Threshold, after: Threshold | None) -> bool:
    if after is None or (before.by_bound and not after.by_bound):
        return True
    if before.worse_by is not None and (after.worse_by is None or after.worse_by > before.worse_by):
        return True
    if before.limit is None:
        return False
    if after.limit is None:
        return True
    return after.limit < before.limit if before.is_share else after.limit > before.limit


def _ask(stored: WorkspaceGate, wanted: dict[str, Any], reason: str, by: User) -> WorkspaceGate:
    reason = " ".join(reason.replace("\0", "").split())[:MOST_REASON]
    if not reason:
        raise EvaluationError(_("This makes the gate easier to pass. Give a reason, for the person who has to agree."))
    stored.wanted, stored.wanted_reason = wanted, reason
    stored.wanted_at, stored.wanted_by = timezone.now(), by
    stored.save()
    record(
        EventType.GATE_LOOSENING_ASKED,
        on=stored.workspace,
        workspace=stored.workspace_id,
        by=by,
        reason=reason,
        before=as_told(asked(stored)),
        after=as_told(wanted),
    )
    news.loosening_asked(stored, by=by)
    return stored


def _apply(workspace: Workspace, stored: WorkspaceGate | None, wanted: dict[str, Any], by: User) -> WorkspaceGate:
    gate = stored or WorkspaceGate(workspace=workspace)
    before = asked(gate) if stored else {}
    asked_by, reason = str(gate.wanted_by_id or ""), gate.wanted_reason
    if before == wanted and gate.wanted is None:
        return gate
    if wanted["enabled"] and not gate.enabled:
        if not WorkspaceModels.objects.filter(workspace=workspace).exists():
            # Else whoever chooses another model for the whole installation would change what answers here.
            endpoints.choose_models(workspace, default=endpoints.default_for(workspace), by=by)
        gate.passed = standing.marks_of(workspace)
    question_set = QuestionSet.objects.get(pk=wanted["question_set"])
    gate.enabled, gate.question_set, gate.set_version = wanted["enabled"], question_set, wanted["set_version"]
    gate.thresholds, gate.changed_by = wanted["thresholds"], by
    news.loosening_settled(gate, by=by)
    _forget_wish(gate)
    gate.save()
    record(
        EventType.GATE_CHANGED,
        on=workspace,
        workspace=workspace,
        by=by,
        reason=reason,
        before=as_told(before) if before else {},
        after=as_told(wanted),
        asked_by=asked_by,
    )
    return gate


def _forget_wish(gate: WorkspaceGate) -> None:
    gate.wanted = gate.wanted_at = gate.wanted_by = None
    gate.wanted_reason = ""
