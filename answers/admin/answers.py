"""Answers with what each stands on, for those who review where they were given. Read-only."""

from collections.abc import Callable
from typing import Any

from django.contrib import admin, messages
from django.contrib.admin import SimpleListFilter
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.text import Truncator
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST
from unfold.decorators import display

from answers import reading, review, separation
from answers.access import declassification
from answers.chat import feedback
from answers.models import Answer
from answers.provenance import record as provenance
from answers.querysets import closed_documents
from answers.review import reasons
from answers.states import RELEASED, WORDING, AnswerStatus
from answers.suspension import suspended
from workspaces import access
from workspaces.admin_base import GovernedAdmin, WorkspaceFilter
from workspaces.exceptions import PortalError
from workspaces.roles import Action

#: The design system's tones (see `answers.states`) → the theme's colours.
_COLOURS = {"ok": "success", "seal": "success", "wait": "info", "none": "warning", "fail": "danger", "run": ""}


class FamilyFilter(SimpleListFilter):
    """What became of the question, coarsely."""

    title = _("outcome")
    parameter_name = "outcome"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [
            ("answered", _("Released")),
            ("held", _("Held")),
            ("refused", _("Refused")),
            ("failed", _("Failed")),
            ("open", _("In work")),
        ]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Answer]) -> QuerySet[Answer]:
        if not self.value():
            return queryset
        families = ("waiting", "working") if self.value() == "open" else (self.value(),)
        return queryset.filter(status__in=[status for status in AnswerStatus if status.family in families])


@admin.register(Answer)
class AnswerAdmin(GovernedAdmin):
    """Every answer of the workspaces where the person reviews, if they may open everything it rests on."""

    view_action = Action.REVIEW
    list_display = ("asked", "workspace_name", "asker", "status_label", "endpoint_label", "created_at")
    list_display_links = ("asked",)
    list_filter = (FamilyFilter, WorkspaceFilter)
    search_fields = ("question__text",)
    search_help_text = _("Search the questions")
    ordering = ("-created_at",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Answer]:
        reviewed = access.workspaces_allowing(request.user, Action.REVIEW)
        rows = super().get_queryset(request).filter(workspace__in=reviewed)
        return rows.select_related("workspace", "question__asked_by").defer("text", "raw_output", "sentences")

    def get_urls(self) -> list[URLPattern]:
        own = [
            path(f"<uuid:pk>/{act}/", self.admin_site.admin_view(self._act_view(act)), name=f"answers_answer_{act}")
            for act in ("declassify", "classify")
        ]
        return own + super().get_urls()

    def _act_view(self, act: str) -> Callable[..., HttpResponse]:
        @require_POST
        def view(request: HttpRequest, pk: Any) -> HttpResponse:
            answer = access.find(request.user, Action.REVIEW, Answer, pk=pk)
            reason = request.POST.get("reason", "")
            try:
                if act == "declassify":
                    readers = declassification.readers_named(answer, request.POST.getlist("readers"))
                    declassification.declassify(answer, by=request.user, reason=reason, readers=readers)
                    messages.success(request, str(_("Declassified. Its sources stay closed.")))
                else:
                    declassification.take_back(answer, by=request.user, reason=reason)
                    messages.success(request, str(_("Taken back. Only who may open every source reads it now.")))
            except PortalError as error:
                messages.error(request, str(error))
            if access.visible(request.user, Answer).filter(pk=pk).exists():
                return HttpResponseRedirect(reverse("admin:answers_answer_change", args=[pk]))
            return HttpResponseRedirect(reverse("admin:answers_answer_changelist"))

        return view

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        answer = self.get_object(request, object_id or "")
        if request.method not in ("GET", "HEAD"):
            return HttpResponseNotAllowed(["GET"])
        text = reading.inspect(answer, by=request.user)
        context = {
            **self.admin_site.each_context(request),
            "title": _("Answer"),
            "opts": self.opts,
            "original": answer,
            "object_id": answer.pk,
            "answer": answer,
            "question": answer.question,
            "is_released": answer.status in RELEASED,
            "is_open": text is not None,
            "text": text,
            "declassification": declassification.in_force(answer) if text else None,
            "declassifying": self._declassifying(request, answer) if text and answer.status in RELEASED else None,
            "classification": separation.classification_of(answer) if text is not None else None,
            **self._reopening(request, answer, is_open=text is not None),
            "said": feedback.of_answer(answer, to=request.user) if text is not None else [],
            "wording": WORDING[AnswerStatus(answer.status)],
            "why_suspended": [suspended.in_words(one, to=request.user) for one in suspended.standing_of(answer)],
            "draft": getattr(answer, "draft", None) if answer.asked_by_id != request.user.pk else None,
            "record": provenance.record_of(answer, closed=closed_documents(request.user, answer))
            if text is not None
            else None,
        }
        request.current_app = self.admin_site.name
        return TemplateResponse(request, "admin/answers/answer/page.html", context)

    def _reopening(self, request: HttpRequest, answer: Answer, *, is_open: bool) -> dict[str, Any]:
        """What the form to put a released answer under review again needs."""
        if not (is_open and review.may_reopen(answer, request.user)):
            return {"may_reopen": False}
        offered = reasons.offered(answer.workspace)
        return {"may_reopen": True, "reopen_reasons": [*offered["reopen"], *offered["take_back"]]}

    def _declassifying(self, request: HttpRequest, answer: Answer) -> dict[str, Any]:
        """What the form to declassify needs: why this person may not, or whom they may name."""
        objection = declassification.objection(answer, request.user)
        people = [] if objection else declassification.possible_readers(answer)
        return {"objection": objection, "people": people}

    @display(description=_("question"))
    def asked(self, answer: Answer) -> str:
        return Truncator(" ".join(answer.question.text.split())).chars(110)

    @display(description=_("workspace"), ordering="workspace__name")
    def workspace_name(self, answer: Answer) -> str:
        return answer.workspace.name

    @display(description=_("asked by"), ordering="question__asked_by__username")
    def asker(self, answer: Answer) -> str:
        return answer.question.asked_by.name

    @display(
        description=_("state"),
        ordering="status",
        label={status: _COLOURS[wording.tone] for status, wording in WORDING.items()},
    )
    def status_label(self, answer: Answer) -> tuple[str, str]:
        return answer.status, answer.get_status_display()
