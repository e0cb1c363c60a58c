"""The page on which drafts that say the same are approved together, each checked on its own."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from answers import review
from answers.admin import carried
from answers.drafts import alike
from answers.models import Draft
from answers.review import bulk
from audit.chain import digest
from workspaces import access
from workspaces.admin_base import GovernedAdmin
from workspaces.exceptions import PortalError
from workspaces.roles import Action


class AlikeActs(GovernedAdmin):
    """The admin of drafts, with the page of those that say the same."""

    def get_urls(self) -> list[URLPattern]:
        view = require_http_methods(["GET", "POST"])(self._alike)
        own = path("<uuid:pk>/alike/", self.admin_site.admin_view(view), name="answers_draft_alike")
        return [own, *super().get_urls()]

    def _alike(self, request: HttpRequest, pk: UUID) -> HttpResponse:
        draft = access.find(request.user, Action.REVIEW, Draft, pk=pk)
        if request.method == "POST":
            named = [access.find(request.user, Action.REVIEW, Draft, pk=each) for each in _ids(request)]
            try:
                items = bulk.approve(
                    # The one that was read is told of first.
                    sorted(named, key=lambda one: one.pk != draft.pk),
                    read=draft,
                    by=request.user,
                    seen_sha256=request.POST.get("seen_sha256", ""),
                    reason=request.POST.get("reason", ""),
                )
            except PortalError as error:
                messages.error(request, str(error))
            else:
                return self._alike_page(request, draft, items, is_done=True)
        # It shows the text, as the draft's own page does.
        review.opened(draft, by=request.user)
        return self._alike_page(request, draft, alike.checked(draft, request.user))

    def _alike_page(
        self, request: HttpRequest, draft: Draft, items: list[bulk.Item], *, is_done: bool = False
    ) -> HttpResponse:
        able = sum(not item.objection for item in items)
        context: dict[str, Any] = {
            **self.admin_site.each_context(request),
            "title": _("Drafts that say the same"),
            "opts": self.opts,
            "draft": draft,
            "items": items,
            "is_done": is_done,
            "able": able,
            "seen_sha256": digest(draft.text),
            "typed": request.POST,
            "preserved": carried.preserved(request),
            "queue_address": carried.queue_address(request),
        }
        request.current_app = self.admin_site.name
        # What was asked for was done to none of them.
        status = 409 if request.method == "POST" and not any(item.is_done for item in items) else 200
        return TemplateResponse(request, "admin/answers/draft/alike.html", context, status=status)


def _ids(request: HttpRequest) -> list[str]:
    return list(dict.fromkeys(request.POST.getlist("drafts")))
