"""Rerankers in the administration, connected by platform administrators."""

from typing import Any

from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST

from documents import rerank_endpoints
from documents.models import RerankEndpoint
from workspaces.admin_base import GovernedHistoryAdmin, PlatformRights
from workspaces.roles import PlatformAction


@admin.register(RerankEndpoint)
class RerankEndpointAdmin(PlatformRights, GovernedHistoryAdmin):
    """A reranker is switched off rather than deleted: answers name the one that put their evidence in order."""

    view_action = PlatformAction.MANAGE_ENDPOINTS
    change_action = PlatformAction.MANAGE_ENDPOINTS
    list_display = ("name", "protocol", "model", "base_url", "ceiling", "enabled")
    search_fields = ("name", "model", "base_url")
    ordering = ("name",)
    change_form_outer_before_template = "admin/documents/rerankendpoint/_test.html"
    fieldsets = (
        (None, {"fields": ("name", "enabled")}),
        (_("Server"), {"fields": ("protocol", "base_url", "model", "key_reference", "ceiling", "seconds")}),
    )

    def has_add_permission(self, request: HttpRequest) -> bool:
        return self.may(request, PlatformAction.MANAGE_ENDPOINTS, None)

    def save_model(self, request: HttpRequest, obj: RerankEndpoint, form: Any, change: bool) -> None:
        rerank_endpoints.save_endpoint(obj, by=request.user)
        if form.cleaned_data.get("key_reference") and not obj.key_reference:
            messages.warning(
                request,
                _("The key was entered for another server and is not sent to this one. Enter its reference again."),
            )

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(require_POST(self.test_view))
        return [path("<uuid:pk>/test/", view, name="documents_rerankendpoint_test"), *super().get_urls()]

    def test_view(self, request: HttpRequest, pk: Any) -> HttpResponse:
        """Have two sentences put in order, and say how it went."""
        endpoint = self.get_object(request, str(pk))
        outcome = rerank_endpoints.test_endpoint(endpoint, by=request.user)
        said = str(_("%(sentence)s (%(seconds)s s)")) % {"sentence": outcome.sentence, "seconds": outcome.seconds}
        messages.add_message(request, messages.SUCCESS if outcome.ok else messages.ERROR, said)
        return HttpResponseRedirect(reverse("admin:documents_rerankendpoint_change", args=[endpoint.pk]))
