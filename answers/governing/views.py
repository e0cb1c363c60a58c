"""Pages of a workspace's settings: what may be spent on models, and which of them stand in for others."""

from typing import Any

from django import forms
from django.conf import settings as installation
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods

from answers.governing import budgets, fallbacks, standing_in
from answers.models import Budget, ModelEndpoint
from workspaces.decorators import in_workspace
from workspaces.endpoints.base import USABLE_STATES
from workspaces.exceptions import PortalError
from workspaces.models import Workspace
from workspaces.roles import Action


class BudgetForm(forms.ModelForm):
    """The limits of a budget; an empty one is none."""

    class Meta:
        model = Budget
        fields = budgets.LIMITS

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in budgets.LIMITS:
            if name.endswith("_cost"):
                self.fields[name].help_text = gettext_lazy("In %(currency)s.") % {"currency": installation.CURRENCY}


@require_http_methods(["GET", "POST"])
@in_workspace(Action.MANAGE)
def settings(request: HttpRequest, workspace: Workspace) -> HttpResponse:
    """What may be spent here in a day and a month, and by each person in a day."""
    form = BudgetForm(request.POST if request.method == "POST" else None, instance=budgets.of(workspace))
    if request.method == "POST" and form.is_valid():
        try:
            budgets.change(workspace, by=request.user, **form.cleaned_data)
        except PortalError as error:
            form.add_error(None, str(error))
        else:
            messages.success(request, _("Saved. It counts for the next call."))
            return redirect("answers:budgets", slug=workspace.slug)
    context = {"form": form, "meters": budgets.standing(workspace), "spent": budgets.spent(workspace)}
    return render(request, "answers/budgets.html", context, status=400 if form.errors else 200)


class _ModelField(forms.ModelChoiceField):
    """A model with how much it may read, which decides whether it can stand in."""

    def label_from_instance(self, endpoint: Any) -> str:
        return f"{endpoint.name} · {endpoint.get_ceiling_display()}"


class StandInsForm(forms.Form):
    """The list as so many places, each empty or with a model; empty ones are left out."""

    def __init__(self, *args: Any, chosen: list[ModelEndpoint], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for place in range(standing_in.MOST):
            self.fields[f"place_{place + 1}"] = _ModelField(
                label=gettext_lazy("Place %(number)s") % {"number": place + 1},
                queryset=ModelEndpoint.objects.filter(state__in=USABLE_STATES).order_by("name"),
                initial=chosen[place].pk if place < len(chosen) else None,
                required=False,
                empty_label=gettext_lazy("No model"),
            )

    def chosen(self) -> list[ModelEndpoint]:
        return [endpoint for endpoint in self.cleaned_data.values() if endpoint is not None]


@require_http_methods(["GET", "POST"])
@in_workspace(Action.MANAGE)
def stand_ins(request: HttpRequest, workspace: Workspace) -> HttpResponse:
    """Who answers, in which order, where the chosen model may not or cannot."""
    form = StandInsForm(request.POST if request.method == "POST" else None, chosen=fallbacks.of(workspace))
    if request.method == "POST" and form.is_valid():
        try:
            standing_in.choose(workspace, form.chosen(), by=request.user)
        except PortalError as error:
            form.add_error(None, str(error))
        else:
            messages.success(request, _("Saved. It counts for every question from now on."))
            return redirect("answers:stand_ins", slug=workspace.slug)
    return render(request, "answers/stand_ins.html", {"form": form}, status=400 if form.errors else 200)
