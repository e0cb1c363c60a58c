"""Examined drafts whose findings somebody lets out, beside the queue of drafts. It is decided on their own page."""

from typing import Any

from django.contrib import admin
from django.contrib.admin import SimpleListFilter
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from answers.admin.drafts import COUNTED, counted
from answers.models import Examination, ExaminationState
from workspaces import access
from workspaces.admin_base import GovernedAdmin, WorkspaceFilter
from workspaces.roles import Action

_COLOURS = {
    ExaminationState.HELD: "info",
    ExaminationState.RELEASED: "success",
    ExaminationState.REJECTED: "warning",
}


class StateFilter(SimpleListFilter):
    """What waits comes first; what was decided on is one click away."""

    title = _("state")
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [(state.value, state.label) for state in _COLOURS] + [("all", _("All"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Examination]) -> QuerySet[Examination]:
        wanted = self.value() or ExaminationState.HELD.value
        return queryset if wanted == "all" else queryset.filter(state=wanted)


@admin.register(Examination)
class ExaminationAdmin(GovernedAdmin):
    """Others' drafts that were held where the person reviews, if they may open everything the findings rest on."""

    view_action = Action.REVIEW
    list_display = ("named", "second", "asked_at", "state_label")
    list_display_links = ("named",)
    list_filter = (StateFilter, WorkspaceFilter)
    ordering = ("asked_at",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Examination]:
        rows = super().get_queryset(request).exclude(asked_by=request.user)
        return rows.select_related("workspace", "asked_by").defer("text")

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """The page where the draft is read and decided on, which leaves the entry of who read it."""
        found = self.get_object(request, object_id or "")
        if request.method not in ("GET", "HEAD"):
            return HttpResponseNotAllowed(["GET"])
        return HttpResponseRedirect(reverse("answers:examination", args=[found.workspace.slug, found.pk]))

    @display(description=_("draft"))
    def named(self, examination: Examination) -> str:
        about = f"{examination.workspace.name} · {examination.asked_by.name}"
        return format_html('{}<span class="rv-about">{}</span>', examination.title, about)

    @display(description=_("approvals"))
    def second(self, examination: Examination) -> Any:
        if not examination.takes_two:
            return "–"
        return _("second of two") if examination.first_approved_by_id else _("first of two")

    @display(description=_("state"), ordering="state", label=_COLOURS)
    def state_label(self, examination: Examination) -> tuple[str, str]:
        return examination.state, examination.get_state_display()


def waiting(request: HttpRequest) -> str | None:
    """How many wait for the person, for the badge beside the list's name; None for none."""
    held = access.visible(request.user, Examination).filter(state=ExaminationState.HELD)
    count = held.exclude(asked_by=request.user).order_by()[: COUNTED + 1].count()
    return counted(count) if count else None
