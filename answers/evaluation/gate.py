"""The change gate of a workspace: what is proposed waits until it passes, or until two people override.

The verbs that make a model, a template or an embedding space live ask `require_passed`; there is no other way past.
What a change has to pass stands in `terms.py`.
"""

from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from answers.evaluation import kinds, news, runs, verdict
from answers.exceptions import EvaluationError, GateHolds
from answers.models import CandidateState, EvaluationRun, GateCandidate, WorkspaceGate
from audit.chain import canonical, digest
from audit.events import EventType
from audit.record import record
from workspaces import access
from workspaces.exceptions import Forbidden
from workspaces.models import User, Workspace
from workspaces.roles import Action

MOST_REASON = 500


def of(workspace: Workspace) -> WorkspaceGate | None:
    """The workspace's gate as it is now; None where nobody ever set one up."""
    return WorkspaceGate.objects.select_related("question_set", "wanted_by").filter(workspace=workspace).first()


def is_on(workspace: Workspace) -> bool:
    """Whether changes have to pass here."""
    return WorkspaceGate.objects.filter(workspace=workspace, enabled=True).exists()


def require_passed(workspace: Workspace, kind: str, target: object, *, by: User) -> None:
    """Let a change go live that passed or was overridden, and settle its proposal; or raise GateHolds.

    To be called inside the transaction that makes it live.
    """
    gate = of(workspace)
    if gate is None or not gate.enabled:
        return
    rows = GateCandidate.objects.select_for_update(of=("self",), no_key=True).select_related("workspace")
    candidate = rows.filter(workspace=workspace, kind=kind, target=str(target), state=CandidateState.WAITING).first()
    if candidate is None:
        raise GateHolds(
            _("This workspace has a change gate. Propose the change on the page “Change gate”, and let it pass there.")
        )
    _let_through(candidate, gate, by)


# --- Who manages the workspace ------------------------------------------------------------------------------


@transaction.atomic
def propose(workspace: Workspace, *, kind: str, target: str, by: User) -> GateCandidate:
    """Put a change in line at the gate. Raises EvaluationError for what is not there, or live or proposed already."""
    access.require(by, Action.MANAGE, workspace)
    if not is_on(workspace):
        raise EvaluationError(_("This workspace has no change gate: a change goes live at once."))
    found = kinds.of(kind)
    thing = found.find(workspace, target)
    if thing is None or target not in {found.target(one) for one in found.choices(workspace)}:
        raise EvaluationError(_("This cannot be proposed: it is not there, or live already."))
    try:
        with transaction.atomic():
            candidate = GateCandidate.objects.create(
                workspace=workspace, kind=kind, target=target, label=found.name(thing)[:300], proposed_by=by
            )
    except IntegrityError as error:
        raise EvaluationError(_("This change is proposed already.")) from error
    _note(EventType.GATE_PROPOSED, candidate, by)
    return candidate


def run(candidate: GateCandidate, *, by: User) -> list[EvaluationRun]:
    """Have the gate's questions asked with the candidate, and with what is live where that is needed to compare.

    Raises EvaluationError as `runs.start` does.
    """
    access.require(by, Action.MANAGE, candidate)
    gate = _gate(candidate)
    if candidate.state != CandidateState.WAITING:
        raise EvaluationError(_("This change is settled already."))
    with transaction.atomic():
        found = verdict.of(candidate, gate)
        asked = {"version": gate.set_version, "candidate": candidate, "by": by}
        started = [runs.start(gate.question_set, **asked)]
        if found.baseline is None and any(one["worse_by"] is not None for one in gate.thresholds):
            started.append(runs.start(gate.question_set, **asked, replaced=True))
    return started


@transaction.atomic
def go_live(candidate: GateCandidate, *, by: User) -> None:
    """Make the change live. Raises GateHolds when it has not passed, and what the change's own verb raises."""
    candidate = _locked(candidate, by)
    kind = kinds.of(candidate.kind)
    thing = kind.find(candidate.workspace, candidate.target)
    if thing is None:
        raise EvaluationError(kinds.gone(candidate.label))
    kind.go_live(candidate.workspace, thing, by)
    candidate.refresh_from_db(fields=["state"])
    if candidate.state == CandidateState.WAITING:
        # Its verb had nothing to do, as for a model that was changed and answers already, or the gate is off by now.
        _let_through(candidate, _gate(candidate), by)


@transaction.atomic
def withdraw(candidate: GateCandidate, *, by: User) -> None:
    """Take a proposal back; its runs are kept."""
    candidate = _locked(candidate, by)
    _settle(candidate, CandidateState.WITHDRAWN, by)
    _note(EventType.GATE_WITHDRAWN, candidate, by)


