"""What the whole installation may spend on models, as one form."""

from typing import Any
from uuid import UUID

from django import forms
from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from answers.governing import budgets
from answers.models import Budget
from workspaces import access
from workspaces.admin_base import GovernedAdmin, PlatformRights
from workspaces.roles import PlatformAction

_ONLY = "1"
_UNSET = UUID(int=0)


@admin.register(Budget)
class BudgetAdmin(PlatformRights, GovernedAdmin):
    """One row, so that its list is its form; a workspace's budget stands in its own settings."""

    view_action = PlatformAction.MANAGE_ENDPOINTS
    change_action = PlatformAction.MANAGE_ENDPOINTS
    fields = ("used", *budgets.LIMITS)
    readonly_fields = ("used",)

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        self.require_list(request)
        return self.changeform_view(request, _ONLY, extra_context=extra_context)

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Budget:
        access.require(request.user, self.view_action, None)
        budget = budgets.of(None)
        if budget._state.adding:
            # The links of its page name it although nobody has set a limit yet, and lead to it when somebody has.
            budget.pk = _UNSET
        if object_id not in {_ONLY, str(_UNSET), str(budget.pk)}:
            raise access.Hidden(user=request.user, action=self.view_action)
        return budget

    def save_model(self, request: HttpRequest, obj: Budget, form: forms.ModelForm, change: bool) -> None:
        budgets.change(None, by=request.user, **{name: form.cleaned_data[name] for name in budgets.LIMITS})

    @display(description=_("spent so far"))
    def used(self, budget: Budget) -> str:
        spent = budgets.spent(None)
        said = _("Today: %(day)s. This month: %(month)s.")
        tokens = {span: str(_("%(count)s tokens") % {"count": one.text}) for span, one in spent.items()}
        return str(said) % {span: " · ".join(filter(None, (tokens[span], one.cost))) for span, one in spent.items()}
