"""Embedding endpoints in the administration, connected by platform administrators."""

from typing import Any

from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST

from documents import embedding_endpoints
from documents.models import EmbeddingEndpoint
from workspaces.admin_base import GovernedHistoryAdmin, PlatformRights
from workspaces.roles import PlatformAction


@admin.register(EmbeddingEndpoint)
class EmbeddingEndpointAdmin(PlatformRights, GovernedHistoryAdmin):
    """An endpoint is switched off rather than deleted: vectors name the one they were made with."""

    view_action = PlatformAction.MANAGE_ENDPOINTS
    change_action = PlatformAction.MANAGE_ENDPOINTS
    list_display = ("name", "model", "dimension", "base_url", "ceiling", "enabled")
    search_fields = ("name", "model", "base_url")
    ordering = ("name",)
    change_form_outer_before_template = "admin/documents/embeddingendpoint/_test.html"
    fieldsets = (
        (None, {"fields": ("name", "enabled")}),
        (_("Model"), {"fields": ("model", "dimension", "query_prefix", "passage_prefix", "languages", "floor")}),
        (_("Server"), {"fields": ("base_url", "key_reference", "ceiling", "batch", "seconds")}),
        (_("Price"), {"fields": ("price", "currency")}),
    )

    def has_add_permission(self, request: HttpRequest) -> bool:
        return self.may(request, PlatformAction.MANAGE_ENDPOINTS, None)

    def get_readonly_fields(self, request: HttpRequest, obj: EmbeddingEndpoint | None = None) -> tuple[str, ...]:
        return embedding_endpoints.FOR_EVER if obj else ()

    def save_model(self, request: HttpRequest, obj: EmbeddingEndpoint, form: Any, change: bool) -> None:
        embedding_endpoints.save_endpoint(obj, by=request.user)
        if form.cleaned_data.get("key_reference") and not obj.key_reference:
            messages.warning(
                request,
                _("The key was entered for another server and is not sent to this one. Enter its reference again."),
            )

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(require_POST(self.test_view))
        return [path("<uuid:pk>/test/", view, name="documents_embeddingendpoint_test"), *super().get_urls()]

    def test_view(self, request: HttpRequest, pk: Any) -> HttpResponse:
        """Have a few sentences embedded, and say how it went."""
        endpoint = self.get_object(request, str(pk))
        outcome = embedding_endpoints.test_endpoint(endpoint, by=request.user)
        said = str(_("%(sentence)s (%(seconds)s s)")) % {"sentence": outcome.sentence, "seconds": outcome.seconds}
        messages.add_message(request, messages.SUCCESS if outcome.ok else messages.ERROR, said)
        return HttpResponseRedirect(reverse("admin:documents_embeddingendpoint_change", args=[endpoint.pk]))
