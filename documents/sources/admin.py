"""Sources across the workspaces a person manages: how each fares, and acts on it. The portal sets them up."""

from collections.abc import Callable
from typing import Any

from django.contrib import admin, messages
from django.contrib.admin import SimpleListFilter
from django.db.models import OuterRef, QuerySet, Subquery
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST
from unfold.decorators import display

from documents.models import RunKind, RunState, Source, SourceRun
from documents.sources import CONNECTORS
from documents.sources.keeping import ask_run, pause_source, resume_source
from documents.sources.problems import sentence
from workspaces import access
from workspaces.admin_base import GovernedAdmin, WorkspaceFilter
from workspaces.exceptions import PortalError
from workspaces.models import User
from workspaces.roles import Action

_ACTS: dict[str, tuple[Callable[..., Any], Any]] = {
    "run": (lambda source, by: ask_run(source, RunKind.SYNC, by=by), _("Asked for. The run is on its way.")),
    "pause": (lambda source, by: pause_source(source, by=by), _("Paused. It runs only when somebody asks for it.")),
    "resume": (lambda source, by: resume_source(source, by=by), _("It follows its schedule again.")),
}
_LABELS = {
    RunState.DONE: "success",
    RunState.HELD: "warning",
    RunState.FAILED: "danger",
    RunState.RUNNING: "info",
    RunState.WAITING: "info",
    "none": "info",
}


class KindFilter(SimpleListFilter):
    title = _("kind")
    parameter_name = "kind"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [(kind, connector.label) for kind, connector in CONNECTORS.items()]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Source]) -> QuerySet[Source]:
        return queryset.filter(kind=self.value()) if self.value() else queryset


class LastRunFilter(SimpleListFilter):
    """How the last run ended, or that there was none."""

    title = _("last run")
    parameter_name = "last"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [*RunState.choices, ("problems", _("With problems")), ("none", _("None yet"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Source]) -> QuerySet[Source]:
        if self.value() == "none":
            return queryset.filter(last_state=None)
        if self.value() == "problems":
            return queryset.filter(last_failed__gt=0)
        return queryset.filter(last_state=self.value()) if self.value() else queryset


class PausedFilter(SimpleListFilter):
    title = _("schedule")
    parameter_name = "paused"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("yes", _("Paused")), ("no", _("Not paused"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Source]) -> QuerySet[Source]:
        return queryset.filter(paused_at__isnull=self.value() == "no") if self.value() else queryset


@admin.register(Source)
class SourceAdmin(GovernedAdmin):
    """A source names a place and never its secret; names of documents stay on its page in the portal."""

    view_action = Action.MANAGE_DOCUMENTS
    list_display = ("name", "workspace_name", "kind_label", "last_run", "last_at", "problems", "follows", "owner_name")
    list_filter = (WorkspaceFilter, KindFilter, LastRunFilter, PausedFilter)
    search_fields = ("name",)
    ordering = ("name",)
    fields = (
        "name",
        "workspace_name",
        "kind_label",
        "place",
        "secret",
        "follows",
        "owner_name",
        "how_it_ended",
        "when_it_was_asked",
        "what_went_wrong",
        "problems",
        "created_at",
        "in_the_portal",
    )
    readonly_fields = tuple(name for name in fields if name not in ("name", "created_at"))
    change_form_outer_after_template = "admin/documents/source/_acts.html"

    def get_queryset(self, request: HttpRequest) -> QuerySet[Source]:
        newest = SourceRun.objects.filter(source=OuterRef("pk")).order_by("-asked_at")
        last = {
            f"last_{name}": Subquery(newest.values(name)[:1])
            for name in ("state", "asked_at", "failed", "problem", "problem_detail")
        }
        return super().get_queryset(request).select_related("workspace", "owner").annotate(**last)

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Any:
        source = super().get_object(request, object_id, from_field)
        last = source.runs.order_by("-asked_at").first()
        for name in ("state", "asked_at", "failed", "problem", "problem_detail"):
            setattr(source, f"last_{name}", getattr(last, name, None))
        return source

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        source = self.get_object(request, object_id or "")
        governs = access.allows(request.user, Action.MANAGE_DOCUMENTS, source)
        return super().changeform_view(request, object_id, form_url, {"governs": governs, **(extra_context or {})})

    def get_urls(self) -> list[URLPattern]:
        own = [
            path(f"<uuid:pk>/{act}/", self.admin_site.admin_view(_act_view(act)), name=f"documents_source_{act}")
            for act in _ACTS
        ]
        return own + super().get_urls()

    @display(description=_("workspace"), ordering="workspace__name")
    def workspace_name(self, source: Source) -> str:
        return source.workspace.name

    @display(description=_("kind"), ordering="kind")
    def kind_label(self, source: Source) -> Any:
        return CONNECTORS[source.kind].label

    @display(description=_("last run"), label=_LABELS)
    def last_run(self, source: Any) -> tuple[str, Any]:
        return (source.last_state, RunState(source.last_state).label) if source.last_state else ("none", _("None yet"))

    @display(description=_("asked for at"))
    def last_at(self, source: Any) -> Any:
        return source.last_asked_at

    @display(description=_("last run"))
    def how_it_ended(self, source: Any) -> Any:
        return self.last_run(source)[1]

    @display(description=_("asked for at"))
    def when_it_was_asked(self, source: Any) -> str:
        at = source.last_asked_at
        return date_format(timezone.localtime(at), "DATETIME_FORMAT") if at is not None else "–"

    @display(description=_("things with a problem"))
    def problems(self, source: Any) -> Any:
        return source.last_failed if source.last_failed is not None else "–"

    @display(description=_("schedule"), ordering="schedule")
    def follows(self, source: Source) -> Any:
        return _("Paused") if source.paused_at is not None else source.get_schedule_display()

    @display(description=_("runs with the rights of"), ordering="owner__username")
    def owner_name(self, source: Source) -> str:
        return source.owner.name

    @display(description=_("place"))
    def place(self, source: Source) -> str:
        fields = CONNECTORS[source.kind].fields
        told = [
            f"{one.label}: {source.options[one.name]}"
            for one in fields
            if source.options.get(one.name) not in ("", None)
        ]
        return " · ".join(told)

    @display(description=_("secret"))
    def secret(self, source: Source) -> Any:
        return _("stored, encrypted") if source.sealed_secret else _("none")

    @display(description=_("why the run failed"))
    def what_went_wrong(self, source: Any) -> str:
        return sentence(source.last_problem, source.last_problem_detail or {}) if source.last_problem else "–"

    @display(description=_("in the portal"))
    def in_the_portal(self, source: Source) -> str:
        address = reverse("documents:source", args=[source.workspace.slug, source.pk])
        return format_html('<a class="text-primary-600 dark:text-primary-500" href="{}">{}</a>', address, _("Open it"))


def _act_view(act: str) -> Callable[..., HttpResponse]:
    verb, done = _ACTS[act]

    @require_POST
    def view(request: HttpRequest, pk: Any) -> HttpResponse:
        user: User = request.user  # type: ignore[assignment]  # the site lets nobody else in
        source = access.find(user, Action.MANAGE_DOCUMENTS, Source, pk=pk)
        try:
            verb(source, by=user)
        except PortalError as error:
            messages.error(request, str(error))
        else:
            messages.success(request, str(done))
        return HttpResponseRedirect(reverse("admin:documents_source_change", args=[pk]))

    return view
