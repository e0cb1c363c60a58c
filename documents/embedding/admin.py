"""Embedding endpoints in the administration, connected by platform administrators."""

from django.contrib import admin
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from documents.embedding import endpoints as embedding_endpoints
from documents.models import EmbeddingEndpoint
from workspaces.endpoints.admin import ANSWERED_FOR, STANDS, EndpointAdmin


@admin.register(EmbeddingEndpoint)
class EmbeddingEndpointAdmin(EndpointAdmin):
    """An endpoint is retired rather than deleted: vectors name the one they were made with."""

    verbs = embedding_endpoints
    trial = _("Has three small sentences of our own embedded and looks whether what means the same is near.")
    list_display = ("name", "model", "dimension", "base_url", "ceiling", "state_label", "asked_now")
    fieldsets = (
        (None, {"fields": ("name",)}),
        (_("Model"), {"fields": ("model", "dimension", "query_prefix", "passage_prefix", "languages", "floor")}),
        ANSWERED_FOR,
        (_("Server"), {"fields": ("base_url", "key_reference", "batch", "seconds", "requests_per_minute")}),
        (_("Price"), {"fields": ("price", "currency")}),
        STANDS,
    )

    def get_readonly_fields(self, request: HttpRequest, obj: EmbeddingEndpoint | None = None) -> tuple[str, ...]:
        kept = embedding_endpoints.FOR_EVER if obj else ()
        return (*super().get_readonly_fields(request, obj), *kept)
