"""Pages of the change gate: what is proposed, what it lacks, and what changes have to reach."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from answers.evaluation import gate, kinds, page, standing, terms, thresholds, verdict
from answers.evaluation.forms import GateForm
from answers.models import CandidateState, GateCandidate, QuestionSet, WorkspaceGate
from workspaces import access
from workspaces.decorators import in_workspace
from workspaces.exceptions import PortalError
from workspaces.models import Workspace
from workspaces.roles import Action

_SETTLED_SHOWN = 20


@require_GET
@in_workspace(Action.MANAGE)
def candidates(request: HttpRequest, workspace: Workspace) -> HttpResponse:
    """What is proposed, with what it lacks; what could be proposed; what was settled."""
    stored = gate.of(workspace)
    rows = GateCandidate.objects.filter(workspace=workspace).select_related(
        "proposed_by", "override_asked_by", "override_agreed_by", "settled_by"
    )
    waiting = rows.filter(state=CandidateState.WAITING)
    context = {
        "gate": stored,
        "on": stored is not None and stored.enabled,
        "waiting": [_told(request, one, stored) for one in waiting] if stored else [],
        "settled": [
            (one, _kind(one), kinds.label_of(one))
            for one in rows.exclude(state=CandidateState.WAITING)[:_SETTLED_SHOWN]
        ],
        "choices": _choices(workspace, {(one.kind, one.target) for one in waiting}),
        "changed": standing.changed(workspace),
        "changed_judge": standing.changed_judge(workspace),
        "changed_reranker": standing.changed_reranker(workspace),
    }
    return render(request, "answers/evaluation/gate.html", context)


@require_POST
@in_workspace(Action.MANAGE)
def propose(request: HttpRequest, workspace: Workspace) -> HttpResponse:
    """Put a change (`change`: kind and target) in line."""
    kind, _between, target = request.POST.get("change", "").partition(":")
    try:
        gate.propose(workspace, kind=kind, target=target, by=request.user)
    except PortalError as error:
        messages.error(request, str(error))
    else:
        messages.success(request, _("Proposed. Run it on the questions now."))
    return redirect("answers:gate", slug=workspace.slug)


@require_POST
@in_workspace(Action.MANAGE)
def act(request: HttpRequest, workspace: Workspace, pk: UUID) -> HttpResponse:
    """Do something (`act`) with a proposed change: run, go_live, withdraw, override or agree."""
    found = access.find(request.user, Action.MANAGE, GateCandidate, pk=pk, workspace=workspace)
    asked = request.POST.get("act")
    try:
        if asked == "run":
            gate.run(found, by=request.user)
            messages.success(request, _("The questions are being asked. You can leave; the work goes on."))
        elif asked == "go_live":
            gate.go_live(found, by=request.user)
            messages.success(request, _("It is live."))
        elif asked == "withdraw":
            gate.withdraw(found, by=request.user)
            messages.success(request, _("Withdrawn."))
        elif asked == "override":
            gate.ask_override(found, reason=request.POST.get("reason", ""), by=request.user)
            messages.info(request, _("Another person who manages this workspace has to agree."))
        elif asked == "agree":
            gate.agree(found, seen=request.POST.get("seen", ""), by=request.user)
            messages.success(request, _("It is live."))
    except PortalError as error:
        messages.error(request, str(error))
    return redirect("answers:gate", slug=workspace.slug)


@require_http_methods(["GET", "POST"])
@in_workspace(Action.MANAGE)
def settings(request: HttpRequest, workspace: Workspace) -> HttpResponse:
    """Whether changes have to pass, which questions, and how well."""
    current = gate.of(workspace)
    sent = request.POST if request.method == "POST" else None
    form = GateForm(sent, workspace=workspace, current=current, defaults=thresholds.DEFAULTS)
    if request.method == "POST" and form.is_valid():
        try:
            chosen = terms.choose(
                workspace,
                enabled=form.cleaned_data["enabled"],
                question_set=form.cleaned_data["question_set"],
                thresholds=form.thresholds(),
                by=request.user,
                newest=form.cleaned_data.get("newest", False),
                reason=form.cleaned_data.get("reason", ""),
            )
        except PortalError as error:
            form.add_error(None, str(error))
        else:
            _say_whether_it_holds(request, chosen)
            return redirect("answers:gate_settings", slug=workspace.slug)
    others = access.people_allowed(workspace, Action.MANAGE).exclude(pk=request.user.pk)
    context = {"form": form, "wish": _wish(request, current), "is_alone": not others.exists()}
    return render(request, "answers/evaluation/gate_settings.html", context, status=400 if form.errors else 200)


@require_POST
@in_workspace(Action.MANAGE)
def loosen(request: HttpRequest, workspace: Workspace) -> HttpResponse:
    """Decide (`act`: agree or withdraw) on what somebody wants to be easier to pass, as it was `seen`."""
    try:
        if request.POST.get("act") == "agree":
            terms.agree(workspace, seen=request.POST.get("seen", ""), by=request.user)
            messages.success(request, _("It holds from now on."))
        elif request.POST.get("act") == "withdraw":
            terms.withdraw(workspace, by=request.user)
            messages.success(request, _("Withdrawn."))
    except PortalError as error:
        messages.error(request, str(error))
    return redirect("answers:gate_settings", slug=workspace.slug)


def _say_whether_it_holds(request: HttpRequest, chosen: WorkspaceGate) -> None:
    if chosen.wanted is None:
        messages.success(request, _("Saved."))
    else:
        messages.info(request, _("This makes the gate easier to pass: another person here has to agree."))


def _wish(request: HttpRequest, current: WorkspaceGate | None) -> dict[str, Any] | None:
    """What is wanted in place of the gate, as the page tells it."""
    if current is None or current.wanted is None:
        return None
    wanted = current.wanted
    name = QuestionSet.objects.filter(pk=wanted["question_set"]).values_list("name", flat=True).first() or ""
    return {
        "by": current.wanted_by,
        "at": current.wanted_at,
        "reason": current.wanted_reason,
        "ways": terms.loosened(current, wanted),
        "enabled": wanted["enabled"],
        "questions": (name, wanted["set_version"]),
        "limits": [_limit(one) for one in thresholds.from_data(wanted["thresholds"])],
        "seen": terms.mark_of(current),
        "may_agree": current.wanted_by_id != request.user.pk,
    }


def _limit(one: thresholds.Threshold) -> dict[str, Any]:
    return {
        "label": one.metric.label,
        "limit": page.written(one.metric, one.limit),
        "worse": page.written(one.metric, one.worse_by),
        "bound": one.by_bound,
    }


def _told(request: HttpRequest, candidate: GateCandidate, stored: Any) -> dict[str, Any]:
    """A candidate as the page tells it."""
    found = verdict.of(candidate, stored)
    running = [run for run in candidate.runs.all() if run.is_open]
    return {
        "candidate": candidate,
        "kind": _kind(candidate),
        "label": kinds.label_of(candidate),
        "verdict": found,
        "checks": [
            {
                "label": check.threshold.metric.label,
                "asks": check.asks,
                "wanted": page.written(check.threshold.metric, check.wanted),
                "got": page.written(check.threshold.metric, check.got),
                "bound": check.threshold.by_bound,
                "holds": check.holds,
            }
            for check in found.checks
        ],
        "running": [(run, run.results.count()) for run in running],
        "may_agree": candidate.override_asked_by_id not in (None, request.user.pk),
        "seen": gate.mark_of(candidate),
        "tries": candidate.runs.filter(replaced=False).count(),
    }


def _choices(workspace: Workspace, waiting: set[tuple[str, str]]) -> list[tuple[str, str]]:
    """What could be proposed, as (kind:target, words)."""
    found = []
    for kind in kinds.every():
        for thing in kind.choices(workspace):
            if (kind.code, kind.target(thing)) not in waiting:
                found.append((f"{kind.code}:{kind.target(thing)}", f"{kind.label}: {kind.name(thing)}"))
    return found


def _kind(candidate: GateCandidate) -> Any:
    return kinds.of(candidate.kind).label
