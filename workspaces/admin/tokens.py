"""Every API token of the installation, for platform administrators: whose, for what, until when.

They may be ended here. Each is made on the portal, by the person it acts for.
"""

from typing import Any

from django.contrib import admin, messages
from django.contrib.admin import SimpleListFilter
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST
from unfold.decorators import display

from workspaces import access
from workspaces.admin_base import GovernedAdmin, PlatformRights
from workspaces.models import ApiToken
from workspaces.roles import Action, PlatformAction
from workspaces.tokens import keeping as tokens
from workspaces.tokens import vouching

_STATES: dict[str, tuple[str, Any]] = {
    "": ("open", _("Open")),
    "revoked": ("ended", _("Revoked")),
    "expired": ("ended", _("Expired")),
    "account_closed": ("silent", _("Account closed")),
    "not_vouched": ("silent", _("Waits for a sign-in")),
}


class StateFilter(SimpleListFilter):
    """Tokens that open something, or no longer do."""

    title = _("token")
    parameter_name = "open"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("yes", _("Open")), ("no", _("Ended"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[ApiToken]) -> QuerySet[ApiToken]:
        is_open = Q(revoked_at=None, expires_at__gt=timezone.now(), user__is_active=True)
        if not self.value():
            return queryset
        return queryset.filter(is_open if self.value() == "yes" else ~is_open)


@admin.register(ApiToken)
class ApiTokenAdmin(PlatformRights, GovernedAdmin):
    """Read and revoke. No column of these pages holds the token or its hash."""

    view_action = PlatformAction.MANAGE_ACCOUNTS
    list_display = ("name", "shown", "user", "open_in", "expires_at", "last_used_at", "state")
    list_filter = (StateFilter,)
    search_fields = ("name", "prefix", "user__username", "workspaces__name")
    ordering = ("-created_at",)
    fields = ("name", "shown", "user", "open_in", "may_do", "created_at", "expires_at", "last_used_at", "standing")
    readonly_fields = fields
    change_form_outer_after_template = "admin/workspaces/apitoken/_revoke.html"

    def get_queryset(self, request: HttpRequest) -> QuerySet[ApiToken]:
        read = (f"user__{name}" for name in vouching.READ)
        return super().get_queryset(request).select_related("user").prefetch_related("workspaces", *read)

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(require_POST(self.revoke_view))
        return [path("<uuid:pk>/revoke/", view, name="workspaces_apitoken_revoke"), *super().get_urls()]

    def revoke_view(self, request: HttpRequest, pk: Any) -> HttpResponse:
        """End the token; its program is refused at its next request."""
        access.require(request.user, PlatformAction.MANAGE_ACCOUNTS, None)
        token = self.get_object(request, str(pk))
        tokens.revoke(token, by=request.user)
        messages.success(request, str(_("The token “%(name)s” is revoked.")) % {"name": token.name})
        return HttpResponseRedirect(reverse("admin:workspaces_apitoken_changelist"))

    @display(description=_("begins with"), ordering="prefix")
    def shown(self, token: ApiToken) -> str:
        return f"{token.prefix}…"

    @display(description=_("workspaces"))
    def open_in(self, token: ApiToken) -> str:
        return ", ".join(sorted(workspace.name for workspace in token.workspaces.all()))

    @display(description=_("may"))
    def may_do(self, token: ApiToken) -> str:
        return "; ".join(str(action.label) for action in Action if action in token.actions)

    @display(description=_("state"))
    def standing(self, token: ApiToken) -> str:
        return str(self.state(token)[1])

    @display(description=_("state"), label={"open": "success", "ended": "warning", "silent": "warning"})
    def state(self, token: ApiToken) -> tuple[str, Any]:
        return _STATES[tokens.fault_of(token)]
