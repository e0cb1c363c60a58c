"""What the administration of every kind of endpoint has: a button that tries it, for platform administrators alone."""

from typing import Any, ClassVar, Protocol

from django.contrib import messages
from django.db.models import Model
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST

from workspaces.admin_base import GovernedHistoryAdmin, PlatformRights
from workspaces.roles import PlatformAction


class Trial(Protocol):
    """How trying an endpoint went: a sentence for a person, and how long it took."""

    ok: bool
    sentence: Any
    seconds: float


class EndpointVerbs(Protocol):
    """The module of an app that keeps its endpoints."""

    def save_endpoint(self, endpoint: Any, *, by: Any) -> Any: ...

    def try_endpoint(self, endpoint: Any, *, by: Any) -> Trial: ...


class EndpointAdmin(PlatformRights, GovernedHistoryAdmin):
    """An endpoint of some kind, whose key is a reference; it is switched off rather than deleted."""

    view_action = PlatformAction.MANAGE_ENDPOINTS
    change_action = PlatformAction.MANAGE_ENDPOINTS
    ordering = ("name",)
    search_fields = ("name", "model", "base_url")
    change_form_outer_before_template = "admin/endpoint_trial.html"
    #: The domain verbs behind the buttons.
    verbs: ClassVar[EndpointVerbs]
    #: What is tried, for the person at the button.
    trial: ClassVar[Any]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return self.may(request, PlatformAction.MANAGE_ENDPOINTS, None)

    def save_model(self, request: HttpRequest, obj: Model, form: Any, change: bool) -> None:
        self.verbs.save_endpoint(obj, by=request.user)
        if form.cleaned_data.get("key_reference") and not obj.key_reference:
            messages.warning(
                request,
                _("The key was entered for another server and is not sent to this one. Enter its reference again."),
            )

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(require_POST(self.trial_view))
        return [path("<uuid:pk>/test/", view, name=self._url_name("test")), *super().get_urls()]

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        tried_at = reverse(f"admin:{self._url_name('test')}", args=[object_id])
        return super().change_view(
            request, object_id, form_url, {**(extra_context or {}), "trial": self.trial, "tried_at": tried_at}
        )

    def trial_view(self, request: HttpRequest, pk: Any) -> HttpResponse:
        """Try the endpoint and say how it went."""
        endpoint = self.get_object(request, str(pk))
        outcome = self.verbs.try_endpoint(endpoint, by=request.user)
        said = str(_("%(sentence)s (%(seconds)s s)")) % {"sentence": outcome.sentence, "seconds": outcome.seconds}
        messages.add_message(request, messages.SUCCESS if outcome.ok else messages.ERROR, said)
        return HttpResponseRedirect(reverse(f"admin:{self._url_name('change')}", args=[endpoint.pk]))

    def _url_name(self, page: str) -> str:
        return f"{self.opts.app_label}_{self.opts.model_name}_{page}"
