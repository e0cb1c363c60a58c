"""Deletions and legal holds as auditors read them in the admin; they are made and lifted in the portal."""

from django.contrib import admin
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from documents import holds
from documents.models import Deletion, LegalHold
from documents.traces_in_words import standing_of
from workspaces.admin_base import GovernedAdmin, WorkspaceFilter
from workspaces.roles import Action


@admin.register(Deletion)
class DeletionAdmin(GovernedAdmin):
    """What was deleted, by whom, how far its erasure has come, and the receipt."""

    view_action = Action.READ_TRAIL
    list_display = ("document", "workspace", "cause", "deleted_at", "deleted_by", "standing")
    list_select_related = ("document", "workspace", "deleted_by")
    list_filter = (WorkspaceFilter, "cause")
    search_fields = ("document__title", "document__path")
    ordering = ("-deleted_at",)
    fields = (
        "document",
        "workspace",
        "cause",
        "reason",
        "deleted_at",
        "deleted_by",
        "erase_after",
        "standing",
        "erased_at",
        "removed",
        "searched_at",
        "receipt_issued_at",
        "receipt",
    )
    readonly_fields = fields

    @display(description=_("state"))
    def standing(self, deletion: Deletion) -> str:
        return standing_of(deletion, held=holds.on_document(deletion.document).exists()).label


@admin.register(LegalHold)
class LegalHoldAdmin(GovernedAdmin):
    """What is held and was, by whom and why."""

    view_action = Action.READ_TRAIL
    list_display = ("held", "workspace", "reason", "placed_at", "placed_by", "lifted_at", "lifted_by")
    list_select_related = ("document", "workspace", "placed_by", "lifted_by")
    list_filter = (WorkspaceFilter,)
    search_fields = ("reason", "document__title")
    ordering = ("-placed_at",)
    fields = ("held", "workspace", "reason", "placed_at", "placed_by", "lifted_at", "lifted_by", "lift_reason")
    readonly_fields = fields

    @display(description=_("on"))
    def held(self, hold: LegalHold) -> str:
        return holds.titles([hold])[0]
