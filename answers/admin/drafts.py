"""The review queue in the admin. What is done with one draft is in `draft_acts.py`."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.text import Truncator
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from unfold.decorators import display

from answers import review, separation
from answers.admin.alike_acts import AlikeActs
from answers.admin.draft_acts import DraftActs
from answers.admin.queue_filters import shown_as
from answers.admin.queue_lists import QueueLists, badge
from answers.drafts import alike
from answers.models import Draft, Grounding
from answers.queue import order as queue
from answers.queue.filters import FACETS, OPEN
from answers.states import DraftState
from workspaces import access
from workspaces.roles import Action

#: What lies one click away: a name, and the filters it stands for.
TABS: tuple[tuple[Any, dict[str, str]], ...] = (
    (DraftState.WAITING.label, {"state": DraftState.WAITING}),
    (DraftState.APPROVED_ONCE.label, {"state": DraftState.APPROVED_ONCE}),
    (DraftState.RETURNED.label, {"state": DraftState.RETURNED}),
    (_("On my desk"), {"state": OPEN, "desk": "mine"}),
    (_("I am reading it"), {"state": OPEN, "desk": "claimed"}),
    (_("Overdue"), {"state": OPEN, "due": "over"}),
)


@admin.register(Draft)
class DraftAdmin(AlikeActs, DraftActs, QueueLists):
    """Drafts of the workspaces where the person reviews, if they may open everything a draft rests on."""

    view_action = Action.REVIEW
    list_display = ("asked", "urgency", "due", "age", "standing", "desk", "yours", "state_label")
    list_display_links = ("asked",)
    list_filter = tuple(shown_as(facet) for facet in FACETS)
    tabs = TABS
    search_fields = ("answer__question__text",)
    search_help_text = _("Search the questions")
    ordering = queue.LINES[Draft].order

    def get_queryset(self, request: HttpRequest) -> QuerySet[Draft]:
        rows = alike.with_alike(separation.with_ties(super().get_queryset(request), request.user), request.user)
        return rows.select_related("workspace", "assigned_to", "claimed_by", "answer__question__asked_by").defer(
            "text", "sentences", "answer__text", "answer__raw_output", "answer__sentences"
        )

    # --- Columns ---

    @display(description=_("question"))
    def asked(self, draft: Draft) -> str:
        question = Truncator(" ".join(draft.answer.question.text.split())).chars(110)
        about = f"{draft.workspace.name} · {draft.answer.question.asked_by.name}"
        return format_html('{}<span class="rv-about">{}</span>', question, about)

    @display(description=_("waiting"), ordering="created_at")
    def age(self, draft: Draft) -> str:
        return super().age(draft)

    @display(
        description=_("grounding"),
        ordering="grounding",
        label={Grounding.SUPPORTED: "success", Grounding.PARTLY: "warning", Grounding.UNSUPPORTED: "danger"},
    )
    def standing(self, draft: Draft) -> Any:
        return (draft.grounding, draft.get_grounding_display()) if draft.grounding else "–"

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


def waiting(request: HttpRequest) -> str | None:
    """How many drafts wait where the person reviews, for the badge beside the queue's name; None for none."""
    return badge(access.visible(request.user, Draft).filter(state__in=review.WHEN["approve"]))
