"""Rerankers in the administration, connected by platform administrators."""

from django.contrib import admin
from django.utils.translation import gettext_lazy as _

from documents.models import RerankEndpoint
from documents.reranking import endpoints as rerank_endpoints
from workspaces.endpoints.admin import ANSWERED_FOR, STANDS, EndpointAdmin


@admin.register(RerankEndpoint)
class RerankEndpointAdmin(EndpointAdmin):
    """A reranker is retired rather than deleted: answers name the one that put their evidence in order."""

    verbs = rerank_endpoints
    trial = _("Has two small sentences of our own put in order and looks whether the answer comes first.")
    list_display = ("name", "protocol", "model", "base_url", "ceiling", "state_label", "asked_now")
    fieldsets = (
        (None, {"fields": ("name",)}),
        (_("Server"), {"fields": ("protocol", "base_url", "model", "key_reference", "seconds", "requests_per_minute")}),
        (_("Price"), {"fields": ("price",)}),
        ANSWERED_FOR,
        STANDS,
    )
