"""The list of a queue of reviewers: its tabs, the person's own views of it, its filters, and the columns all have."""

from collections.abc import Mapping
from typing import Any, ClassVar

from django.contrib.admin.views.main import ORDER_VAR, SEARCH_VAR, ChangeList
from django.db.models import CharField, QuerySet, Value
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.timesince import timesince
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from answers.admin.queue_acts import QueueActs
from answers.models import Priority
from answers.queue import order as queue
from answers.queue import saved_views
from answers.queue.filters import FACETS_OF, narrowed
from workspaces import access
from workspaces.admin_base import GovernedChangeList

#: How far the counts beside names go.
COUNTED = 99


class QueueList(GovernedChangeList):
    """The list without the theme's own filters: the page has a form for them that needs no script."""

    def get_queryset(self, request: HttpRequest, exclude_parameters: Any = None) -> QuerySet[Any]:
        rows = super().get_queryset(request, exclude_parameters)
        self.has_filters = False
        asked_for, default = saved_views.kept(request.GET, self.model), FACETS_OF[self.model][0].default
        #: Whether nothing narrows it but that it waits: if it is empty, all is done.
        self.is_whole_line = asked_for.get("state", default) == default and not _narrowing(asked_for) and not self.query
        return rows

    def get_ordering(self, request: HttpRequest, queryset: QuerySet[Any]) -> list[Any]:
        """With the least urgent first, the line from its other end: an index has it in that order as well."""
        ordering = super().get_ordering(request, queryset)
        if ordering[0] != "priority":
            return ordering
        line = queue.LINES[self.model].order
        return [name.removeprefix("-") if name.startswith("-") else f"-{name}" for name in line] + ["-pk"]


class QueueLists(QueueActs):
    """The admin of what waits for reviewers, with its list."""

    list_before_template = "admin/answers/queue/_queue.html"
    #: What lies one click away: a name, and the filters it stands for.
    tabs: ClassVar[tuple[tuple[Any, dict[str, str]], ...]]

    def get_list_display(self, request: HttpRequest) -> tuple[str, ...]:
        # Where every row is in the same state, its column would only take room.
        facet = FACETS_OF[self.model][0]
        state = request.GET.get("state", facet.default)
        is_one = state in dict(self.model._meta.get_field("state").flatchoices)
        return tuple(name for name in self.list_display if not (is_one and name == "state_label"))

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return QueueList

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        self.require_list(request)
        views = saved_views.of(request.user, self.model)
        if not request.GET and request.method == "GET":
            default = next((view for view in views if view.is_default), None)
            if default is not None:
                return HttpResponseRedirect(f"?{saved_views.query_of(default)}")
        asked_for = saved_views.kept(request.GET, self.model)
        named = f"admin:answers_{self.model._meta.model_name}"
        context = {
            "title": queue.LINES[self.model].name.label,
            "tabs": self._tabs(request, asked_for),
            "views": [
                {
                    "view": view,
                    "address": f"?{saved_views.query_of(view)}",
                    "is_shown": view.filters == asked_for,
                    "delete": reverse(f"{named}_delete_view", args=[view.pk]),
                }
                for view in views
            ],
            "next_address": reverse(f"{named}_next"),
            "save_address": reverse(f"{named}_save_view"),
            "cleared": f"?{saved_views.query({}, self.model)}",
            "asked_for": asked_for,
            "filters_in_use": _narrowing(asked_for),
            "kept_parameters": [(name, request.GET[name]) for name in (SEARCH_VAR, ORDER_VAR) if name in request.GET],
            "statement": saved_views.query(asked_for, self.model),
            **(extra_context or {}),
        }
        return super().changelist_view(request, context)

    def _tabs(self, request: HttpRequest, asked_for: Mapping[str, str]) -> list[dict[str, Any]]:
        """The tabs with how much lies behind each, counted in one statement."""
        known = self.waiting_rows(access.visible(request.user, self.model).order_by(), request)
        arms = [
            narrowed(known, filters, request.user)
            .annotate(tab=Value(str(number), CharField()))
            .values_list("tab", flat=True)[: COUNTED + 1]
            for number, (_label, filters) in enumerate(self.tabs)
        ]
        found = list(arms[0].union(*arms[1:], all=True))
        default = FACETS_OF[self.model][0].default
        return [
            {
                "label": label,
                "address": f"?{saved_views.query(filters, self.model)}",
                "count": counted(found.count(str(number))) if str(number) in found else "",
                "is_current": {"state": default, **asked_for} == filters,
            }
            for number, (label, filters) in enumerate(self.tabs)
        ]

    def waiting_rows(self, rows: QuerySet[Any], request: HttpRequest) -> QuerySet[Any]:
        """Those of what the person knows of that the queue is about."""
        return rows

    # --- Columns ---

    @display(
        description=_("priority"),
        ordering="priority",
        label={Priority.LOW: "", Priority.NORMAL: "", Priority.HIGH: "warning", Priority.URGENT: "danger"},
    )
    def urgency(self, waiting: queue.Waiting) -> tuple[int, str]:
        return waiting.priority, waiting.get_priority_display()

    @display(description=_("due"), ordering="due_at")
    def due(self, waiting: queue.Waiting) -> str:
        if waiting.due_at is None or not queue.is_open(waiting):
            return "–"
        if queue.is_overdue(waiting):
            late = _("overdue by %(time)s") % {"time": timesince(waiting.due_at, depth=1)}
            return format_html('<span class="rv-overdue">{}</span>', late)
        return date_format(timezone.localtime(waiting.due_at), "SHORT_DATETIME_FORMAT")

    @display(description=_("waiting"))
    def age(self, waiting: queue.Waiting) -> str:
        since = getattr(waiting, queue.LINES[self.model].since)
        return timesince(since, depth=1) if queue.is_open(waiting) else "–"

    # Not sorted by: no index has the line by names of people, so that order looked at every draft. A filter narrows to
    # a desk.
    @display(description=_("desk"))
    def desk(self, waiting: queue.Waiting) -> str:
        assigned = waiting.assigned_to.name if waiting.assigned_to else "–"
        holder = queue.holder(waiting) if queue.is_open(waiting) else None
        if holder is None:
            return assigned
        reading = _("%(name)s is reading it") % {"name": holder.name}
        return format_html("{}<br>{}", assigned, reading) if waiting.assigned_to else reading


def _narrowing(asked_for: Mapping[str, str]) -> list[str]:
    """The names of the filters in use but for the state, which has tabs."""
    return [name for name in asked_for if name not in ("state", ORDER_VAR)]


def badge(rows: QuerySet[Any]) -> str | None:
    """How many there are, for beside the queue's name; None for none.

    Every page of the admin asks, so counting ends where the number stops mattering.
    """
    count = rows.order_by()[: COUNTED + 1].count()
    return counted(count) if count else None


def counted(count: int) -> str:
    """A count that was not taken further than `COUNTED`."""
    return f"{COUNTED}+" if count > COUNTED else str(count)
