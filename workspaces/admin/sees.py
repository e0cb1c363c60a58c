"""What one person can see in every workspace and why, for whoever runs the accounts."""

from typing import Any

from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils.decorators import method_decorator
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_GET

from audit.events import EventType
from audit.record import record
from workspaces import access, explain
from workspaces.admin_base import GovernedAdmin
from workspaces.explain import Place
from workspaces.models import User
from workspaces.roles import Action, PlatformAction


class SeesPage(GovernedAdmin):
    """The admin of people: one read-only page, which leaves an entry."""

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.sees_page)
        return [path("<uuid:pk>/sees/", view, name="workspaces_user_sees"), *super().get_urls()]

    @method_decorator(require_GET)
    def sees_page(self, request: HttpRequest, pk: Any) -> HttpResponse:
        """Every workspace the person has any reason in. Names of documents only where the reader knows them anyway."""
        access.require(request.user, PlatformAction.MANAGE_ACCOUNTS, None)
        person: User = self.get_object(request, str(pk))
        with transaction.atomic():
            record(EventType.RIGHTS_READ, on=person, by=request.user)
        context = {
            **self.admin_site.each_context(request),
            "title": _("What this person can see"),
            "subtitle": person.name,
            "opts": self.opts,
            "person": person,
            "above": explain.on_platform(person),
            "places": [_shown(place, request.user) for place in explain.what_can_see(person)],
        }
        return TemplateResponse(request, "admin/workspaces/user/sees.html", context)


def _shown(place: Place, reader: Any) -> dict[str, Any]:
    return {
        "workspace": place.workspace,
        "actions": [action.label for action in Action if action in place.actions],
        "reasons": place.reasons,
        "things": place.things_for(access.actions(reader, place.workspace)),
    }