@transaction.atomic
def ask_override(candidate: GateCandidate, *, reason: str, by: User) -> None:
    """Say why the change is to go live although it has not passed; another person has to agree.

    Raises EvaluationError without a reason. Asking again begins anew: what was agreed to was another reason.
    """
    candidate = _locked(candidate, by)
    reason = " ".join(reason.replace("\0", "").split())[:MOST_REASON]
    if not reason:
        raise EvaluationError(_("Give a reason."))
    found = verdict.of(candidate, _gate(candidate))
    if found.passed:
        raise EvaluationError(_("It has passed, so nothing has to be overridden."))
    if not found.setup_sha256:
        raise EvaluationError(found.missing[0])
    candidate.override_sha256, candidate.override_reason = found.setup_sha256, reason
    candidate.override_asked_at, candidate.override_asked_by = timezone.now(), by
    candidate.override_agreed_at = candidate.override_agreed_by = None
    candidate.save()
    _note(EventType.GATE_OVERRIDE_ASKED, candidate, by, reason=reason, setup_sha256=found.setup_sha256)
    news.override_asked(candidate, by=by)


@transaction.atomic
def agree(candidate: GateCandidate, *, seen: str, by: User) -> None:
    """As another person, agree to the override of exactly what was `seen` (`mark_of`); it goes live with that.

    Raises Forbidden for who asked for it, EvaluationError when nobody did, or it or its reason differs by now.
    """
    candidate = _locked(candidate, by)
    if candidate.override_asked_by_id is None:
        raise EvaluationError(_("Nobody asked to override the gate."))
    if by.pk == candidate.override_asked_by_id:
        raise Forbidden(user=by, workspace=candidate.workspace, action=Action.MANAGE, thing=candidate)
    if seen != mark_of(candidate):
        raise EvaluationError(_("What is asked for was changed since you read it. Read it again."))
    candidate.override_agreed_at, candidate.override_agreed_by = timezone.now(), by
    candidate.save()
    if not verdict.of(candidate, _gate(candidate)).overridden:
        raise EvaluationError(_("What would go live was changed since. Ask for it again."))
    _note(EventType.GATE_OVERRIDDEN, candidate, by, reason=candidate.override_reason)
    go_live(candidate, by=by)


def mark_of(candidate: GateCandidate) -> str:
    """The hash over what is to be overridden, why and since when; "" where nobody asked for it."""
    if candidate.override_asked_at is None:
        return ""
    asked = [candidate.override_sha256, candidate.override_reason, str(candidate.override_asked_at)]
    return digest(canonical({"override": asked}))


# --- Inside -------------------------------------------------------------------------------------------------


def _locked(candidate: GateCandidate, by: User) -> GateCandidate:
    access.require(by, Action.MANAGE, candidate)
    Workspace.objects.select_for_update(no_key=True).get(pk=candidate.workspace_id)
    rows = GateCandidate.objects.select_related("workspace").select_for_update(of=("self",), no_key=True)
    candidate = rows.get(pk=candidate.pk)
    if candidate.state != CandidateState.WAITING:
        raise EvaluationError(_("This change is settled already."))
    return candidate


def _gate(candidate: GateCandidate) -> WorkspaceGate:
    gate = of(candidate.workspace)
    if gate is None:
        raise EvaluationError(_("This workspace has no change gate: a change goes live at once."))
    return gate


def _let_through(candidate: GateCandidate, gate: WorkspaceGate, by: User) -> None:
    """Settle what passed, and remember by its mark what went live. Raises GateHolds."""
    kind = kinds.of(candidate.kind)
    # Read before the verdict: what is changed in between has another mark, or has not passed.
    marks = kind.marks(kind.find(candidate.workspace, candidate.target))
    found = verdict.of(candidate, gate)
    if gate.enabled and not found.passed and not found.overridden:
        raise GateHolds(_("The change gate holds this back: %(why)s") % {"why": found.missing[0]})
    if marks:
        gate.passed |= marks
        gate.save(update_fields=["passed"])
    _settle(candidate, CandidateState.LIVE, by)
    _note(
        EventType.GATE_LIVE,
        candidate,
        by,
        passed=found.passed,
        overridden=not found.passed and found.overridden,
        runs=candidate.runs.filter(replaced=False).count(),
        run=found.run.pk if found.run else None,
        baseline=found.baseline.pk if found.baseline else None,
        setup_sha256=found.setup_sha256,
    )


def _settle(candidate: GateCandidate, state: CandidateState, by: User) -> None:
    candidate.state, candidate.settled_at, candidate.settled_by = state, timezone.now(), by
    candidate.save(update_fields=["state", "settled_at", "settled_by"])
    news.settled(candidate, by=by)


def _note(event: EventType, candidate: GateCandidate, by: User, *, reason: str = "", **details: Any) -> None:
    record(
        event,
        on=candidate,
        workspace=candidate.workspace_id,
        by=by,
        reason=reason,
        kind=candidate.kind,
        target=candidate.target,
        **details,
    )
