"""The queue of examined drafts whose findings somebody lets out. It is decided on their own page."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from answers.admin.queue_filters import shown_as
from answers.admin.queue_lists import QueueLists, badge
from answers.draft_review.separation import refusal_of, with_ties
from answers.models import Examination, ExaminationState
from answers.queue import order as queue
from answers.queue.filters import EXAMINATION_FACETS
from workspaces import access
from workspaces.roles import Action

_COLOURS = {
    ExaminationState.HELD: "info",
    ExaminationState.RELEASED: "success",
    ExaminationState.REJECTED: "warning",
}


#: As for drafts.
_TABS: tuple[tuple[Any, dict[str, str]], ...] = (
    (ExaminationState.HELD.label, {"state": ExaminationState.HELD}),
    (_("Awaiting the second"), {"state": ExaminationState.HELD, "approvals": "given"}),
    (_("On my desk"), {"state": ExaminationState.HELD, "desk": "mine"}),
    (_("I am reading it"), {"state": ExaminationState.HELD, "desk": "claimed"}),
    (_("Overdue"), {"state": ExaminationState.HELD, "due": "over"}),
)


@admin.register(Examination)
class ExaminationAdmin(QueueLists):
    """Others' drafts that were held where the person reviews, if they may open everything the findings rest on."""

    view_action = Action.REVIEW
    list_display = ("named", "urgency", "due", "age", "second", "desk", "yours", "state_label")
    list_display_links = ("named",)
    list_filter = tuple(shown_as(facet) for facet in EXAMINATION_FACETS)
    tabs = _TABS
    ordering = queue.LINES[Examination].order

    def get_queryset(self, request: HttpRequest) -> QuerySet[Examination]:
        rows = with_ties(self.waiting_rows(super().get_queryset(request), request), request.user)
        return rows.select_related("workspace", "asked_by", "assigned_to", "claimed_by").defer("text")

    def waiting_rows(self, rows: QuerySet[Examination], request: HttpRequest) -> QuerySet[Examination]:
        return rows.exclude(asked_by=request.user)

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """The page where the draft is read and decided on, which leaves the entry of who read it."""
        found = self.get_object(request, object_id or "")
        if request.method not in ("GET", "HEAD"):
            return HttpResponseNotAllowed(["GET"])
        return HttpResponseRedirect(reverse("answers:examination", args=[found.workspace.slug, found.pk]))

    @display(description=_("draft"))
    def named(self, examination: Examination) -> str:
        about = f"{examination.workspace.name} · {examination.asked_by.name}"
        return format_html('{}<span class="rv-about">{}</span>', examination.title, about)

    @display(description=_("approvals"))
    def second(self, examination: Examination) -> Any:
        if not examination.takes_two:
            return "–"
        return _("second of two") if examination.first_approved_by_id else _("first of two")

    @display(description=_("waiting"), ordering="examined_at")
    def age(self, examination: Examination) -> str:
        return super().age(examination)

    @display(description=_("for you"))
    def yours(self, examination: Examination) -> str:
        if not queue.is_open(examination):
            return "–"
        return refusal_of(examination) or str(_("To decide"))

    @display(description=_("state"), ordering="state", label=_COLOURS)
    def state_label(self, examination: Examination) -> tuple[str, str]:
        return examination.state, examination.get_state_display()


def waiting(request: HttpRequest) -> str | None:
    """How many wait for the person, for the badge beside the list's name; None for none."""
    held = access.visible(request.user, Examination).filter(state=ExaminationState.HELD)
    return badge(held.exclude(asked_by=request.user))
