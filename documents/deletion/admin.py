"""Deletions and legal holds as auditors read them in the admin; `hold_admin.py` holds whole workspaces."""

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.urls import URLPattern, path
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from documents.deletion import hold_admin, holds
from documents.deletion.traces_in_words import standing_of
from documents.models import Deletion, LegalHold
from workspaces.admin_base import GovernedAdmin, WorkspaceFilter
from workspaces.roles import Action


@admin.register(Deletion)
class DeletionAdmin(GovernedAdmin):
    """What was deleted, by whom, how far its erasure has come, and the receipt."""

    view_action = Action.READ_TRAIL
    list_display = ("called", "workspace", "cause", "deleted_at", "deleted_by", "standing")
    list_select_related = ("document", "workspace", "deleted_by")
    list_filter = (WorkspaceFilter, "cause")
    search_fields = ("document__title", "document__path")
    ordering = ("-deleted_at",)
    fields = (
        "called",
        "workspace",
        "cause",
        "why",
        "deleted_at",
        "deleted_by",
        "erase_after",
        "standing",
        "erased_at",
        "removed",
        "searched_at",
        "receipt_issued_at",
        "signed",
    )
    readonly_fields = fields

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Deletion], search_term: str
    ) -> tuple[QuerySet[Deletion], bool]:
        found, doubled = super().get_search_results(request, queryset, search_term)
        # What is closed to the person would be told by what finds it.
        return (found.filter(is_named=True) if search_term else found), doubled

    @display(description=_("document"))
    def called(self, deletion: Deletion) -> str:
        return str(deletion)

    @display(description=_("reason"))
    def why(self, deletion: Deletion) -> str:
        return deletion.reason if deletion.is_named else "–"

    @display(description=_("receipt"))
    def signed(self, deletion: Deletion) -> str:
        return deletion.receipt if deletion.is_named else "–"

    @display(description=_("state"))
    def standing(self, deletion: Deletion) -> str:
        return standing_of(deletion, held=holds.on_document(deletion.document).exists()).label


@admin.register(LegalHold)
class LegalHoldAdmin(GovernedAdmin):
    """What is held and was, by whom and why."""

    view_action = Action.READ_TRAIL
    list_display = ("held", "workspace", "why", "placed_at", "placed_by", "lifted_at", "lifted_by")
    list_select_related = ("document", "workspace", "placed_by", "lifted_by")
    list_filter = (WorkspaceFilter,)
    search_fields = ("reason", "document__title")
    ordering = ("-placed_at",)
    fields = ("held", "workspace", "why", "placed_at", "placed_by", "lifted_at", "lifted_by", "why_lifted")
    readonly_fields = fields

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[LegalHold], search_term: str
    ) -> tuple[QuerySet[LegalHold], bool]:
        found, doubled = super().get_search_results(request, queryset, search_term)
        return (found.filter(Q(document=None) | Q(is_named=True)) if search_term else found), doubled

    def get_urls(self) -> list[URLPattern]:
        wrap = self.admin_site.admin_view
        own = [
            path("workspace/<uuid:pk>/", wrap(hold_admin.show), name="documents_legalhold_workspace"),
            path("workspace/<uuid:pk>/place/", wrap(hold_admin.place), name="documents_legalhold_place"),
            path("workspace/<uuid:pk>/lift/", wrap(hold_admin.lift), name="documents_legalhold_lift"),
        ]
        return own + super().get_urls()

    @display(description=_("on"))
    def held(self, hold: LegalHold) -> str:
        return holds.titles([hold])[0]

    @display(description=_("reason"))
    def why(self, hold: LegalHold) -> str:
        return hold.reason if hold.tells else "–"

    @display(description=_("reason for lifting"))
    def why_lifted(self, hold: LegalHold) -> str:
        return hold.lift_reason if hold.tells else "–"
