"""What holds for the whole installation, as one form."""

from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminCheckboxSelectMultipleWidget

from workspaces import access, charters, policy
from workspaces.admin_base import GovernedAdmin, PlatformRights
from workspaces.models import PlatformPolicy
from workspaces.roles import PLATFORM_ADMINISTRATOR, PlatformAction


class PolicyForm(forms.ModelForm):
    """Which roles need a second factor."""

    second_factor_roles = forms.MultipleChoiceField(
        label=_("Roles that need a second factor"),
        required=False,
        widget=UnfoldAdminCheckboxSelectMultipleWidget,
        help_text=_(
            "Whoever holds one of them anywhere is led to set up a passkey or an authenticator app at their next "
            "request, and can do nothing else before."
        ),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["second_factor_roles"].choices = [
            *charters.choices(),
            (PLATFORM_ADMINISTRATOR, _("Platform administrator")),
        ]


@admin.register(PlatformPolicy)
class PlatformPolicyAdmin(PlatformRights, GovernedAdmin):
    """One row, so that its list is its form."""

    view_action = PlatformAction.MANAGE_ACCOUNTS
    change_action = PlatformAction.MANAGE_ACCOUNTS
    form = PolicyForm
    fields = ("second_factor_roles",)

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        self.require_list(request)
        return self.changeform_view(request, "1", extra_context=extra_context)

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> PlatformPolicy:
        access.require(request.user, self.view_action, None)
        if object_id != "1":
            raise access.Hidden(user=request.user, action=self.view_action)
        return PlatformPolicy.objects.first() or PlatformPolicy()

    def save_model(self, request: HttpRequest, obj: PlatformPolicy, form: forms.ModelForm, change: bool) -> None:
        policy.require_second_factor(form.cleaned_data["second_factor_roles"], by=request.user)
