"""The review queue, and the page on which a reviewer reads a draft beside its sources and decides."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from django.contrib import admin, messages
from django.contrib.admin import SimpleListFilter
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.text import Truncator
from django.utils.timesince import timesince
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST
from unfold.decorators import display

from answers import declassification, review, separation
from answers.draft_page import page_of
from answers.models import Draft
from answers.states import DraftState
from workspaces import access
from workspaces.admin_base import GovernedHistoryAdmin, WorkspaceFilter
from workspaces.exceptions import PortalError
from workspaces.models import User
from workspaces.roles import Action

#: The act's last part of the address → what the person is told when it is done.
_DONE = {
    "approve": _("Approved. The asker can read exactly this text now."),
    "return": _("Returned for changes."),
    "reject": _("Rejected. This answer will not be released."),
    "edit": _("Saved. Another reviewer decides on this text now."),
    "submit": _("Submitted. It waits for a reviewer again."),
    "assign": _("It is on your desk. Others may still decide on it."),
    "release": _("It is on nobody's desk now."),
}
_DONE_DECLASSIFIED = _("Approved and declassified. Its sources stay closed.")
_DONE_ONCE = _("Your approval is kept. The text is released when a second reviewer approves it.")
#: What is kept in the forms when an act was refused.
_TYPED = ("reason", "text", "why", "declassify", "declassify_why")
_DECISIONS = ("approve", "return", "reject")
#: A draft that waits longer than this is marked in the queue.
_LATE = timedelta(days=2)
#: How far the badge beside the queue's name counts.
_COUNTED = 99


class StateFilter(SimpleListFilter):
    """Awaiting review unless something else is asked for: the list is a queue first."""

    title = _("state")
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [*DraftState.choices, ("all", _("All"))]

    def value(self) -> str:
        return super().value() or DraftState.WAITING

    def choices(self, changelist: Any) -> Any:
        # Without Django's own "All" in front: the default here is a state.
        for code, label in self.lookup_choices:
            yield {
                "selected": self.value() == str(code),
                "query_string": changelist.get_query_string({self.parameter_name: code}),
                "display": label,
            }

    def queryset(self, request: HttpRequest, queryset: QuerySet[Draft]) -> QuerySet[Draft]:
        return queryset if self.value() == "all" else queryset.filter(state=self.value())


class DeskFilter(SimpleListFilter):
    """Whose desk a draft is on."""

    title = _("desk")
    parameter_name = "desk"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("mine", _("Assigned to me")), ("nobody", _("Assigned to nobody"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Draft]) -> QuerySet[Draft]:
        if self.value() == "mine":
            return queryset.filter(assigned_to=request.user)
        return queryset.filter(assigned_to=None) if self.value() == "nobody" else queryset


@admin.register(Draft)
class DraftAdmin(GovernedHistoryAdmin):
    """Drafts of the workspaces where the person reviews, if they may open everything a draft rests on."""

    view_action = Action.REVIEW
    list_display = ("asked", "workspace_name", "asker", "age", "desk", "state_label", "yours")
    list_display_links = ("asked",)
    list_filter = (StateFilter, DeskFilter, WorkspaceFilter)
    list_before_template = "admin/answers/draft/_states.html"
    search_fields = ("answer__question__text",)
    search_help_text = _("Search the questions")
    ordering = ("created_at",)

    # --- The queue ---

    def get_queryset(self, request: HttpRequest) -> QuerySet[Draft]:
        rows = separation.with_ties(super().get_queryset(request), request.user)
        return rows.select_related("workspace", "assigned_to", "answer__question__asked_by").defer(
            "text", "answer__text", "answer__raw_output", "answer__sentences"
        )

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        asked_for = request.GET.get(StateFilter.parameter_name) or DraftState.WAITING
        states = [(code, label, code == asked_for) for code, label in [*DraftState.choices, ("all", _("All"))]]
        return super().changelist_view(request, {"title": _("Drafts"), "states": states, **(extra_context or {})})

    @display(description=_("question"))
    def asked(self, draft: Draft) -> str:
        return Truncator(" ".join(draft.answer.question.text.split())).chars(110)

    @display(description=_("workspace"), ordering="workspace__name")
    def workspace_name(self, draft: Draft) -> str:
        return draft.workspace.name

    @display(description=_("asked by"), ordering="answer__question__asked_by__username")
    def asker(self, draft: Draft) -> str:
        return draft.answer.question.asked_by.name

    @display(description=_("waiting"), ordering="created_at", label={"late": "warning"})
    def age(self, draft: Draft) -> Any:
        if draft.state not in review.WHEN["edit"]:
            return "–"
        waited = timesince(draft.created_at, depth=1)
        return ("late", waited) if timezone.now() - draft.created_at > _LATE else waited

    @display(description=_("desk"), ordering="assigned_to__username")
    def desk(self, draft: Draft) -> str:
        return draft.assigned_to.name if draft.assigned_to else "–"

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
        return separation.refusal_of(draft, separation.APPROVE) or _("To decide")

    # --- One draft ---

    def get_urls(self) -> list[URLPattern]:
        own = [
            path(f"<uuid:pk>/{act}/", self.admin_site.admin_view(self._act_view(act)), name=f"answers_draft_{act}")
            for act in _DONE
        ]
        return own + super().get_urls()

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        draft = self.get_object(request, object_id or "")
        if request.method not in ("GET", "HEAD"):
            return HttpResponseNotAllowed(["GET"])
        return self._page(request, draft)

    def history_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        # The draft's own page shows every form it had, and records that it was opened.
        return self._to_page(self.require_reading(request, object_id))

    def history_form_view(
        self, request: HttpRequest, object_id: str, version_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        # A form made from the model would offer every workspace, account and answer there is to choose from.
        return self._to_page(self.require_reading(request, object_id))

    def _to_page(self, draft: Draft) -> HttpResponse:
        return HttpResponseRedirect(reverse("admin:answers_draft_change", args=[draft.pk]))

    def _page(
        self, request: HttpRequest, draft: Draft, *, status: int = 200, typed: dict[str, Any] | None = None
    ) -> HttpResponse:
        review.opened(draft, by=request.user)
        context = {
            **self.admin_site.each_context(request),
            "title": _("Draft"),
            "opts": self.opts,
            "page": page_of(draft, request.user),
            "original": draft,
            "object_id": draft.pk,
            "change": True,
            "has_view_permission": True,
            "preserved_filters": self.get_preserved_filters(request),
            "typed": typed or {},
        }
        request.current_app = self.admin_site.name
        return TemplateResponse(request, "admin/answers/draft/page.html", context, status=status)

    def _act_view(self, act: str) -> Callable[..., HttpResponse]:
        @require_POST
        def view(request: HttpRequest, pk: Any) -> HttpResponse:
            draft = access.find(request.user, Action.REVIEW, Draft, pk=pk)
            try:
                done = _do(act, draft, request.POST, by=request.user)
            except PortalError as error:
                messages.error(request, str(error))
                typed: dict[str, Any] = {name: request.POST.get(name, "") for name in _TYPED}
                typed["readers"] = request.POST.getlist("readers")
                return self._page(
                    request, access.find(request.user, Action.REVIEW, Draft, pk=pk), status=409, typed=typed
                )
            messages.success(request, str(done))
            if act in _DECISIONS:
                return HttpResponseRedirect(reverse("admin:answers_draft_changelist"))
            return HttpResponseRedirect(reverse("admin:answers_draft_change", args=[pk]))

        return view


def _do(act: str, draft: Draft, sent: Any, *, by: User) -> Any:
    """The one verb behind each button; returns what the person is told."""
    reason, seen = sent.get("reason", ""), sent.get("seen_sha256", "")
    match act:
        case "approve" if sent.get("declassify"):
            readers = declassification.readers_named(draft.answer, sent.getlist("readers"))
            declassification.approve_and_declassify(
                draft, by=by, seen_sha256=seen, reason=reason, why=sent.get("declassify_why", ""), readers=readers
            )
            return _DONE_DECLASSIFIED
        case "approve":
            decision = review.approve(draft, by=by, seen_sha256=seen, reason=reason)
            if decision.draft.state == DraftState.APPROVED_ONCE:
                return _DONE_ONCE
        case "return":
            review.return_for_changes(draft, by=by, reason=reason, seen_sha256=seen)
        case "reject":
            review.reject(draft, by=by, reason=reason, seen_sha256=seen)
        case "edit":
            review.edit(draft, text=sent.get("text", ""), by=by, reason=sent.get("why", ""), seen_sha256=seen)
        case "submit":
            review.submit(draft, by=by)
        case "assign":
            review.assign(draft, to=by, by=by)
        case "release":
            review.assign(draft, to=None, by=by)
    return _DONE[act]


def waiting(request: HttpRequest) -> str | None:
    """How many drafts wait where the person reviews, for the badge beside the queue's name; None for none.

    Every page of the admin asks, so counting ends where the number stops mattering.
    """
    to_decide = access.visible(request.user, Draft).filter(state__in=review.WHEN["approve"])
    count = to_decide.order_by()[: _COUNTED + 1].count()
    return (f"{_COUNTED}+" if count > _COUNTED else str(count)) if count else None
