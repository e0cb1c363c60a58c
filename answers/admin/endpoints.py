"""Model endpoints, connected by platform administrators, and which of them a workspace uses, chosen by its managers."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display
from unfold.widgets import UnfoldAdminCheckboxSelectMultipleWidget

from answers import endpoints
from answers.models import ModelEndpoint, WorkspaceModels
from workspaces import access
from workspaces.admin_base import GovernedAdmin, WorkspaceFilter
from workspaces.endpoint_admin import EndpointAdmin
from workspaces.endpoint_base import USABLE_STATES
from workspaces.models import User, Workspace
from workspaces.roles import Action


@admin.register(ModelEndpoint)
class ModelEndpointAdmin(EndpointAdmin):
    """An endpoint is switched off rather than deleted: answers name the one they were made with."""

    verbs = endpoints
    trial = _("Sends a small question about reading-room hours and waits for the answer.")
    list_display = ("name", "kind_label", "model", "base_url", "ceiling", "state")
    fieldsets = (
        (None, {"fields": ("name", "kind")}),
        (_("Server"), {"fields": ("base_url", "model", "key_reference")}),
        (_("Limits"), {"fields": ("connect_seconds", "first_token_seconds", "total_seconds", "max_output_tokens")}),
    )

    @display(description=_("kind"), ordering="kind", label={"extractive": "success", "openai": "info"})
    def kind_label(self, endpoint: ModelEndpoint) -> tuple[str, Any]:
        return endpoint.kind, _("Built in") if endpoint.kind == "extractive" else _("Server")


def workspace_models_open_to(user: User) -> QuerySet[WorkspaceModels]:
    """The choices of the workspaces that `user` manages."""
    return WorkspaceModels.objects.filter(workspace__in=access.workspaces_allowing(user, Action.MANAGE))


access.guard(WorkspaceModels, visible=workspace_models_open_to, workspace_of=lambda models: models.workspace)


@admin.register(WorkspaceModels)
class WorkspaceModelsAdmin(GovernedAdmin):
    """A workspace without an entry here uses the built-in model."""

    view_action = Action.MANAGE
    change_action = Action.MANAGE
    list_display = ("workspace", "default_endpoint", "others")
    list_select_related = ("workspace", "default_endpoint")
    list_filter = (WorkspaceFilter,)
    ordering = ("workspace__name",)
    fields = ("workspace", "default_endpoint", "choices")

    def get_queryset(self, request: HttpRequest) -> QuerySet[WorkspaceModels]:
        return super().get_queryset(request).prefetch_related("choices")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return self._without_models(request).exists()

    def get_readonly_fields(self, request: HttpRequest, obj: WorkspaceModels | None = None) -> tuple[str, ...]:
        return ("workspace",) if obj else ()

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name == "workspace":
            kwargs["queryset"] = self._without_models(request)
        if db_field.name == "default_endpoint":
            kwargs["queryset"] = ModelEndpoint.objects.filter(state__in=USABLE_STATES)
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    def formfield_for_manytomany(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        kwargs |= {
            "queryset": ModelEndpoint.objects.filter(state__in=USABLE_STATES),
            "widget": UnfoldAdminCheckboxSelectMultipleWidget,
        }
        return super().formfield_for_manytomany(db_field, request, **kwargs)

    def save_model(self, request: HttpRequest, obj: WorkspaceModels, form: Any, change: bool) -> None:
        data = form.cleaned_data
        endpoints.choose_models(
            obj.workspace, default=data["default_endpoint"], choices=data["choices"], by=request.user
        )

    @display(description=_("people may choose"))
    def others(self, models: WorkspaceModels) -> str:
        return ", ".join(endpoint.name for endpoint in models.choices.all()) or "–"

    def _without_models(self, request: HttpRequest) -> QuerySet[Workspace]:
        return access.workspaces_allowing(request.user, Action.MANAGE).filter(models=None)
