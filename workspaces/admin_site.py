"""The admin site: open to whoever reviews, manages or audits somewhere, and to platform administrators."""

from collections.abc import Callable
from functools import update_wrapper
from typing import Any

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern, reverse
from django.utils.decorators import method_decorator
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST
from unfold.sites import UnfoldAdminSite

from workspaces import access
from workspaces.admin_base import GovernedAdmin, asked_once, platform_actions
from workspaces.exceptions import Hidden
from workspaces.identity.sign_out import sign_out

#: Pages of Django and the theme that would show things past our rules: the look-up by content type, and the search
#: that keeps its results in the cache.
_CLOSED = {"view_on_site", "search"}


class PortalAdminSite(UnfoldAdminSite):
    """Who enters is asked of `workspaces.access`; Django's staff flag and model permissions mean nothing here."""

    index_title = _("Review and governance")
    # Decisions are domain verbs on one object; nothing is done to a heap of rows.
    actions = ()

    def has_permission(self, request: HttpRequest) -> bool:
        return asked_once(request, "enter", lambda: access.may_enter_admin(request.user, platform_actions(request)))

    def admin_view(self, view: Callable, cacheable: bool = False) -> Callable:
        inner = super().admin_view(view, cacheable)

        def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            if request.user.is_authenticated and not self.has_permission(request):
                raise Hidden(user=request.user, action="enter_admin")
            return inner(request, *args, **kwargs)

        return update_wrapper(guarded, inner)

    @method_decorator(never_cache)
    @login_not_required
    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """There is one sign-in page, the portal's."""
        if not request.user.is_authenticated:
            return redirect_to_login(request.GET.get("next", "") or self._index(), settings.LOGIN_URL)
        if not self.has_permission(request):
            raise Hidden(user=request.user, action="enter_admin")
        return redirect(self._index())

    def index(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """Straight to the first list the person may open: the queue, for those who review."""
        for group in self.get_sidebar_list(request):
            for item in group["items"]:
                if item["has_permission"]:
                    return redirect(str(item["link"]))
        return super().index(request, extra_context)

    def app_index(
        self, request: HttpRequest, app_label: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Where the first part of each page's path leads: to the first list of the application that they may open."""
        inside = f"{self._index()}{app_label}/"
        for group in self.get_sidebar_list(request):
            for item in group["items"]:
                if item["has_permission"] and str(item["link"]).startswith(inside):
                    return redirect(str(item["link"]))
        return redirect(self._index())

    @method_decorator(require_POST)
    @method_decorator(never_cache)
    def logout(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """There is one way out, the portal's."""
        return sign_out(request)

    def password_change(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        return redirect("account_change_password")

    def register(self, model_or_iterable: Any, admin_class: Any = None, **options: Any) -> None:
        """Only classes under our rules are served; what other applications bring along is not."""
        if admin_class is not None and issubclass(admin_class, GovernedAdmin):
            super().register(model_or_iterable, admin_class, **options)

    def get_app_list(self, request: HttpRequest, app_label: str | None = None) -> list[dict[str, Any]]:
        # Nothing shows Django's own overview: the sidebar does. Building it asks five rights for every model.
        return []

    def get_urls(self) -> list[URLPattern]:
        return [url for url in super().get_urls() if getattr(url, "name", None) not in _CLOSED]

    def _index(self) -> str:
        return reverse(f"{self.name}:index")
