"""The way from a person's page in the admin to the portal as they see it."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext_lazy as _

from workspaces import access
from workspaces.admin_base import GovernedAdmin
from workspaces.exceptions import PortalError
from workspaces.models import User
from workspaces.roles import PlatformAction
from workspaces.view_as import looks as view_as
from workspaces.view_as import viewing


class ViewAsPage(GovernedAdmin):
    """The admin of people: a page that asks for a reason and begins the look."""

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.view_as_page)
        return [path("<uuid:pk>/view-as/", view, name="workspaces_user_view_as"), *super().get_urls()]

    def view_as_page(self, request: HttpRequest, pk: Any) -> HttpResponse:
        """GET says what a look is; POST begins it and leads into the portal."""
        access.require(request.user, PlatformAction.MANAGE_ACCOUNTS, None)
        person: User = self.get_object(request, str(pk))
        if request.method == "POST":
            try:
                look = view_as.start(person, by=request.user, reason=request.POST.get("reason", ""))
            except PortalError as error:
                messages.error(request, str(error))
            else:
                viewing.enter(request, look)
                return HttpResponseRedirect(reverse("home"))
        context = {
            **self.admin_site.each_context(request),
            "title": _("See the portal as this person"),
            "subtitle": person.name,
            "opts": self.opts,
            "person": person,
            "minutes": view_as.MINUTES,
        }
        return TemplateResponse(request, "admin/workspaces/user/view_as.html", context)
