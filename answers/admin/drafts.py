"""The review queue in the admin. What is done with one draft is in `draft_acts.py`."""

from collections.abc import Mapping
from typing import Any

from django.contrib import admin
from django.contrib.admin.views.main import ORDER_VAR, SEARCH_VAR, ChangeList
from django.db.models import CharField, QuerySet, Value
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.text import Truncator
from django.utils.timesince import timesince
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from unfold.decorators import display

from answers import alike, queue, review, saved_views, separation
from answers.admin.alike_acts import AlikeActs
from answers.admin.draft_acts import DraftActs
from answers.admin.draft_filters import FILTERS
from answers.models import Draft, Grounding, Priority
from answers.queue_filters import FACETS, OPEN, narrowed
from answers.states import DraftState
from workspaces import access
from workspaces.admin_base import GovernedHistoryAdmin
from workspaces.roles import Action

#: How far the counts beside names go.
COUNTED = 99
#: What lies one click away: a name, and the filters it stands for.
TABS: tuple[tuple[Any, dict[str, str]], ...] = (
    (DraftState.WAITING.label, {"state": DraftState.WAITING}),
    (DraftState.APPROVED_ONCE.label, {"state": DraftState.APPROVED_ONCE}),
    (DraftState.RETURNED.label, {"state": DraftState.RETURNED}),
    (_("On my desk"), {"state": OPEN, "desk": "mine"}),
    (_("I am reading it"), {"state": OPEN, "desk": "claimed"}),
    (_("Overdue"), {"state": OPEN, "due": "over"}),
)


class QueueList(ChangeList):
    """The list without the theme's own filters: the page has a form for them that needs no script."""

    def get_queryset(self, request: HttpRequest, exclude_parameters: Any = None) -> QuerySet[Draft]:
        rows = super().get_queryset(request, exclude_parameters)
        self.has_filters = False
        return rows


