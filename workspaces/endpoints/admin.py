"""What the administration of every kind of endpoint has: where it stands with the steps from there, and a live test."""

from collections.abc import Callable, Mapping
from typing import Any, ClassVar, Protocol

from django.contrib import messages
from django.db.models import Model
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST
from unfold.decorators import display

from workspaces import access
from workspaces.admin_base import GovernedHistoryAdmin, PlatformRights
from workspaces.endpoints import breaker
from workspaces.endpoints import states as endpoint_states
from workspaces.endpoints.base import EndpointState, GovernedEndpoint
from workspaces.exceptions import PortalError
from workspaces.roles import PlatformAction

#: The fields that every kind of endpoint has, as its form shows them.
ANSWERED_FOR = (_("Answered for"), {"fields": ("owner", "purpose", "ceiling", "residency", "residency_note")})
STANDS = (_("Where it stands"), {"fields": ("stands_at", "entered_by", "proposed_by", "approved_by", "approved_at")})

_COLOURS = {"candidate": "warning", "approved": "success", "default": "info", "retired": "danger"}
_SHORT = {
    "candidate": _("Candidate"),
    "approved": _("Approved"),
    "default": _("Default"),
    "retired": _("Retired"),
}
_STEPS = {
    EndpointState.APPROVED: _("Approve it as it stands here"),
    EndpointState.DEFAULT: _("Make it the default"),
    EndpointState.RETIRED: _("Retire it"),
    EndpointState.CANDIDATE: _("Make it a candidate again"),
}


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
    """An endpoint of some kind, whose key is a reference; it is retired rather than deleted."""

    view_action = PlatformAction.MANAGE_ENDPOINTS
    change_action = PlatformAction.MANAGE_ENDPOINTS
    ordering = ("name",)
    search_fields = ("name", "model", "base_url")
    list_filter = ("state", "ceiling", "residency")
    list_select_related = ("owner",)
    change_form_outer_before_template = "admin/endpoint.html"
    #: The domain verbs behind the buttons.
    verbs: ClassVar[EndpointVerbs]
    #: What is tried, for the person at the button.
    trial: ClassVar[Any]
    #: Where it can be brought to; what only one kind of endpoint can be is added there.
    states: ClassVar[Mapping[str, Callable[..., None]]] = {
        EndpointState.RETIRED: endpoint_states.retire,
        EndpointState.CANDIDATE: endpoint_states.reopen,
    }

    def has_add_permission(self, request: HttpRequest) -> bool:
        return self.may(request, PlatformAction.MANAGE_ENDPOINTS, None)

    def get_readonly_fields(self, request: HttpRequest, obj: Model | None = None) -> tuple[str, ...]:
        return ("stands_at", "entered_by", "proposed_by", "approved_by", "approved_at")

    @display(description=_("state"), ordering="state", label=_COLOURS)
    def state_label(self, endpoint: GovernedEndpoint) -> tuple[str, Any]:
        return endpoint.state, _SHORT[endpoint.state]

    @display(description=_("state"))
    def stands_at(self, endpoint: GovernedEndpoint) -> str:
        """The same on the form, where a badge would be shown as its pieces."""
        return str(_SHORT[endpoint.state])

    def is_asked(self, endpoint: GovernedEndpoint) -> bool:
        """Whether a server is asked where it stands now."""
        return endpoint.usable

    @display(description=_("asked now"), label={"closed": "success", "open": "danger", "half_open": "warning"})
    def asked_now(self, endpoint: GovernedEndpoint) -> tuple[str, Any] | str:
        """Whether the server is left alone because it failed again and again, or asked for it."""
        if not self.is_asked(endpoint):
            return "–"
        state = breaker.standing(endpoint.pk).state
        return state.value, state.label

    def save_model(self, request: HttpRequest, obj: Model, form: Any, change: bool) -> None:
        was_usable = bool(form.initial) and change and type(obj)._base_manager.get(pk=obj.pk).usable
        self.verbs.save_endpoint(obj, by=request.user)
        if form.cleaned_data.get("key_reference") and not obj.key_reference:
            messages.warning(
                request,
                _("The key was entered for another server and is not sent to this one. Enter its reference again."),
            )
        if was_usable and not obj.usable:
            messages.warning(
                request, _("What was approved is not what stands here now: nothing is sent there until it is approved.")
            )

    def get_urls(self) -> list[URLPattern]:
        test = self.admin_site.admin_view(require_POST(self.trial_view))
        move = self.admin_site.admin_view(require_POST(self.state_view))
        return [
            path("<uuid:pk>/test/", test, name=self._url_name("test")),
            path("<uuid:pk>/state/<slug:state>/", move, name=self._url_name("state")),
            *super().get_urls(),
        ]

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        endpoint = self.get_object(request, object_id)
        context = {
            "trial": self.trial if endpoint.may_be_tried else "",
            "tried_at": reverse(f"admin:{self._url_name('test')}", args=[object_id]),
            "steps": self._steps(endpoint),
            "fingerprint": endpoint_states.fingerprint(endpoint),
            "waits_for_another": endpoint_states.is_open(endpoint, EndpointState.APPROVED)
            and not endpoint_states.may_approve(request.user, endpoint),
        }
        return super().change_view(request, object_id, form_url, {**(extra_context or {}), **context})

    def trial_view(self, request: HttpRequest, pk: Any) -> HttpResponse:
        """Try the endpoint and say how it went."""
        endpoint = self.get_object(request, str(pk))
        outcome = self.verbs.try_endpoint(endpoint, by=request.user)
        messages.add_message(request, messages.SUCCESS if outcome.ok else messages.ERROR, self.told(outcome))
        return self._back_to(endpoint)

    def told(self, outcome: Any) -> str:
        """How a trial went, for the person who pressed the button."""
        return str(_("%(sentence)s (%(seconds)s s)")) % {"sentence": outcome.sentence, "seconds": outcome.seconds}

    def state_view(self, request: HttpRequest, pk: Any, state: str) -> HttpResponse:
        """Bring the endpoint to another state, or say why that cannot be."""
        endpoint = self.get_object(request, str(pk))
        if state not in (EndpointState.APPROVED, *self.states):
            raise access.Hidden(user=request.user, action=self.change_action)
        try:
            if state == EndpointState.APPROVED:
                endpoint_states.approve(endpoint, seen=request.POST.get("seen", ""), by=request.user)
            else:
                self.states[state](endpoint, by=request.user)
        except PortalError as error:
            messages.error(request, str(error))
        else:
            messages.success(request, endpoint.get_state_display())
        return self._back_to(endpoint)

    def _steps(self, endpoint: GovernedEndpoint) -> list[dict[str, Any]]:
        """The buttons: where the endpoint can be brought to from where it stands."""
        reached = [state for state in _STEPS if state == EndpointState.APPROVED or state in self.states]
        return [
            {
                "state": state,
                "label": _STEPS[state],
                "at": reverse(f"admin:{self._url_name('state')}", args=[endpoint.pk, state]),
            }
            for state in reached
            if endpoint_states.is_open(endpoint, state)
        ]

    def _back_to(self, endpoint: GovernedEndpoint) -> HttpResponse:
        return HttpResponseRedirect(reverse(f"admin:{self._url_name('change')}", args=[endpoint.pk]))

    def _url_name(self, page: str) -> str:
        return f"{self.opts.app_label}_{self.opts.model_name}_{page}"
