"""What is done from a queue of reviewers itself: on to the next one, and a person's own views of the list."""

from typing import Any
from urllib.parse import parse_qsl
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from answers import entered
from answers.admin import carried
from answers.queue import order as queue
from answers.queue import saved_views
from answers.queue.filters import narrowed
from workspaces import access
from workspaces.admin_base import GovernedAdmin
from workspaces.exceptions import PortalError


class QueueActs(GovernedAdmin):
    """The admin of what waits for reviewers."""

    def get_urls(self) -> list[URLPattern]:
        site, named = self.admin_site, f"answers_{self.model._meta.model_name}"
        own = [
            path("next/", site.admin_view(require_POST(self._next)), name=f"{named}_next"),
            path("views/", site.admin_view(require_POST(self._save_view)), name=f"{named}_save_view"),
            path(
                "views/<uuid:pk>/delete/", site.admin_view(require_POST(self._delete_view)), name=f"{named}_delete_view"
            ),
        ]
        return own + super().get_urls()

    def _next(self, request: HttpRequest) -> HttpResponse:
        """Claim the next one that the person may decide on and nobody else reads, as the list they came from is
        narrowed."""
        saved_views.require_reviewer(request.user)
        return self._onward(request, entered.id_in(request.POST.get("but", "")))

    def _onward(self, request: HttpRequest, leaving: UUID | None) -> HttpResponse:
        filters = dict(parse_qsl(carried.list_filters(request, self.model)))
        known = access.visible(request.user, self.model)
        rows = narrowed(known, saved_views.kept(filters, self.model), request.user)
        claimed = queue.claim_next(rows, by=request.user, but=leaving)
        if claimed is None:
            messages.info(request, _("Nothing is left here that waits for you."))
            return self._to_queue(request)
        return self._to_page(request, claimed.pk)

    def _save_view(self, request: HttpRequest) -> HttpResponse:
        filters = dict(parse_qsl(request.POST.get("filters", "")))
        place = carried.queue(self.model)
        try:
            view = saved_views.save(
                name=request.POST.get("name", ""),
                filters=filters,
                is_default="is_default" in request.POST,
                by=request.user,
                model=self.model,
            )
        except PortalError as error:
            messages.error(request, str(error))
            shown = saved_views.query(saved_views.kept(filters, self.model), self.model)
            return HttpResponseRedirect(f"{place}?{shown}")
        messages.success(request, _("Saved as “%(name)s”. Only you see it.") % {"name": view.name})
        return HttpResponseRedirect(f"{place}?{saved_views.query_of(view)}")

    def _delete_view(self, request: HttpRequest, pk: UUID) -> HttpResponse:
        saved_views.delete(pk, by=request.user)
        messages.success(request, _("The view is deleted."))
        return HttpResponseRedirect(carried.queue(self.model))

    def _to_page(self, request: HttpRequest, pk: Any) -> HttpResponse:
        address = reverse(f"admin:answers_{self.model._meta.model_name}_change", args=[pk])
        return HttpResponseRedirect(address + carried.preserved(request, self.model))

    def _to_queue(self, request: HttpRequest) -> HttpResponse:
        return HttpResponseRedirect(carried.queue_address(request, self.model))
