"""Roles of this installation's own, for platform administrators: made from the same actions as the declared ones."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.admin import SimpleListFilter
from django.db.models import Count, IntegerField, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST
from unfold.decorators import display
from unfold.widgets import UnfoldAdminCheckboxSelectMultipleWidget

from workspaces import access, custom_roles
from workspaces.admin_base import GovernedAdmin, PlatformRights
from workspaces.charters import declared
from workspaces.exceptions import PortalError, RoleError
from workspaces.models import CustomRole, Membership
from workspaces.roles import Action, PlatformAction


class RoleForm(forms.ModelForm):
    """A role's name, purpose, and what it allows, in the words of the table of roles."""

    actions = forms.MultipleChoiceField(
        label=_("Whoever holds it may"),
        choices=[choice for choice in Action.choices if choice[0] != Action.ENTER],
        widget=UnfoldAdminCheckboxSelectMultipleWidget,
        help_text=_("And see that the workspace exists and open its pages, as with every role."),
    )

    class Meta:
        help_texts = {"code": _("Lower-case, such as legal-reader. It stays for good: the trail knows the role by it.")}

    def clean_code(self) -> str:
        code = self.cleaned_data["code"]
        try:
            custom_roles.require_free_code(code)
        except RoleError as error:
            raise forms.ValidationError(str(error)) from error
        return code


class InForceFilter(SimpleListFilter):
    """Roles that can be given, or retired ones."""

    title = _("role")
    parameter_name = "in_force"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("yes", _("In force")), ("no", _("Retired"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[CustomRole]) -> QuerySet[CustomRole]:
        return queryset.filter(retired_at__isnull=self.value() == "yes") if self.value() else queryset


@admin.register(CustomRole)
class CustomRoleAdmin(PlatformRights, GovernedAdmin):
    """Roles are given to people on a workspace's page, these like the declared ones."""

    view_action = PlatformAction.STAFF_WORKSPACES
    change_action = PlatformAction.STAFF_WORKSPACES
    form = RoleForm
    list_display = ("name", "code", "purpose", "holder_count", "state")
    list_filter = (InForceFilter,)
    search_fields = ("name", "code", "purpose")
    ordering = ("name",)
    change_form_outer_after_template = "admin/workspaces/customrole/_retire.html"

    def get_queryset(self, request: HttpRequest) -> QuerySet[CustomRole]:
        held = Membership.objects.filter(group__workspace_role__role=OuterRef("code")).order_by()
        holders = held.values("group__workspace_role__role").annotate(n=Count("user", distinct=True)).values("n")
        counted = Coalesce(Subquery(holders, output_field=IntegerField()), 0)
        return super().get_queryset(request).annotate(holders=counted)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return self.may(request, self.change_action, None)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return (obj is None or obj.retired_at is None) and super().has_change_permission(request, obj)

    def get_fields(self, request: HttpRequest, obj: CustomRole | None = None) -> tuple[str, ...]:
        return ("name", "code", "purpose", "what_it_allows" if obj and obj.retired_at else "actions")

    def get_readonly_fields(self, request: HttpRequest, obj: CustomRole | None = None) -> tuple[str, ...]:
        if obj is None:
            return ()
        return ("code", "what_it_allows") if obj.retired_at else ("code",)

    def save_model(self, request: HttpRequest, obj: CustomRole, form: forms.ModelForm, change: bool) -> None:
        data = {field: form.cleaned_data[field] for field in custom_roles.CHANGEABLE}
        if change:
            custom_roles.change_role(obj, by=request.user, **data)
            return
        made = custom_roles.create_role(code=form.cleaned_data["code"], by=request.user, **data)
        # The verb made the row; Django goes on with the object of its form.
        obj.pk, obj._state.adding = made.pk, False

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        context = {"charters": declared().values(), **(extra_context or {})}
        return super().changeform_view(request, object_id, form_url, context)

    # --- Retiring ---

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(require_POST(self.retire_view))
        return [path("<uuid:pk>/retire/", view, name="workspaces_customrole_retire"), *super().get_urls()]

    def retire_view(self, request: HttpRequest, pk: Any) -> HttpResponse:
        """Take the role from everybody who holds it, for good."""
        access.require(request.user, PlatformAction.STAFF_WORKSPACES, None)
        role = self.get_object(request, str(pk))
        try:
            custom_roles.retire_role(role, by=request.user)
        except PortalError as error:
            messages.error(request, str(error))
        else:
            messages.success(request, str(_("“%(name)s” is retired. Nobody holds it any more.")) % {"name": role.name})
        return HttpResponseRedirect(reverse("admin:workspaces_customrole_changelist"))

    @display(description=_("held by"), ordering="holders")
    def holder_count(self, role: Any) -> int:
        return role.holders

    @display(description=_("state"), label={"yes": "success", "no": "warning"}, ordering="retired_at")
    def state(self, role: CustomRole) -> tuple[str, Any]:
        return ("no", _("Retired")) if role.retired_at else ("yes", _("In force"))

    @display(description=_("what it allowed"))
    def what_it_allows(self, role: CustomRole) -> str:
        return "; ".join(str(action.label) for action in Action if action in role.actions)
