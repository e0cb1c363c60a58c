"""What people can be told of: every kind with its sentence, and how a thing is named and found by whoever may see it.

The app that owns a model says how to name it (`describe`); nothing here knows documents or answers.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.db import models
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from workspaces.models import Channel


class Kind(models.TextChoices):
    """A kind of notice, by its permanent code, and the one sentence that is said of it without naming anything."""

    DRAFT_ASSIGNED = "draft_assigned", _("A draft was put on your desk.")
    DRAFT_WAITING = "draft_waiting", _("A new draft waits for a decision.")
    DRAFT_SECOND = "draft_second", _("A draft waits for its second approval.")
    DRAFT_RETURNED = "draft_returned", _("A draft was returned for changes.")
    DRAFT_REPLIED = "draft_replied", _("The asker replied to what you wanted to know about a draft.")
    DRAFT_STALE = "draft_stale", _("A source of a draft changed before anybody decided on it.")
    DRAFT_DUE = "draft_due", _("A draft waits for a decision and is due soon.")
    DRAFT_OVERDUE = "draft_overdue", _("A draft waits for a decision and is overdue.")
    ANSWER_TO_CONFIRM = "answer_to_confirm", _("A released answer was suspended and waits to be looked at again.")
    COMMENT_MENTION = "comment_mention", _("You were mentioned in a comment on a draft.")
    DECIDED_BY_OTHER = "decided_by_other", _("Somebody else decided on a draft you had claimed.")
    ANSWER_RELEASED = "answer_released", _("The answer to your question was approved.")
    ANSWER_REFUSED = "answer_refused", _("Your question gets no answer after all.")
    ANSWER_ASKED = "answer_asked", _("A reviewer wants to know something about your question.")
    ANSWER_REOPENED = "answer_reopened", _("An answer you were given is closed while a reviewer looks at it again.")
    ANSWER_TAKEN_BACK = "answer_taken_back", _("A reviewer took back an answer you were given. Do not rely on it.")
    ANSWER_SUSPENDED = "answer_suspended", _("An answer you were given is suspended: something it rests on changed.")
    ANSWER_RESUMED = "answer_resumed", _("An answer of yours that was suspended stands again.")
    EXAMINATION_WAITING = "examination_waiting", _("Findings in somebody's draft wait for a decision.")
    EXAMINATION_ASSIGNED = "examination_assigned", _("Findings in somebody's draft were put on your desk.")
    EXAMINATION_DUE = "examination_due", _("Findings in somebody's draft wait for a decision and are due soon.")
    EXAMINATION_OVERDUE = "examination_overdue", _("Findings in somebody's draft wait for a decision and are overdue.")
    EXAMINATION_DONE = "examination_done", _("What was found in a draft of yours can be read.")
    EXAMINATION_REFUSED = "examination_refused", _("A draft of yours was looked at, and there is nothing to read.")
    EXAMINATION_RETURNED = "examination_returned", _("A reviewer wants to know something about a draft of yours.")
    EXAMINATION_REPLIED = "examination_replied", _("The owner of a draft replied to what you wanted to know.")
    EXAMINATION_REOPENED = (
        "examination_reopened",
        _("What was found in a draft of yours is closed while a reviewer looks at it again."),
    )
    FINDINGS_CLOSED = "findings_closed", _("Findings in a draft of yours are closed: what they rest on changed.")
    GAP_ASSIGNED = "gap_assigned", _("Questions that nothing answers were assigned to you.")
    GAP_DUE = "gap_due", _("Questions that nothing answers are to be settled today.")
    GAP_OVERDUE = "gap_overdue", _("Questions that nothing answers were to be settled by now.")
    GAP_ANSWERED = "gap_answered", _("A question of yours that had no answer can be answered now.")
    APPROVED_DUE = "approved_due", _("An approved answer is to be verified again.")
    DOCUMENT_REVIEW = "document_review", _("A document you keep current is to be reviewed.")
    DOCUMENT_EXPIRED = "document_expired", _("The last valid day of a document you keep current is over.")
    TRAINING_FLAGGED = "training_flagged", _("Something that a training set of your workspace contains is in doubt.")
    TUNING_ENDED = "tuning_ended", _("A fine-tuning job ended.")
    GATE_OVERRIDE_ASKED = (
        "gate_override_asked",
        _("Somebody wants a change to go live without passing the change gate."),
    )
    GATE_SETTLED = "gate_settled", _("A change of yours at the change gate went live or was withdrawn.")
    GATE_LOOSENING_ASKED = "gate_loosening_asked", _("Somebody wants the change gate to be easier to pass.")
    GATE_LOOSENING_SETTLED = "gate_loosening_settled", _("What you wanted of the change gate was decided on.")
    SOURCE_FAILED = "source_failed", _("A source of documents failed several times in a row.")
    DELETION_PROVEN = "deletion_proven", _("The receipt of a deletion you asked for was issued.")
    HOLD_PLACED = "hold_placed", _("A document you keep current was placed under a legal hold.")
    READINESS_BLOCKED = "readiness_blocked", _("Something blocks a workspace in use that did not before.")
    READINESS_LAPSED = "readiness_lapsed", _("A workspace in use has no go any more: its last check is too old.")
    PILOT_ENDED = "pilot_ended", _("A pilot ended: its workspace got no go in time.")


@dataclass(frozen=True, slots=True)
class Manner:
    """How a kind reaches people: its group on the page of preferences, its way by default, whether it may be off."""

    group: str
    default: Channel
    may_be_off: bool = True


REVIEW, ANSWERS, DOCUMENTS, WORKSPACES = "review", "answers", "documents", "workspaces"
GROUPS: dict[str, Any] = {
    ANSWERS: _("Your questions and answers"),
    REVIEW: _("Drafts you review"),
    DOCUMENTS: _("Documents and sources you look after"),
    WORKSPACES: _("Workspaces you run or review in"),
}

#: What somebody relied on, or was handed by name, always reaches the portal at least.
MANNERS: dict[str, Manner] = {
    Kind.DRAFT_ASSIGNED: Manner(REVIEW, Channel.NOW, may_be_off=False),
    Kind.DRAFT_WAITING: Manner(REVIEW, Channel.DIGEST),
    Kind.DRAFT_SECOND: Manner(REVIEW, Channel.DIGEST),
    Kind.DRAFT_RETURNED: Manner(REVIEW, Channel.NOW),
    Kind.DRAFT_REPLIED: Manner(REVIEW, Channel.NOW),
    Kind.DRAFT_STALE: Manner(REVIEW, Channel.DIGEST),
    # In the morning after, it would be late.
    Kind.DRAFT_DUE: Manner(REVIEW, Channel.NOW),
    Kind.DRAFT_OVERDUE: Manner(REVIEW, Channel.DIGEST),
    Kind.ANSWER_TO_CONFIRM: Manner(REVIEW, Channel.DIGEST, may_be_off=False),
    Kind.COMMENT_MENTION: Manner(REVIEW, Channel.NOW),
    Kind.DECIDED_BY_OTHER: Manner(REVIEW, Channel.PORTAL),
    Kind.ANSWER_RELEASED: Manner(ANSWERS, Channel.NOW),
    Kind.ANSWER_REFUSED: Manner(ANSWERS, Channel.NOW),
    Kind.ANSWER_ASKED: Manner(ANSWERS, Channel.NOW),
    Kind.ANSWER_REOPENED: Manner(ANSWERS, Channel.NOW, may_be_off=False),
    Kind.ANSWER_TAKEN_BACK: Manner(ANSWERS, Channel.NOW, may_be_off=False),
    Kind.ANSWER_SUSPENDED: Manner(ANSWERS, Channel.NOW, may_be_off=False),
    Kind.ANSWER_RESUMED: Manner(ANSWERS, Channel.NOW),
    Kind.EXAMINATION_WAITING: Manner(REVIEW, Channel.DIGEST),
    Kind.EXAMINATION_ASSIGNED: Manner(REVIEW, Channel.NOW, may_be_off=False),
    Kind.EXAMINATION_DUE: Manner(REVIEW, Channel.NOW),
    Kind.EXAMINATION_OVERDUE: Manner(REVIEW, Channel.DIGEST),
    Kind.EXAMINATION_DONE: Manner(ANSWERS, Channel.NOW),
    Kind.EXAMINATION_REFUSED: Manner(ANSWERS, Channel.NOW),
    Kind.EXAMINATION_RETURNED: Manner(ANSWERS, Channel.NOW),
    Kind.EXAMINATION_REPLIED: Manner(REVIEW, Channel.NOW),
    Kind.EXAMINATION_REOPENED: Manner(ANSWERS, Channel.NOW, may_be_off=False),
    Kind.FINDINGS_CLOSED: Manner(ANSWERS, Channel.PORTAL),
    Kind.GAP_ASSIGNED: Manner(DOCUMENTS, Channel.NOW, may_be_off=False),
    Kind.GAP_DUE: Manner(DOCUMENTS, Channel.DIGEST),
    Kind.GAP_OVERDUE: Manner(DOCUMENTS, Channel.DIGEST),
    Kind.GAP_ANSWERED: Manner(ANSWERS, Channel.NOW),
    Kind.APPROVED_DUE: Manner(REVIEW, Channel.DIGEST),
    Kind.DOCUMENT_REVIEW: Manner(DOCUMENTS, Channel.DIGEST),
    Kind.DOCUMENT_EXPIRED: Manner(DOCUMENTS, Channel.DIGEST),
    Kind.TRAINING_FLAGGED: Manner(DOCUMENTS, Channel.NOW, may_be_off=False),
    Kind.TUNING_ENDED: Manner(DOCUMENTS, Channel.NOW),
    Kind.SOURCE_FAILED: Manner(DOCUMENTS, Channel.NOW),
    Kind.DELETION_PROVEN: Manner(DOCUMENTS, Channel.PORTAL),
    Kind.HOLD_PLACED: Manner(DOCUMENTS, Channel.PORTAL),
    Kind.GATE_OVERRIDE_ASKED: Manner(WORKSPACES, Channel.NOW, may_be_off=False),
    Kind.GATE_SETTLED: Manner(WORKSPACES, Channel.NOW),
    Kind.GATE_LOOSENING_ASKED: Manner(WORKSPACES, Channel.NOW, may_be_off=False),
    Kind.GATE_LOOSENING_SETTLED: Manner(WORKSPACES, Channel.NOW),
    Kind.READINESS_BLOCKED: Manner(WORKSPACES, Channel.NOW, may_be_off=False),
    Kind.READINESS_LAPSED: Manner(WORKSPACES, Channel.NOW, may_be_off=False),
    Kind.PILOT_ENDED: Manner(WORKSPACES, Channel.NOW, may_be_off=False),
}


@dataclass(frozen=True, slots=True)
class Description:
    """How things of one model are named and found, once it is known that the reader may know of them."""

    model: type[models.Model]
    #: The thing's name for a person who may see it.
    name: Callable[[Any], str]
    #: The path of its page.
    address: Callable[[Any], str]
    #: Whether the name may leave the portal in a mail. A title may; what somebody asked or wrote may not.
    name_in_mail: bool
    #: What is needed to name it, loaded together.
    prepared: Callable[[QuerySet[Any]], QuerySet[Any]] = lambda rows: rows
    #: Where a kind leads to another page of the thing.
    addresses: Mapping[str, Callable[[Any], str]] = field(default_factory=dict)
    #: Of a kind that calls for something to be done: whether it still is to be.
    waits: Mapping[str, Callable[[Any], bool]] = field(default_factory=dict)

    def address_for(self, kind: str, thing: Any) -> str:
        return self.addresses.get(kind, self.address)(thing)

    def is_over(self, kind: str, thing: Any) -> bool:
        return kind in self.waits and not self.waits[kind](thing)


_descriptions: dict[str, Description] = {}


def describe(
    model: type[models.Model],
    *,
    name: Callable[[Any], str],
    address: Callable[[Any], str],
    name_in_mail: bool = False,
    prepared: Callable[[QuerySet[Any]], QuerySet[Any]] = lambda rows: rows,
    addresses: Mapping[str, Callable[[Any], str]] | None = None,
    waits: Mapping[str, Callable[[Any], bool]] | None = None,
) -> None:
    """Say how things of `model` are named in notices. It needs a rule in `workspaces.access`, which decides to whom."""
    found = Description(model, name, address, name_in_mail, prepared, addresses or {}, waits or {})
    _descriptions[model._meta.label_lower] = found


def description_of(label: str) -> Description | None:
    """How things of the model with this label are named; None for one that nobody described."""
    return _descriptions.get(label)
