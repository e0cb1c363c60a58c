"""The life of an answer and of a draft: every ending has a name, a family and a sentence for the asker."""

from dataclasses import dataclass
from typing import Any

from django.db import models
from django.utils.translation import gettext_lazy as _


class AnswerStatus(models.TextChoices):
    """Where an answer stands. The part before the underscore is its family."""

    WAITING = "waiting", _("Waiting")
    WORKING = "working", _("Working")
    ANSWERED = "answered", _("Released automatically")
    ANSWERED_APPROVED = "answered_approved", _("Approved by a reviewer")
    SUSPENDED = "suspended", _("Suspended")
    HELD_FOR_REVIEW = "held_for_review", _("Awaiting review")
    HELD_RETURNED = "held_returned", _("Returned for changes")
    HELD_REOPENED = "held_reopened", _("Under review again")
    REFUSED_NO_EVIDENCE = "refused_no_evidence", _("No evidence")
    REFUSED_BY_REVIEWER = "refused_by_reviewer", _("Rejected by a reviewer")
    REFUSED_TAKEN_BACK = "refused_taken_back", _("Taken back by a reviewer")
    REFUSED_SOURCE_DELETED = "refused_source_deleted", _("Source deleted")
    REFUSED_NO_RIGHT = "refused_no_right", _("Not open to you")
    REFUSED_NO_REVIEWER = "refused_no_reviewer", _("No reviewer")
    REFUSED_MODEL_POLICY = "refused_model_policy", _("Not sent to the model")
    REFUSED_BUDGET = "refused_budget", _("Budget spent")
    STOPPED = "stopped_by_asker", _("Stopped")
    FAILED_MODEL_TIMEOUT = "failed_model_timeout", _("Model too slow")
    FAILED_MODEL_BUSY = "failed_model_busy", _("Model busy")
    FAILED_MODEL_ERROR = "failed_model_error", _("Model error")
    FAILED_MODEL_INTERRUPTED = "failed_model_interrupted", _("Model broke off")
    FAILED_MODEL_UNCITED = "failed_model_uncited", _("Nothing could be proven")
    FAILED_NO_ENDPOINT = "failed_no_endpoint", _("No model")
    FAILED_SEARCH = "failed_search", _("Search unavailable")
    FAILED_INTERNAL = "failed_internal", _("Internal fault")

    @property
    def family(self) -> str:
        """waiting, working, answered, suspended, held, refused, stopped or failed."""
        return self.value.split("_", 1)[0]


@dataclass(frozen=True, slots=True)
class Wording:
    """What people are told: a sentence for the asker, and the colour token of the badge."""

    sentence: Any
    tone: str  # of the design system: "ok" "seal" "wait" "none" "fail" "run"


WORDING: dict[str, Wording] = {
    AnswerStatus.WAITING: Wording(_("Your question is in line."), "run"),
    AnswerStatus.WORKING: Wording(_("Looking through the documents open to you."), "run"),
    AnswerStatus.ANSWERED: Wording(_("Released by this workspace's policy, without a reviewer."), "ok"),
    AnswerStatus.ANSWERED_APPROVED: Wording(_("A reviewer checked and approved exactly this text."), "seal"),
    AnswerStatus.SUSPENDED: Wording(
        _("Something this answer rests on was deleted or has changed, so the answer is closed for now. Ask again."),
        "none",
    ),
    AnswerStatus.HELD_FOR_REVIEW: Wording(
        _("The answer is written and waits for a reviewer. You will see it here once it is approved."),
        "wait",
    ),
    AnswerStatus.HELD_RETURNED: Wording(
        _("A reviewer asked for changes. You will see the answer once it is approved."), "wait"
    ),
    AnswerStatus.HELD_REOPENED: Wording(
        _("A reviewer looks at this answer again, so it is closed until that is decided."), "wait"
    ),
    AnswerStatus.REFUSED_NO_EVIDENCE: Wording(
        _("The documents open to you hold no evidence for an answer, so none is given."), "none"
    ),
    AnswerStatus.REFUSED_BY_REVIEWER: Wording(_("A reviewer decided not to release this answer."), "none"),
    AnswerStatus.REFUSED_TAKEN_BACK: Wording(
        _("A reviewer took this answer back after it had been released. Do not rely on it."), "none"
    ),
    AnswerStatus.REFUSED_SOURCE_DELETED: Wording(
        _("A document this answer rests on was deleted before it was released. Ask again."), "none"
    ),
    AnswerStatus.REFUSED_NO_RIGHT: Wording(
        _("You may no longer ask in this workspace, so the answer was dropped."), "none"
    ),
    AnswerStatus.REFUSED_NO_REVIEWER: Wording(
        _("No reviewer here may open every source of this answer. Ask the workspace's manager."), "none"
    ),
    AnswerStatus.REFUSED_MODEL_POLICY: Wording(
        _(
            "What this answer would rest on may not be sent to the model, so nothing was sent. Choose another model, "
            "or ask the workspace's manager."
        ),
        "none",
    ),
    AnswerStatus.REFUSED_BUDGET: Wording(
        _("What is left of the budget for models does not cover this, so nothing was sent. Ask again later."),
        "none",
    ),
    AnswerStatus.STOPPED: Wording(_("You stopped this answer. Nothing of it was kept as an answer."), "none"),
    AnswerStatus.FAILED_MODEL_TIMEOUT: Wording(
        _("The model took too long. Ask again, or choose another model."), "fail"
    ),
    AnswerStatus.FAILED_MODEL_BUSY: Wording(_("The model is busy right now. Ask again in a minute."), "fail"),
    AnswerStatus.FAILED_MODEL_ERROR: Wording(
        _("The model answered with an error. Ask again, or tell the workspace's manager."), "fail"
    ),
    AnswerStatus.FAILED_MODEL_INTERRUPTED: Wording(
        _("The model broke off in the middle, so its text was not kept. Ask again."), "fail"
    ),
    AnswerStatus.FAILED_MODEL_UNCITED: Wording(
        _("The model wrote an answer, but none of its claims could be tied to a document, so it is not shown."),
        "fail",
    ),
    AnswerStatus.FAILED_NO_ENDPOINT: Wording(
        _("This workspace has no usable model. Its manager can choose one in the settings."), "fail"
    ),
    AnswerStatus.FAILED_SEARCH: Wording(_("The search is unavailable right now. Ask again in a minute."), "fail"),
    AnswerStatus.FAILED_INTERNAL: Wording(
        _("Something went wrong on our side. The operator can find it by the answer's number."), "fail"
    ),
}

