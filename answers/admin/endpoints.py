"""Model endpoints, connected by platform administrators, and which of them a workspace uses, chosen by its managers."""

from typing import Any, ClassVar

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display
from unfold.widgets import UnfoldAdminCheckboxSelectMultipleWidget, UnfoldAdminSelectWidget

from answers import endpoints
from answers.models import ModelEndpoint, WorkspaceModels
from answers.registry.presets import PRESETS
from answers.registry.prices import price_of
from workspaces import access
from workspaces.admin_base import GovernedAdmin, WorkspaceFilter
from workspaces.endpoints import states as endpoint_states
from workspaces.endpoints.admin import ANSWERED_FOR, STANDS, EndpointAdmin
from workspaces.endpoints.base import USABLE_STATES, EndpointState
from workspaces.models import User, Workspace
from workspaces.roles import Action


@admin.register(ModelEndpoint)
class ModelEndpointAdmin(EndpointAdmin):
    """A model is retired rather than deleted: answers name the one they were made with."""

    verbs = endpoints
    trial = _("Sends a small question about reading-room hours and waits for the answer.")
    states: ClassVar = EndpointAdmin.states | {EndpointState.DEFAULT: endpoint_states.make_default}
    list_display = (
        "name",
        "kind_label",
        "model",
        "state_label",
        "asked_now",
        "ceiling_label",
        "residency_label",
        "prices",
        "owner",
    )
    fieldsets = (
        (None, {"fields": ("name", "kind", "provider")}),
        ANSWERED_FOR,
        (_("Server"), {"fields": ("base_url", "model", "key_reference", "key_header", "api_version")}),
        (_("How it is asked"), {"fields": ("length_field", "sends_temperature", "asks_usage")}),
        (_("Prices"), {"fields": ("input_price", "output_price", "training_price")}),
        (
            _("Limits"),
            {
                "fields": (
                    "context_tokens",
                    "max_output_tokens",
                    "requests_per_minute",
                    "concurrent_requests",
                    "connect_seconds",
                    "first_token_seconds",
                    "total_seconds",
                )
            },
        ),
        STANDS,
        (_("Made of"), {"fields": ("parent", "lineage_text")}),
    )

    def is_asked(self, endpoint: Any) -> bool:
        return endpoint.kind != "extractive" and super().is_asked(endpoint)

    @display(description=_("kind"), ordering="kind", label={"extractive": "success", "openai": "info"})
    def kind_label(self, endpoint: ModelEndpoint) -> tuple[str, Any]:
        if endpoint.kind == "extractive":
            return endpoint.kind, _("Built in")
        preset = PRESETS.get(endpoint.provider)
        return endpoint.kind, preset.label if preset else _("Server")

    @display(description=_("takes up to"), ordering="ceiling")
    def ceiling_label(self, endpoint: ModelEndpoint) -> str:
        return endpoint.get_ceiling_display()

    @display(description=_("processed"), ordering="residency")
    def residency_label(self, endpoint: ModelEndpoint) -> str:
        return endpoint.get_residency_display()

    @display(description=_("price of a million tokens"))
    def prices(self, endpoint: ModelEndpoint) -> str:
        return price_of(endpoint)

    @display(description=_("lineage"))
    def lineage_text(self, endpoint: ModelEndpoint) -> str:
        """What a fine-tuned model was made of, one thing a line."""
        return "\n".join(f"{name}: {value}" for name, value in endpoint.lineage.items()) or "–"

    def get_fieldsets(self, request: HttpRequest, obj: ModelEndpoint | None = None) -> Any:
        left_out = {STANDS[0]} if obj is None else set()
        if obj is None or not obj.parent_id:
            left_out.add(self.fieldsets[-1][0])
        return [fieldset for fieldset in self.fieldsets if fieldset[0] not in left_out]

    def get_readonly_fields(self, request: HttpRequest, obj: ModelEndpoint | None = None) -> tuple[str, ...]:
        return (*super().get_readonly_fields(request, obj), "parent", "lineage_text")

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        preset = PRESETS.get(request.GET.get("provider", ""))
        return preset.initial() if preset else {}

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        chosen = PRESETS.get(request.GET.get("provider", ""))
        shown = {"presets": list(PRESETS.values()), "preset": chosen}
        return super().add_view(request, form_url, {**(extra_context or {}), **shown})

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name == "provider":
            kwargs["widget"] = UnfoldAdminSelectWidget(choices=[(one.code, one.label) for one in PRESETS.values()])
        return super().formfield_for_dbfield(db_field, request, **kwargs)

    def told(self, outcome: endpoints.EndpointTest) -> str:
        if not outcome.sample:
            return super().told(outcome)
        return gettext(
            "%(sentence)s First word after %(first)s s, all of it after %(seconds)s s. It said: “%(sample)s”"
        ) % {
            "sentence": outcome.sentence,
            "first": outcome.first_word,
            "seconds": outcome.seconds,
            "sample": outcome.sample,
        }


def workspace_models_open_to(user: User) -> QuerySet[WorkspaceModels]:
    """The choices of the workspaces that `user` manages."""
    return WorkspaceModels.objects.filter(workspace__in=access.workspaces_allowing(user, Action.MANAGE))


access.guard(WorkspaceModels, visible=workspace_models_open_to, workspace_of=lambda models: models.workspace)


@admin.register(WorkspaceModels)
class WorkspaceModelsAdmin(GovernedAdmin):
    """A workspace without an entry here uses the built-in model."""

    view_action = Action.MANAGE
    change_action = Action.MANAGE
    list_display = ("workspace_name", "default_model", "others")
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
            kwargs |= {"queryset": self._without_models(request), "label": _("Workspace")}
        if db_field.name == "default_endpoint":
            usable = ModelEndpoint.objects.filter(state__in=USABLE_STATES)
            kwargs |= {"queryset": usable, "label": _("Default model")}
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

    @display(description=_("workspace"), ordering="workspace__name")
    def workspace_name(self, models: WorkspaceModels) -> str:
        return models.workspace.name

    @display(description=_("Default model"), ordering="default_endpoint__name")
    def default_model(self, models: WorkspaceModels) -> str:
        return models.default_endpoint.name

    @display(description=_("people may choose"))
    def others(self, models: WorkspaceModels) -> str:
        return ", ".join(endpoint.name for endpoint in models.choices.all()) or "–"

    def _without_models(self, request: HttpRequest) -> QuerySet[Workspace]:
        return access.workspaces_allowing(request.user, Action.MANAGE).filter(models=None)