@admin.register(Draft)
class DraftAdmin(AlikeActs, DraftActs, GovernedHistoryAdmin):
    """Drafts of the workspaces where the person reviews, if they may open everything a draft rests on."""

    view_action = Action.REVIEW
    list_display = ("asked", "urgency", "due", "age", "standing", "desk", "yours", "state_label")
    list_display_links = ("asked",)
    list_filter = FILTERS
    list_before_template = "admin/answers/draft/_queue.html"
    search_fields = ("answer__question__text",)
    search_help_text = _("Search the questions")
    ordering = queue.ORDER

    def get_list_display(self, request: HttpRequest) -> tuple[str, ...]:
        # Where every row is in the same state, its column would only take room.
        state = request.GET.get("state", FACETS[0].default)
        hidden = {"state_label"} if state in DraftState.values else set()
        return tuple(name for name in self.list_display if name not in hidden)

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return QueueList

    def get_queryset(self, request: HttpRequest) -> QuerySet[Draft]:
        rows = alike.with_alike(separation.with_ties(super().get_queryset(request), request.user), request.user)
        return rows.select_related("workspace", "assigned_to", "claimed_by", "answer__question__asked_by").defer(
            "text", "sentences", "answer__text", "answer__raw_output", "answer__sentences"
        )

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        self.require_list(request)
        views = saved_views.of(request.user)
        if not request.GET and request.method == "GET":
            default = next((view for view in views if view.is_default), None)
            if default is not None:
                return HttpResponseRedirect(f"?{saved_views.query_of(default)}")
        asked_for = saved_views.kept(request.GET)
        context = {
            "title": _("Drafts"),
            "tabs": self._tabs(request, asked_for),
            "views": [(view, f"?{saved_views.query_of(view)}", view.filters == asked_for) for view in views],
            "asked_for": asked_for,
            "filters_in_use": [name for name in asked_for if name not in ("state", ORDER_VAR)],
            "kept_parameters": [(name, request.GET[name]) for name in (SEARCH_VAR, ORDER_VAR) if name in request.GET],
            "statement": saved_views.query(asked_for),
            **(extra_context or {}),
        }
        return super().changelist_view(request, context)

    def _tabs(self, request: HttpRequest, asked_for: Mapping[str, str]) -> list[dict[str, Any]]:
        """The tabs with how much lies behind each, counted in one statement."""
        known = access.visible(request.user, Draft).order_by()
        arms = [
            narrowed(known, filters, request.user)
            .annotate(tab=Value(str(number), CharField()))
            .values_list("tab", flat=True)[: COUNTED + 1]
            for number, (_label, filters) in enumerate(TABS)
        ]
        found = list(arms[0].union(*arms[1:], all=True))
        return [
            {
                "label": label,
                "address": f"?{saved_views.query(filters)}",
                "count": counted(found.count(str(number))) if str(number) in found else "",
                "is_current": {"state": FACETS[0].default, **asked_for} == filters,
            }
            for number, (label, filters) in enumerate(TABS)
        ]

    # --- Columns ---

    @display(description=_("question"))
    def asked(self, draft: Draft) -> str:
        question = Truncator(" ".join(draft.answer.question.text.split())).chars(110)
        about = f"{draft.workspace.name} · {draft.answer.question.asked_by.name}"
        return format_html('{}<span class="rv-about">{}</span>', question, about)

    @display(
        description=_("priority"),
        ordering="priority",
        label={Priority.LOW: "", Priority.NORMAL: "", Priority.HIGH: "warning", Priority.URGENT: "danger"},
    )
    def urgency(self, draft: Draft) -> tuple[int, str]:
        return draft.priority, draft.get_priority_display()

    @display(description=_("due"), ordering="due_at")
    def due(self, draft: Draft) -> str:
        if draft.due_at is None or draft.state not in review.WHEN["edit"]:
            return "–"
        if queue.is_overdue(draft):
            late = _("overdue by %(time)s") % {"time": timesince(draft.due_at, depth=1)}
            return format_html('<span class="rv-overdue">{}</span>', late)
        return date_format(timezone.localtime(draft.due_at), "SHORT_DATETIME_FORMAT")

    @display(description=_("waiting"), ordering="created_at")
    def age(self, draft: Draft) -> str:
        return timesince(draft.created_at, depth=1) if draft.state in review.WHEN["edit"] else "–"

    @display(
        description=_("grounding"),
        ordering="grounding",
        label={Grounding.SUPPORTED: "success", Grounding.PARTLY: "warning", Grounding.UNSUPPORTED: "danger"},
    )
    def standing(self, draft: Draft) -> Any:
        return (draft.grounding, draft.get_grounding_display()) if draft.grounding else "–"

    @display(description=_("desk"), ordering="assigned_to__username")
    def desk(self, draft: Draft) -> str:
        assigned = draft.assigned_to.name if draft.assigned_to else "–"
        holder = queue.holder(draft)
        if holder is None:
            return assigned
        reading = _("%(name)s is reading it") % {"name": holder.name}
        return format_html("{}<br>{}", assigned, reading) if draft.assigned_to else reading

    @display(
        description=_("state"),
        ordering="state",
        label={
            DraftState.WAITING: "info",
            DraftState.APPROVED_ONCE: "warning",
            DraftState.RETURNED: "warning",
            DraftState.APPROVED: "success",
            DraftState.REJECTED: "danger",
            DraftState.WITHDRAWN: "danger",
            DraftState.STRANDED: "danger",
        },
    )
    def state_label(self, draft: Draft) -> tuple[str, str]:
        return draft.state, draft.get_state_display()

    @display(description=_("for you"))
    def yours(self, draft: Draft) -> Any:
        if draft.state not in review.WHEN["edit"]:
            return "–"
        refusal = separation.refusal_of(draft, separation.APPROVE)
        others = draft.alike  # type: ignore[attr-defined]
        if refusal or not others:
            return refusal or _("To decide")
        told = ngettext("and %(n)d that says the same", "and %(n)d that say the same", others) % {"n": others}
        address = reverse("admin:answers_draft_alike", args=[draft.pk])
        return format_html('{} <a class="rv-link" href="{}">{}</a>', _("To decide"), address, told)


def counted(count: int) -> str:
    """A count that was not taken further than `COUNTED`."""
    return f"{COUNTED}+" if count > COUNTED else str(count)


def waiting(request: HttpRequest) -> str | None:
    """How many drafts wait where the person reviews, for the badge beside the queue's name; None for none.

    Every page of the admin asks, so counting ends where the number stops mattering.
    """
    to_decide = access.visible(request.user, Draft).filter(state__in=review.WHEN["approve"])
    count = to_decide.order_by()[: COUNTED + 1].count()
    return counted(count) if count else None