#: The system owes these their next step; the sweep looks for them.
OPEN = (AnswerStatus.WAITING, AnswerStatus.WORKING)
#: The asker may read the text.
RELEASED = (AnswerStatus.ANSWERED, AnswerStatus.ANSWERED_APPROVED)
HELD = (AnswerStatus.HELD_FOR_REVIEW, AnswerStatus.HELD_RETURNED, AnswerStatus.HELD_REOPENED)

_ENDINGS = frozenset(AnswerStatus.values) - set(OPEN)
#: An approved answer that is given again comes to a person with its approval.
_FROM_WORK = _ENDINGS - {
    AnswerStatus.HELD_RETURNED,
    AnswerStatus.HELD_REOPENED,
    AnswerStatus.REFUSED_BY_REVIEWER,
    AnswerStatus.REFUSED_TAKEN_BACK,
    AnswerStatus.REFUSED_SOURCE_DELETED,
    AnswerStatus.SUSPENDED,
}
#: Ways out of being held that give no text: a reviewer's, the end of a source, and nobody left who may decide.
_ENDED = frozenset(
    {AnswerStatus.REFUSED_BY_REVIEWER, AnswerStatus.REFUSED_SOURCE_DELETED, AnswerStatus.REFUSED_NO_REVIEWER}
)
#: A reviewer looks at it again or takes it back, or a document it rests on is deleted.
_FROM_RELEASED = frozenset({AnswerStatus.SUSPENDED, AnswerStatus.HELD_REOPENED, AnswerStatus.REFUSED_TAKEN_BACK})

NEXT: dict[str, frozenset[str]] = {
    AnswerStatus.WAITING: _FROM_WORK | {AnswerStatus.WORKING},
    AnswerStatus.WORKING: _FROM_WORK,
    AnswerStatus.HELD_FOR_REVIEW: _ENDED | {AnswerStatus.ANSWERED_APPROVED, AnswerStatus.HELD_RETURNED},
    AnswerStatus.HELD_RETURNED: _ENDED | {AnswerStatus.HELD_FOR_REVIEW},
    AnswerStatus.HELD_REOPENED: _ENDED | {AnswerStatus.ANSWERED_APPROVED, AnswerStatus.HELD_RETURNED},
    # A document in the bin may come back, and the answer with it.
    AnswerStatus.ANSWERED: _FROM_RELEASED,
    AnswerStatus.ANSWERED_APPROVED: _FROM_RELEASED,
    # The last is that of an approved answer given again, whose approval ended meanwhile.
    AnswerStatus.SUSPENDED: frozenset({*RELEASED, AnswerStatus.REFUSED_TAKEN_BACK}),
    **{ending: frozenset() for ending in _ENDINGS - {*RELEASED, *HELD, AnswerStatus.SUSPENDED}},
}


def may_follow(before: str, after: str) -> bool:
    """Whether an answer in status `before` may become `after`."""
    return after in NEXT[before]


class DraftState(models.TextChoices):
    """Where a draft stands in review, and with whom."""

    WAITING = "waiting", _("Awaiting review")
    APPROVED_ONCE = "approved_once", _("Awaiting a second approver")
    RETURNED = "returned", _("Returned for changes")
    APPROVED = "approved", _("Approved")
    REJECTED = "rejected", _("Rejected")
    TAKEN_BACK = "taken_back", _("Taken back")
    WITHDRAWN = "withdrawn", _("Source deleted")
    STRANDED = "stranded", _("No reviewer")


#: draft state → the status its answer shows the asker.
ANSWER_STATUS_OF: dict[str, AnswerStatus] = {
    DraftState.WAITING: AnswerStatus.HELD_FOR_REVIEW,
    DraftState.APPROVED_ONCE: AnswerStatus.HELD_FOR_REVIEW,
    DraftState.RETURNED: AnswerStatus.HELD_RETURNED,
    DraftState.APPROVED: AnswerStatus.ANSWERED_APPROVED,
    DraftState.REJECTED: AnswerStatus.REFUSED_BY_REVIEWER,
    DraftState.TAKEN_BACK: AnswerStatus.REFUSED_TAKEN_BACK,
    DraftState.WITHDRAWN: AnswerStatus.REFUSED_SOURCE_DELETED,
    DraftState.STRANDED: AnswerStatus.REFUSED_NO_REVIEWER,
}
