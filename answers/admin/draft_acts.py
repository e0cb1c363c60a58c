"""What a reviewer does with one draft in the admin: its page, and an address for each act that calls its verb."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, JsonResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from answers import entered, review
from answers.access import declassification
from answers.admin import carried
from answers.drafts import comments
from answers.drafts.page import DraftPage, checked, page_of
from answers.drafts.text import MAX_TEXT_CHARACTERS, require_sound
from answers.exceptions import DraftError
from answers.models import Draft
from answers.queue import order as queue
from answers.states import DraftState
from documents.changes.differences import difference
from workspaces import access
from workspaces.admin_base import GovernedHistoryAdmin
from workspaces.exceptions import PortalError
from workspaces.models import User
from workspaces.roles import Action

#: The act's last part of the address → what the person is told when it is done.
_DONE = {
    "approve": gettext_lazy("Approved. The asker can read exactly this text now."),
    "return": gettext_lazy("Returned for changes."),
    "reject": gettext_lazy("Rejected. This answer will not be released."),
    "edit": gettext_lazy("Saved. Another reviewer decides on this text now."),
    "submit": gettext_lazy("Submitted. It waits for a reviewer again."),
    "assign": gettext_lazy("It is on your desk. Others may still decide on it."),
    "release": gettext_lazy("It is on nobody's desk now."),
    "claim": gettext_lazy("The others see that you are reading it."),
    "let_go": gettext_lazy("The others see that nobody is reading it."),
    "rank": gettext_lazy("Saved."),
    "comment": gettext_lazy("Your comment is with the other reviewers."),
}
_DONE_DECLASSIFIED = gettext_lazy("Approved and declassified. Its sources stay closed.")
_DONE_ONCE = gettext_lazy("Your approval is kept. The text is released when a second reviewer approves it.")
_DONE_EDITED = gettext_lazy("Kept. Another reviewer lets out exactly this text.")
#: What is kept in the forms when an act was refused.
_TYPED = ("reason", "questions", "text", "why", "declassify", "declassify_why", "comment")
_DECISIONS = ("approve", "return", "reject")
#: The parameter in which the admin carries the list's own from page to page.
_FILTERS = "_changelist_filters"


class DraftActs(GovernedHistoryAdmin):
    """The admin of drafts: the page of one, and everything that is posted from it or from the queue."""

    def get_urls(self) -> list[URLPattern]:
        site = self.admin_site
        own = [
            path(
                f"<uuid:pk>/{act.replace('_', '-')}/", site.admin_view(self._act_view(act)), name=f"answers_draft_{act}"
            )
            for act in _DONE
        ]
        own += [
            path("<uuid:pk>/check/", site.admin_view(require_POST(self._check)), name="answers_draft_check"),
        ]
        return own + super().get_urls()

    # --- Reading ---

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
        return self._to_page(request, self.require_reading(request, object_id).pk)

    def history_form_view(
        self, request: HttpRequest, object_id: str, version_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        # A form made from the model would offer every workspace, account and answer there is to choose from.
        return self._to_page(request, self.require_reading(request, object_id).pk)

    def _page(
        self, request: HttpRequest, draft: Draft, *, status: int = 200, typed: dict[str, Any] | None = None
    ) -> HttpResponse:
        review.opened(draft, by=request.user)
        page = page_of(draft, request.user)
        context = {
            **self.admin_site.each_context(request),
            "title": _("Draft"),
            "opts": self.opts,
            "page": page,
            "object_id": draft.pk,
            "change": True,
            "has_view_permission": True,
            "preserved": carried.preserved(request),
            "queue_address": carried.queue_address(request),
            "typed": typed or {},
            "overwrites": _overwrites(page, typed or {}),
            "comparison": page.history.compare(request.GET.get("from", ""), request.GET.get("to", "")),
        }
        request.current_app = self.admin_site.name
        return TemplateResponse(request, "admin/answers/draft/page.html", context, status=status)

    # --- Acting ---

    def _act_view(self, act: str) -> Callable[..., HttpResponse]:
        @require_POST
        def view(request: HttpRequest, pk: UUID) -> HttpResponse:
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
                return self._onward(request, pk) if request.POST.get("then") == "next" else self._to_queue(request)
            return self._to_page(request, pk)

        return view

    def _check(self, request: HttpRequest, pk: UUID) -> HttpResponse:
        """How a text that is being written stands on the draft's sources, and how it differs from what the browser
        had before. Keeps nothing, and tells nothing of the draft's own text, so that it is no way to read one."""
        draft = access.find(request.user, Action.REVIEW, Draft, pk=pk)
        text = request.POST.get("text", "").replace("\r\n", "\n").strip()
        before = request.POST.get("was", "").replace("\r\n", "\n").strip()
        if max(len(text), len(before)) > MAX_TEXT_CHARACTERS:
            return JsonResponse({"objection": _("This is too long to be checked."), "sentences": [], "difference": []})
        try:
            require_sound(text, draft.answer)
        except DraftError as error:
            objection = str(error)
        else:
            objection = ""
        return JsonResponse(
            {
                "objection": objection,
                "sentences": [
                    {
                        "text": "".join(part.text for part in sentence.parts),
                        "tone": sentence.tone,
                        "label": sentence.label,
                        "reasons": sentence.reasons,
                    }
                    for sentence in checked(draft.answer, text)
                ],
                "difference": [{"kind": piece.kind, "text": piece.text} for piece in difference(before, text)],
            }
        )


def _do(act: str, draft: Draft, sent: Any, *, by: User) -> Any:
    """The one verb behind each button; returns what the person is told."""
    reason, seen = sent.get("reason", "").strip() or sent.get("template", ""), sent.get("seen_sha256", "")
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
            questions = sent.get("questions", "").splitlines()
            review.return_for_changes(draft, by=by, reason=reason, seen_sha256=seen, questions=questions)
        case "reject":
            review.reject(draft, by=by, reason=reason, seen_sha256=seen)
        case "edit" if sent.get("then") == "approve":
            why = sent.get("why", "")
            review.approve_with_edits(draft, text=sent.get("text", ""), by=by, reason=why, seen_sha256=seen)
            return _DONE_EDITED
        case "edit":
            review.edit(draft, text=sent.get("text", ""), by=by, reason=sent.get("why", ""), seen_sha256=seen)
        case "submit":
            review.submit(draft, by=by)
        case "assign":
            review.assign(draft, to=by, by=by)
        case "release":
            review.assign(draft, to=None, by=by)
        case "claim":
            queue.claim(draft, by=by, take_over="take_over" in sent)
        case "let_go":
            queue.let_go(draft, by=by)
        case "rank":
            queue.rank(
                draft,
                priority=entered.number_in(sent.get("priority", "")),
                due_at=entered.moment_in(sent.get("due_at", "")),
                by=by,
            )
        case "comment":
            comments.write(draft, text=sent.get("comment", ""), by=by)
    return _DONE[act]


def _overwrites(page: DraftPage, typed: dict[str, Any]) -> Any:
    """How a text that could not be saved differs from the one that stands by now."""
    text = typed.get("text", "").replace("\r\n", "\n").strip()
    return difference(page.draft.text, text) if text and text != page.draft.text else None
