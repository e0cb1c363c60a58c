"""The pages on which a workspace's managers write its release rules, try them, and word its reviewers' reasons."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from answers import policy
from answers.policy.forms import ReasonsForm, RuleFormSet, initial_of, models_of, rules_of, templates_of
from answers.policy.rules import Rule
from answers.review import reasons
from workspaces.decorators import in_workspace
from workspaces.exceptions import PortalError
from workspaces.models import Workspace
from workspaces.roles import Action


@require_http_methods(["GET", "POST"])
@in_workspace(Action.MANAGE)
def rules(request: HttpRequest, workspace: Workspace) -> HttpResponse:
    """The rules in force, to change or to try: `act=try` saves nothing and shows what they would have held."""
    current = policy.in_force(workspace)
    if request.method == "GET":
        return _rules_page(request, current, _formset(workspace, current.rules))
    formset = _formset(workspace, current.rules, request.POST)
    if not formset.is_valid():
        return _rules_page(request, current, formset, status=400)
    try:
        sent = rules_of(formset)
        if request.POST.get("act") == "try":
            trial = policy.try_out(workspace, sent, by=request.user)
            return _rules_page(request, current, _formset(workspace, sent), trial=trial)
        seen = request.POST.get("seen", "")
        number = int(seen) if seen.isascii() and seen.isdigit() and len(seen) < 9 else -1
        policy.change(workspace, sent, by=request.user, seen=number, reason=request.POST.get("reason", ""))
    except PortalError as error:
        return _rules_page(request, current, formset, error=str(error), status=409)
    messages.success(request, _("Saved. The rules count for every answer finished from now on."))
    return redirect("answers:release_rules", slug=workspace.slug)


def _formset(workspace: Workspace, rules: list[Rule], *sent: Any) -> Any:
    offered = {"models": models_of(workspace, rules), "templates": templates_of(workspace)}
    return RuleFormSet(*sent, initial=initial_of(rules), form_kwargs=offered)


def _rules_page(
    request: HttpRequest, current: Any, formset: Any, *, trial: Any = None, error: str = "", status: int = 200
) -> HttpResponse:
    context = {"current": current, "formset": formset, "trial": trial, "error": error}
    return render(request, "answers/release_rules.html", context, status=status)


@require_http_methods(["GET", "POST"])
@in_workspace(Action.MANAGE)
def review_reasons(request: HttpRequest, workspace: Workspace) -> HttpResponse:
    """What reviewers choose from when they say why."""
    form = ReasonsForm(request.POST or None, acts=reasons.ACTS, offered=reasons.offered(workspace))
    if request.method == "POST" and form.is_valid():
        try:
            reasons.change(workspace, form.reasons(), by=request.user)
        except PortalError as error:
            form.add_error(None, str(error))
        else:
            messages.success(request, _("Saved."))
            return redirect("answers:review_reasons", slug=workspace.slug)
    return render(request, "answers/review_reasons.html", {"form": form}, status=400 if form.errors else 200)
